"""The calls of a benchmark's model: messages -> its answer, for many samples at a time.

Knows the policy of calls, and whether the server has answered yet; knows nothing of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from longchain.calls.ask import CallPolicy, ModelCall, aask
from longchain.calls.budget import Spending

_REPLY_TOKENS = 2_000
"""Tokens expected of a reply whose length is unknown, for limits of tokens per minute."""


class ModelClient:
    """Calls one model, several times at once.

    Args:
        name: Name of the calls in traces and logs.
        policy: Retries, limits and timeout that all calls share.
    """

    def __init__(self, name: str, policy: CallPolicy) -> None:
        self._name, self._policy = name, policy
        self._answered = False
        self._open_calls: dict[int, ModelCall] = {}

    async def ask(
        self,
        runnable: Runnable[Any, Any],
        messages: Sequence[BaseMessage],
        spending: Spending,
        *,
        reply_tokens: int = _REPLY_TOKENS,
        expected_errors: tuple[type[Exception], ...] = (),
    ) -> Any:
        """Return the answer to messages, or one of the expected errors; see `calls.ask`."""
        call = ModelCall(
            name=self._name,
            runnable=runnable,
            input=list(messages),
            spending=spending,
            reply_tokens=reply_tokens,
            expected_errors=expected_errors,
            server_answered=self._answered,
            label=self._name,
        )
        self._open_calls[id(call)] = call
        try:
            answer = await aask(call, self._policy)
        finally:
            del self._open_calls[id(call)]
        if not isinstance(answer, Exception):
            self._note_answer()
        return answer

    def _note_answer(self) -> None:
        """Let all calls know that the server is there: then a lost connection may come back."""
        self._answered = True
        for call in self._open_calls.values():
            call.server_answered = True
