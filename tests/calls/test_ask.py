"""One way to call a model: retries of a call, and the answer that it ends with."""

from __future__ import annotations

import pytest
from langchain_core import exceptions

from longchain.calls.ask import CallPolicy, ModelCall, aask, ask
from longchain.calls.budget import Spending
from longchain.calls.retry import Retry
from longchain.document import Usage
from longchain.testing import FakeWriter

POLICY = CallPolicy(retries=Retry(first_pause=0.0))


def call(*replies: object) -> ModelCall:
    model = FakeWriter(replies=list(replies))  # type: ignore[arg-type]
    return ModelCall("write", model, "Write.", Spending(Usage()), reply_tokens=10)


def test_a_call_is_repeated_also_without_a_pause() -> None:
    busy = exceptions.ModelRateLimitError("later")
    repeated = call(busy, busy, "At last.")
    assert ask(repeated, POLICY).text == "At last."
    assert repeated.retried == ["rate limit"] * 2
    assert repeated.usage.calls == repeated.spending.spent.calls == 3


async def test_a_call_is_repeated_also_without_a_pause_async() -> None:
    assert (await aask(call(exceptions.ModelAPIError("oops"), "At last."), POLICY)).text


def test_an_expected_error_is_the_answer() -> None:
    expected = call(exceptions.ModelInvalidRequestError("no"))
    expected.expected_errors = (exceptions.ModelInvalidRequestError,)
    assert isinstance(ask(expected, POLICY), exceptions.ModelInvalidRequestError)
    with pytest.raises(exceptions.ModelInvalidRequestError):
        ask(call(exceptions.ModelInvalidRequestError("no")), POLICY)
