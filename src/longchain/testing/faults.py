"""What goes wrong on a simulated server, and how often.

seed and request -> the name of a fault, or `ok`

Knows when a fault happens; what it does to a reply stands in `engine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Literal, get_args

from longchain.errors import InputError
from longchain.testing.chance import Chance

Fault = Literal["ok", "rate_limit", "error", "drop", "empty", "cut", "loop", "half_plan", "refusal"]
_NAMES: dict[str, Fault] = {fault: fault for fault in get_args(Fault)}
_NAMES |= {"429": "rate_limit", "500": "error"}


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong: probabilities per request, and a script for the first ones.

    The draw depends on the seed, the request, and how often that request came: a request that is
    sent again draws again, and the order of different requests changes nothing.

    ```python
    from longchain.testing import Faults

    faults = Faults(rate_limit=0.1, drop=0.05, script=["ok", "429"])
    ```

    Raises:
        InputError: A probability is outside 0 to 1, their sum above 1, or a name unknown.
    """

    _: KW_ONLY
    rate_limit: float = 0.0
    """Status 429 with `Retry-After`."""

    error: float = 0.0
    """Status 500."""

    drop: float = 0.0
    """The connection closes in the middle of the reply."""

    empty: float = 0.0
    """A reply without text."""

    cut: float = 0.0
    """A reply that ends early, with the finish reason `length`."""

    loop: float = 0.0
    """The same sentence over and over until `max_tokens`, at most 4,096 tokens."""

    half_plan: float = 0.0
    """A plan that breaks off in its middle; other replies stay whole."""

    refusal: float = 0.0
    """An apology instead of an answer."""

    retry_after: float = 1.0
    """Seconds that `Retry-After` names."""

    script: Sequence[str] = ()
    """What happens to the first requests, in the order in which they arrive: `ok` or a name from
    above; `429` and `500` are understood, too."""

    seed: int = 0

    def __post_init__(self) -> None:
        shares = [share for _, share in self.shares()]
        if min(shares) < 0 or sum(shares) > 1 + 1e-9:
            raise InputError(f"probabilities must be 0 or more and at most 1 together: {self!r}")
        unknown = [name for name in self.script if name not in _NAMES]
        if unknown:
            raise InputError(
                f"unknown fault {unknown[0]!r}; known are {', '.join(get_args(Fault))}"
            )

    def shares(self) -> list[tuple[Fault, float]]:
        """Return every fault with its probability."""
        names = {field.name for field in fields(self)}
        return [(name, getattr(self, name)) for name in get_args(Fault) if name in names]


class Draw:
    """Draws the faults of one server; holds how far its script is."""

    def __init__(self, faults: Faults) -> None:
        """Begin with the first entry of the script."""
        self._shares = faults.shares()
        self._script = iter(faults.script)
        self._chance = Chance(faults.seed)

    def next(self, request: Iterable[str]) -> Fault:
        """Return what happens to `request`, given as its parts."""
        scripted = next(self._script, None)
        if scripted is not None:
            return _NAMES[scripted]
        drawn = self._chance.stream(("fault", *request)).random()
        for fault, share in self._shares:
            if drawn < share:
                return fault
            drawn -= share
        return "ok"
