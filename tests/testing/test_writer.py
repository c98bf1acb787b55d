import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError
from langchain_core.language_models import LanguageModelInput
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel

from longchain.testing import FakeWriter, LengthBehavior, ScriptExhaustedError, tokens

TEXT = "The harbor sleeps,  and\n\nthe 港口 wakes."


class Part(BaseModel):
    heading: str
    main_point: str
    length: int


class Plan(BaseModel):
    title: str
    sections: list[Part]


class Collector(BaseCallbackHandler):
    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.starts = 0

    def on_chat_model_start(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self.starts += 1

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.tokens.append(token)


def joined(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    return message


def test_script_is_answered_in_order_and_remembered() -> None:
    writer = FakeWriter(replies=["one", AIMessage("two"), lambda messages: messages[-1].text + "!"])
    assert [writer.invoke(word).text for word in ("a", "b", "c")] == ["one", "two", "c!"]
    assert [request[0].text for request in writer.requests] == ["a", "b", "c"]
    assert writer.calls == 3


def test_callable_may_return_a_message() -> None:
    writer = FakeWriter(replies=[lambda _: AIMessage("", tool_calls=[])])
    assert writer.invoke("x").text == ""


def test_error_of_the_script_is_raised_once() -> None:
    writer = FakeWriter(replies=[TimeoutError("slow"), "fine"])
    with pytest.raises(TimeoutError, match="slow"):
        writer.invoke("a")
    assert writer.invoke("a").text == "fine"


def test_exhausted_script_names_the_prompt() -> None:
    writer = FakeWriter(replies=["one"])
    writer.invoke("a")
    with pytest.raises(ScriptExhaustedError, match=r"All 1 replies.*Describe a pier"):
        writer.invoke("Describe a pier")


def test_behavior_answers_after_the_script() -> None:
    writer = FakeWriter(replies=["one"], behavior=LengthBehavior(bias=2.0))
    assert writer.invoke("30 words").text == "one"
    assert len(writer.invoke("30 words").text.split()) == 60


def test_usage_and_metadata() -> None:
    message = FakeWriter(replies=[TEXT], model_name="quill").invoke("Write about harbors.")
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["model_name"] == "quill"
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == tokens.count("Write about harbors.")
    assert message.usage_metadata["output_tokens"] == tokens.count(TEXT)


def test_what_a_scripted_message_says_stays() -> None:
    usage = {"input_tokens": 7, "output_tokens": 8, "total_tokens": 15}
    scripted = AIMessage(
        "text", usage_metadata=usage, response_metadata={"finish_reason": "content_filter"}
    )
    message = FakeWriter(replies=[scripted]).invoke("x")
    assert message.usage_metadata == usage
    assert message.response_metadata["finish_reason"] == "content_filter"
    assert scripted.response_metadata == {"finish_reason": "content_filter"}


@pytest.mark.parametrize("text", [TEXT, "", " ", "one", "ends with space \n"])
def test_stream_gives_the_message_of_invoke(text: str) -> None:
    whole = FakeWriter(replies=[text]).invoke("x")
    chunks = list(FakeWriter(replies=[text]).stream("x"))
    message = joined(chunks)
    assert message.content == text
    assert message.usage_metadata == whole.usage_metadata
    assert message.response_metadata["finish_reason"] == "stop"
    assert chunks[-1].usage_metadata == whole.usage_metadata
    assert chunks[-1].response_metadata["model_name"] == "fake-writer"
    assert not any(chunk.usage_metadata for chunk in chunks[:-1])


def test_stream_goes_word_by_word() -> None:
    chunks = list(FakeWriter(replies=["The harbor  sleeps."]).stream("x"))
    assert [chunk.content for chunk in chunks] == ["The", " harbor", "  sleeps."]


def test_stream_keeps_tool_calls_and_blocks() -> None:
    call = {"name": "look", "args": {"at": "sea"}, "id": "1", "type": "tool_call"}
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": "hi"}]
    writer = FakeWriter(replies=[AIMessage("go on", tool_calls=[call]), AIMessage(blocks)])
    assert joined(list(writer.stream("x"))).tool_calls == [call]
    assert joined(list(writer.stream("x"))).content == blocks


async def test_async_doors() -> None:
    writer = FakeWriter(replies=[TEXT, TEXT])
    assert (await writer.ainvoke("x")).text == TEXT
    message = joined([chunk async for chunk in writer.astream("x")])
    assert message.content == TEXT
    assert message.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize("door", ["constructor", "bound", "call", "completion"])
def test_max_tokens_cuts(door: str) -> None:
    writer = FakeWriter(replies=[TEXT], max_tokens=3 if door == "constructor" else 500)
    bound = {"bound": {"max_tokens": 3}, "completion": {"max_completion_tokens": 3}}.get(door, {})
    called: dict[str, Any] = {"max_tokens": 3} if door == "call" else {}
    message = writer.bind(**bound).invoke("x", **called)
    assert message.text == "The harbor"
    assert message.response_metadata["finish_reason"] == "length"
    assert message.usage_metadata
    assert message.usage_metadata["output_tokens"] == 3


def test_stream_that_is_cut_says_so() -> None:
    message = joined(list(FakeWriter(replies=[TEXT]).stream("x", max_tokens=1)))
    assert (message.content, message.response_metadata["finish_reason"]) == ("The", "length")


def test_stop_cuts_and_arguments_are_remembered() -> None:
    writer = FakeWriter(replies=[TEXT])
    message = writer.bind(temperature=0.2).invoke("x", stop=[","])
    assert message.text == "The harbor sleeps"
    assert message.response_metadata["finish_reason"] == "stop"
    assert writer.kwargs == [{"temperature": 0.2, "stop": [","]}]


def test_callbacks_see_every_token_once() -> None:
    collector = Collector()
    writer = FakeWriter(replies=["The harbor sleeps."])
    list(writer.stream("x", config={"callbacks": [collector]}))
    assert collector.tokens == ["The", " harbor", " sleeps."]
    assert collector.starts == 1


def test_usage_callback_adds_up() -> None:
    writer = FakeWriter(replies=["one two", "three"])
    with get_usage_metadata_callback() as usage:
        writer.invoke("x")
        list(writer.stream("x"))
    assert usage.usage_metadata["fake-writer"]["output_tokens"] == 4


async def test_batch_and_abatch() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    asked: list[LanguageModelInput] = [f"{n} words" for n in range(5, 25)]
    replies = writer.batch(asked) + await writer.abatch(asked)
    assert [len(reply.text.split()) for reply in replies] == 2 * list(range(5, 25))
    assert writer.calls == 40


def test_threads_take_every_reply_once() -> None:
    writer = FakeWriter(replies=[str(n) for n in range(200)])
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: writer.invoke("x").text, range(200)))
    assert sorted(replies, key=int) == [str(n) for n in range(200)]


async def test_events() -> None:
    writer = FakeWriter(replies=["The harbor sleeps."])
    events = [event async for event in writer.astream_events("x", version="v2")]
    texts = [e["data"]["chunk"].content for e in events if e["event"] == "on_chat_model_stream"]
    assert texts == ["The", " harbor", " sleeps."]


async def test_graph_streams_messages() -> None:
    writer = FakeWriter(replies=["The harbor sleeps.", "It wakes."])

    async def write(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await writer.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    graph.add_edge("write", END)
    stream: Any = graph.compile().astream({"messages": [HumanMessage("x")]}, stream_mode="messages")
    chunks = [chunk async for chunk, _ in stream]
    assert [chunk.content for chunk in chunks] == ["The", " harbor", " sleeps."]


def test_latency_is_waited_for() -> None:
    writer = FakeWriter(replies=["a", "b"], latency=0.05)
    begun = time.monotonic()
    writer.invoke("x")
    asyncio.run(writer.ainvoke("x"))
    assert time.monotonic() - begun >= 0.1


def test_window() -> None:
    writer = FakeWriter(replies=["fine"], window=10)
    assert writer.profile is not None
    assert writer.profile["max_input_tokens"] == 10
    with pytest.raises(ContextOverflowError, match="window"):
        writer.invoke("word " * 11)
    assert writer.invoke("word " * 4).text == "fine"
    assert writer.calls == 2


def test_tokens_are_counted_offline() -> None:
    writer = FakeWriter()
    assert writer.get_num_tokens("the harbors 港口") == 6
    assert writer.get_num_tokens_from_messages([HumanMessage("a b"), AIMessage("c")]) == 3


@pytest.mark.parametrize("structured", [True, False])
def test_profile_says_whether_schemas_are_taken(structured: bool) -> None:
    assert FakeWriter(structured=structured).profile == {"structured_output": structured}


def test_structured_output_by_behavior() -> None:
    writer = FakeWriter(behavior=LengthBehavior(sections=4), structured=True)
    plan = writer.with_structured_output(Plan).invoke("Total: 2000 words")
    assert isinstance(plan, Plan)
    assert len(plan.sections) == 4
    plain = writer.with_structured_output(Plan.model_json_schema()).invoke("Total: 2000 words")
    assert len(plain["sections"]) == 4


def test_structured_output_with_the_raw_message() -> None:
    writer = FakeWriter(replies=["no JSON", '{"title": "T", "sections": []}'], structured=True)
    model = writer.with_structured_output(Plan, method="json_schema", include_raw=True)
    unread, read = model.invoke("a"), model.invoke("b")
    assert unread["raw"].text == "no JSON"
    assert unread["parsed"] is None
    assert unread["parsing_error"] is not None
    assert read["parsed"] == Plan(title="T", sections=[])
    assert read["parsing_error"] is None


def test_unstructured_writer_refuses_schemas() -> None:
    writer = FakeWriter(replies=["x"])
    with pytest.raises(NotImplementedError):
        writer.with_structured_output(Plan)
    form = {"type": "json_schema", "json_schema": {"name": "p", "schema": {}}}
    with pytest.raises(ModelInvalidRequestError, match="structured=True"):
        writer.invoke("x", response_format=form)


def test_serialization_leaves_script_and_record_out() -> None:
    writer = FakeWriter(replies=["secret"], behavior=LengthBehavior())
    writer.invoke("asked")
    assert not {"replies", "behavior"} & writer.model_dump().keys()
    assert "secret" not in json.dumps(dumpd(writer))
    assert writer.asdict() == {
        "model_name": "fake-writer",
        "max_tokens": None,
        "_type": "fake-writer",
    }
