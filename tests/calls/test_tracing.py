"""What others see of a run: spans, callbacks, logs; and that no secret is in any of it."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelAPIError, ModelAuthenticationError
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from opentelemetry import trace as api
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from longchain import AgentWriteChain
from longchain.calls import tracing
from longchain.models.error_hints import explain
from longchain.testing import FakeWriter, Faults, LengthBehavior, SimulatedServer

THREAD: Any = {"configurable": {"thread_id": "run-7"}}


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans of this test alone: OpenTelemetry's own provider can be set but once."""
    found = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    monkeypatch.setattr(api, "get_tracer", provider.get_tracer)
    return found


def given(sections: int = 3) -> dict[str, Any]:
    """Return an input with a plan."""
    parts = [
        {"heading": f"Part {n}", "main_point": f"Point {n}", "length": 100}
        for n in range(1, sections + 1)
    ]
    return {"instruction": "Write about ports.", "plan": {"title": "Ports", "sections": parts}}


def writer(**options: Any) -> FakeWriter:
    return FakeWriter(behavior=LengthBehavior(), **options)


def quick(chain: AgentWriteChain) -> AgentWriteChain:
    """Return the chain with short pauses."""
    chain.stages.policy.retries.__dict__["first_pause"] = 0.01
    return chain


def written(
    chain: AgentWriteChain, config: Any = None, *, asynchronous: bool, given: Any
) -> dict[str, Any]:
    if asynchronous:
        return asyncio.run(chain.ainvoke(given, config))
    return dict(chain.invoke(given, config))


# Spans -----------------------------------------------------------------------------------------


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_a_span_for_each_call(
    exporter: InMemorySpanExporter, mode: Any, asynchronous: bool
) -> None:
    model = writer()
    chain = AgentWriteChain(model, mode=mode)
    instruction = "Write a 1,500-word report on ports."
    document = written(chain, THREAD, asynchronous=asynchronous, given=instruction)
    spans = exporter.get_finished_spans()
    assert len(spans) == model.calls
    assert spans[0].name == "longchain.plan"
    name = "longchain.write" if mode == "sequential" else "longchain.write_alone"
    assert {span.name for span in spans[1:]} == {name}
    found = [attributes(span) for span in spans]
    assert {one["longchain.run"] for one in found} == {"run-7"}
    assert {one["longchain.section"] for one in found[1:]} == set(
        range(1, len(document["sections"]) + 1)
    )
    assert {one["longchain.request"] for one in found[1:]} <= {"write", "extend"}
    for kind in ("input", "output"):
        taken = [one[f"gen_ai.usage.{kind}_tokens"] for one in found]
        assert min(taken) > 0
        assert sum(taken) == document["usage"][f"{kind}_tokens"]
    assert sum(one["longchain.calls"] for one in found) == document["usage"]["calls"]
    assert {one["gen_ai.operation.name"] for one in found} == {"chat"}
    text = json.dumps([[span.name, attributes(span)] for span in spans])
    assert document["sections"][0]["heading"] not in text
    assert "report on ports" not in text


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_span_of_an_error_says_its_type_only(
    exporter: InMemorySpanExporter, asynchronous: bool
) -> None:
    model = writer(replies=[ModelAPIError("a long story"), "", ModelAuthenticationError("key")])
    chain = quick(AgentWriteChain(model))
    with pytest.raises(ModelAuthenticationError):
        written(chain, asynchronous=asynchronous, given=given())
    first, second, third = exporter.get_finished_spans()
    assert attributes(first)["error.type"] == "ModelAPIError"
    assert attributes(third)["error.type"] == "ModelAuthenticationError"
    assert "error.type" not in attributes(second)
    assert second.status.status_code is api.StatusCode.UNSET
    for span in (first, third):
        assert span.status.status_code is api.StatusCode.ERROR
        assert span.status.description is None
        assert span.events == ()
        assert "story" not in span.to_json()


def test_spans_are_inside_of_the_callers(exporter: InMemorySpanExporter) -> None:
    with api.get_tracer("mine").start_as_current_span("mine") as mine:
        AgentWriteChain(writer(), mode="parallel").invoke(given())
    *ours, _ = exporter.get_finished_spans()
    assert len(ours) >= 3
    assert {span.parent and span.parent.span_id for span in ours} == {
        mine.get_span_context().span_id
    }


@pytest.mark.parametrize("asynchronous", [False, True])
def test_without_opentelemetry_nothing_breaks(
    monkeypatch: pytest.MonkeyPatch, asynchronous: bool
) -> None:
    monkeypatch.setattr(tracing, "_telemetry", None)
    model = writer(replies=[ModelAPIError("down")])
    document = written(quick(AgentWriteChain(model)), asynchronous=asynchronous, given=given())
    assert document["report"]["length_score"] > 90


def test_what_is_no_plain_name_is_no_attribute(exporter: InMemorySpanExporter) -> None:
    with tracing.span("write", {"run": "x" * 121, "other": "a\nb", "section": 3, "none": None}):
        pass
    (span,) = exporter.get_finished_spans()
    assert attributes(span) == {"longchain.section": 3}


# Callbacks -------------------------------------------------------------------------------------


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.seen: list[tuple[Any, Any, Any]] = []

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Any]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        about = metadata or {}
        self.seen.append((name, about.get("section"), about.get("longchain_node")))


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_callbacks_hear_what_is_written(mode: Any, asynchronous: bool) -> None:
    recorder, model = Recorder(), writer()
    written(
        AgentWriteChain(model, mode=mode),
        {"callbacks": [recorder]},
        asynchronous=asynchronous,
        given=given(4),
    )
    node = "write" if mode == "sequential" else "write_alone"
    assert len(recorder.seen) == model.calls
    firsts = sorted(seen for seen in recorder.seen if str(seen[0]).startswith("write"))
    assert firsts == [(f"write section {n}", n, node) for n in range(1, 5)]
    for name, section, where in recorder.seen:
        assert name in (f"write section {section}", f"extend section {section}")
        assert where == node


# Logs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_records_say_which_run_and_which_section(
    caplog: pytest.LogCaptureFixture, asynchronous: bool
) -> None:
    caplog.set_level(logging.DEBUG, "longchain")
    down = ModelAPIError("down")
    model = writer(replies=["", down])  # a plan that is none, and its repair
    chain = quick(AgentWriteChain(model))
    written(chain, THREAD, asynchronous=asynchronous, given="Write a 300-word note on ports.")
    model.replies = ["", down, "", "", down]
    written(chain, THREAD, asynchronous=asynchronous, given=given())
    records = [r for r in caplog.records if r.name.split(".")[0] == "longchain"]
    assert len(records) >= 2
    form = logging.Formatter("%(run)s %(section)s %(message)s")
    lines = [form.format(record) for record in records]
    assert lines[0].startswith("run-7 None plan: server error, again in ")
    assert lines[-1].startswith("run-7 1 section 1: server error, again in ")


# Secrets ---------------------------------------------------------------------------------------

KEY, PASSWORD = "sk-very-secret-0123456789abcdef", "pass-w0rd-of-mine"


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_no_secret_gets_out(
    exporter: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG, "longchain")
    faults = Faults(script=["ok", "ok", "429", "ok", "500", "drop", "500", "500"], retry_after=0.01)
    path = tmp_path / "runs.db"
    with SimulatedServer(faults=faults) as server, SqliteSaver.from_conn_string(str(path)) as saver:
        url = server.base_url.replace("http://", f"http://user:{PASSWORD}@")
        model = ChatOpenAI(model="x", base_url=url, api_key=KEY, max_retries=0)  # type: ignore[arg-type]
        chain = quick(AgentWriteChain(model, max_retries=2, checkpointer=saver))
        with pytest.raises(ModelAPIError) as met:
            chain.invoke("Write a 4,000-word report on ports.", THREAD)
        spans = "".join(span.to_json() for span in exporter.get_finished_spans())
        records = [vars(record) for record in caplog.records]
        ours = [record for record in records if record["name"].startswith("longchain")]
        assert ours
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"run-7" in stored
    places = {
        "explain": explain(met.value),
        "spans": spans,
        "records": repr(ours),
        "checkpoints": stored.decode("latin-1"),
    }
    for place, text in places.items():
        assert text, place
        assert KEY not in text, place
        assert PASSWORD not in text, place


@pytest.mark.parametrize(
    "message",
    [
        f"Incorrect API key provided: {KEY}.",
        f"Cannot connect to http://user:{PASSWORD}@127.0.0.1/v1",
        f"bad header Authorization: Bearer {PASSWORD}",
    ],
)
def test_an_error_that_repeats_a_secret_is_not_stored(message: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    model = writer(replies=[ModelAuthenticationError(message)])
    with (
        SqliteSaver.from_conn_string(str(path)) as saver,
        pytest.raises(ModelAuthenticationError) as met,
    ):
        AgentWriteChain(model, checkpointer=saver).invoke(given(), THREAD)
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir()).decode("latin-1")
    for secret in (KEY, PASSWORD):
        assert secret not in explain(met.value)
        assert secret not in stored
