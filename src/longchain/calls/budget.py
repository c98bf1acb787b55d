"""Budget of a document in calls, tokens and money, and the account of what is spent.

`Budget` + `Spending` + the next call -> go on, or a `BudgetError`

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
    """Price of a million prompt tokens."""

    output: float = 0.0
    """Price of a million generated tokens."""

    cached: float | None = None
    """Price of a million prompt tokens from the server's cache; None: the same as others."""

    def __post_init__(self) -> None:
        for price in (self.input, self.output, self.cached or 0.0):
            if not 0 <= price < float("inf"):
                raise InputError(f"a price is a number of at least 0, not {price!r}")

    def cost(self, usage: Usage) -> float:
        """Return the cost of a usage."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - usage.cached_tokens
        spent = fresh * self.input + usage.cached_tokens * cached
        return (spent + usage.output_tokens * self.output) / MILLION


@dataclass(frozen=True)
class Budget:
    """Limits on one document, all its calls together, over all times that it is resumed.

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
    """Maximum number of requests to a model, failed ones included."""

    tokens: int | None = None
    """Maximum number of prompt and output tokens together."""

    cost: float | None = None
    """Maximum cost, in the currency of `prices`."""

    prices: Prices | None = None
    """Prices that turn tokens into money; a limit on cost needs them."""

    def __post_init__(self) -> None:
        for name in ("calls", "tokens", "cost"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise InputError(f"a budget of {limit!r} {name} allows nothing: give more than 0")
        has_prices = self.prices is not None and self.prices.input + self.prices.output > 0
        if self.cost is not None and not has_prices:
            raise InputError("a budget in money needs prices: what a million tokens cost")

    @property
    def counts_tokens(self) -> bool:
        """Whether the tokens of a call must be estimated before it starts."""
        return self.tokens is not None or self.cost is not None

    def exceeded_limit(self, usage: Usage) -> str:
        """Return the limit that a usage exceeds, in words; empty if none."""
        if self.calls is not None and usage.calls > self.calls:
            return f"{self.calls:,} calls"
        if self.tokens is not None and usage.input_tokens + usage.output_tokens > self.tokens:
            return f"{self.tokens:,} tokens"
        if self.cost is None or self.prices is None:
            return ""
        return f"a cost of {self.cost:g}" if self.prices.cost(usage) > self.cost else ""


class Spending:
    """Account of one document: its usage so far, and that of the calls in flight."""

    def __init__(self, spent: Usage) -> None:
        self.spent = spent
        self.in_flight = Usage()
        self._lock = Lock()

    def reserve(self, budget: Budget | None, expected: Usage) -> None:
        """Reserve the expected usage of a call.

        Raises:
            BudgetError: The call would exceed a limit.
        """
        with self._lock:
            if budget is not None:
                limit = budget.exceeded_limit(self.spent + self.in_flight + expected)
                if limit:
                    raise BudgetError(self._message(budget, limit))
            self.in_flight = self.in_flight + expected

    def record(self, expected: Usage, used: Usage) -> None:
        """Replace the reserved usage of a call by what it has used."""
        with self._lock:
            self.spent = self.spent + used
            self.in_flight = Usage(
                **{
                    name: getattr(self.in_flight, name) - n
                    for name, n in expected.model_dump().items()
                }
            )

    def _message(self, budget: Budget, limit: str) -> str:
        spent = self.spent
        used = f"{spent.calls:,} calls and {spent.input_tokens + spent.output_tokens:,} tokens"
        if budget.prices:
            used += f", {budget.prices.cost(spent):.4g} in money,"
        return (
            f"the budget of {limit} is used up: the document has taken {used} so far, and the "
            "next call would pass the limit; finished sections are kept: resume with a larger one"
        )
