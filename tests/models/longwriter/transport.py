"""A vLLM server as a transport: it answers as vLLM does, from a fixed text, without a socket."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from longchain.models.longwriter import LongWriterLLM
from longchain.models.longwriter.http import httpx

TEXT = (
    "The harbor wakes early. Boats leave before the sun is up, and gulls follow them out.\n\n"
    "By noon the market is full; nobody sells what was caught yesterday. "
    "港の朝は早い。In the evening the nets hang on the wall to dry."
)
URL = "http://vllm.test/v1"
_TOKEN = re.compile(r"\n+| ?[^\s]{1,5}|\s")


def split(text: str) -> list[str]:
    return _TOKEN.findall(text)


@dataclass
class FakeVLLM:
    """What the server has, what it was asked, and what goes wrong."""

    text: str = TEXT
    window: int = 4_096
    names: tuple[str, ...] = ("tiny",)
    finish: str = "stop"
    """The finish reason where the text ends by itself."""
    fail: Callable[[str, dict[str, Any]], Any] | None = None
    """Returns a response, or raises, in the place of an answer; None: no fault."""
    trims: bool = False
    """Whether the chat template trims a message, as Llama's does."""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    drop_after: int | None = None
    """Chunks after which a stream breaks off."""

    def params(self) -> dict[str, Any]:
        """What makes a model on this server."""
        transport = httpx.MockTransport(self.handle)
        return {
            "model": "tiny",
            "base_url": URL,
            "max_retries": 0,
            "http_client": httpx.Client(transport=transport),
            "http_async_client": httpx.AsyncClient(transport=transport),
        }

    def model(self, **given: Any) -> LongWriterLLM:
        """A model on this server."""
        return LongWriterLLM(**{**self.params(), **given})

    def bodies(self, path: str = "/completions") -> list[dict[str, Any]]:
        """The requests whose path ends so."""
        return [body for asked, body in self.requests if asked.endswith(path)]

    def taken(self) -> list[dict[str, Any]]:
        """The requests for text since the last look."""
        bodies, self.requests = self.bodies(), []
        return bodies

    def handle(self, request: Any) -> Any:
        path = request.url.path
        body = json.loads(request.content) if request.content else {}
        self.requests.append((path, body))
        if self.fail is not None and (failed := self.fail(path, body)) is not None:
            return failed
        if path == "/v1/models":
            return httpx.Response(200, json={"object": "list", "data": self.cards()})
        if path == "/tokenize":
            text = body.get("prompt") or self.rendered(body["messages"])
            return httpx.Response(200, json={"count": len(split(text)), "tokens": ids(text)})
        if path in ("/v1/chat/completions", "/v1/completions"):
            return self.answer(path, body)
        return httpx.Response(404, json={"detail": "Not Found"})

    def cards(self) -> list[dict[str, Any]]:
        common = {"object": "model", "created": 1, "owned_by": "vllm"}
        return [{"id": n, "parent": None, "max_model_len": self.window, **common}
                for n in self.names]  # fmt: skip

    def rendered(self, messages: list[dict[str, Any]]) -> str:
        return "".join(f"<{m['role']}>{_text(m)}" for m in messages)

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        if body["model"] not in self.names:
            message = f"The model `{body['model']}` does not exist."
            return failure(404, message, "NotFoundError")
        chat = path == "/v1/chat/completions"
        prompt = self.rendered(body["messages"]) if chat else body["prompt"]
        most = body.get("max_tokens")
        if most and most > self.window:
            return failure(400, f"max_tokens={most} cannot be greater than max_model_len="
                                f"{self.window}. Please request fewer output tokens.")  # fmt: skip
        taken = len(split(prompt))
        if taken >= self.window:
            return failure(
                400,
                f"This model's maximum context length is {self.window} tokens. However, your "
                f"prompt contains at least {taken} input tokens, which exceeds this limit.",
            )
        pieces, reason, stopped = self.write(body, chat, min(most or 10**9, self.window - taken))
        usage = {
            "prompt_tokens": taken,
            "completion_tokens": len(pieces),
            "total_tokens": taken + len(pieces),
            "prompt_tokens_details": {"cached_tokens": taken // 2},
        }
        if body.get("stream"):
            stream = self.stream(chat, pieces, reason, stopped, usage, body)
            return httpx.Response(200, headers={"content-type": "text/event-stream"},
                                  stream=Stream(stream))  # fmt: skip
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason, "stop_reason": stopped}
        if body.get("tools"):
            calls = {"role": "assistant", "content": None, "tool_calls": [call(body)]}
            choice |= {"message": calls, "finish_reason": "tool_calls"}
        elif chat:
            choice |= {"message": {"role": "assistant", "content": "".join(pieces)}}
        else:
            choice |= {"text": "".join(pieces), "logprobs": None}
        return httpx.Response(200, json=envelope(body, [choice], usage))

    def write(
        self, body: dict[str, Any], chat: bool, most: int
    ) -> tuple[list[str], str, str | None]:
        """What the model writes: its text from where an open message stopped."""
        text = self.text
        if form := body.get("response_format"):
            schema = (form.get("json_schema") or {}).get("schema")
            named = quoted(body)
            free = {"properties": {name: {} for name in named}, "type": "object"}
            text = json.dumps(example(schema or free))
        elif chat and body.get("continue_final_message"):
            begun = body["messages"][-1]["content"]
            begun = begun.strip() if self.trims else begun
            assert text.startswith(begun), (text, begun)
            text = text[len(begun) :]
        elif not chat:
            done = max(cut for cut in range(len(text)) if body["prompt"].endswith(text[:cut]))
            text = text[done:]
        stops = [stop for stop in _list(body.get("stop")) if stop in text]
        stop = min(stops, key=text.index, default=None)
        pieces = split(text[: text.index(stop)] if stop else text)
        if len(pieces) > most:
            return pieces[:most], "length", None
        return pieces, "stop" if stop else self.finish, stop

    def stream(
        self, chat: bool, pieces: list[str], reason: str, stopped: str | None, usage: Any, body: Any
    ) -> Iterator[bytes]:
        def event(choices: list[Any], taken: Any = None) -> bytes:
            return f"data: {json.dumps(envelope(body, choices, taken, stream=True))}\n\n".encode()

        if body.get("tools"):
            deltas: list[dict[str, Any]] = [
                {"delta": {"role": "assistant", "tool_calls": [{"index": 0, **call(body)}]}}
            ]
            reason = "tool_calls"
        elif chat:
            deltas = [{"delta": {"role": "assistant", "content": piece}} for piece in pieces]
        else:
            deltas = [{"text": piece} for piece in pieces]
        for count, delta in enumerate(deltas):
            if count == self.drop_after:
                return
            yield event([{"index": 0, "finish_reason": None, **delta}])
        empty: dict[str, Any] = {"delta": {}} if chat else {"text": ""}
        yield event([{"index": 0, "finish_reason": reason, "stop_reason": stopped, **empty}])
        if (body.get("stream_options") or {}).get("include_usage"):
            yield event([], usage)
        yield b"data: [DONE]\n\n"


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Events for either kind of client."""

    def __init__(self, events: Iterator[bytes]):
        self.events = events

    def __iter__(self) -> Iterator[bytes]:
        return self.events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            yield event


def failure(status: int, message: str, kind: str = "BadRequestError") -> Any:
    error = {"message": message, "type": kind, "param": None, "code": status}
    return httpx.Response(status, json={"error": error})


def envelope(
    asked: dict[str, Any], choices: list[Any], usage: Any, *, stream: bool = False
) -> dict[str, Any]:
    chat = "messages" in asked
    kind = "chat.completion" if chat else "text_completion"
    kind += ".chunk" if chat and stream else ""
    body = {"id": "cmpl-1", "object": kind, "created": 1, "choices": choices}
    body["model"] = asked["model"]
    return {**body, "usage": usage} if usage or not stream else body


def example(schema: dict[str, Any], root: dict[str, Any] | None = None, text: str = "a") -> Any:
    """A value that a JSON schema allows; its strings are `text`."""
    root = root or schema
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rpartition("/")[2]], root, text)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], root, text)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {n: example(s, root, text) for n, s in schema.get("properties", {}).items()}
        case "array":
            return [example(schema.get("items", {}), root, text)]
        case "integer" | "number":
            return 3
        case "boolean":
            return True
    return text


def quoted(body: dict[str, Any]) -> list[str]:
    """What the last message has in quotation marks, besides words of JSON."""
    if "messages" not in body:
        return ["a"]
    return re.findall(r"'([^']+)'", _text(body["messages"][-1])) or ["a"]


def call(body: dict[str, Any]) -> dict[str, Any]:
    """A call of the tool that is asked for, or of the first one."""
    chosen = body.get("tool_choice")
    tools = {tool["function"]["name"]: tool["function"] for tool in body["tools"]}
    name = chosen["function"]["name"] if isinstance(chosen, dict) else next(iter(tools))
    arguments = json.dumps(example(tools[name]["parameters"], text=quoted(body)[0]))
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def ids(text: str) -> list[int]:
    return [sum(piece.encode()) for piece in split(text)]


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
