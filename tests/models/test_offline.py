from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

import longchain
from longchain.document import Reference
from longchain.errors import ModelNameError
from longchain.length.count import count_length
from longchain.models.offline import OfflineWriter
from longchain.models.offline.plan import mentions
from longchain.models.offline.prose import flatten
from longchain.sentences import split_sentences
from longchain.sources import (
    References,
    SourceRetriever,
    cited_ids,
    outline,
    read_sources,
    render,
    to_documents,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE = str(Path(longchain.__file__).parents[1])
ENGLISH = read_sources([EXAMPLES / "sources"])
JAPANESE = read_sources([EXAMPLES / "sources-ja"])
CHINESE_TEXT = """# 城市供水

## 水源

城市的水源主要有河流、湖泊、水库和地下水。河水的水量随季节变化很大，水厂必须按枯水期的流量来规划。\
地下水经过土层的过滤，通常比较清澈。过量开采地下水会使地面下沉。沿海城市还可以把海水淡化后作为补充水源。

## 净水

水厂先在水中加入混凝剂，使细小的颗粒结成较大的絮体。絮体在沉淀池中慢慢下沉，上层的清水流入滤池。\
砂滤池截住剩下的颗粒。最后加入氯，杀死致病的细菌。水质检验每天都要进行，结果应当向居民公开。

## 管网

清水由水泵加压，经过管网送到每一户居民家中。管道中的压力使水能够升到高层楼房。\
管道老化会造成漏水，漏掉的水白白浪费了药剂和电力。听漏工人在夜里用仪器寻找漏点。更换旧管道是减少漏损的根本办法。
"""
CHINESE = to_documents(CHINESE_TEXT)

PLAN = {
    "en": "<plan_format>\nSection 1 - Heading: [heading]\n</plan_format>\n\nTotal: {} words",
    "ja": "<plan_format>\nセクション1 - 見出し：[見出し]\n</plan_format>\n\n合計：{}字",
    "zh": "<plan_format>\n第1节 - 标题：[标题]\n</plan_format>\n\n总计：{}字",
}


def plan(found: list[Document], instruction: str, total: object, language: str = "en") -> str:
    request = (
        f"Plan.\n<instruction>\n{instruction}\n</instruction>\n"
        f"<sources>\n{outline(found)}\n</sources>\n{PLAN[language].format(total)}"
    )
    return OfflineWriter().invoke(request).text


def lengths(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"(\d+) ?(?:words|字)$", text, re.MULTILINE)]


def step(references: list[Reference], section: str, length: str) -> HumanMessage:
    return HumanMessage(
        f"{render(references)}\n\n<section>\n{section}\n</section>\n\n"
        f"Write part 2 now. Length: about {length}"
    )


def write(found: list[Document], section: str, length: str, *, k: int = 6) -> str:
    hits = SourceRetriever.over(found, k=k).invoke(section)
    return OfflineWriter().invoke([step(References().add(hits), section, length)]).text


def pieces(text: str, language: str) -> list[str]:
    return [sentence.strip() for sentence in split_sentences(flatten(text), language)]


# Plans ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [300, 999, 2500, 6001, 12000])
def test_plan_adds_up(total: int) -> None:
    found = lengths(plan(ENGLISH, "Write a report on water.", total))
    assert sum(found) == total
    assert total < 1000 or len(found) >= total // 700


def test_plan_has_sections_of_usual_size_in_reading_order() -> None:
    text = plan(ENGLISH, "Write a 2,500-word report on how cities get their water.", 2500)
    assert text.split("\n")[0] == "Title: How cities get their water"
    headings = re.findall(r"Heading: (.*?) - Main Point", text)
    assert headings[0] == "Where Cities Find Water"
    assert len(headings) == len(set(headings)) == 6
    assert all(200 <= length <= 600 for length in lengths(text))


def test_plan_takes_what_matches_the_instruction() -> None:
    text = plan(ENGLISH, "Write about leaks", 800)
    assert set(re.findall(r"from “(.*?)”", text)) == {"Lost on the Way: Leaks and Missing Water"}
    assert "Finding Leaks" in text


@pytest.mark.parametrize(
    ("found", "language", "instruction", "line"),
    [
        (
            JAPANESE,
            "ja",
            "都市の水道について2,000字の報告書を書いてください。",
            r"セクション1 - 見出し：.+ - 要点：.+ - 文字数：\d+字",
        ),
        (
            CHINESE,
            "zh",
            "写一篇关于城市供水的文章，400字。",
            r"第1节 - 标题：.+ - 要点：.+ - 字数：\d+字",
        ),
    ],
)
def test_plan_in_the_language_of_the_request(
    found: list[Document], language: str, instruction: str, line: str
) -> None:
    text = plan(found, instruction, 400, language)
    title, first = text.split("\n")[:2]
    assert title in {"タイトル：都市の水道", "题目：城市供水"}
    assert re.fullmatch(line, first)
    assert sum(lengths(text)) == 400


def test_plan_without_a_length_chooses_one() -> None:
    request = (
        f"<instruction>\nWrite 3 stories in 40 words.\n</instruction>\n<sources>\n"
        f"{outline(ENGLISH)}\n</sources>\n<plan_format>\n400 words\n</plan_format>\nChoose."
    )
    assert sum(lengths(OfflineWriter().invoke(request).text)) == 3000


def test_chapters_and_then_the_sections_of_one() -> None:
    sources = f"<sources>\n{outline(ENGLISH)}\n</sources>\n"
    asked = sources + "<chapter_format>\nChapter 1\n</chapter_format>\nTotal: 25000 words"
    chapters = OfflineWriter().invoke(asked).text.split("\n")[1:]
    assert chapters[1].startswith("Chapter 2 - Heading: Aqueducts and the Long Journey of Water")
    assert sum(lengths("\n".join(chapters))) == 25000
    asked = (
        f"{sources}<chapters>\n{chapters}\n</chapters>\n\nThe chapter to plan: {chapters[1]}\n\n"
        "<plan_format>\nSection 1\n</plan_format>\nTotal: 4000 words"
    )
    text = OfflineWriter().invoke(asked).text
    assert "Qanats" in text
    assert set(re.findall(r"from “(.*?)”", text)) == {"Aqueducts and the Long Journey of Water"}


# Sections ---------------------------------------------------------------------------------------

SECTIONS = [
    (ENGLISH, "Finding leaks\nHow leaks are found and pressure is managed.", "words", "en"),
    (ENGLISH, "Sources of water\nRivers, lakes and wells.", "words", "en"),
    (JAPANESE, "浄水場のしくみ\n沈殿、ろ過、消毒について述べる。", "字", "ja"),
    (CHINESE, "净水\n说明净水、管网和水源。", "字", "zh"),
]


@pytest.mark.parametrize(
    ("section", "length"),
    [(section, length) for section in SECTIONS[:3] for length in (150, 220, 400, 600)]
    + [(SECTIONS[3], length) for length in (120, 180, 230)],
)
def test_section_comes_to_its_length(
    section: tuple[list[Document], str, str, str], length: int
) -> None:
    found, about, unit, language = section
    text = write(found, about, f"{length} {unit}")
    counted = count_length(text, "words" if unit == "words" else "characters", language)
    assert counted == pytest.approx(length, rel=0.03)


@pytest.mark.parametrize(("found", "section", "unit", "language"), SECTIONS)
def test_every_sentence_stands_in_the_sources_and_is_cited(
    found: list[Document], section: str, unit: str, language: str
) -> None:
    text = write(found, section, f"220 {unit}")
    source = flatten("\n".join(document.page_content for document in found))
    assert pieces(text, language)
    assert all(sentence in source for sentence in pieces(text, language))
    assert all(re.search(r"\[\d\][.。]$", paragraph) for paragraph in text.split("\n\n"))


@pytest.mark.parametrize("layout", ["conversation", "paper"])
def test_nothing_is_repeated_over_sections(layout: str) -> None:
    retriever, references = SourceRetriever.over(ENGLISH, k=5), References()
    turns: list[BaseMessage] = []
    written: list[str] = []
    for section in ["Leaks", "Finding leaks", "Leaks and pressure", "Pipes and leaks"]:
        request = step(references.add(retriever.invoke(section)), section, "200 words")
        if layout == "paper":
            so_far = "\n\n".join(written)
            turns = [HumanMessage(f"<text>\n{so_far}\n</text>\n\n{request.text}")]
        else:
            turns.append(request)
        answer = OfflineWriter().invoke(turns)
        turns.append(answer)
        written.append(answer.text)
    found = [sentence for text in written for sentence in pieces(text, "en")]
    assert len(found) > 30
    assert len(found) == len(set(found))


def test_marks_lead_to_the_passage_and_order_is_the_references() -> None:
    references = References().add(SourceRetriever.over(ENGLISH, k=5).invoke("leaks and pressure"))
    text = OfflineWriter().invoke([step(references, "Leaks and pressure", "400 words")]).text
    by_id = {reference.id: flatten(reference.text) for reference in references}
    assert cited_ids(text) == sorted(cited_ids(text))
    assert len(cited_ids(text)) > 2
    stretch: list[str] = []
    for sentence in split_sentences(text, "en"):
        stretch.append(flatten(sentence).strip())
        if marks := cited_ids(sentence):
            assert all(one in by_id[marks[0]] for one in stretch)
            stretch = []
    assert stretch == []


def test_an_extension_uses_the_references_of_the_turn_before() -> None:
    references = References().add(SourceRetriever.over(ENGLISH, k=6).invoke("leaks"))
    first = step(references, "Leaks", "150 words")
    answer = OfflineWriter().invoke([first])
    more = OfflineWriter().invoke([first, answer, HumanMessage("Go on. Add about 100 words")])
    assert count_length(more.text, "words", "en") == pytest.approx(100, abs=3)
    assert not set(pieces(more.text, "en")) & set(pieces(answer.text, "en"))


def test_it_writes_less_where_material_runs_out() -> None:
    found = [Document("Pumps lift water to the tower. Valves close the pipe at night.")]
    references = References().add(found)
    request = step(references, "Pumps", "500 words")
    answer = OfflineWriter().invoke([request])
    assert answer.text == "Pumps lift water to the tower. Valves close the pipe at night [1]."
    more = HumanMessage("Go on. Add about 400 words")
    assert OfflineWriter().invoke([request, answer, more]).text == ""


LEFT_OUT = """\
## Pumps are a heading

However, nothing stands before this sentence in its paragraph.

Pumps lift water to the tower. It flows down at night. Valves close the pipe.

- a fragment of a list
- Tanks hold water for a whole day.
- https://example.org is an address in a list.

| Pumps | are in a table of three. |
|---|---|

```
Pumps are in code here.
```

cut off at the beginning of a passage. Towers stand on hills, </section> as a rule.
The list is as follows: [Towers](x.md) stand on the highest hills[7] of the city.
"""


def test_only_whole_sentences_of_prose_are_taken() -> None:
    references = References().add([Document(LEFT_OUT)])
    text = OfflineWriter().invoke([step(references, "Pumps and towers", "500 words")]).text
    assert pieces(text, "en") == [
        "Pumps lift water to the tower.",
        "It flows down at night.",
        "Valves close the pipe.",
        "Tanks hold water for a whole day.",
        "The list is as follows: Towers stand on the highest hills of the city.",
    ]


@pytest.mark.parametrize(
    ("text", "section", "length", "leaning"),
    [
        ("Pumps lift water up. However, valves close pipes at night.", "valves", 6, "However"),
        ("Pumps lift water up. Engineers therefore like new valves.", "valves", 5, "therefore"),
        ("水泵把水送到高处去。因此阀门必须经常检查和维护。", "阀门", 14, "因此"),
        ("ポンプが水を高い所へ上げる。しかし弁が管を閉じることもある。", "弁", 17, "しかし"),
    ],
)
def test_a_sentence_that_points_back_comes_with_the_one_before(
    text: str, section: str, length: int, leaning: str
) -> None:
    references = References().add([Document(text)])
    unit = "words" if text.isascii() else "字"
    written = OfflineWriter().invoke([step(references, section, f"{length} {unit}")]).text
    assert flatten(written) == text
    assert leaning in written


def test_a_near_copy_is_not_written_twice() -> None:
    references = References().add(
        [
            Document(
                "The old tower by the river holds water for one whole day.",
                metadata={"source": "a"},
            ),
            Document(
                "The old tower by the river holds water for one whole week.",
                metadata={"source": "b"},
            ),
        ]
    )
    text = OfflineWriter().invoke([step(references, "Towers", "100 words")]).text
    assert len(pieces(text, "en")) == 1


def test_references_of_another_script_are_left_alone() -> None:
    references = References().add([*ENGLISH[:3], *JAPANESE[:3]])
    text = (
        OfflineWriter()
        .invoke([step(references, "浄水場と水道\n水について述べる。", "1500字")])
        .text
    )
    assert text
    assert not re.search("[a-z]{3}", text)


def test_paragraphs_have_three_to_six_sentences() -> None:
    text = write(ENGLISH, "Leaks\nHow leaks are found and how pipes fail.", "600 words", k=8)
    sizes = [len(pieces(paragraph, "en")) for paragraph in text.split("\n\n")]
    assert len(sizes) > 4
    assert all(3 <= size <= 6 for size in sizes[:-1])


PUMPS = "The big pumps lift the water to a tower. Each pump has two motors for safety."
VALVES = "A valve closes the pipe in the street. Valves are turned by hand once a year."
PLAN_LINES = [
    "Pumps: Covers Pumps, from “Pipes and Valves: a Book”.",
    "Valves: Covers Valves, from “Pipes and Valves: a Book”.",
]


def step_of_plan(number: int, text: str = "") -> HumanMessage:
    found = [
        Document(text, metadata={"source": "x", "heading": [heading]})
        for heading, text in (("Pumps", PUMPS), ("Valves", VALVES))
    ]
    lines = "\n".join(f"{place}. {line}" for place, line in enumerate(PLAN_LINES, 1))
    section = PLAN_LINES[number - 1].replace(": ", "\n", 1)
    request = step(References().add(found), section, "500 words").text
    return HumanMessage(f"<plan>\n{lines}\n</plan>\n<text>\n{text}\n</text>\n{request}")


def test_a_section_leaves_later_ones_what_their_headings_hold() -> None:
    first = OfflineWriter().invoke([step_of_plan(1)]).text
    assert flatten(first) == PUMPS
    assert flatten(OfflineWriter().invoke([step_of_plan(2, first)]).text) == VALVES


def test_what_earlier_sections_left_may_be_used() -> None:
    written = OfflineWriter().invoke([step_of_plan(2, "## Pumps\n\nAn own sentence.")]).text
    assert flatten(written).replace("\n", " ") == f"{PUMPS} {VALVES}"


def test_sections_that_are_written_at_once_share_nothing() -> None:
    assert flatten(OfflineWriter().invoke([step_of_plan(2)]).text) == VALVES


@pytest.mark.parametrize(
    ("line", "heading", "expected"),
    [
        ("Pumps: Covers Pumps, from “T”.", "Pumps", True),
        ("T: Covers Mains, Pressure and Pumps, from “T”.", "Pressure", True),
        ("T: Covers Bridges, Tunnels and Siphons, from “T”.", "Bridges, Tunnels and Siphons", True),
        ("T: Covers Managing Pressure, from “Pipes and Pressure”.", "Pressure", False),
        ("Pipes and Pressure: Covers Mains, from “T”.", "Pressure", False),
        ("水源: 「本」から、水源の種類、江戸の上水について述べる。", "江戸の上水", True),
        ("水源: 「本」から、水源の種類について述べる。", "種類", False),
        ("净水: 根据《书》，说明水源和管网。", "管网", True),
        ("净水: 根据《书》，说明水源和管网。", "书", False),
    ],
)
def test_names(line: str, heading: str, expected: bool) -> None:
    assert mentions(line, heading) is expected


# The chat model ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_text",
    [
        "Write a story. Length: about 300 words",
        PLAN["en"].format(500),
        "<sources>\n-\n</sources>\n" + PLAN["en"].format(500),
    ],
)
def test_without_sources_it_says_what_to_do(request_text: str) -> None:
    with pytest.raises(ModelNameError, match="only rearranges sources") as error:
        OfflineWriter().invoke(request_text)
    for way in ("--source", "--model provider:name", "LONGCHAIN_MODEL", "OPENAI_API_KEY"):
        assert way in str(error.value)


def test_summary_is_made_of_first_sentences() -> None:
    request = (
        "<summary>\nSummary: Wells came first.\nFacts: -\n</summary>\n"
        "<text>\n## Pumps\n\nPumps lift water [2]. They hum.\n\nTanks hold water. They rust."
        "\n</text>\n<summary_format>\nSummary: what it says.\nFacts: names.\n</summary_format>\n"
        "At most {} words."
    )
    told = OfflineWriter().invoke(request.format(350)).text
    assert told == "Summary: Wells came first. Pumps lift water. Tanks hold water.\nFacts: -"
    assert OfflineWriter().invoke(request.format(7)).text.startswith("Summary: Pumps lift")


def test_metadata_and_usage() -> None:
    request = step(References().add(ENGLISH[:3]), "Rivers", "100 words")
    answer = OfflineWriter().invoke([request])
    assert isinstance(answer, AIMessage)
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["model_name"] == "offline"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == len(request.text.split())
    assert answer.usage_metadata["output_tokens"] == len(answer.text.split())


def test_usage_counts_japanese_characters() -> None:
    answer = OfflineWriter().invoke([step(References().add(JAPANESE[:3]), "水源", "100字")])
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] >= 90


async def test_streaming_gives_the_same_answer_with_usage() -> None:
    messages = [step(References().add(ENGLISH[:6]), "Rivers and lakes", "200 words")]
    whole = await OfflineWriter().ainvoke(messages)
    chunks = [chunk async for chunk in OfflineWriter().astream(messages)]
    assert len(chunks) > 50
    joined = chunks[0]
    for chunk in chunks[1:]:
        joined = joined + chunk
    assert joined.text == whole.text
    assert joined.usage_metadata == whole.usage_metadata
    assert joined.response_metadata["finish_reason"] == "stop"


def test_stop_sequences_end_the_answer() -> None:
    messages = [step(References().add(ENGLISH[:6]), "Rivers", "200 words")]
    assert "\n\n" not in OfflineWriter().invoke(messages, stop=["\n\n"]).text


def test_profile() -> None:
    profile = OfflineWriter().profile
    assert profile == {"structured_output": False, "max_input_tokens": 10_000_000}


def test_the_answer_is_the_same_in_every_process() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/models'); import test_offline as t;"
        "print(ascii(t.write(t.ENGLISH, 'Leaks and pressure', '300 words')))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=EXAMPLES.parent,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": SOURCE},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {ascii(write(ENGLISH, "Leaks and pressure", "300 words")) + "\n"}
