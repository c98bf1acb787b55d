"""Whether a text holds what was to be in it, and nothing else: text -> measures and flags.

Entries, planned headings, the language, the end, and what models say around the prose. Knows
Markdown and what `extra` and reports hold; knows nothing of lengths.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from longchain.bench.shapes import Prediction
from longchain.language import ends_sentence
from longchain.prose.boilerplate import strip_opening
from longchain.prose.cleanup import clean
from longchain.prose.wrong_language import wrong_language

Found = tuple[dict[str, float], list[str]]
"""Measures by name, and flags."""

_SPANS, _SPAN = 8, 1_000
"""How many stretches of so many characters tell a text's language."""

_NO_LEAK = frozenset({"rule removed", "empty", "refusal", "loop cut"})
"""What cleaning notes that is not said to the reader, or has a flag of its own."""


def measures(prediction: Prediction) -> Found:
    """Return what can be said of a text that is not empty.

    Returns:
        Measures: `completion` and `completion_published` (0 to 100) where entries were asked
        for; `headings` and `headings_in_order` (0 to 1) where there is a plan;
        `wrong_language` (share of the stretches looked at); `leaks` (how many).
        Flags: `unfinished`, `cut`, `wrong language`, `leak`, `refusal`, `loop`,
        `headings off plan`.
    """
    text = prediction.response
    found = completion(text, prediction.extra)
    flags = []
    planned = headings_planned(prediction)
    if planned:
        found |= headings(text, planned)
        flags += ["headings off plan"] * (min(found["headings"], found["headings_in_order"]) < 1)
    found["wrong_language"] = _wrong_language(prediction)
    flags += ["wrong language"] * (found["wrong_language"] > 0)
    said, problem, prose = leaks(prediction)
    found["leaks"] = float(said)
    flags += ["leak"] * bool(said)
    flags += [problem] * (problem in ("refusal", "loop"))
    flags += ["unfinished"] * (not ends_sentence(prose))
    flags += ["cut"] * (prediction.report.get("finish") == "length")
    return found, flags


# --- entries -----------------------------------------------------------------------------------


def completion(text: str, extra: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of the required entries that are there, 0 to 100; nothing where none are.

    What is required stands in a sample's `extra`. Either `items`, each with a `label` that must
    stand in the text; or numbered entries: `entry` (what one is called, as `Week`), `number` (how
    many), and optionally `separator`, `prefix` (where the text goes on from) and `end` (the mark
    after which nothing counts).

    `completion_published` is LongGenBench's completion rate: a block between separators is the
    entry whose name and number it says first. A single mention makes an entry, and without
    separators there is one block; so `completion` asks for the name and number at the beginning
    of a block or of a line, headings and bold type included.

    Source: `parse_blocks` and `calculate_completion_rate` in `Evalution/eval.py`, and
    `process_output` in `Evalution/inference.py`, of mozhu621/LongGenBench.
    """
    if labels := _labels(extra.get("items")):
        there = sum(bool(_phrase(label).search(text)) for label in labels)
        return {"completion": 100 * there / len(labels)}
    entry, number = extra.get("entry"), extra.get("number")
    if not isinstance(entry, str) or not isinstance(number, int) or not entry or number < 1:
        return {}
    if end := str(extra.get("end") or ""):
        text = text.partition(end)[0]
    text = str(extra.get("prefix") or "") + text
    separator = str(extra.get("separator") or "#*#")
    mention = re.compile(rf"{re.escape(entry)} (\d+)")
    firsts = map(mention.search, text.split(separator))
    said = {_number(first[1]) for first in firsts if first}
    head = rf"(?:^|{re.escape(separator)})[#>*_\[( \t-]*{re.escape(entry)}\s+(\d+)"
    heads = {_number(each) for each in re.findall(head, text, re.IGNORECASE | re.MULTILINE)}
    wanted = set(range(1, number + 1))
    return {
        "completion": 100 * len(heads & wanted) / number,
        "completion_published": 100 * len(said & wanted) / number,
    }


def _labels(items: Any) -> list[str]:
    if not isinstance(items, list):
        return []
    found = [item.get("label") if isinstance(item, Mapping) else item for item in items]
    return [label for label in found if isinstance(label, str) and label.strip()]


def _phrase(label: str) -> re.Pattern[str]:
    """Return a pattern for a label that is no part of another: not `Week 1` in `Week 12`."""
    words = r"\s+".join(map(re.escape, label.split()))
    return re.compile(rf"(?<![A-Za-z0-9]){words}(?![A-Za-z0-9])", re.IGNORECASE)


def _number(digits: str) -> int:
    return int(digits) if len(digits) < 10 else -1


# --- headings ----------------------------------------------------------------------------------

_HEADING = re.compile(
    r"^(?:#{1,6}[ \t]+(?P<marked>[^\n]+)|\*\*(?P<bold>[^\n*]{1,200})\*\*[:：]?[ \t\r]*$)",
    re.MULTILINE,
)
_CODE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_NUMBERING = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){0,3}[.)]?|[IVXLC]{1,6}[.)]|(?:chapter|section) \d{1,3}[:.]?)\s+"
    r"|(?:[\d一二三四五六七八九十]{1,3}、|第[\d一二三四五六七八九十百]{1,4}[章节節回部])\s*",
    re.IGNORECASE,
)


def headings_planned(prediction: Prediction) -> list[str]:
    """Return the headings that a text should have, in order; none where nobody planned any.

    They are `headings` of the sample's `extra`, else those of the sections in the report.
    """
    given = prediction.extra.get("headings")
    if not isinstance(given, list):
        sections = prediction.report.get("sections")
        listed = sections if isinstance(sections, list) else []
        given = [part.get("heading") for part in listed if isinstance(part, Mapping)]
    return [heading for heading in given if isinstance(heading, str) and _bare(heading)]


def headings(text: str, planned: Sequence[str]) -> dict[str, float]:
    """Return how a text's headings fit its plan: heading lines, or lines in bold type.

    Numbers, markup and case do not count.

    Returns:
        `headings`: the share of the planned ones that stand there as often as planned, 0 to 1;
        `headings_in_order`: 1 where those that are there follow the plan's order, else 0.
    """
    wanted = Counter(map(_bare, planned))
    visible = _CODE.sub("", text) if "```" in text or "~~~" in text else text
    lines = (_bare(line["marked"] or line["bold"]) for line in _HEADING.finditer(visible))
    there = [line for line in lines if line in wanted]
    counted = Counter(there)
    right = sum(counted[heading] == number for heading, number in wanted.items())
    first = list(dict.fromkeys(there))
    order = [heading for heading in dict.fromkeys(map(_bare, planned)) if heading in counted]
    return {"headings": right / len(wanted), "headings_in_order": float(first == order)}


def _bare(heading: str) -> str:
    heading = re.sub(r"[*_`]+", "", heading).strip().rstrip("#:：").strip()
    rest = _NUMBERING.sub("", heading, count=1) if _NUMBERING.match(heading) else heading
    return " ".join((rest or heading).casefold().split())


# --- language, and what does not belong there --------------------------------------------------


def _wrong_language(prediction: Prediction) -> float:
    """Return the share of stretches that are clearly in another language, 0 to 1."""
    text = prediction.response
    step = max(_SPAN, -(-len(text) // _SPANS))
    spans = [text[start : start + _SPAN] for start in range(0, len(text), step)]
    found = [wrong_language(span, prediction.language, prediction.prompt) for span in spans]
    return sum(map(bool, found)) / len(spans) if spans else 0.0


_PLAN_LINE = re.compile(
    r"^[ \t#*>_-]*(?:Paragraph|Section|段落|セクション|第)\s*\d{1,3}[^\n]{0,80}?"
    r"(?:Main Point|Word Count|主旨|要点|要點|字数|字數|文字数)[*_]{0,2}\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
"""A line of a plan as AgentWrite's prompts have it, which belongs in no document."""


_SPECIAL = re.compile(r"<[|｜][\w▁]{2,30}[|｜]>|\[/?INST\]")
_EDGE = 8_000
"""Characters at the beginning and at the end, each, in which chatter and a loop are looked for."""


def leaks(prediction: Prediction) -> tuple[int, str, str]:
    """Return how much stands in a text that was not meant for its reader, and what is wrong.

    Announcements, farewells, word counts, error messages, special tokens and tags count once
    each, lines of a plan each time. So do labels (`Paragraph 3:`) in front of a paragraph where
    AgentWrite wrote, whose prompts have such; others may mean them.

    Returns:
        The number; `refusal`, `loop`, `empty` or nothing; and the text without its chatter, of a
        long one the beginning and the end.
    """
    text = prediction.response
    cleaned = clean(_edges(text), sections=False, language=prediction.language)
    number = sum(note not in _NO_LEAK for note in cleaned.notes)
    if "special token removed" not in cleaned.notes:
        number += bool(_SPECIAL.search(text))
    number += len(_PLAN_LINE.findall(text))
    if prediction.way in ("sequential", "parallel"):
        paragraphs = (part for part in re.split(r"\n\s*\n", text) if not _PLAN_LINE.match(part))
        number += sum("label removed" in strip_opening(part[:500])[1] for part in paragraphs)
    return number, cleaned.problem or "", text if cleaned.problem else cleaned.text


def _edges(text: str) -> str:
    """Return the beginning and the end of a long text; all of one with code, to cut none open."""
    if len(text) <= 2 * _EDGE or "```" in text or "~~~" in text:
        return text
    return f"{text[:_EDGE]}\n\n{text[-_EDGE:]}"
