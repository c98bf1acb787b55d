"""Draws the faults of a simulated server.

seed and request -> name of a fault, or `ok`

Knows when a fault happens; does not know its effect on a reply, which is in `engine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Literal, get_args

from longchain.errors import InputError
from longchain.testing.random_streams import RandomStreams

Fault = Literal["ok", "rate_limit", "error", "drop", "empty", "cut", "loop", "half_plan", "refusal"]
_NAMES: dict[str, Fault] = {fault: fault for fault in get_args(Fault)}
_NAMES |= {"429": "rate_limit", "500": "error"}


@dataclass(frozen=True)
class Faults:
    """Probabilities of faults per request, and a script for the first requests.

    The draw depends on the seed, the request and the number of its occurrence: a repeated request
    draws again, and the order of different requests does not matter.

    ```python
    from longchain.testing import Faults

    faults = Faults(rate_limit=0.1, drop=0.05, script=["ok", "429"])
    ```

    Raises:
        InputError: A probability is below 0, their sum is above 1, or a name is unknown.
    """

    _: KW_ONLY
    rate_limit: float = 0.0
    """Status 429 with `Retry-After`."""

    error: float = 0.0
    """Status 500."""

    drop: float = 0.0
    """The connection is closed in the middle of the reply."""

    empty: float = 0.0
    """A reply without text."""

    cut: float = 0.0
    """A reply that ends early, with the finish reason `length`."""

    loop: float = 0.0
    """The same sentence over and over until `max_tokens`, at most 4,096 tokens."""

    half_plan: float = 0.0
    """A plan that ends in the middle; other replies are complete."""

    refusal: float = 0.0
    """An apology instead of an answer."""

    retry_after: float = 1.0
    """Seconds in the `Retry-After` header."""

    script: Sequence[str] = ()
    """Faults of the first requests in order of arrival: `ok`, a name from above, `429` or `500`."""

    seed: int = 0
    """Seed of the draws."""

    def __post_init__(self) -> None:
        probabilities = [probability for _, probability in self.probabilities()]
        if min(probabilities) < 0 or sum(probabilities) > 1 + 1e-9:
            raise InputError(f"probabilities must be 0 or more and at most 1 together: {self!r}")
        unknown = [name for name in self.script if name not in _NAMES]
        if unknown:
            raise InputError(
                f"unknown fault {unknown[0]!r}; known are {', '.join(get_args(Fault))}"
            )

    def shares(self) -> list[tuple[Fault, float]]:
        """Return `probabilities()`, by its former name."""
        return self.probabilities()

    def probabilities(self) -> list[tuple[Fault, float]]:
        """Return every fault with its probability."""
        names = {field.name for field in fields(self)}
        return [(name, getattr(self, name)) for name in get_args(Fault) if name in names]


class FaultSampler:
    """Draws the fault of each request to one server, and counts off its script."""

    def __init__(self, faults: Faults) -> None:
        """Start with the first entry of the script."""
        self._probabilities = faults.probabilities()
        self._script = iter(faults.script)
        self._streams = RandomStreams(faults.seed)

    def sample(self, request: Iterable[str]) -> Fault:
        """Return the fault of a request.

        Args:
            request: Texts that identify the request, in order.
        """
        scripted = next(self._script, None)
        if scripted is not None:
            return _NAMES[scripted]
        drawn = self._streams.stream(("fault", *request)).random()
        for fault, probability in self._probabilities:
            if drawn < probability:
                return fault
            drawn -= probability
        return "ok"
