"""One record of a benchmark's file -> its `Sample`s.

Knows how each benchmark's authors write their records; knows nothing of files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, get_args

from longchain import language as languages
from longchain.bench.shapes import Bound, Sample
from longchain.bench.tasks.catalog import Form
from longchain.document import Unit
from longchain.length import MAX_LENGTH

Reader = Callable[[dict[str, Any], str, str, int], Iterable[Sample]]
"""Fields, the task's name, the file's part and the record's number -> samples.

Raises `ValueError` with the reason where the fields are not what they should be.
"""

_TYPES = {
    "学术与专著": "Academic and Monograph",
    "文学与创作": "Literature and Creative Writing",
    "社区论坛": "Community Forum",
    "科普介绍": "Popular Science",
}
"""LongWrite-Ruler's types, in LongBench-Write's words for them."""

_WANTS_ENGLISH = re.compile(r"用英[文语語](?=写|寫|撰|创|創|作|完成|表达)|英語で|英文で")
"""An instruction in one language for a text in another; LongBench-Write has such a one."""

_BOUNDS: tuple[Bound, ...] = get_args(Bound)
_UNITS: tuple[Unit, ...] = get_args(Unit)
_KNOWN = {
    *("id", "task", "prompt", "instruction", "length", "unit", "language", "lang"),
    *("type", "kind", "bound", "extra", "response", "response_length"),
}
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)


def plain(found: dict[str, Any], task: str, part: str, number: int) -> list[Sample]:
    """Read `prompt` (or `instruction`) and `length`, as LongBench-Write and most others have them.

    Optional are `type`, `language`, `unit`, `bound` and `id` (else the number). What else stands
    there goes into `extra`; a `response` does not.
    """
    prompt = _text(found, "prompt", "instruction")
    if "length" not in found:
        raise ValueError("no length")
    language = _language(found.get("language") or found.get("lang"), prompt)
    kind = found.get("type") or found.get("kind") or ""
    if not isinstance(kind, str):
        raise ValueError(f"the type is no text: {kind!r}")
    extra = {key: value for key, value in found.items() if key not in _KNOWN}
    if isinstance(found.get("extra"), dict):
        extra |= found["extra"]
    if kind in _TYPES:
        extra["type"], kind = kind, _TYPES[kind]
    unit = found.get("unit") or languages.default_unit(language)
    bound = found.get("bound") or "equal"
    if unit not in _UNITS or bound not in _BOUNDS:
        raise ValueError(f"unit {unit!r} or bound {bound!r} is not known")
    sample = Sample(
        id=_id(found.get("id"), number),
        task=task,
        prompt=prompt,
        length=None if found["length"] is None else _length(found["length"]),
        unit=unit,
        language=language,
        kind=kind,
        bound=bound,
        extra=extra,
    )
    return [sample]


_NO_SHORTER = re.compile(r"no shorter than (\d+) words")


def hellobench(found: dict[str, Any], task: str, part: str, number: int) -> list[Sample]:
    """Read a record of HelloBench's length-constrained sets.

    The length is the last of the prompt's requirements: no shorter than so many words. `extra`
    has the `checklists` and `requirements` that its judge asks about, and the `part` (`2k`).
    """
    prompt = _text(found, "instruction")
    lengths = _NO_SHORTER.findall(prompt)
    if not lengths:
        raise ValueError("the instruction names no length")
    length = _length(lengths[-1])
    part = f"{length / 1000:g}k"
    sample = Sample(
        id=f"{part}-{_id(found.get('id'), number)}",
        task=task,
        prompt=prompt,
        length=length,
        kind=str(found.get("category") or ""),
        bound="at_least",
        extra={
            "part": part,
            "checklists": found.get("checklists") or [],
            "requirements": found.get("requirements") or [],
        },
    )
    return [sample]


_CHECKS = ("checks_once", "checks_range", "checks_periodic")
_ENTRY_WORDS = re.compile(r"(?:at least|between|minimum of) (\d+)(?: (?:to|and) \d+)? words")


def longgenbench(found: dict[str, Any], task: str, part: str, number: int) -> list[Sample]:
    """Read a record of LongGenBench, which asks for numbered entries and not for a length.

    `extra` has what its completion rate and accuracies need: what an entry is called (`entry`, as
    in `#*# Week 7`), how many there should be (`number`), the `separator` before each, the
    `prefix` that the prompt ends in (which belongs before the response), the `end` mark, and what
    must stand in which entries (`checks_once`, `checks_range`, `checks_periodic`: the entry's
    number as text -> what); also `entry_words`, how many words each should have at least.

    Source: `Evalution/eval.py` and `Evalution/inference.py` of the authors' repository.
    """
    prompt, entry = _text(found, "prompt"), _text(found, "type")
    entries = found.get("number")
    if type(entries) is not int or not 0 < entries <= MAX_LENGTH:
        raise ValueError(f"number is {entries!r}, not how many entries there should be")
    checks = {name: found.get(name) for name in _CHECKS}
    for name, check in checks.items():
        if not isinstance(check, dict) or not all(key.isdecimal() for key in check):
            raise ValueError(f"{name} does not say what belongs into which entry")
    words = _ENTRY_WORDS.search(prompt)
    sample = Sample(
        id=f"{part}-{number:03d}" if part else f"{number:03d}",
        task=task,
        prompt=prompt,
        kind=entry,
        extra={
            "part": part,
            "entry": entry,
            "number": entries,
            "entry_words": int(words[1]) if words else None,
            "separator": "#*#",
            "prefix": str(found.get("prefix") or ""),
            "end": "*** finished",
            **checks,
        },
    )
    return [sample]


_LENGTHS = [2**power for power in range(4, 14)]
_CONTROLS: dict[Bound, dict[str, str]] = {
    "equal": {"en": "equal to", "zh": "等于"},
    "at_most": {"en": "at most", "zh": "至多有"},
    "at_least": {"en": "at least", "zh": "至少有"},
}


def lifebench(found: dict[str, Any], task: str, part: str, number: int) -> list[Sample]:
    """Fill a template of LIFEBench with its ten lengths and three bounds: 30 samples.

    `extra` has the `category` (`create`, `qa`, `reasoning`, `summarization`) and the `template`'s
    id. Lengths are words in English and characters in Chinese.

    Source: `run_exp.py` and `exp/exp_request.py` of the authors' repository.
    """
    template = _text(found, "task")
    language = _language(found.get("lang"), template)
    if language not in {"en", "zh"}:
        raise ValueError(f"the language is {language!r}, neither en nor cn")
    if "{word_count}" not in template or "{word_count_type}" not in template:
        raise ValueError("the template has no place for a length and its bound")
    name = _id(found.get("id"), number)
    extra = {"category": str(found.get("category") or ""), "template": name}
    return [
        Sample(
            id=f"{name}-{bound}-{length}",
            task=task,
            prompt=template.replace("{word_count_type}", said[language]).replace(
                "{word_count}", str(length)
            ),
            length=length,
            unit=languages.default_unit(language),
            language=language,
            kind=str(found.get("type") or ""),
            bound=bound,
            extra=extra,
        )
        for bound, said in _CONTROLS.items()
        for length in _LENGTHS
    ]


READERS: dict[Form, Reader] = {
    "plain": plain,
    "hellobench": hellobench,
    "longgenbench": longgenbench,
    "lifebench": lifebench,
}


def in_order(samples: list[Sample], form: Form) -> list[Sample]:
    """Return the samples as their authors run them: LIFEBench by bound, then by length."""
    if form != "lifebench":
        return samples
    return sorted(samples, key=lambda sample: (_BOUNDS.index(sample.bound), sample.length or 0))


def _text(found: dict[str, Any], *keys: str) -> str:
    """Return the first of these fields that is there."""
    for key in keys:
        if (value := found.get(key)) is not None:
            if not isinstance(value, str):
                raise ValueError(f"{key} is no text: {_short(value)}")
            if not value.strip():
                raise ValueError(f"{key} is empty")
            return value
    raise ValueError(f"no {keys[0]}")


def _id(given: object, number: int) -> str:
    """Return a record's id, or its number where it has none."""
    if given is None or given == "":
        return f"{number:03d}"
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValueError(f"the id is neither text nor a number: {_short(given)}")
    return str(given)


def _length(given: object) -> int:
    """Return a length of a whole number, also as text: `1000`, `1000.0`, `"1,000"`."""
    value: object = given
    if isinstance(given, str):
        written = unicodedata.normalize("NFKC", given).strip().replace(",", "")
        value = float(written) if re.fullmatch(r"[+-]?\d{1,12}(?:\.\d{1,9})?", written) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"the length is no whole number: {_short(given)}")
    if not 1 <= value <= MAX_LENGTH:
        raise ValueError(f"the length must be from 1 to {MAX_LENGTH:,}: {_short(given)}")
    return int(value)


def _language(given: object, prompt: str) -> str:
    """Return the tag that is given (`cn` is LIFEBench's for `zh`), or the prompt's language."""
    if given is None or given == "":
        return "en" if _WANTS_ENGLISH.search(prompt) else languages.detect(prompt)
    if not isinstance(given, str) or not _TAG.fullmatch(given):
        raise ValueError(f"the language is no tag such as 'en' or 'ja': {_short(given)}")
    return "zh" if given.lower() == "cn" else given


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 40 else f"{said[:40]}…"
