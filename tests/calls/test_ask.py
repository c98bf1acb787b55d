"""One way to call a model: what `ask` and `aask` do with answers, errors, loops and stops."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.exceptions import ModelInvalidRequestError, ModelRateLimitError
from langchain_core.runnables import RunnableLambda

from longchain.calls.ask import CallPolicy, ModelCall, aask, ask
from longchain.calls.budget import Budget, Spending
from longchain.calls.monitor import RunCancelled
from longchain.calls.reply import Reply
from longchain.calls.retry import Retry
from longchain.document import Usage
from longchain.errors import BudgetError
from longchain.testing import FakeWriter

QUICK = Retry(first_pause=0.0)


def answer(call: ModelCall, policy: CallPolicy, asynchronous: bool) -> Any:
    return asyncio.run(aask(call, policy)) if asynchronous else ask(call, policy)


def call_of(runnable: Any, **fields: Any) -> ModelCall:
    return ModelCall("test", runnable, "x", Spending(Usage()), **{"reply_tokens": 10, **fields})


def failing(*errors: Exception) -> RunnableLambda[str, str]:
    """Return a Runnable that raises these errors, one a call, before it answers."""
    waiting = list(errors)

    def work(_: str) -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return RunnableLambda(work)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_usage_is_recorded_and_reserved_tokens_are_given_back(asynchronous: bool) -> None:
    call = call_of(FakeWriter(replies=["One."]))
    reply = answer(call, CallPolicy(budget=Budget(tokens=1_000)), asynchronous)
    assert reply.text == "One."
    assert call.usage.calls == 1
    assert call.usage.output_tokens > 0
    assert call.spending.spent == call.usage
    assert call.spending.in_flight == Usage()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_temporary_errors_are_waited_out_and_named(asynchronous: bool) -> None:
    call = call_of(failing(ModelRateLimitError("x"), ConnectionResetError("x")))
    assert answer(call, CallPolicy(retries=QUICK), asynchronous) == "done"
    assert call.retried == ["rate limit", "connection lost"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_that_is_not_temporary_is_raised_at_once(asynchronous: bool) -> None:
    call = call_of(failing(ModelInvalidRequestError("no")))
    with pytest.raises(ModelInvalidRequestError):
        answer(call, CallPolicy(retries=QUICK), asynchronous)
    assert call.retried == []


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_expected_error_is_the_answer(asynchronous: bool) -> None:
    error = ModelRateLimitError("x")
    call = call_of(failing(error), expected_errors=(ModelRateLimitError,))
    assert answer(call, CallPolicy(retries=QUICK), asynchronous) is error


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_streamed_loop_is_cut_off_and_becomes_a_reply(asynchronous: bool) -> None:
    looping = FakeWriter(replies=["The tide comes in and the tide goes out. " * 200])
    call = call_of(looping, stops_repetition=True)
    reply = answer(call, CallPolicy(streaming=True), asynchronous)
    assert isinstance(reply, Reply)
    assert reply.finish == "loop"
    assert call.usage.output_tokens < 1_000


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_call_beyond_the_budget_is_not_made(asynchronous: bool) -> None:
    model = FakeWriter(replies=["One."])
    with pytest.raises(BudgetError):
        answer(call_of(model), CallPolicy(budget=Budget(tokens=5)), asynchronous)
    assert model.calls == 0


def test_a_retriever_spends_nothing() -> None:
    call = call_of(failing(), reply_tokens=None)
    assert ask(call, CallPolicy(budget=Budget(calls=1))) == "done"
    assert call.spending.spent == Usage()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_stop_during_a_pause_ends_the_call(asynchronous: bool) -> None:
    policy = CallPolicy(retries=Retry(first_pause=60.0))
    call = call_of(failing(ModelRateLimitError("x")))
    threading.Timer(0.2, policy.stop.set).start()
    with pytest.raises(RunCancelled):
        answer(call, policy, asynchronous)
    assert policy.cancelled == [call.usage]
