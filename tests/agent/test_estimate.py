"""What a document was said to take, against what it takes on a simulated server.

The server's tokenizer counts for both, and the model writes with the server's words: how many
tokens a word has is the model's affair, and not what is tested here.
"""

from __future__ import annotations

from random import Random
from statistics import fmean
from time import process_time
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import SecretStr

from longchain import AgentWriteChain, Budget, LongWriterLLM, Prices, SectionPlan, WritingPlan
from longchain.agent.estimate import Estimate, simulated_model
from longchain.document import Unit, Usage
from longchain.errors import InputError
from longchain.length import count_length
from longchain.length.control import SPREAD
from longchain.testing import FakeWriter, LengthBehavior, SimulatedServer, prose, tokens


def local(test: Any) -> Any:
    """Let a test talk to this machine."""
    return pytest.mark.enable_socket(pytest.mark.allow_hosts(["127.0.0.1"])(test))


WINDOW = 60_000

INSTRUCTION = {
    "en": "Write a survey of inland ports for readers who have never seen one.",
    "ja": "内陸の港について、見たことのない読者のための解説書を書いてください。",
}
ENGLISH = "Write a 4,000-word survey of inland ports."


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model writes with the words of the simulated server, and summaries as long as its."""
    units: dict[str, Unit] = {"en": "words", "ja": "characters"}
    for language, unit in units.items():
        text = prose.write(Random(0), language, 500, unit).replace(".", " ").replace(",", " ")
        monkeypatch.setitem(
            simulated_model._WORDS, language, text.replace("。", "").replace("、", "")
        )
    monkeypatch.setattr(simulated_model, "SUMMARY_WORDS", 120)


def model_at(base_url: str) -> ChatOpenAI:
    """A server's model, with the server's tokenizer."""
    return ChatOpenAI(
        model="simulated-writer",
        base_url=base_url,
        api_key=SecretStr("any"),
        custom_get_token_ids=lambda text: tokens.token_ids(tokens.split(text)),
    )


def plan_of(language: str, sections: int, length: int) -> WritingPlan:
    """A plan with headings and points as the simulated planner makes them."""
    rng = Random(1)
    unit: Unit = "words" if language == "en" else "characters"
    return WritingPlan(
        title=prose.make_heading(rng, language),
        sections=[
            SectionPlan(
                heading=f"{prose.make_heading(rng, language)} {number}",
                main_point=prose.make_sentence(rng, language, 24 if language == "ja" else 12, unit),
                length=length,
            )
            for number in range(sections)
        ],
        unit=unit,
        language=language,
    )


def taken(given: Any, seeds: int = 4, **options: Any) -> tuple[Usage, int]:
    """Write documents, each on a fresh server whose model writes what it is asked, with scatter.

    Returns:
        The mean of what the servers counted, and the most requests.
    """
    usages = []
    for seed in range(seeds):
        behavior = LengthBehavior(spread=SPREAD, seed=seed)
        with SimulatedServer(behavior=behavior, window=WINDOW) as server:
            AgentWriteChain(model_at(server.base_url), window=WINDOW, **options).invoke(given)
            stats = server.stats
        usages.append(
            Usage(
                calls=stats.requests,
                input_tokens=stats.prompt_tokens,
                output_tokens=stats.output_tokens,
                cached_tokens=stats.cached_tokens,
            )
        )
    names = Usage.model_fields
    mean = Usage(**{name: round(fmean(getattr(u, name) for u in usages)) for name in names})
    return mean, max(usage.calls for usage in usages)


def said_of(given: Any, **options: Any) -> Estimate:
    """Estimate, by a model whose server nobody can reach."""
    model = model_at("http://127.0.0.1:9/v1")
    return AgentWriteChain(model, window=WINDOW, **options).estimate(given)


def off(said: Estimate, usage: Usage) -> dict[str, float]:
    """How far an estimate is off, as shares of what it took."""
    return {
        name: getattr(said, name) / number - 1
        for name, number in usage.model_dump().items()
        if number
    }


# Against a server ----------------------------------------------------------------------------

SUMMARY = {"memory": "summary", "memory_tokens": 3_000}
OPTIONS: list[dict[str, Any]] = [
    {"layout": "conversation", "memory": "full"},
    {"layout": "conversation", **SUMMARY},
    {"layout": "conversation", "mode": "parallel"},
    {"layout": "paper", "memory": "full"},
    {"layout": "paper", **SUMMARY},
    {"layout": "paper", "mode": "parallel"},
]


@local
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda options: "-".join(map(str, options.values()))
)
def test_a_planned_document(options: dict[str, Any], language: str, words: None) -> None:
    plan = plan_of(language, 12, 350 if language == "en" else 700)
    given = {"instruction": INSTRUCTION[language], "plan": plan}
    said = said_of(given, **options)
    usage, most = taken(given, **options)
    wrong = off(said, usage)
    assert max(map(abs, wrong.values())) < 0.15, wrong
    assert said.calls <= said.calls_most
    assert most <= said.calls_most


@local
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_a_direct_pass(layout: str, language: str, words: None) -> None:
    length = 3_000 if language == "en" else 6_000
    given = {"instruction": INSTRUCTION[language], "length": length}
    options: dict[str, Any] = {"mode": "direct", "layout": layout}
    said = said_of(given, **options)
    usage, most = taken(given, 12, **options)
    wrong = off(said, usage)
    # Every other document takes one call, and the rest up to three: prompts differ by as much.
    assert abs(wrong["output_tokens"]) < 0.15, wrong
    assert abs(said.calls - usage.calls) <= 1
    assert most <= said.calls_most


@local
@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_a_document_without_a_plan(layout: str, words: None) -> None:
    options: dict[str, Any] = {"layout": layout}
    said = said_of(ENGLISH, **options)
    usage, most = taken(ENGLISH, **options)
    wrong = off(said, usage)
    # How many sections the planner will make is not known: a few more or less change prompts most.
    assert max(map(abs, wrong.values())) < 0.25, wrong
    assert most <= said.calls_most


@local
@pytest.mark.parametrize("bias", [0.5, 0.66, 1.6])
@pytest.mark.parametrize("mode", ["sequential", "parallel", "direct"])
def test_no_model_takes_more_calls_than_the_most(mode: Any, bias: float) -> None:
    said = AgentWriteChain(FakeWriter(), mode=mode).estimate(ENGLISH)
    for seed in range(4):
        model = FakeWriter(behavior=LengthBehavior(bias=bias, spread=SPREAD, seed=seed))
        document = AgentWriteChain(model, mode=mode).invoke(ENGLISH)
        assert document["usage"]["calls"] <= said.calls_most


# What is known beforehand --------------------------------------------------------------------


def test_layouts_differ_in_what_is_cached() -> None:
    given = {"instruction": INSTRUCTION["en"], "plan": plan_of("en", 12, 350)}
    conversation, paper = (said_of(given, layout=layout) for layout in ("conversation", "paper"))
    assert conversation.cached_tokens / conversation.input_tokens > 0.95
    assert paper.cached_tokens / paper.input_tokens < 0.9


def test_a_given_plan_takes_no_call() -> None:
    chain = AgentWriteChain(FakeWriter(), length_control=False)
    plan = plan_of("en", 5, 300)
    said = chain.estimate({"instruction": "Ports", "plan": plan})
    assert (said.calls, said.calls_most, said.sections, said.length) == (5, 8, 5, 1_500)
    assert said.assumed == []
    unplanned = chain.estimate("Write 1,500 words about ports.")
    assert (unplanned.calls, unplanned.calls_most, unplanned.sections) == (4, 7, 3)
    assert unplanned.assumed == ["a plan of 3 sections"]


def test_chapters_are_planned_one_by_one() -> None:
    chain = AgentWriteChain(FakeWriter(window=1_000_000), length_control=False)
    said = chain.estimate("Write a 40,000-word history of inland ports.")
    assert said.calls == said.sections + 1 + 8
    assert said.length == 40_000


def test_without_a_length_one_is_assumed() -> None:
    said = AgentWriteChain(FakeWriter()).estimate("Write about ports.")
    assert said.length == 2_000
    assert said.assumed[0] == "a length of 2,000 words, since none is given"


def test_costs_take_prices() -> None:
    prices = Prices(input=1.0, output=10.0, cached=0.1)
    chain = AgentWriteChain(FakeWriter())
    assert chain.estimate(ENGLISH).cost is None
    said = chain.estimate(ENGLISH, prices)
    fresh = said.input_tokens - said.cached_tokens
    cost = (fresh + 0.1 * said.cached_tokens + 10 * said.output_tokens) / 1e6
    assert said.cost == pytest.approx(cost)
    budgeted = AgentWriteChain(FakeWriter(), budget=Budget(calls=1, prices=prices))
    assert budgeted.estimate(ENGLISH) == said


def test_a_model_that_cuts_its_replies_is_asked_more_often() -> None:
    said = AgentWriteChain(FakeWriter()).estimate(ENGLISH)
    cut = AgentWriteChain(FakeWriter(max_tokens=300)).estimate(ENGLISH)
    assert cut.calls > 2 * said.calls


@pytest.mark.parametrize(
    "instruction",
    [
        "Schreibe einen Bericht über Binnenhäfen.",
        "Écris un rapport sur les ports intérieurs.",
        "내륙 항구에 대한 보고서를 써 주세요.",
        "请写一篇关于内河港口的报告。",
        "Напиши отчёт о речных портах и их истории.",
        "เขียนรายงานเกี่ยวกับท่าเรือในแผ่นดิน",
        "Γράψε μια αναφορά για τα λιμάνια των ποταμών.",
        "नदी के बंदरगाहों पर एक रिपोर्ट लिखिए।",
        "اكتب تقريرا عن الموانئ النهرية وتاريخها.",
    ],
)
def test_filler_passes_for_prose_in_any_language(instruction: str) -> None:
    given = {"instruction": instruction, "length": 6_000}
    chain = AgentWriteChain(FakeWriter(), length_control=False)
    said = chain.estimate(given)
    assert said.calls == said.sections + 1


@pytest.mark.parametrize(("language", "unit"), [("en", "words"), ("de", "characters")])
@pytest.mark.parametrize("length", [1, 40, 900])
def test_filler_is_as_long_as_asked(language: str, unit: Unit, length: int) -> None:
    text = simulated_model.Filler(language, "", Random(0)).prose(length, unit)
    assert count_length(text, unit, language) == pytest.approx(length, rel=0.15, abs=20)


# What is left alone --------------------------------------------------------------------------


class Heard(BaseCallbackHandler):
    """Counts what it hears of."""

    def __init__(self) -> None:
        self.events = 0

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        self.events += 1

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.events += 100


def test_nothing_of_the_callers_is_touched() -> None:
    def refuse(query: str) -> list[Document]:
        raise AssertionError(query)

    saver, model, heard = InMemorySaver(), FakeWriter(), Heard()
    chain = AgentWriteChain(
        model,
        retriever=refuse,
        checkpointer=saver,
        review=True,
        max_concurrency=1,
        requests_per_minute=1,
        tokens_per_minute=1,
        budget=Budget(calls=1, tokens=1),
    )
    inside = RunnableLambda[Any, Any](lambda given: chain.estimate(given))
    said = inside.invoke(ENGLISH, {"callbacks": [heard], "configurable": {"thread_id": "one"}})
    assert said.calls > 8
    assert said.assumed[-1] == "4 references of 150 words for each section"
    assert model.calls == 0
    assert list(saver.list(None)) == []
    assert heard.events == 1


def test_no_span_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(args)

    monkeypatch.setattr("longchain.calls.tracing.span", refuse)
    AgentWriteChain(FakeWriter()).estimate(ENGLISH)


def test_material_makes_prompts_longer() -> None:
    chain = AgentWriteChain(FakeWriter())
    without = chain.estimate(ENGLISH)
    given = {"instruction": ENGLISH, "context": ["Ports stand on rivers. " * 40, "Quays. " * 99]}
    said = chain.estimate(given)
    assert said.input_tokens > 1.2 * without.input_tokens


@local
def test_a_server_that_is_down_does_not_matter() -> None:
    model = LongWriterLLM(model="writer", base_url="http://127.0.0.1:9/v1")
    said = AgentWriteChain(model).estimate(ENGLISH)
    assert said.sections == 8
    assert model.profile is None


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(InputError, match="the instruction is empty"):
        AgentWriteChain(FakeWriter()).estimate(" ")


def test_it_is_plain() -> None:
    said = AgentWriteChain(FakeWriter()).estimate(ENGLISH)
    assert Estimate.model_validate_json(said.model_dump_json()) == said


@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_five_hundred_sections_take_seconds(layout: Any) -> None:
    """As a ratio, since machines differ: five times the sections, about six times the CPU.

    One whose work grew with the square of the sections would take 25 times as much.
    """

    def seconds(sections: int) -> float:
        given = {"instruction": "Ports", "plan": plan_of("en", sections, 400)}
        begun = process_time()
        said = AgentWriteChain(FakeWriter(), layout=layout).estimate(given)
        assert said.sections == sections
        return process_time() - begun

    seconds(10)  # imports and tables
    assert seconds(500) < 12 * seconds(100)
