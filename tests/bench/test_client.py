"""The calls of a benchmark's model: whether a server that is lost was ever there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core import exceptions
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from longchain.bench.client import ModelClient
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Spending
from longchain.calls.retry import Retry
from longchain.document import Usage


def client() -> ModelClient:
    return ModelClient("test", CallPolicy(retries=Retry(first_pause=0.0)))


async def ask(client: ModelClient, function: Any) -> Any:
    return await client.ask(RunnableLambda(function), [], Spending(Usage()))


async def test_a_server_that_never_answered_is_not_waited_for() -> None:
    async def lost(_: Any) -> AIMessage:
        raise exceptions.ModelConnectionError("refused")

    with pytest.raises(exceptions.ModelConnectionError):
        await ask(client(), lost)


async def test_the_answer_to_another_call_counts() -> None:
    answered = asyncio.Event()
    attempts = []

    async def lost_once(_: Any) -> AIMessage:
        attempts.append(1)
        if len(attempts) == 1:
            await answered.wait()
            raise exceptions.ModelConnectionError("refused")
        return AIMessage("back")

    async def quick(_: Any) -> AIMessage:
        return AIMessage("here")

    both = client()
    waiting = asyncio.create_task(ask(both, lost_once))
    await asyncio.sleep(0)
    assert (await ask(both, quick)).text == "here"
    answered.set()
    assert (await waiting).text == "back"
