"""Prompt languages: their texts, the page that shows them, and one more language."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from longchain import AgentWriteChain
from longchain.agent.prompts import (
    LANGUAGES,
    PlanningPrompts,
    Prompts,
    RetryNotes,
    WritingPrompts,
    prompts_for,
)
from longchain.agent.prompts.__main__ import build_page
from longchain.testing import FakeWriter, LengthBehavior

ROOT = Path(__file__).parents[3]


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a prompt language with its name."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, f"{name}.{key}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from texts(item, f"{name}.{number}")
    else:
        for field in dataclasses.fields(value):
            yield from texts(getattr(value, field.name), f"{name}.{field.name}")


def variables(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_with_the_same_variables(language: str) -> None:
    expected = {name: variables(text) for name, text in texts(LANGUAGES["en"])}
    for name, text in texts(LANGUAGES[language]):
        if not name.startswith(".language"):
            assert variables(text) - {"level"} == expected[name] - {"level"}, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_label_of_a_line_can_be_replaced(language: str) -> None:
    planning = LANGUAGES[language].planning
    assert planning.section_label in planning.line


@pytest.mark.parametrize(
    ("language", "prompts"),
    [("en", "en"), ("ja-JP", "ja"), ("zh-TW", "zh"), ("de", "en"), ("", "en"), (None, "en")],
)
def test_a_document_gets_prompts_in_its_own_language_or_in_english(
    language: str | None, prompts: str
) -> None:
    assert prompts_for(language) is LANGUAGES[prompts]


def test_the_page_shows_the_prompts_as_they_are() -> None:
    page = (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8")
    assert page == build_page(), "python -m longchain.agent.prompts > docs/prompts.md"


# One more language ---------------------------------------------------------------------------

ESPERANTO = Prompts(
    language="eo",
    language_names={"eo": "Esperanto"},
    unit_names={"words": "words", "characters": "characters"},
    planning=PlanningPrompts(
        request="Planu: {instruction}{sources}{style}\n{bounds}, {language}\n{format}\n{total}",
        chapter_request="{instruction}{sources}{style}{chapters}{chapter}{bounds}{language}"
        "{format}{total}",
        repair="Ree: {error} {total}",
        format="<{tag}>\n{line}\nkaj tiel plu, po unu por {level}\n</{tag}>",
        line="Section 1 - Heading: [titolo] - Main Point: [enhavo] - Word Count: [nombro] {unit}",
        section_label="Section 1",
        chapter_label="Chapter 1",
        levels={"section": "sekcio", "chapter": "ĉapitro"},
        bounds="{min_count} ĝis {max_count} {level}, {min_length} ĝis {max_length} {unit}",
        free_bounds="{level}, {min_length} ĝis {max_length} {unit}",
        total="Entute, {level}: {total} {unit}",
        free_total="Elektu la longon.",
        closing_total="Entute: {total} {unit}",
        even_points=("{number}/{count} {instruction}",) * 3,
        even_chapter="Ĉapitro {number}",
    ),
    writing=WritingPrompts(
        preamble="Verku: {instruction}{style}\n{plan}\n{language}{grounding}\n",
        grounding=" Citu.",
        grounded_only=" Nur citu.",
        write="Skribu {which}{end}: {length} {unit}",
        extend="Daŭrigu: {length} {unit}",
        revise="Ŝanĝu {which}: {note} {length} {unit}",
        direct="Skribu ĉion: {length} {unit}",
        direct_any_length="Skribu ĉion.",
        last_part=", la finon",
        part="parton {number}",
        summary="{instruction}{summary}{text}<summary_format></summary_format>{language}",
    ),
    retry=RetryNotes(
        opening="Neuzebla ({problem}). ",
        by_problem={"empty": "Estis malplena. "},
        other="Provu denove. ",
    ),
)


@pytest.fixture
def esperanto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LANGUAGES, "eo", ESPERANTO)


@pytest.mark.usefixtures("esperanto")
@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_a_language_is_one_object(layout: Any) -> None:
    writer = FakeWriter(behavior=LengthBehavior(bias=0.6))
    document = AgentWriteChain(writer, layout=layout).invoke(
        {"instruction": "Pri la tajdoj.", "length": 900, "language": "eo", "style": "Mallonge."}
    )
    assert document["length"] == pytest.approx(900, rel=0.06)
    assert not document["report"]["planned_by"].startswith("even")
    first, *later = [request[-1].text for request in writer.requests]
    assert first.startswith("Planu: Pri la tajdoj.")
    assert first.endswith("Entute, sekcio: 900 words")
    assert all("Skribu" in text or "Daŭrigu" in text for text in later)
    assert any(", la finon: " in text for text in later)
    assert all("Esperanto" in request[0].text for request in writer.requests)


@pytest.mark.usefixtures("esperanto")
def test_a_language_serves_failures_as_well() -> None:
    writer = FakeWriter(replies=["ne", "ne", ""], behavior=LengthBehavior())
    document = AgentWriteChain(writer).invoke(
        {"instruction": "Pri la tajdoj.", "length": 900, "language": "eo"}
    )
    shown = [request[-1].text for request in writer.requests]
    assert shown[1].startswith("Ree: ")
    assert shown[1].endswith(" Entute: 900 words")
    assert "Neuzebla (empty). Estis malplena. Skribu parton 1" in shown[3]
    assert document["plan"]["sections"][0]["main_point"] == "1/2 Pri la tajdoj."
