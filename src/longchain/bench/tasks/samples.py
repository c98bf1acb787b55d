"""The records of a benchmark's file: one record -> its `Sample`s.

Knows how each benchmark's authors write their records; knows nothing of files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from longchain import language as languages
from longchain.bench.schema import Bound, Sample
from longchain.bench.tasks.catalog import Format
from longchain.document import Unit
from longchain.length import MAX_LENGTH

Fields = Mapping[str, Any]
"""The fields of a record."""

Reader = Callable[[Fields, str, str, int], Iterable[Sample]]
"""Fields, the task's name, the file's part and the record's number -> samples.

Raises `ValueError` with the reason if the fields are not what they should be.
"""

_BOUNDS: tuple[Bound, ...] = get_args(Bound)
_UNITS: tuple[Unit, ...] = get_args(Unit)


# Plain records -----------------------------------------------------------------------------------

_TYPES = {
    "学术与专著": "Academic and Monograph",
    "文学与创作": "Literature and Creative Writing",
    "社区论坛": "Community Forum",
    "科普介绍": "Popular Science",
}
"""LongWrite-Ruler's types, and LongBench-Write's names for them."""

_PLAIN_FIELDS = {
    *("id", "task", "prompt", "instruction", "length", "unit", "language", "lang"),
    *("type", "kind", "bound", "extra", "response", "response_length"),
}


def read_plain(fields: Fields, task: str, part: str, number: int) -> list[Sample]:
    """Read `prompt` (or `instruction`) and `length`, as LongBench-Write and most others have them.

    Optional are `type`, `language`, `unit`, `bound` and `id` (otherwise the number). Other fields
    go into `extra`, but not a `response`.
    """
    prompt = _read_text(fields, "prompt", "instruction")
    if "length" not in fields:
        raise ValueError("no length")
    language = _read_language(fields.get("language") or fields.get("lang"), prompt)
    kind = fields.get("type") or fields.get("kind") or ""
    if not isinstance(kind, str):
        raise ValueError(f"the type is no text: {kind!r}")
    extra = _extra_fields(fields)
    if kind in _TYPES:
        extra["type"], kind = kind, _TYPES[kind]
    unit = fields.get("unit") or languages.default_unit(language)
    bound = fields.get("bound") or "equal"
    if unit not in _UNITS or bound not in _BOUNDS:
        raise ValueError(f"unit {unit!r} or bound {bound!r} is not known")
    length = fields["length"]
    sample = Sample(
        id=_read_id(fields, number),
        task=task,
        prompt=prompt,
        length=None if length is None else _read_length(length),
        unit=unit,
        language=language,
        kind=kind,
        bound=bound,
        extra=extra,
    )
    return [sample]


def _extra_fields(fields: Fields) -> dict[str, Any]:
    """Return the fields that have no meaning of their own, and those in `extra`."""
    extra = {key: value for key, value in fields.items() if key not in _PLAIN_FIELDS}
    if isinstance(fields.get("extra"), dict):
        extra |= fields["extra"]
    return extra


# HelloBench --------------------------------------------------------------------------------------

_NO_SHORTER = re.compile(r"no shorter than (\d+) words")


def read_hellobench(fields: Fields, task: str, part: str, number: int) -> list[Sample]:
    """Read a record of HelloBench's length-constrained sets.

    The length is the last of the prompt's requirements: no shorter than so many words. `extra`
    has the `checklists` and `requirements` that its judge asks about, and the `part` (`2k`).
    """
    prompt = _read_text(fields, "instruction")
    lengths = _NO_SHORTER.findall(prompt)
    if not lengths:
        raise ValueError("the instruction names no length")
    length = _read_length(lengths[-1])
    part = f"{length / 1000:g}k"
    sample = Sample(
        id=f"{part}-{_read_id(fields, number)}",
        task=task,
        prompt=prompt,
        length=length,
        kind=str(fields.get("category") or ""),
        bound="at_least",
        extra={
            "part": part,
            "checklists": fields.get("checklists") or [],
            "requirements": fields.get("requirements") or [],
        },
    )
    return [sample]


# LongGenBench ------------------------------------------------------------------------------------

_CHECKS = ("checks_once", "checks_range", "checks_periodic")
_ENTRY_WORDS = re.compile(r"(?:at least|between|minimum of) (\d+)(?: (?:to|and) \d+)? words")


def read_longgenbench(fields: Fields, task: str, part: str, number: int) -> list[Sample]:
    """Read a record of LongGenBench, which asks for numbered entries and not for a length.

    `extra` has what its completion rate and accuracies need: the name of an entry (`entry`, as
    in `#*# Week 7`), the number of entries (`number`), the `separator` before each, the `prefix`
    that the prompt ends in (which belongs before the response), the `end` mark, and what each
    entry must mention (`checks_once`, `checks_range`, `checks_periodic`: the entry's number as
    text -> the matter); also `entry_words`, the words that each should have at least.

    Source: `Evalution/eval.py` and `Evalution/inference.py` of the authors' repository.
    """
    prompt, entry = _read_text(fields, "prompt"), _read_text(fields, "type")
    entries = fields.get("number")
    if type(entries) is not int or not 0 < entries <= MAX_LENGTH:
        raise ValueError(f"number is {entries!r}, not how many entries there should be")
    entry_words = _ENTRY_WORDS.search(prompt)
    sample = Sample(
        id=f"{part}-{number:03d}" if part else f"{number:03d}",
        task=task,
        prompt=prompt,
        kind=entry,
        extra={
            "part": part,
            "entry": entry,
            "number": entries,
            "entry_words": int(entry_words[1]) if entry_words else None,
            "separator": "#*#",
            "prefix": str(fields.get("prefix") or ""),
            "end": "*** finished",
            **_read_checks(fields),
        },
    )
    return [sample]


def _read_checks(fields: Fields) -> dict[str, dict[str, Any]]:
    """Return what each entry must mention, by the entry's number."""
    checks = {}
    for name in _CHECKS:
        check = fields.get(name)
        if not isinstance(check, dict) or not all(map(str.isdecimal, check)):
            raise ValueError(f"{name} does not say what belongs into which entry")
        checks[name] = check
    return checks


# LIFEBench ---------------------------------------------------------------------------------------

_LENGTHS = [2**power for power in range(4, 14)]
_CONTROLS: dict[Bound, dict[str, str]] = {
    "equal": {"en": "equal to", "zh": "等于"},
    "at_most": {"en": "at most", "zh": "至多有"},
    "at_least": {"en": "at least", "zh": "至少有"},
}


def read_lifebench(fields: Fields, task: str, part: str, number: int) -> list[Sample]:
    """Fill a template of LIFEBench with its ten lengths and three bounds: 30 samples.

    `extra` has the `category` (`create`, `qa`, `reasoning`, `summarization`) and the `template`'s
    id. Lengths are words in English and characters in Chinese.

    Source: `run_exp.py` and `exp/exp_request.py` of the authors' repository.
    """
    template = _read_text(fields, "task")
    language = _read_language(fields.get("lang"), template)
    if language not in {"en", "zh"}:
        raise ValueError(f"the language is {language!r}, neither en nor cn")
    if "{word_count}" not in template or "{word_count_type}" not in template:
        raise ValueError("the template has no place for a length and its bound")
    name = _read_id(fields, number)
    samples = []
    for bound, controls in _CONTROLS.items():
        prompt = template.replace("{word_count_type}", controls[language])
        for length in _LENGTHS:
            sample = Sample(
                id=f"{name}-{bound}-{length}",
                task=task,
                prompt=prompt.replace("{word_count}", str(length)),
                length=length,
                unit=languages.default_unit(language),
                language=language,
                kind=str(fields.get("type") or ""),
                bound=bound,
                extra={"category": str(fields.get("category") or ""), "template": name},
            )
            samples.append(sample)
    return samples


READERS: dict[Format, Reader] = {
    "plain": read_plain,
    "hellobench": read_hellobench,
    "longgenbench": read_longgenbench,
    "lifebench": read_lifebench,
}


def sort_samples(samples: list[Sample], format: Format) -> list[Sample]:
    """Return the samples in the order of their authors: LIFEBench by bound, then by length."""
    if format != "lifebench":
        return samples
    return sorted(samples, key=lambda sample: (_BOUNDS.index(sample.bound), sample.length or 0))


# Fields ------------------------------------------------------------------------------------------

_WANTS_ENGLISH = re.compile(r"用英[文语語](?=写|寫|撰|创|創|作|完成|表达)|英語で|英文で")
"""An instruction in one language for a text in another, of which LongBench-Write has one."""

_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,9})?")
_MAX_SHOWN = 40
"""Characters of a wrong value that a message shows."""


def _read_text(fields: Fields, *keys: str) -> str:
    """Return the first of these fields that is there, which must be a text."""
    for key in keys:
        value = fields.get(key)
        if value is None:
            continue
        if not isinstance(value, str):
            raise ValueError(f"{key} is no text: {_shorten(value)}")
        if not value.strip():
            raise ValueError(f"{key} is empty")
        return value
    raise ValueError(f"no {keys[0]}")


def _read_id(fields: Fields, number: int) -> str:
    """Return a record's id, or its number if it has none."""
    value = fields.get("id")
    if value is None or value == "":
        return f"{number:03d}"
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"the id is neither text nor a number: {_shorten(value)}")
    return str(value)


def _read_length(value: object) -> int:
    """Return a length that is a whole number, also as text: `1000`, `1000.0`, `"1,000"`."""
    number = _parse_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        raise ValueError(f"the length is no whole number: {_shorten(value)}")
    if not 1 <= number <= MAX_LENGTH:
        raise ValueError(f"the length must be from 1 to {MAX_LENGTH:,}: {_shorten(value)}")
    return int(number)


def _parse_number(text: str) -> float | None:
    """Return the number that a text is, also with commas or in full-width digits."""
    digits = unicodedata.normalize("NFKC", text).strip().replace(",", "")
    return float(digits) if _NUMBER.fullmatch(digits) else None


def _read_language(value: object, prompt: str) -> str:
    """Return the language tag (`cn` is LIFEBench's for `zh`), or else the prompt's language."""
    if value is None or value == "":
        return "en" if _WANTS_ENGLISH.search(prompt) else languages.detect(prompt)
    if not isinstance(value, str) or not _LANGUAGE_TAG.fullmatch(value):
        raise ValueError(f"the language is no tag such as 'en' or 'ja': {_shorten(value)}")
    return "zh" if value.lower() == "cn" else value


def _shorten(value: object) -> str:
    """Return a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
