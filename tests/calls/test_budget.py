"""What a document may take: counted before each call, and kept also where sections run at once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from longchain import AgentWriteChain, Budget, Prices
from longchain.agent.state import DocumentState
from longchain.calls.budget import Spending
from longchain.document import Usage
from longchain.errors import BudgetError, InputError
from longchain.testing import FakeWriter, LengthBehavior

PRICES = Prices(input=1.0, output=4.0)
THREAD: Any = {"configurable": {"thread_id": "one"}}


def given(sections: int = 6, length: int = 100) -> dict[str, Any]:
    """Return an input with a plan."""
    parts = [
        {"heading": f"Part {n}", "main_point": f"Point {n}", "length": length}
        for n in range(1, sections + 1)
    ]
    return {"instruction": "Write about ports.", "plan": {"title": "Ports", "sections": parts}}


def writer(**options: Any) -> FakeWriter:
    return FakeWriter(behavior=LengthBehavior(), **options)


def tokens(usage: dict[str, int]) -> int:
    return usage["input_tokens"] + usage["output_tokens"]


def written(chain: AgentWriteChain, given: Any, *, asynchronous: bool) -> dict[str, Any]:
    if asynchronous:
        return asyncio.run(chain.ainvoke(given, THREAD))
    return dict(chain.invoke(given, THREAD))


# Prices, budgets, ledgers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "cost"),
    [
        (Prices(input=2, output=10), 2 * 1.0 + 10 * 0.5),
        (Prices(input=2, output=10, cached=0.5), 2 * 0.6 + 0.5 * 0.4 + 10 * 0.5),
        (Prices(input=2, cached=0), 2 * 0.6),
        (Prices(), 0),
    ],
)
def test_what_a_usage_costs(prices: Prices, cost: float) -> None:
    usage = Usage(calls=3, input_tokens=1_000_000, cached_tokens=400_000, output_tokens=500_000)
    assert prices.cost(usage) == pytest.approx(cost)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["input", "output", "cached"])
def test_a_price_is_a_number(name: str, wrong: float) -> None:
    with pytest.raises(InputError, match="a price is a number of at least 0"):
        Prices(**{name: wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"calls": 0},
        {"tokens": -5},
        {"cost": 0.0, "prices": PRICES},
        {"cost": float("nan"), "prices": PRICES},
        {"cost": 1.0},
        {"cost": 1.0, "prices": Prices()},
    ],
)
def test_a_budget_allows_something_and_can_be_reckoned(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"allows nothing|needs prices"):
        Budget(**wrong)


@pytest.mark.parametrize(
    ("budget", "exceeded_limit"),
    [
        (Budget(calls=10), ""),
        (Budget(calls=9), "9 calls"),
        (Budget(tokens=3000), ""),
        (Budget(tokens=2999), "2,999 tokens"),
        (Budget(cost=0.006, prices=PRICES), ""),
        (Budget(cost=0.0059, prices=PRICES), "a cost of 0.0059"),
        (Budget(), ""),
    ],
)
def test_a_limit_may_be_reached_and_not_passed(budget: Budget, exceeded_limit: str) -> None:
    usage = Usage(calls=10, input_tokens=2000, output_tokens=1000)
    assert budget.exceeded_limit(usage) == exceeded_limit


def test_only_tokens_and_money_need_an_estimate() -> None:
    assert not Budget(calls=3).counts_tokens
    assert Budget(tokens=3).counts_tokens
    assert Budget(cost=3, prices=PRICES).counts_tokens


def test_a_ledger_counts_calls_in_flight() -> None:
    spending, budget = Spending(Usage(calls=1)), Budget(calls=3)
    one = Usage(calls=1, output_tokens=10)
    spending.reserve(budget, one)
    spending.reserve(budget, one)
    with pytest.raises(BudgetError, match=r"budget of 3 calls .* taken 1 calls and 0 tokens"):
        spending.reserve(budget, one)
    spending.record(one, Usage())  # it came to nothing
    spending.reserve(budget, one)
    spending.record(one, Usage(calls=1, input_tokens=5))
    spending.record(one, Usage(calls=1))
    assert spending.in_flight == Usage()
    assert spending.spent == Usage(calls=3, input_tokens=5)


def test_threads_do_not_pass_a_limit_together() -> None:
    spending, budget, one = Spending(Usage()), Budget(calls=50), Usage(calls=1)
    admitted: list[int] = []

    def run() -> None:
        for _ in range(40):
            try:
                spending.reserve(budget, one)
            except BudgetError:
                return
            admitted.append(1)
            spending.record(one, one)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 50


# In a run --------------------------------------------------------------------------------------


BUDGETS = [
    Budget(calls=3),
    Budget(tokens=2500),
    Budget(cost=0.006, prices=PRICES),
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
@pytest.mark.parametrize("budget", BUDGETS, ids=["calls", "tokens", "cost"])
def test_a_run_stops_before_it_passes_a_limit(
    budget: Budget, mode: Any, asynchronous: bool
) -> None:
    saver, model = InMemorySaver(), writer(latency=0.01)
    chain = AgentWriteChain(model, mode=mode, budget=budget, checkpointer=saver)
    with pytest.raises(BudgetError, match=r"the budget of .* resume with a larger one"):
        written(chain, given(), asynchronous=asynchronous)
    log = chain.get_state(THREAD).values["log"]
    pieces = [event for event in log if event["type"] == "piece"]
    spent = DocumentState(log, mode=mode).usage
    assert 0 < len(pieces) == model.calls == spent.calls
    assert budget.exceeded_limit(spent) == ""

    other = writer()
    larger = AgentWriteChain(
        other, mode=mode, budget=Budget(calls=100, prices=PRICES), checkpointer=saver
    )
    document = written(larger, None, asynchronous=asynchronous)
    assert document["report"]["length_score"] > 90
    assert document["usage"]["calls"] == model.calls + other.calls
    assert other.calls == AgentWriteChain(writer(), mode=mode).invoke(given())["usage"][
        "calls"
    ] - len(pieces)
    for piece in pieces:
        assert piece["text"][:40] in document["sections"][piece["section"]]["text"]
    usage = document["usage"]
    cost = (usage["input_tokens"] + 4 * usage["output_tokens"]) / 1e6
    assert document["report"]["cost"] == pytest.approx(cost, abs=1e-6)
    assert larger.document(THREAD) == document


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_what_a_call_is_expected_to_take_is_near_and_not_below(mode: Any) -> None:
    seen: list[tuple[int, int]] = []
    record = Spending.record

    def recorded(spending: Spending, expected: Usage, taken: Usage) -> None:
        seen.append((tokens(expected.model_dump()), tokens(taken.model_dump())))
        record(spending, expected, taken)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spending, "record", recorded)
        budget = Budget(tokens=10_000_000)
        AgentWriteChain(writer(), mode=mode, budget=budget).invoke(given(10, 300))
    assert len(seen) >= 10
    for expected, taken in seen:
        assert taken <= expected < 3 * taken + 500


def test_failed_calls_count() -> None:
    busy = ModelRateLimitError("busy")
    model = writer(replies=[busy, busy])
    chain = AgentWriteChain(model, budget=Budget(calls=4))
    chain.stages.policy.retries.__dict__["first_pause"] = 0.01
    with pytest.raises(BudgetError, match="taken 4 calls"):
        chain.invoke(given())
    assert model.calls == 4


@pytest.mark.parametrize("asynchronous", [False, True])
def test_each_document_of_a_batch_has_its_own_budget(asynchronous: bool) -> None:
    model = writer()
    alone = AgentWriteChain(writer()).invoke(given(2))["usage"]["calls"]
    chain = AgentWriteChain(model, budget=Budget(calls=alone))
    batch = [given(2) for _ in range(5)]
    documents = asyncio.run(chain.abatch(batch)) if asynchronous else chain.batch(batch)
    assert [document["usage"]["calls"] for document in documents] == [alone] * 5


def test_a_budget_holds_for_all_runs_of_a_document_together() -> None:
    saver, model = InMemorySaver(), writer()
    for calls in (2, 2, 3):
        chain = AgentWriteChain(model, budget=Budget(calls=calls), checkpointer=saver)
        with pytest.raises(BudgetError):
            chain.invoke(given() if not model.calls else None, THREAD)
        assert model.calls == calls


def test_without_prices_there_is_no_cost() -> None:
    assert "cost" not in AgentWriteChain(writer()).invoke(given(2))["report"]
    budget = Budget(prices=PRICES)
    assert AgentWriteChain(writer(), budget=budget).invoke(given(2))["report"]["cost"] > 0


class Silent(FakeWriter):
    """Reports no usage."""

    def _finish(self, *args: Any) -> AIMessage:
        return super()._finish(*args).model_copy(update={"usage_metadata": None})


@pytest.mark.parametrize("streaming", [False, True])
def test_a_server_that_reports_no_usage_does_not_escape_the_budget(streaming: bool) -> None:
    model = Silent(behavior=LengthBehavior())
    chain = AgentWriteChain(model, budget=Budget(tokens=2500), streaming=streaming)
    with pytest.raises(BudgetError):
        chain.invoke(given())
    assert 0 < model.calls < 6
