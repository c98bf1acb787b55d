"""What may pass is tried again; what may not, never."""

from __future__ import annotations

import asyncio
import random
import time
from email.utils import formatdate

import pytest
from langchain_core import exceptions
from langchain_openai import ChatOpenAI

from longchain import AgentWriteChain
from longchain.calls import ask, retry
from longchain.calls.retry import Retry, is_temporary, retry_after
from longchain.testing import FakeWriter, Faults, LengthBehavior, SimulatedServer


class ResponseError(Exception):
    """As raised by packages that do not translate their errors."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__("failed")
        self.status_code = status
        self.response = type("Response", (), {"headers": headers or {}})()


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (exceptions.ModelRateLimitError("x"), True),
        (exceptions.ModelAPIError("x"), True),
        (exceptions.ModelTimeoutError("x"), True),
        (exceptions.ModelConnectionError("x"), True),
        (exceptions.ModelInvalidRequestError("x"), False),
        (exceptions.ModelAuthenticationError("x"), False),
        (exceptions.ModelNotFoundError("x"), False),
        (exceptions.ContextOverflowError("x"), False),
        (TimeoutError("x"), True),
        (ConnectionResetError("x"), True),
        (FileNotFoundError("x"), False),
        (ValueError("x"), False),
        (ResponseError(429), True),
        (ResponseError(529), True),
        (ResponseError(400), False),
    ],
)
def test_what_may_pass(error: Exception, passes: bool) -> None:
    assert is_temporary(error) is passes
    assert (Retry().pause(error, 1) is not None) is passes


def test_pauses_grow_to_a_limit_and_scatter() -> None:
    patient = Retry(max_retries=20, first_pause=1, max_pause=30, random_source=random.Random(1))
    error = exceptions.ModelAPIError("x")
    for failed in range(1, 21):
        usual = min(30, 2 ** (failed - 1))
        pauses = [patient.pause(error, failed) or 0.0 for _ in range(50)]
        assert usual / 2 <= min(pauses) < max(pauses) <= usual
    assert patient.pause(error, 21) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_server_may_name_the_pause(headers: dict[str, str], seconds: float | None) -> None:
    error = ResponseError(429, headers)
    assert retry_after(error) == seconds
    pause = Retry(first_pause=0.01).pause(error, 1)
    assert pause is not None
    assert pause >= (seconds or 0)


def test_a_server_may_name_a_date() -> None:
    error = ResponseError(503, {"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert retry_after(error) == pytest.approx(30, abs=2)


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    lost = exceptions.ModelConnectionError("refused")
    assert Retry().pause(lost, 1, server_answered=False) is None
    assert Retry().pause(exceptions.ModelRateLimitError("x"), 1, server_answered=False) is not None


def test_who_names_hours_is_not_waited_for() -> None:
    assert Retry().pause(ResponseError(429, {"retry-after": "7200"}), 1) is None


# In a run ------------------------------------------------------------------------------------


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of a run, which are not waited for."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds:  # others sleep, too, for nothing
            pauses.append(seconds)

    async def asleep(policy: ask.CallPolicy, seconds: float) -> None:
        sleep(seconds)

    monkeypatch.setattr(ask.CallPolicy, "sleep", lambda policy, seconds: sleep(seconds))
    monkeypatch.setattr(ask.CallPolicy, "asleep", asleep)
    return pauses


INSTRUCTION = "Write a 600-word report on ports."


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_run_waits_and_goes_on(slept: list[float], asynchronous: bool) -> None:
    writer = FakeWriter(
        replies=[exceptions.ModelRateLimitError("busy"), ConnectionResetError("gone")],
        behavior=LengthBehavior(),
    )
    chain = AgentWriteChain(writer)
    document = (
        asyncio.run(chain.ainvoke(INSTRUCTION)) if asynchronous else chain.invoke(INSTRUCTION)
    )
    assert document["report"]["length_score"] > 90
    assert len(slept) == 2
    assert "waited out: rate limit; waited out: connection lost" in document["report"]["planned_by"]


def test_a_run_gives_up_in_the_end(slept: list[float]) -> None:
    errors = [exceptions.ModelAPIError(f"down {number}") for number in range(4)]
    writer = FakeWriter(replies=errors, behavior=LengthBehavior())
    with pytest.raises(exceptions.ModelAPIError, match="down 3"):
        AgentWriteChain(writer, max_retries=3).invoke(INSTRUCTION)
    assert len(slept) == 3


def test_a_wrong_request_is_not_sent_twice(slept: list[float]) -> None:
    writer = FakeWriter(replies=[exceptions.ModelAuthenticationError("key")])
    with pytest.raises(exceptions.ModelAuthenticationError):
        AgentWriteChain(writer).invoke(INSTRUCTION)
    assert writer.calls == 1
    assert slept == []


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_faulty_server_is_lived_with() -> None:
    faults = Faults(rate_limit=0.15, error=0.1, drop=0.05, retry_after=0.01, seed=3)
    with SimulatedServer(faults=faults) as server:
        model = ChatOpenAI(model="x", base_url=server.base_url, api_key="none", max_retries=0)  # type: ignore[arg-type]
        chain = AgentWriteChain(model)
        chain.stages.policy.retries.__dict__["first_pause"] = 0.01
        document = chain.invoke("Write a 4,000-word report on ports.")
        assert sum(server.stats.faults.values()) > 0
    assert document["report"]["length_score"] > 95
    notes = [note for section in document["report"]["sections"] for note in section["notes"]]
    assert any(note.startswith("waited out: ") for note in notes)


def test_names_for_the_report() -> None:
    assert retry.describe(exceptions.ModelTimeoutError("x")) == "no answer in time"
    assert retry.describe(ResponseError(429)) == "rate limit"
    assert retry.describe(ResponseError(503)) == "server error"
