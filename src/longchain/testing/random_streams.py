"""Reproducible random streams, one per request, independent of the order of requests.

seed, request, number of its occurrence -> `random.Random`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from random import Random
from threading import Lock


class RandomStreams:
    """Creates a random stream for each occurrence of a request.

    A repeated request gets another stream, while concurrent requests get the same streams in
    whatever order they arrive.
    """

    def __init__(self, seed: int, vary: bool = True) -> None:
        """Create the streams of a seed.

        Args:
            seed: Seed of all streams.
            vary: Whether a repeated request gets another stream.
        """
        self.seed = seed
        self.vary = vary
        self._occurrences: Counter[bytes] = Counter()
        self._lock = Lock()

    def stream(self, request: Iterable[str]) -> Random:
        """Return the stream of the next occurrence of a request.

        Args:
            request: Texts that identify the request, in order.
        """
        digest = blake2b(f"{self.seed}".encode(), digest_size=16)
        for part in request:
            data = part.encode("utf-8", "replace")
            digest.update(b"%d:" % len(data))
            digest.update(data)
        key = digest.digest()
        with self._lock:
            occurrence = self._occurrences[key] if self.vary else 0
            self._occurrences[key] += self.vary
        return Random(key + occurrence.to_bytes(8))
