"""What a document may take, and whether the next call still fits.

`Budget` + what is spent -> go on, or a `BudgetError`

Knows calls, tokens and prices; knows nothing of models or prompts. Prices are the caller's: no
table of them would stay true.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from threading import Lock

from longchain.document import Usage
from longchain.errors import BudgetError, InputError

MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """What tokens cost, in any currency per million tokens."""

    _: KW_ONLY
    input: float = 0.0
    """Of a million prompt tokens."""

    output: float = 0.0
    """Of a million generated tokens."""

    cached: float | None = None
    """Of a million prompt tokens from the server's cache; None: as others."""

    def __post_init__(self) -> None:
        for price in (self.input, self.output, self.cached or 0.0):
            if not 0 <= price < float("inf"):
                raise InputError(f"a price is a number of at least 0, not {price!r}")

    def cost(self, usage: Usage) -> float:
        """Return what a usage costs."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - usage.cached_tokens
        spent = fresh * self.input + usage.cached_tokens * cached
        return (spent + usage.output_tokens * self.output) / MILLION


@dataclass(frozen=True)
class Budget:
    """What one document may take, all its calls together, also where it is resumed.

    A run stops before the call that would pass a limit, and can be resumed with a larger one. How
    many tokens a call will take is estimated, on the high side.

    ```python
    from longchain import AgentWriteChain, Budget, Prices

    prices = Prices(input=0.25, output=2.0)
    chain = AgentWriteChain("openai:gpt-5-mini", budget=Budget(cost=1.5, prices=prices))
    ```

    Raises:
        InputError: A limit is not above 0, or one of money comes without prices.
    """

    _: KW_ONLY
    calls: int | None = None
    """Requests to a model, failed ones included."""

    tokens: int | None = None
    """Prompt and output tokens together."""

    cost: float | None = None
    """Money, in the currency of `prices`."""

    prices: Prices | None = None

    def __post_init__(self) -> None:
        for name in ("calls", "tokens", "cost"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise InputError(f"a budget of {limit!r} {name} allows nothing: give more than 0")
        if self.cost is not None and not (self.prices and (self.prices.input + self.prices.output)):
            raise InputError("a budget in money needs prices: what a million tokens cost")

    @property
    def weighs(self) -> bool:
        """Whether the tokens of a call have to be known before it."""
        return self.tokens is not None or self.cost is not None

    def refusal(self, usage: Usage) -> str:
        """Return which limit a usage passes, or nothing."""
        if self.calls is not None and usage.calls > self.calls:
            return f"{self.calls:,} calls"
        if self.tokens is not None and usage.input_tokens + usage.output_tokens > self.tokens:
            return f"{self.tokens:,} tokens"
        if self.cost is not None and self.prices and self.prices.cost(usage) > self.cost:
            return f"a cost of {self.cost:g}"
        return ""


class Ledger:
    """What one document has taken so far, calls in flight included."""

    def __init__(self, spent: Usage) -> None:
        self.spent = spent
        self.flying = Usage()
        self._lock = Lock()

    def admit(self, budget: Budget | None, expected: Usage) -> None:
        """Reserve what a call is expected to take.

        Raises:
            BudgetError: It would pass a limit.
        """
        with self._lock:
            if budget and (limit := budget.refusal(self.spent + self.flying + expected)):
                raise BudgetError(self._sentence(budget, limit))
            self.flying = self.flying + expected

    def settle(self, expected: Usage, taken: Usage) -> None:
        """Put what a call took in the place of what was expected."""
        with self._lock:
            self.spent = self.spent + taken
            self.flying = Usage(
                **{
                    name: getattr(self.flying, name) - n
                    for name, n in expected.model_dump().items()
                }
            )

    def _sentence(self, budget: Budget, limit: str) -> str:
        spent = self.spent
        taken = f"{spent.calls:,} calls and {spent.input_tokens + spent.output_tokens:,} tokens"
        if budget.prices:
            taken += f", {budget.prices.cost(spent):.4g} in money,"
        return (
            f"the budget of {limit} is used up: the document has taken {taken} so far, and the "
            "next call would pass the limit; finished sections are kept: resume with a larger one"
        )
