"""The chain behind LangServe, over a real port: every door gives what the local chain gives."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import ValidationError

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.testing import FakeWriter, LengthBehavior

langserve = pytest.importorskip("langserve")
fastapi = pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")

pytestmark = [
    pytest.mark.allow_hosts(["127.0.0.1"]),
    # LangServe 0.3.3 asks a pydantic object, not its class, for its fields.
    pytest.mark.filterwarnings(
        "ignore:Accessing the 'model_fields' attribute:pydantic.PydanticDeprecatedSince211"
    ),
    # LangServe 0.3.3 asks LangGraph for `config_schema`.
    pytest.mark.filterwarnings(
        "ignore:`config_schema` is deprecated:langgraph.warnings.LangGraphDeprecatedSinceV10"
    ),
]

SECTIONS = 60
PLAN = WritingPlan(
    title="The City",
    sections=[
        SectionPlan(heading=f"Year {year}", main_point=f"What happened in year {year}", length=60)
        for year in range(1, SECTIONS + 1)
    ],
)
GIVEN: dict[str, Any] = {
    "instruction": "Write a long chronicle of an invented city.",
    "plan": PLAN.model_dump(),
}
THREAD = "x-thread"


def chain(**options: Any) -> AgentWriteChain:
    writer = FakeWriter(behavior=LengthBehavior(spread=0.1, vary=False))
    return AgentWriteChain(writer, local_sources=False, **options)


def keep_thread(config: dict[str, Any], request: Any) -> dict[str, Any]:
    """Take the thread from a header: one from the client's own config never arrives here."""
    return {**config, "configurable": {"thread_id": request.headers.get(THREAD, "none")}}


async def refuse(request: Any, error: ValidationError) -> Any:
    """Answer what LangServe's `/batch` lets through as it answers everywhere else."""
    details = error.errors(include_url=False, include_input=False)
    return fastapi.responses.JSONResponse({"detail": details}, status_code=422)


def application(kept: AgentWriteChain) -> Any:
    app = fastapi.FastAPI(exception_handlers={ValidationError: refuse})
    off = ["stream_log"]
    langserve.add_routes(app, chain(), path="/agent-write", disabled_endpoints=off)
    langserve.add_routes(
        app, kept, path="/kept", disabled_endpoints=off, per_req_config_modifier=keep_thread
    )
    parallel = chain(mode="parallel")
    langserve.add_routes(app, parallel, path="/parallel", disabled_endpoints=off)
    return app


@pytest.fixture(scope="module")
def kept() -> AgentWriteChain:
    return chain(checkpointer=InMemorySaver())


@pytest.fixture(scope="module")
def url(kept: AgentWriteChain) -> Iterator[str]:
    """Serve the chains on a free port until the last test of this file."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(kept), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def remote(url: str) -> Iterator[Runnable[Any, Any]]:
    with connected(f"{url}/agent-write") as runnable:
        yield runnable


@contextmanager
def connected(url: str, **options: Any) -> Iterator[Any]:
    """Open a `RemoteRunnable` and close its client, which it leaves to the collector."""
    remote = langserve.RemoteRunnable(url, timeout=60, **options)
    yield remote
    remote.sync_client.close()


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return chain().invoke(GIVEN)


SYNC: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda remote: remote.invoke(GIVEN),
    "batch": lambda remote: remote.batch([GIVEN, GIVEN])[1],
    "stream": lambda remote: list(remote.stream(GIVEN))[-1]["finish"],
}


async def events(remote: Any, **filters: Any) -> list[Any]:
    return [event async for event in remote.astream_events(GIVEN, version="v2", **filters)]


async def from_events(remote: Any) -> Any:
    state = (await events(remote))[-1]["data"]["output"]
    return {key: value for key, value in state.items() if key != "log"}


async def from_astream(remote: Any) -> Any:
    return [chunk async for chunk in remote.astream(GIVEN)][-1]["finish"]


async def from_abatch(remote: Any) -> Any:
    return (await remote.abatch([GIVEN]))[0]


ASYNC: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "ainvoke": lambda remote: remote.ainvoke(GIVEN),
    "abatch": from_abatch,
    "astream": from_astream,
    "astream_events": from_events,
}


@pytest.mark.parametrize("door", SYNC)
def test_every_door_gives_the_local_document(
    door: str, remote: Any, expected: dict[str, Any]
) -> None:
    assert SYNC[door](remote) == expected


@pytest.mark.parametrize("door", ASYNC)
async def test_every_async_door_gives_the_local_document(
    door: str, remote: Any, expected: dict[str, Any]
) -> None:
    assert await ASYNC[door](remote) == expected
    await remote.async_client.aclose()


async def test_events_filtered_by_the_client_are_the_tokens(
    remote: Any, expected: dict[str, Any]
) -> None:
    found = await events(remote, include_types=["chat_model"])
    tokens = [e for e in found if e["event"] == "on_chat_model_stream"]
    assert len(tokens) > SECTIONS * 40
    assert {e["event"].rsplit("_", 1)[0] for e in found} == {"on_chat_model"}
    await remote.async_client.aclose()


@pytest.mark.parametrize("path", ["agent-write", "parallel"])
async def test_events_of_a_run_that_plans_and_cites_can_be_sent(path: str, url: str) -> None:
    given = {"instruction": "Write 300 words on tides.", "context": ["The moon pulls the sea."]}
    with connected(f"{url}/{path}") as remote:
        last = [event async for event in remote.astream_events(given, version="v2")][-1]
        await remote.async_client.aclose()
    assert last["event"] == "on_chain_end"
    assert last["data"]["output"]["length"] == pytest.approx(300, rel=0.1)


@pytest.mark.parametrize(
    "given",
    [
        "Write a 200-word note on tides.",
        {"instruction": "Write a note on tides.", "length": 200},
        {"instruction": "Write a 200-word note on tides.", "context": [Document("The moon.")]},
    ],
    ids=["string", "fields", "documents"],
)
def test_input_may_be_what_the_local_chain_takes(given: Any, remote: Any) -> None:
    assert remote.invoke(given)["report"]["required_length"] == 200


def test_bad_input_reaches_the_remote_caller_as_a_sentence(remote: Any) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="the instruction is empty"):
        remote.invoke("")


BAD: dict[str, tuple[Any, str]] = {
    "empty instruction": ({"instruction": " "}, "the instruction is empty: say what to write"),
    "nothing": ({}, "an instruction is a string"),
    "length 0": ({"instruction": "x", "length": 0}, "a length of 0 cannot be written"),
    "length in words": ({"instruction": "x", "length": "ten"}, "a length is a whole number"),
    "unit": ({"instruction": "x", "length": 9, "unit": "pages"}, "unit is 'words' or"),
    "plan": ({"instruction": "x", "plan": {"sections": [{"head": 1}]}}, "the plan cannot be used"),
    "plan against length": ({**GIVEN, "length": 9_000}, "the plan adds up to 3,600 words"),
    "path": ({"instruction": "x", "sources": ["/etc/hosts"]}, "reads no local sources"),
    "context": ({"instruction": "x", "context": 5}, "context must be a text"),
}


def posted(url: str, endpoint: str, given: Any) -> httpx.Response:
    body = {"inputs": [given]} if endpoint == "batch" else {"input": given}
    return httpx.post(f"{url}/agent-write/{endpoint}", json=body)


@pytest.mark.parametrize("endpoint", ["invoke", "stream", "stream_events", "batch"])
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case: str, endpoint: str, url: str) -> None:
    given, sentence = BAD[case]
    answer = posted(url, endpoint, given)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"].startswith(sentence) or sentence in answer.text


def test_the_playground_is_a_page(url: str) -> None:
    page = httpx.get(f"{url}/agent-write/playground/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "AgentWriteInput" in page.text


def test_the_schemas_name_what_goes_in_and_out(url: str) -> None:
    given = httpx.get(f"{url}/agent-write/input_schema").json()
    assert given["required"] == ["instruction"]
    assert set(given["properties"]) >= {"instruction", "length", "unit", "plan", "context"}
    returned = httpx.get(f"{url}/agent-write/output_schema").json()
    assert set(returned["properties"]) >= {"text", "plan", "sections", "report", "usage"}


def test_the_deprecated_log_is_switched_off(url: str) -> None:
    assert httpx.post(f"{url}/agent-write/stream_log", json={"input": "x"}).status_code == 404


def test_a_header_names_the_thread_that_keeps_the_run(url: str, kept: AgentWriteChain) -> None:
    with connected(f"{url}/kept", headers={THREAD: "one"}) as remote:
        remote.invoke("Write a 200-word note on tides.")
    log = kept.get_state({"configurable": {"thread_id": "one"}}).values["log"]
    assert [event["type"] for event in log][:2] == ["request", "plan"]
    assert not kept.get_state({"configurable": {"thread_id": "two"}}).values


def test_a_thread_in_the_clients_config_does_not_arrive(url: str, kept: AgentWriteChain) -> None:
    with connected(f"{url}/kept", headers={THREAD: "mine"}) as remote:
        config = {"configurable": {"thread_id": "another's"}}
        remote.invoke("Write a 200-word note on tides.", config)
    assert not kept.get_state({"configurable": {"thread_id": "another's"}}).values
