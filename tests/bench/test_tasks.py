from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from longchain.bench import tasks
from longchain.bench.schema import Sample
from longchain.bench.tasks import Task
from longchain.errors import InputError
from longchain.language import detect
from longchain.length import read_required_length

SEVEN = {
    "Academic and Monograph",
    "Community Forum",
    "Education and Training",
    "Functional Writing",
    "Literature and Creative Writing",
    "News Report",
    "Popular Science",
}


def write(path: Path, *lines: object, end: str = "\n") -> Path:
    """Write JSON lines; a text is a line as it is."""
    said = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_bytes("".join(line + end for line in said).encode())
    return path


def only(path: Path, found: object) -> Sample:
    """Load a file of one line."""
    (sample,) = tasks.load(write(path, found)).samples
    return sample


# Any JSON lines ----------------------------------------------------------------------------------


def test_any_lines_are_a_task(tmp_path: Path) -> None:
    file = write(
        tmp_path / "mine.jsonl",
        {"prompt": "Write a 300-word note on ports.", "length": 300, "type": "Note"},
        {"instruction": "写一篇关于港口的500字文章。", "length": 500, "topic": "ports"},
        {"prompt": "港について800字程度で書いてください。", "length": "800", "id": "c"},
    )
    loaded = tasks.load(str(file))
    english, chinese, japanese = loaded.samples
    assert [sample.id for sample in loaded.samples] == ["001", "002", "c"]
    assert (english.task, english.kind, english.unit, english.language) == (
        "mine",
        "Note",
        "words",
        "en",
    )
    assert (chinese.language, chinese.unit, chinese.extra) == (
        "zh",
        "characters",
        {"topic": "ports"},
    )
    assert (japanese.language, japanese.unit, japanese.length) == ("ja", "characters", 800)
    assert loaded.source == str(file)
    assert loaded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (loaded.skipped, loaded.notes) == ([], [])


def test_what_a_line_says_of_itself_holds(tmp_path: Path) -> None:
    given = {
        "prompt": "Ports.",
        "length": None,
        "language": "fr-CA",
        "unit": "characters",
        "bound": "at_least",
        "id": 7,
        "response": "left out",
        "extra": {"a": 1},
    }
    sample = only(tmp_path / "a.jsonl", given)
    assert sample == Sample(
        id="7",
        task="a",
        prompt="Ports.",
        language="fr-CA",
        unit="characters",
        bound="at_least",
        extra={"a": 1},
    )
    written = sample.model_dump()
    assert only(tmp_path / "a.jsonl", written) == sample


@pytest.mark.parametrize("asked", ["帮我用英文写一篇2000字的文章。", "港について英語で書いて。"])
def test_the_language_is_that_of_the_text_asked_for(tmp_path: Path, asked: str) -> None:
    sample = only(tmp_path / "a.jsonl", {"prompt": asked, "length": 2000})
    assert (sample.language, sample.unit) == ("en", "words")


def test_a_name_of_ones_own(tmp_path: Path) -> None:
    file = write(tmp_path / "x.data", {"prompt": "Ports.", "length": 300})
    assert tasks.load("harbors", path=file).samples[0].task == "harbors"


@pytest.mark.parametrize(
    ("length", "read"),
    [(300, 300), (300.0, 300), ("300", 300), (" 1,000 ", 1000), ("１２００", 1200), ("300.0", 300)],
)
def test_lengths_as_people_write_them(tmp_path: Path, length: object, read: int) -> None:
    assert only(tmp_path / "a.jsonl", {"prompt": "Ports.", "length": length}).length == read


BAD = [
    ('{"prompt": "p", "length": NaN}', "NaN is no JSON number"),
    ('{"prompt": "p", "length": 1e999}', "1e999 is no JSON number"),
    ('{"prompt": "p", "length": -5}', "from 1 to 2,000,000: -5"),
    ('{"prompt": "p", "length": 0}', "from 1 to 2,000,000: 0"),
    ('{"prompt": "p", "length": "-5"}', "from 1 to 2,000,000: '-5'"),
    ('{"prompt": "p", "length": 2000001}', "from 1 to 2,000,000"),
    ('{"prompt": "p", "length": 10.5}', "no whole number: 10.5"),
    ('{"prompt": "p", "length": true}', "no whole number: True"),
    ('{"prompt": "p", "length": "long"}', "no whole number: 'long'"),
    ('{"prompt": "p", "length": "nan"}', "no whole number: 'nan'"),
    ('{"prompt": "p", "length": [1]}', "no whole number"),
    ('{"prompt": "p"}', "no length"),
    ('{"length": 5}', "no prompt"),
    ('{"prompt": " ", "length": 5}', "prompt is empty"),
    ('{"prompt": 5, "length": 5}', "prompt is no text: 5"),
    ('{"prompt": "p", "length": 5, "type": 5}', "type is no text"),
    ('{"prompt": "p", "length": 5, "language": "Chinese"}', "no tag"),
    ('{"prompt": "p", "length": 5, "unit": "pages"}', "'pages'"),
    ('{"prompt": "p", "length": 5, "bound": "around"}', "'around'"),
    ('{"prompt": "p", "length": 5, "id": [1]}', "id is neither"),
    ('{"prompt": "\\ud83d", "length": 5}', "lone surrogate"),
    ('{"prompt": "p", "length": 5', "no JSON ("),
    ("[1, 2]", "no JSON object"),
    ("[" * 99_999, "nested too deep"),
    ('{"prompt": "p", "length": ' + "9" * 5000 + "}", "limit"),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_line_is_numbered_and_skipped_or_refused(
    tmp_path: Path, line: str, reason: str
) -> None:
    good = {"prompt": "Ports.", "length": 300}
    file = write(tmp_path / "a.jsonl", good, "", line)
    loaded = tasks.load(file)
    assert [sample.id for sample in loaded.samples] == ["001"]
    (skipped,) = loaded.skipped
    assert skipped.startswith("line 3: ")
    assert reason in skipped
    with pytest.raises(InputError, match=r"a\.jsonl', line 3: ") as met:
        tasks.load(file, strict=True)
    assert reason in str(met.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"prompt": "Ports.", "length": 300})
    file.write_bytes(file.read_bytes() + b'{"prompt": "caf\xe9", "length": 5}\n')
    assert tasks.load(file).skipped == ["line 2: no UTF-8 text"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_marks_and_ends_of_lines(tmp_path: Path, mark: str, end: str) -> None:
    # U+2028 ends a line for `str.splitlines`, not for JSON.
    lines = ['{"prompt": "One\u2028two.", "length": 300}', "", '{"prompt": "3", "length": 300}']
    file = write(tmp_path / "a.jsonl", *lines, end=end)
    file.write_bytes(mark.encode() + file.read_bytes().rstrip())
    loaded = tasks.load(file, strict=True)
    assert [sample.prompt for sample in loaded.samples] == ["One\u2028two.", "3"]
    assert [sample.id for sample in loaded.samples] == ["001", "003"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_json_list(tmp_path: Path, mark: str) -> None:
    items = [{"prompt": "Ports.", "length": 300}, "Ships", {"prompt": "Ships.", "length": 300}]
    file = tmp_path / "a.json"
    file.write_text(mark + json.dumps(items, indent=2))
    loaded = tasks.load(file)
    assert [sample.id for sample in loaded.samples] == ["001", "003"]
    assert loaded.skipped == ["item 2: no JSON object"]


def test_duplicates_are_found_and_said(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.jsonl",
        {"prompt": "Ports.", "length": 300, "id": "a"},
        {"prompt": "Ports.", "length": "300", "id": "b"},
        {"prompt": "Ports.", "length": 400, "id": "c"},
        {"prompt": "Ships.", "length": 300, "id": "a"},
    )
    loaded = tasks.load(file)
    assert [sample.id for sample in loaded.samples] == ["a", "c"]
    assert loaded.skipped == [
        "line 2: the same prompt and length as in line 1",
        "line 4: the same id as in line 1: 'a'",
    ]
    with pytest.raises(InputError, match="line 2: the same prompt and length as in line 1"):
        tasks.load(file, strict=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no samples; it is empty"),
        (b"\n\n", "no samples; it is empty"),
        (b"{}\n", "no samples: line 1: no prompt"),
        (b"\xff\xfe{\x00", "is UTF-16"),
        (b"\x1f\x8b\x08", "is compressed"),
    ],
)
def test_a_file_without_samples(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said):
        tasks.load(file)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'longbench-write'"):
        tasks.load("longbenchwrite")
    with pytest.raises(InputError, match="there are longbench-write, "):
        tasks.load("qqq")
    with pytest.raises(InputError, match=r"absent\.jsonl' cannot be read: No such file"):
        tasks.load(tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        tasks.load(tmp_path)
    with pytest.raises(InputError, match="the limit is 0"):
        tasks.load("longchain-ja", limit=0)


# The published forms -----------------------------------------------------------------------------


def essays(length: int, number: int) -> list[dict[str, object]]:
    """What HelloBench's files look like."""
    return [
        {
            "id": f"heuristic_text_generation_{i:03d}",
            "category": "story_writing",
            "instruction": f"Story {i}.\n[Requirements]:\n1. It is no shorter than {length} words.",
            "checklists": ["Is it one?"],
            "num_checklist": 1,
            "raw_text": "Story",
            "requirements": [f"It is no shorter than {length} words."],
        }
        for i in range(number)
    ]


ENTRIES = {
    "prompt": "A diary of 3 weeks. Each entry should be at least 200 words. *** started ***\n"
    "#*# Week 1:",
    "checks_once": {"2": "a birthday"},
    "checks_range": {"1": "a fair", "2": "a fair"},
    "checks_periodic": {"3": "a walk"},
    "type": "Week",
    "prefix": "#*# Week 1:",
    "number": 3,
}


def test_ruler(tmp_path: Path) -> None:
    file = write(
        tmp_path / "longwrite_ruler.jsonl",
        {"prompt": "Write a 1000-word guide", "type": "社区论坛", "length": 1000},
        {"prompt": "写一篇1000字的指南", "type": "学术与专著", "length": 1000},
    )
    loaded = tasks.load("longwrite-ruler", path=tmp_path)
    assert [sample.kind for sample in loaded.samples] == [
        "Community Forum",
        "Academic and Monograph",
    ]
    assert loaded.samples[0].extra == {"type": "社区论坛"}
    assert loaded.notes == [
        f"{str(file)!r} differs from 'longwrite_ruler.jsonl' of the pinned commit",
        "longwrite-ruler has 48 samples, this is 2",
    ]


def test_hellobench(tmp_path: Path) -> None:
    folder = tmp_path / "HelloBench" / "data" / "length_constrained_data"
    folder.mkdir(parents=True)
    for part in (2, 4, 8, 16):
        file = folder / f"heuristic_text_generation_{part}k.jsonl"
        write(file, *essays(1000 * part, 2))
    loaded = tasks.load("hellobench-length", path=tmp_path)
    assert [sample.length for sample in loaded.samples] == [2000] * 2 + [4000] * 2 + [8000] * 2 + [
        16000
    ] * 2
    first = loaded.samples[0]
    assert (first.id, first.kind, first.bound) == (
        "2k-heuristic_text_generation_000",
        "story_writing",
        "at_least",
    )
    assert first.extra == {
        "part": "2k",
        "checklists": ["Is it one?"],
        "requirements": ["It is no shorter than 2000 words."],
    }
    alone = tasks.load("hellobench-length-16k", path=file)
    assert [sample.id for sample in alone.samples] == [sample.id for sample in loaded.samples[-2:]]
    one_of_four = tasks.load("hellobench-length", path=file)
    assert len(one_of_four.samples) == 2
    assert [note for note in one_of_four.notes if "has" in note] == []


def test_a_file_among_several_is_named(tmp_path: Path) -> None:
    for part in (2, 4, 8, 16):
        file = tmp_path / f"heuristic_text_generation_{part}k.jsonl"
        write(file, *essays(1000 * part, 1))
    write(file, essays(16000, 1)[0], {"instruction": "Story without a length."})
    loaded = tasks.load("hellobench-length", path=tmp_path)
    assert loaded.skipped == [f"{file.name}, line 2: the instruction names no length"]


def test_files_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has neither 'data/length_.*_2k\.jsonl' nor 'heuri"):
        tasks.load("hellobench-length", path=tmp_path)
    other = write(tmp_path / "other.jsonl", *essays(2000, 1))
    with pytest.raises(InputError, match="none of hellobench-length's files: give the folder of"):
        tasks.load("hellobench-length", path=other)
    assert len(tasks.load("hellobench-length-2k", path=other).samples) == 1


def test_longgenbench(tmp_path: Path) -> None:
    broken = {**ENTRIES, "checks_once": {"second": "a birthday"}}
    none = {**ENTRIES, "number": 0}
    long = {**ENTRIES, "prompt": "Longer. Aim for between 100 and 120 words per entry."}
    (tmp_path / "Dataset_short.json").write_text(json.dumps([ENTRIES, broken, none], indent=4))
    (tmp_path / "Dataset_long.json").write_text(json.dumps([long], indent=4))
    loaded = tasks.load("longgenbench", path=tmp_path)
    assert [sample.id for sample in loaded.samples] == ["short-001", "long-001"]
    assert loaded.skipped == [
        "Dataset_short.json, item 2: checks_once does not say what belongs into which entry",
        "Dataset_short.json, item 3: number is 0, not how many entries there should be",
    ]
    first, second = loaded.samples
    assert (first.length, first.kind) == (None, "Week")
    assert first.extra == {
        "part": "short",
        "entry": "Week",
        "number": 3,
        "entry_words": 200,
        "separator": "#*#",
        "prefix": "#*# Week 1:",
        "end": "*** finished",
        **{name: ENTRIES[name] for name in ("checks_once", "checks_range", "checks_periodic")},
    }
    assert second.extra["entry_words"] == 100
    alone = tasks.load("longgenbench-short", path=tmp_path)
    assert alone.samples[0].id == "short-001"


def test_lifebench(tmp_path: Path) -> None:
    file = write(
        tmp_path / "data.jsonl",
        {
            "id": 1,
            "category": "qa",
            "type": "Food",
            "lang": "en",
            "task": "Why? It must be {word_count_type} {word_count} words long.",
        },
        {
            "id": 2,
            "category": "create",
            "type": "News Writing",
            "lang": "cn",
            "task": "写新闻。字数必须{word_count_type} {word_count}字。",
        },
        {"id": 3, "lang": "en", "task": "It must be equal to 16 words long."},
        {"id": 4, "lang": "de", "task": "{word_count_type} {word_count}"},
    )
    loaded = tasks.load("lifebench", path=file)
    assert loaded.skipped == [
        "line 3: the template has no place for a length and its bound",
        "line 4: the language is 'de', neither en nor cn",
    ]
    samples = {sample.id: sample for sample in loaded.samples}
    assert len(samples) == len(loaded.samples) == 60
    assert sorted({sample.length for sample in loaded.samples if sample.length}) == [
        *(16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
    ]
    english, chinese = samples["1-at_most-512"], samples["2-at_least-8192"]
    assert english.prompt == "Why? It must be at most 512 words long."
    assert (english.kind, english.bound, english.unit) == ("Food", "at_most", "words")
    assert english.extra == {"category": "qa", "template": "1"}
    assert chinese.prompt == "写新闻。字数必须至少有 8192字。"
    assert (chinese.language, chinese.unit, chinese.length) == ("zh", "characters", 8192)
    # As their authors run them.
    assert [sample.id for sample in loaded.samples][:3] == [
        "1-equal-16",
        "2-equal-16",
        "1-equal-32",
    ]
    assert len(tasks.load("lifebench", path=file, limit=7).samples) == 7


# The Japanese set --------------------------------------------------------------------------------


def test_the_japanese_set() -> None:
    loaded = tasks.load("longchain-ja", strict=True, offline=True)
    samples = loaded.samples
    assert (loaded.skipped, loaded.notes) == ([], [])
    assert len(samples) == 44
    assert {sample.kind for sample in samples} == SEVEN
    lengths = [sample.length or 0 for sample in samples]
    assert (min(lengths), max(lengths)) == (200, 20_000)
    ranges = Counter(sum(length >= edge for edge in (500, 2000, 4000)) for length in lengths)
    assert ranges == {0: 11, 1: 11, 2: 11, 3: 11}
    assert len({sample.prompt[:20] for sample in samples}) == len(samples)


JAPANESE = tasks.load("longchain-ja").samples


@pytest.mark.parametrize("sample", JAPANESE, ids=[sample.id for sample in JAPANESE])
def test_a_japanese_instruction_names_its_length(sample: Sample) -> None:
    read = read_required_length(sample.prompt)
    assert read is not None
    assert (read.target, read.unit) == (sample.length, sample.unit)
    assert detect(sample.prompt) == sample.language == "ja"
    if sample.bound != "equal":
        bound = "at_most" if read.minimum is None else "at_least"
        assert sample.bound == bound
        assert None in (read.minimum, read.maximum)
    else:
        # A range has both ends; `程度` none.
        assert (read.minimum is None) == (read.maximum is None)


# What is known of them ---------------------------------------------------------------------------


def test_the_catalog() -> None:
    listed = tasks.names()
    assert len(set(listed)) == len(listed)
    assert {
        *("longbench-write", "longbench-write-en", "longwrite-ruler", "hellobench-length"),
        *("longgenbench", "lifebench", "longchain-ja"),
    } <= set(listed)
    for task in tasks.TASKS:
        assert tasks.find(task.name) is task
        assert task.title
        assert task.license
        assert task.citation
        if task.repository:
            assert re.fullmatch(r"[0-9a-f]{40}", task.commit)
            assert task.source.endswith(f"{task.repository}/tree/{task.commit}")
            for file in task.files:
                digest = r"[0-9a-f]{64}" if file.sha256 else r"[0-9a-f]{40}"
                assert re.fullmatch(digest, file.sha256 or file.blob)


# The real data, where they are -------------------------------------------------------------------

DATA = os.environ.get("LONGCHAIN_BENCH_DATA", "")


@pytest.mark.skipif(not DATA, reason="LONGCHAIN_BENCH_DATA names no folder of the authors' data")
@pytest.mark.parametrize("task", tasks.TASKS, ids=tasks.names())
def test_the_real_data(task: Task) -> None:
    try:
        loaded = tasks.load(task.name, path=DATA if task.repository else None, strict=True)
    except InputError as error:
        if "has neither" not in str(error):
            raise
        pytest.skip(str(error))
    assert (len(loaded.samples), loaded.skipped, loaded.notes) == (task.count, [], [])
    if task.format == "plain" and task.repository:
        units = {("en", "words"), ("zh", "characters")}
        assert {(sample.language, sample.unit) for sample in loaded.samples} <= units
    if task.name == "longwrite-ruler":
        lengths = Counter(sample.length for sample in loaded.samples)
        assert lengths == dict.fromkeys((1000, 2000, 5000, 10_000, 20_000, 30_000), 8)
    if task.name == "longbench-write":
        assert {sample.kind for sample in loaded.samples} == SEVEN
        lengths = Counter(
            sum((sample.length or 0) >= edge for edge in (500, 2000, 4000))
            for sample in loaded.samples
        )
        assert lengths == {0: 26, 1: 36, 2: 31, 3: 27}
