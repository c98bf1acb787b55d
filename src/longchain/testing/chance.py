"""Chance that repeats: a random stream per request, whatever the order in which requests arrive.

(seed, request, how often it came before) -> `random.Random`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from random import Random
from threading import Lock


class Chance:
    """Hands out random streams that depend on the request and on how often it came.

    So a request that is sent again gets another stream, while requests that cross each other on
    the way get the same ones as in order.
    """

    def __init__(self, seed: int, vary: bool = True) -> None:
        """Take the seed, and whether the same request gets another stream each time."""
        self.seed = seed
        self.vary = vary
        self._seen: Counter[bytes] = Counter()
        self._lock = Lock()

    def stream(self, request: Iterable[str]) -> Random:
        """Return the stream for the next occurrence of `request`, given as its parts."""
        digest = blake2b(f"{self.seed}".encode(), digest_size=16)
        for part in request:
            data = part.encode("utf-8", "replace")
            digest.update(b"%d:" % len(data))
            digest.update(data)
        key = digest.digest()
        with self._lock:
            occurrence = self._seen[key] if self.vary else 0
            self._seen[key] += self.vary
        return Random(key + occurrence.to_bytes(8))
