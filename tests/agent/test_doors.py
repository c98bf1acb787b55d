"""One long document through every door that LangChain and LangGraph have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.testing import FakeWriter, LengthBehavior

SECTIONS = 200
INSTRUCTION = "Write a long chronicle of an invented city."
PLAN = WritingPlan(
    title="The City",
    sections=[
        SectionPlan(heading=f"Year {year}", main_point=f"What happened in year {year}", length=60)
        for year in range(1, SECTIONS + 1)
    ],
)
GIVEN: dict[str, Any] = {"instruction": INSTRUCTION, "plan": PLAN.model_dump()}


def chain() -> AgentWriteChain:
    return AgentWriteChain(FakeWriter(behavior=LengthBehavior(spread=0.1)))


@pytest.fixture(scope="module")
def expected() -> str:
    return str(chain().invoke(GIVEN)["text"])


class Outer(TypedDict, total=False):
    instruction: str
    plan: dict[str, Any]
    text: str


def last(chunks: list[Any]) -> Any:
    found = [c for c in chunks if isinstance(c, dict) and ("text" in c or "finish" in c)]
    return found[-1].get("finish", found[-1])


def as_graph_node(chain: AgentWriteChain) -> Any:
    graph = StateGraph(Outer)
    graph.add_node("write", chain)
    graph.add_edge(START, "write")
    graph.add_edge("write", END)
    compiled: Any = graph.compile()
    return compiled.invoke(GIVEN)


async def from_events(chain: AgentWriteChain) -> Any:
    events = [e async for e in chain.astream_events(GIVEN, version="v2")]
    return events[-1]["data"]["output"]


async def from_astream(chain: AgentWriteChain) -> Any:
    return last([chunk async for chunk in chain.astream(GIVEN)])


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
def as_tool(chain: AgentWriteChain) -> Any:
    tool = chain.as_tool(name="write_long", description="Writes a long document.")
    return tool.invoke(GIVEN)


SYNC: dict[str, Callable[[AgentWriteChain], Any]] = {
    "invoke": lambda c: c.invoke(GIVEN),
    "batch": lambda c: c.batch([GIVEN])[0],
    "stream": lambda c: last(list(c.stream(GIVEN))),
    "stream values": lambda c: last(list(c.stream(GIVEN, stream_mode="values"))),
    "prompt | chain": lambda c: (RunnableLambda(lambda x: x) | c).invoke(GIVEN),
    "with_retry": lambda c: c.with_retry().invoke(GIVEN),
    "with_config": lambda c: c.with_config(tags=["x"]).invoke(GIVEN),
    "as_tool": as_tool,
    "lambda": lambda c: RunnableLambda[Any, Any](lambda x: c.invoke(x)).invoke(GIVEN),
    "lambda that returns it": lambda c: RunnableLambda(lambda x: c).invoke(GIVEN),
    "node of a graph": as_graph_node,
}

ASYNC: dict[str, Callable[[AgentWriteChain], Awaitable[Any]]] = {
    "ainvoke": lambda c: c.ainvoke(GIVEN),
    "astream": from_astream,
    "astream_events": from_events,
}


@pytest.mark.filterwarnings("ignore:This API is in beta")  # of `as_tool`, said once per process
@pytest.mark.parametrize("door", SYNC)
def test_every_door_gives_the_same_text(door: str, expected: str) -> None:
    assert SYNC[door](chain())["text"] == expected


@pytest.mark.parametrize("door", ASYNC)
async def test_every_async_door_gives_the_same_text(door: str, expected: str) -> None:
    assert (await ASYNC[door](chain()))["text"] == expected


async def test_abatch_gives_the_same_text(expected: str) -> None:
    assert [d["text"] for d in await chain().abatch([GIVEN])] == [expected]


def test_the_document_has_every_section_once_and_in_order() -> None:
    document = chain().invoke(GIVEN)
    assert [s["heading"] for s in document["sections"]] == [s.heading for s in PLAN.sections]
    assert [line[3:] for line in document["text"].splitlines() if line.startswith("## ")] == [
        s.heading for s in PLAN.sections
    ]


@pytest.mark.parametrize(
    "given",
    [
        "Write a 600-word essay on tides.",
        {"instruction": "Write a 600-word essay on tides."},
        {"instruction": "Write an essay on tides.", "length": 600},
        PromptTemplate.from_template("Write a {n}-word essay on tides.").invoke({"n": 600}),
    ],
    ids=["string", "dict", "length", "prompt value"],
)
def test_input_may_be_a_string_a_dict_or_a_prompt_value(given: Any) -> None:
    document = chain().invoke(given)
    assert document["report"]["required_length"] == 600
    assert document["length"] == pytest.approx(600, rel=0.05)


def test_a_prompt_composes_with_the_chain() -> None:
    prompt = PromptTemplate.from_template("Write a {n}-word essay on {topic}.")
    document = (prompt | chain()).invoke({"n": 600, "topic": "tides"})
    assert document["length"] == pytest.approx(600, rel=0.05)


def test_streamed_text_joins_to_the_document() -> None:
    pieces = list(chain().stream_text(GIVEN))
    assert len(pieces) == SECTIONS + 1
    assert "".join(pieces) == chain().invoke(GIVEN)["text"]


async def test_streamed_text_joins_to_the_document_async() -> None:
    pieces = [piece async for piece in chain().astream_text(GIVEN)]
    assert "".join(pieces) == chain().invoke(GIVEN)["text"]


def test_tokens_arrive_as_messages() -> None:
    writer = FakeWriter(behavior=LengthBehavior())
    tokens = [
        message.text
        for message, about in AgentWriteChain(writer).stream(
            "Write a 300-word essay on tides.", stream_mode="messages"
        )
        if about["langgraph_node"] == "write"
    ]
    assert len(tokens) > 250


def test_the_limit_of_steps_is_lifted_unless_set_on_purpose() -> None:
    from langgraph.errors import GraphRecursionError

    with pytest.raises(GraphRecursionError):
        chain().invoke(GIVEN, {"recursion_limit": 30})
