"""Checks of a text's structure: required entries, planned headings, language, end, leaks.

`Prediction` -> measures and flags. A leak is text around the prose that was not meant for the
reader, such as an announcement.

Knows Markdown, and the fields of a sample's `extra` and of a document's report; knows nothing of
lengths.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from longchain.bench.schema import Prediction
from longchain.prose.boilerplate import strip_opening
from longchain.prose.cleanup import clean
from longchain.prose.wrong_language import wrong_language
from longchain.sentences import ends_sentence

Findings = tuple[dict[str, float], list[str]]
"""Measures by name, and flags."""


def measures(prediction: Prediction) -> Findings:
    """Return measures and flags of a text that is not empty.

    Returns:
        Measures: `completion` and `completion_published` (0 to 100) if entries were asked for;
        `headings` and `headings_in_order` (0 to 1) if there is a plan; `wrong_language` (share of
        the samples of the text); `leaks` (number).
        Flags: `unfinished`, `cut`, `wrong language`, `leak`, `refusal`, `loop`,
        `headings off plan`.
    """
    results = completion(prediction.response, prediction.extra)
    flags = []
    planned = planned_headings(prediction)
    if planned:
        results |= headings(prediction.response, planned)
        if min(results["headings"], results["headings_in_order"]) < 1:
            flags.append("headings off plan")
    results["wrong_language"] = _wrong_language_share(prediction)
    if results["wrong_language"] > 0:
        flags.append("wrong language")
    leaks = find_leaks(prediction)
    results["leaks"] = float(leaks.number)
    if leaks.number:
        flags.append("leak")
    if leaks.problem in ("refusal", "loop"):
        flags.append(leaks.problem)
    if not ends_sentence(leaks.prose):
        flags.append("unfinished")
    if prediction.report.get("finish") == "length":
        flags.append("cut")
    return results, flags


# Entries -----------------------------------------------------------------------------------------


def completion(text: str, extra: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of the required entries that are there, 0 to 100; nothing if none are.

    A sample's `extra` has what is required. Either `items`, each with a `label` that must be in
    the text; or numbered entries: `entry` (the name of one, such as `Week`), `number` (how many),
    and optionally `separator`, `prefix` (the end of the prompt, which the text continues) and
    `end` (the mark after which nothing counts).

    `completion_published` is LongGenBench's completion rate: a block between separators is the
    entry whose name and number are its first. A single mention makes an entry, and without
    separators there is one block; so `completion` asks for the name and number at the beginning
    of a block or of a line, headings and bold type included.

    Source: `parse_blocks` and `calculate_completion_rate` in `Evalution/eval.py`, and
    `process_output` in `Evalution/inference.py`, of mozhu621/LongGenBench.
    """
    labels = _labels(extra.get("items"))
    if labels:
        present = sum(bool(_label_pattern(label).search(text)) for label in labels)
        return {"completion": 100 * present / len(labels)}
    entry, number = extra.get("entry"), extra.get("number")
    if not isinstance(entry, str) or not isinstance(number, int) or not entry or number < 1:
        return {}
    end = str(extra.get("end") or "")
    if end:
        text = text.partition(end)[0]
    text = str(extra.get("prefix") or "") + text
    separator = str(extra.get("separator") or "#*#")
    required = set(range(1, number + 1))
    begun = _numbers_at_line_starts(text, entry, separator)
    mentioned = _first_numbers_of_blocks(text, entry, separator)
    return {
        "completion": 100 * len(begun & required) / number,
        "completion_published": 100 * len(mentioned & required) / number,
    }


def _labels(items: Any) -> list[str]:
    """Return the labels in a sample's `items`, which are texts or objects with a `label`."""
    if not isinstance(items, list):
        return []
    labels = []
    for item in items:
        label = item.get("label") if isinstance(item, Mapping) else item
        if isinstance(label, str) and label.strip():
            labels.append(label)
    return labels


def _label_pattern(label: str) -> re.Pattern[str]:
    """Return a pattern for a label that is no part of another: not `Week 1` in `Week 12`."""
    words = r"\s+".join(map(re.escape, label.split()))
    return re.compile(rf"(?<![A-Za-z0-9]){words}(?![A-Za-z0-9])", re.IGNORECASE)


def _numbers_at_line_starts(text: str, entry: str, separator: str) -> set[int]:
    """Return the numbers of the entries that begin a line or a block."""
    pattern = rf"(?:^|{re.escape(separator)})[#>*_\[( \t-]*{re.escape(entry)}\s+(\d+)"
    return set(map(_parse_number, re.findall(pattern, text, re.IGNORECASE | re.MULTILINE)))


def _first_numbers_of_blocks(text: str, entry: str, separator: str) -> set[int]:
    """Return the number of the entry that each block between separators mentions first."""
    mention = re.compile(rf"{re.escape(entry)} (\d+)")
    matches = map(mention.search, text.split(separator))
    return {_parse_number(match[1]) for match in matches if match}


def _parse_number(digits: str) -> int:
    """Return the number of an entry; -1 for one of 10 digits or more, which Python may refuse."""
    return int(digits) if len(digits) < 10 else -1


# Headings ----------------------------------------------------------------------------------------

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


def planned_headings(prediction: Prediction) -> list[str]:
    """Return the headings that a text should have, in order; none if there is no plan.

    They are `headings` of the sample's `extra`, otherwise those of the sections in the report.
    """
    planned = prediction.extra.get("headings")
    if not isinstance(planned, list):
        sections = prediction.report.get("sections")
        if not isinstance(sections, list):
            return []
        planned = [part.get("heading") for part in sections if isinstance(part, Mapping)]
    return [heading for heading in planned if isinstance(heading, str) and _normalize(heading)]


def headings(text: str, planned: Sequence[str]) -> dict[str, float]:
    """Return how well a text's headings match its plan: heading lines, or lines in bold type.

    Numbers, markup and case do not count.

    Returns:
        `headings`: the share of the planned ones that occur as often as planned, 0 to 1;
        `headings_in_order`: 1 if those that occur follow the plan's order, else 0.
    """
    required = Counter(map(_normalize, planned))
    present = [heading for heading in _find_headings(text) if heading in required]
    counts = Counter(present)
    correct = sum(counts[heading] == number for heading, number in required.items())
    order = list(dict.fromkeys(present))
    planned_order = [heading for heading in required if heading in counts]
    return {
        "headings": correct / len(required),
        "headings_in_order": float(order == planned_order),
    }


def _find_headings(text: str) -> list[str]:
    """Return the normalized headings of a text, without those in code."""
    if "```" in text or "~~~" in text:
        text = _CODE.sub("", text)
    return [_normalize(match["marked"] or match["bold"]) for match in _HEADING.finditer(text)]


def _normalize(heading: str) -> str:
    """Return a heading without numbering, markup and case."""
    heading = re.sub(r"[*_`]+", "", heading).strip().rstrip("#:：").strip()
    unnumbered = _NUMBERING.sub("", heading, count=1) if _NUMBERING.match(heading) else heading
    return " ".join((unnumbered or heading).casefold().split())


# Language ----------------------------------------------------------------------------------------

_MAX_STRETCHES, _STRETCH = 8, 1_000
"""Number of stretches that the language is detected of, and characters in each."""


def _wrong_language_share(prediction: Prediction) -> float:
    """Return the share of stretches that are clearly in another language, 0 to 1."""
    text = prediction.response
    step = max(_STRETCH, -(-len(text) // _MAX_STRETCHES))
    stretches = [text[start : start + _STRETCH] for start in range(0, len(text), step)]
    if not stretches:
        return 0.0
    wrong = sum(
        bool(wrong_language(stretch, prediction.language, prediction.prompt))
        for stretch in stretches
    )
    return wrong / len(stretches)


# Leaks: what was not meant for the reader --------------------------------------------------------

_HARMLESS_NOTES = frozenset({"rule removed", "empty", "refusal", "loop cut"})
"""Notes of the cleanup that are no leak, or have a flag of their own."""

_PLAN_LINE = re.compile(
    r"^[ \t#*>_-]*(?:Paragraph|Section|段落|セクション|第)\s*\d{1,3}[^\n]{0,80}?"
    r"(?:Main Point|Word Count|主旨|要点|要點|字数|字數|文字数)[*_]{0,2}\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
"""A line of a plan as AgentWrite's prompts have it, which belongs in no document."""

_SPECIAL_TOKEN = re.compile(r"<[|｜][\w▁]{2,30}[|｜]>|\[/?INST\]")

_EDGE = 8_000
"""Characters at the beginning and at the end, each, in which announcements and loops are sought."""

_LABEL_CHARACTERS = 500
"""Characters of a paragraph in which a label is sought: it is at the very beginning."""


class Leaks(NamedTuple):
    """Parts of a text that were not meant for its reader."""

    number: int
    problem: str
    """`refusal`, `loop`, `empty`, or empty for none."""

    prose: str
    """The text without its leaks; of a long one the beginning and the end."""


def find_leaks(prediction: Prediction) -> Leaks:
    """Count the parts of a text that were not meant for its reader.

    Announcements, farewells, word counts, error messages, special tokens and tags count once
    each, lines of a plan each time. So do labels (`Paragraph 3:`) before a paragraph of AgentWrite,
    whose prompts have such; in other texts they may be intended.
    """
    text = prediction.response
    cleaned = clean(_edges(text), sections=False, language=prediction.language)
    count = sum(note not in _HARMLESS_NOTES for note in cleaned.notes)
    # The cleanup saw only the edges of a long text.
    if "special token removed" not in cleaned.notes and _SPECIAL_TOKEN.search(text):
        count += 1
    count += len(_PLAN_LINE.findall(text))
    if prediction.mode in ("sequential", "parallel"):
        count += _count_labels(text)
    return Leaks(count, cleaned.problem or "", text if cleaned.problem else cleaned.text)


def _count_labels(text: str) -> int:
    """Return the number of paragraphs that begin with a label and are no line of a plan."""
    count = 0
    for paragraph in re.split(r"\n\s*\n", text):
        if _PLAN_LINE.match(paragraph):
            continue
        _, notes = strip_opening(paragraph[:_LABEL_CHARACTERS])
        count += "label removed" in notes
    return count


def _edges(text: str) -> str:
    """Return the beginning and the end of a long text; all of one with code, to cut none open."""
    if len(text) <= 2 * _EDGE or "```" in text or "~~~" in text:
        return text
    return f"{text[:_EDGE]}\n\n{text[-_EDGE:]}"
