"""Replies in a wrong language and replies that say again what an earlier section says."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from longchain import AgentWriteChain, SectionPlan, WritingPlan
from longchain.agent.events import ReplyProblem
from longchain.agent.log import to_record
from longchain.agent.state import DocumentState
from longchain.agent.writing.accept import accept_reply
from longchain.agent.writing.reject import MAX_RETRIES
from longchain.agent.writing.requests import SectionRequest
from longchain.agent.writing.retry_notes import retry_note
from longchain.calls.reply import Reply
from longchain.document import Usage
from longchain.errors import ReplyError
from longchain.prose import repetition
from longchain.prose.repetition import OVERLAP, RepeatIndex, overlap
from longchain.prose.wrong_language import wrong_language
from longchain.testing import FakeWriter, LengthBehavior
from longchain.testing.prose import write

EN = (
    "The harbor was dug by hand in the winter when the fishing had failed, and what they left was "
    "a basin of three acres. It filled with boats which came from the north, but these were gone "
    "before the war. Nobody would have said that it could end so soon, because every house in the "
    "town had lived on herring. They sold the nets, and the women who had gutted fish on the quay "
    "went to the mills."
)
DE = (
    "Der Hafen wurde im Winter von Hand gegraben, weil die Fischerei nicht mehr genug einbrachte. "
    "Sie haben ein kleines Becken hinterlassen, und wenn der Sturm kam, lagen dort auch fremde "
    "Boote. Aber niemand hatte geglaubt, dass es so schnell enden wird. Die Netze sind verkauft, "
    "und die Frauen haben sich noch einmal eine Arbeit gesucht."
)
FR = (
    "Le port était creusé à la main pendant l'hiver, et ceux qui restaient dans la ville étaient "
    "payés par l'ingénieur. Mais elle avait changé, cette ville, et nous ne savons pas où sont "
    "allés ces bateaux qui venaient du nord avec leur pêche. Il est certain que les femmes étaient "
    "aussi dans les filatures, donc loin de la mer."
)
ES = (
    "El puerto fue excavado a mano durante el invierno, porque la pesca había fracasado y los "
    "vecinos no tenían más dinero que para palas. Cuando llegó la primera tormenta, los bloques "
    "también fueron arrastrados, pero el ingeniero los repuso. Hay quien dice que esta dársena es "
    "muy pequeña, donde sus barcos apenas caben."
)
IT = (
    "Il porto fu scavato a mano in un inverno in cui la pesca era mancata, e le barche che erano "
    "rimaste non bastavano più. Questo bacino è molto piccolo, ma gli uomini della parrocchia sono "
    "ancora fieri dei blocchi che hanno posato. Nella tempesta anche il molo cedette, perché le "
    "pietre erano troppo leggere per essere salde."
)
NL = (
    "De haven werd met de hand gegraven, omdat de visserij het dorp niet meer kon voeden. Zij "
    "zijn daarna naar het noorden gegaan, maar deze bekkens worden nog altijd gebruikt. Wanneer "
    "het stormt, wordt ook de oude pier bewaakt, en dat heeft een reden: het beton is zwak."
)
JA = (
    "港は明治四年の冬に手作業で掘られた。三年続きの不漁で、村には鍬を買う金しか残っていなかった"
    "からである。二百人の男と四十人ほどの女が籠で砂利を運び、技師は郡が融資を決めるまで自分の懐から賃金"
    "を払い続けた。残ったのは三町歩に満たない船溜まりである。"
)
ZH = (
    "这座港口是在一个冬天里用双手挖出来的。那时捕鱼已经连续三年没有收成，教区里的钱只够买铁锹。两百个"
    "男人和四十来个女人用篮子搬运砾石，工程师自己掏钱付他们的工资，直到县里同意借款。他们留下的是一个"
    "不到三英亩的水池，低潮时也能停小船。"
)
ZH_HANT = (
    "這座港口是在一個冬天裡用雙手挖出來的。那時捕魚已經連續三年沒有收成，教區裡的錢只夠買鐵鍬。兩百個"
    "男人和四十來個女人用籃子搬運礫石，工程師自己掏錢付他們的工資，直到縣裡同意借款。"
)
KO = (
    "항구는 어느 겨울 손으로 파서 만들었다. 삼 년째 고기가 잡히지 않아 마을에는 삽을 살 돈밖에 "
    "남지 않았기 때문이다. 남자 이백 명과 여자 마흔 명이 바구니로 자갈을 옮겼고 기사는 제 "
    "주머니에서 품삯을 치렀다. 남은 것은 작은 물웅덩이였다."
)
RU = (
    "Гавань вырыли вручную зимой, когда рыба не пришла третий год подряд и у прихода оставались "
    "деньги только на лопаты. Двести мужчин и сорок женщин носили гальку в корзинах, а инженер "
    "платил им из своего кармана. Осталась небольшая чаша, в которую могли войти лодки."
)
TEXTS = {"en": EN, "de": DE, "fr": FR, "es": ES, "it": IT, "nl": NL, "ja": JA, "zh": ZH, "ko": KO,
         "ru": RU}  # fmt: skip


# --- language ----------------------------------------------------------------------------------


@pytest.mark.parametrize("document", TEXTS)
@pytest.mark.parametrize("reply", TEXTS)
def test_a_reply_in_another_language_is_seen(document: str, reply: str) -> None:
    expected = "" if document == reply else reply
    assert wrong_language(TEXTS[reply], document) == expected


def test_a_paragraph_with_a_source_is_looked_at() -> None:
    assert wrong_language(f"{EN} So says Smith (2019, p. 12), who was there.", "ja") == "en"


@pytest.mark.parametrize(("document", "reply"), [("zh-Hant", ZH), ("zh-CN", ZH_HANT), ("zh", JA)])
def test_chinese_is_one_language_and_japanese_another(document: str, reply: str) -> None:
    assert wrong_language(reply, document) == ("ja" if reply == JA else "")


CODE = "```python\n" + "def total(values, start):\n    return sum(values, start)\n" * 8 + "```"
NAMES = "出演：" + "、".join(
    ["Johann Sebastian Bach", "Wolfgang Amadeus Mozart", "Ludwig van Beethoven", "Franz Schubert"]
)
SOURCES = "\n".join(
    f"[{n}] Smith, J. and Jones, B. (2019). The ports which have been lost and why they were. "
    f"https://doi.org/10.1000/{n}"
    for n in range(6)
)


@pytest.mark.parametrize(
    ("document", "reply"),
    [
        ("ja", "Short, and it was right."),
        ("ja", f"次の関数を使う。\n\n{CODE}"),
        ("ja", f"{JA[:40]}\n\n「{EN}」と彼は書いている。"),
        ("ja", f"{JA[:40]}\n\n> {EN}"),
        ("ja", f"参考文献\n\n{SOURCES}"),
        ("ja", NAMES),
        ("ja", "明治元年即位、東京遷都。明治四年廃藩置県、岩倉使節団派遣。" * 5),
        ("ja", f"次式を得る。$${' + '.join(['velocity times pressure'] * 9)}$$"),
        ("zh", "OpenAI发布的GPT模型和Google的Gemini以及Anthropic的Claude都支持长文本。" * 3),
        ("zh", "日语里的「ありがとう」是谢谢的意思，而「すみません」既是道歉也是感谢。" * 4),
        ("en", f"{EN}\n\n“{ZH}”"),
        ("en", "Le Havre, La Rochelle, Château de la Loire, Notre-Dame de Paris, Saint-Malo. " * 4),
        ("de", "The Beatles, The Rolling Stones, Pink Floyd, Deep Purple, Led Zeppelin. " * 4),
        ("en", f"{EN}\n\n{FR}"),
        ("pt", "El puerto está donde fue y los barcos son viejos, pero también hay otros. " * 4),
        ("sv", "Havnen er gravd ut for hånd, og det var ikke penger til annet enn spader. " * 4),
        ("gl", "El puerto está donde fue y los barcos son viejos, pero también hay otros. " * 4),
        ("sr", "Luka je iskopana rukama, a novca je bilo samo za lopate i za kruh. " * 4),
        ("sr-Latn", RU),
        ("ja-Latn", EN),
        ("ja", "歴史的建造物、文化的景観、社会的資本、経済的価値。" * 5),
        ("en", FR.replace(".", ". But it would not have been so, and they were gone.")),
        ("xx", ZH),
        ("ja", "123, 456, 789. " * 40),
        ("ja", ""),
    ],
)  # fmt: skip
def test_what_may_be_right_raises_no_alarm(document: str, reply: str) -> None:
    assert wrong_language(reply, document) == ""


@pytest.mark.parametrize(
    ("document", "reply", "wanted"),
    [
        ("en", ZH, "Present ten Tang poems in English, with the original Chinese text."),
        ("en", JA, "Write a Japanese phrasebook for sailors."),
        ("en", JA, "A reader: first in Japanese, then in English."),
        ("en", FR, "Write an essay on harbors in French."),
        ("en", DE, "Write a bilingual guide."),
        ("ja", EN, "港について英語で書いてください。"),
        ("ja", ZH, "漢詩を原文で紹介する。"),
        ("zh", EN, "写一篇中英双语的文章。"),
        ("zh", EN, "请用英文写一篇文章。"),
        ("de", EN, "Schreibe einen Aufsatz auf Englisch."),
        ("fr", EN, "Écris une nouvelle en anglais."),
        ("ru", EN, "Напиши эссе на английском языке."),
    ],
)
def test_a_language_that_was_asked_for_raises_no_alarm(
    document: str, reply: str, wanted: str
) -> None:
    assert wrong_language(reply, document)  # without the request it is a wrong one
    assert wrong_language(reply, document, wanted) == ""


@pytest.mark.parametrize(
    "wanted",
    ["Write a history of Chinese tea.", "The Chinese economy.", "How Japanese firms see China."],
)
def test_the_name_of_a_people_asks_for_no_language(wanted: str) -> None:
    assert wrong_language(ZH, "en", wanted) == "zh"


# --- repeats -----------------------------------------------------------------------------------


def page(seed: int, words: int = 150) -> str:
    return write(Random(seed), "en", words, "words")


def repeated(reply: str, *texts: str) -> int | None:
    return RepeatIndex().find(reply, texts)


@pytest.mark.parametrize(
    ("language", "unit"),
    [("en", "words"), ("ja", "characters"), ("zh", "characters"), ("ko", "characters")],
)
def test_a_section_said_again_is_found_among_others(language: str, unit: Any) -> None:
    texts = [write(Random(seed), language, 600, unit) for seed in range(8)]
    assert repeated(texts[5], *texts) == 5
    assert repeated(texts[5], *texts[:5], "", *texts[6:]) is None


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [(EN, "winter", "autumn"), (EN, "nets", "boats"), (JA, "村", "町"), (ZH, "港口", "码头")],
)
def test_a_copy_with_a_word_changed_is_found(section: str, old: str, new: str) -> None:
    texts = [EN, JA, ZH]
    assert repeated(section.replace(old, new), *texts) == texts.index(section)


def test_a_short_reply_is_no_repeat() -> None:
    assert repeated(EN[:200], EN) is None


PARAPHRASE = (
    "In the winter when the fishing failed the harbor was dug by hand; a basin of three acres was "
    "all they left. Boats from the north filled it, though before the war these were gone. That it "
    "could end so soon nobody would have said, for every house in town had lived on herring. The "
    "nets were sold, and the women of the quay, who had gutted fish, went off to the mills."
)
CHORUS = "\n".join(["Haul away the anchor, boys,", "haul away for home,", "the wind is up,"] * 8)
LESSON = (
    "Morning. Begin with a warm-up of ten minutes in pairs. Hand out the worksheet and let the "
    "pupils read the text on {} in silence. Ask three questions about {} and write the answers on "
    "the board. Divide the class into groups of four. Each group prepares a short talk about {}, "
    "with one speaker and one pupil who keeps the time. Write half a page about {} at home."
)


@pytest.mark.parametrize(
    ("reply", "earlier"),
    [
        (PARAPHRASE, EN),
        (CHORUS, CHORUS),
        (f"He began to read.\n\n> {EN}\n\nThen he stopped.", EN),
        (f"“{EN}”\n\n{page(1, 70)}", EN),
        (f"{SOURCES}\n\n{page(1, 70)}", SOURCES),
        (
            LESSON.format("rivers", "the source of the Rhine", "how a delta grows", "a bridge"),
            LESSON.format("volcanoes", "Vesuvius in Roman times", "why magma rises", "a crater"),
        ),
        (f"{page(3, 60)}\n\n{page(4, 100)}", page(3, 60)),
    ],
)
def test_what_may_come_again_is_no_repeat(reply: str, earlier: str) -> None:
    assert repeated(reply, earlier) is None


def test_the_index_follows_every_change() -> None:
    repeats, texts = RepeatIndex(), [page(1), page(2), page(3)]
    assert repeats.find(page(2), texts) == 1
    assert repeats.find(page(2), [page(2), page(1), page(3)]) == 0  # moved
    assert repeats.find(page(2), [page(1), page(4)]) is None  # written anew, and one fewer
    assert repeats.find(page(3), [page(1), page(4)]) is None
    assert repeats.find(page(2), [page(1), f"{page(4)}\n\n{page(2)}"]) == 1  # grown


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the lengths of the texts whose n-grams are taken from here on."""
    lengths: list[int] = []
    grams = repetition._hashed_ngrams

    def counted(text: str) -> set[int]:
        lengths.append(len(text))
        return grams(text)

    monkeypatch.setattr(repetition, "_hashed_ngrams", counted)
    return lengths


def test_the_index_looks_at_an_old_section_once(looked: list[int]) -> None:
    repeats, texts = RepeatIndex(), [page(seed) for seed in range(40)]
    shown = [""] * len(texts)
    for index, text in enumerate(texts):
        assert repeats.find(text, shown) is None
        shown[index] = text
    assert sum(looked) < 2.1 * sum(map(len, texts))


def test_the_index_looks_only_at_what_was_added_to_a_section(looked: list[int]) -> None:
    repeats, shown = RepeatIndex(), ""
    for seed in range(40):
        assert repeats.find(page(seed), [shown]) is None
        shown = f"{shown}\n\n{page(seed)}"
    assert sum(looked) < 2.1 * len(shown)


def test_the_threshold_lies_between_a_paraphrase_and_a_copy() -> None:
    changed = re.sub(r"(\w+ \w+)(, )(\w+)", r"\1\2altogether", EN)
    assert overlap(EN, PARAPHRASE) < OVERLAP - 0.2
    assert overlap(EN, changed) > OVERLAP


# --- what becomes of such a reply --------------------------------------------------------------


def given(sections: int = 2, **more: Any) -> dict[str, Any]:
    parts = [
        SectionPlan(heading=f"Part {name}", main_point=f"About {name}", length=70)
        for name in "ABCDEFG"[:sections]
    ]
    plan = WritingPlan(title="All", sections=parts).model_dump()
    return {"instruction": "Describe the harbor.", "plan": plan, "language": "en", **more}


def made(writer: FakeWriter, **more: Any) -> dict[str, Any]:
    return AgentWriteChain(writer, length_control=False).invoke(given(**more))


def last(writer: FakeWriter, call: int) -> str:
    return writer.requests[call][-1].text.split("</section>")[-1]


@pytest.mark.parametrize(
    ("language", "bad", "good", "said"),
    [
        ("en", ZH, page(1, 70), "Write every sentence in English."),
        ("ja", EN, JA, "すべての文を日本語で書いてください。"),
        ("zh", JA, ZH, "请每一句都用中文写。"),
        ("fr", EN, FR, "Write every sentence in French."),
    ],
)
def test_a_wrong_language_is_asked_for_again_by_the_right_name(
    language: str, bad: str, good: str, said: str
) -> None:
    writer = FakeWriter(replies=[bad, good])
    document = made(writer, sections=1, language=language)
    assert document["sections"][0]["text"] == good
    assert said in last(writer, 1)
    found = wrong_language(bad, language)
    assert f"reply not used: wrong language ({found})" in document["sections"][0]["notes"]


def test_a_section_may_be_planned_in_another_language() -> None:
    section = SectionPlan(heading="The original", main_point="The poem in Chinese", length=70)
    plan = WritingPlan(title="A Poem", sections=[section]).model_dump()
    document = made(FakeWriter(replies=[ZH]), plan=plan)
    assert document["report"]["calls"]["retries"] == 0


def test_a_repeat_is_asked_for_again_with_the_number_of_the_section() -> None:
    writer = FakeWriter(replies=[page(1, 70), page(2, 70), page(1, 70), page(3, 70)])
    document = made(writer, sections=3)
    assert [section["text"] for section in document["sections"]] == [page(n, 70) for n in (1, 2, 3)]
    assert "what part 1 says" in last(writer, 3)
    assert document["report"]["calls"]["retries"] == 1


@pytest.mark.parametrize("layout", ["conversation", "paper"])
@pytest.mark.parametrize("language", ["en", "ja", "zh"])
def test_what_is_said_again_leaves_the_length_the_last_number(layout: Any, language: str) -> None:
    right = {"en": EN, "ja": JA, "zh": ZH}[language]
    wrong = {"en": JA, "ja": EN, "zh": EN}[language]
    writer = FakeWriter(replies=[right, right, wrong, right, "", right])
    chain = AgentWriteChain(writer, length_control=False, layout=layout)
    document = chain.invoke(given(language=language))
    assert "accepted: repeats section 1" in document["sections"][1]["notes"]
    assert writer.calls == 4
    for request in writer.requests:
        line = request[-1].text.split("</section>")[-1]
        lengths = re.findall(r"(\d+) ?(?:words|字|語|词)", line)
        assert len(lengths) == 1
        assert re.findall(r"\d+", request[-1].text)[-1] == lengths[0]


@pytest.mark.parametrize("own", ["en", "ja", "zh"])
def test_every_problem_has_its_own_words(own: str) -> None:
    problems = ["empty", "refusal", "loop", "wrong language (en)", "repeats section 3",
                "repeats itself", "no whole sentence", "anything else"]  # fmt: skip
    said = [
        retry_note(ReplyProblem.parse(problem), own).replace(problem, "") for problem in problems
    ]
    assert len(set(said)) == len(problems)
    assert [re.findall(r"\d", text) for text in said].count(["3"]) == 1
    assert not any("{" in text for text in said)


def test_what_stays_bad_is_accepted_and_noted() -> None:
    writer = FakeWriter(replies=[EN, ZH, ZH, ZH])
    section = made(writer)["sections"][1]
    assert section["text"] == ZH
    assert section["notes"] == [
        "reply not used: wrong language (zh)",
        "reply not used: wrong language (zh)",
        "accepted: wrong language (zh)",
    ]


def test_a_hard_problem_after_soft_ones_stops_the_run() -> None:
    writer = FakeWriter(replies=[EN, ZH, EN, ""])
    with pytest.raises(ReplyError, match=r"section 2 \('Part B'\).*empty"):
        made(writer)


def test_an_extension_that_says_the_same_again_leaves_the_section_short() -> None:
    writer = FakeWriter(replies=[page(1, 70)] * 4)
    plan = WritingPlan(
        title="All", sections=[SectionPlan(heading="A", main_point="About A", length=200)]
    )
    document = AgentWriteChain(writer).invoke({**given(), "plan": plan.model_dump()})
    assert document["sections"][0]["text"] == page(1, 70)
    assert "kept short" in document["sections"][0]["notes"]
    assert "what this part says already" in last(writer, 2)
    assert writer.calls == 4


@pytest.mark.parametrize("mode", ["sequential", "parallel", "direct"])
def test_a_long_document_raises_no_alarm(mode: Any) -> None:
    writer = FakeWriter(behavior=LengthBehavior(bias=0.7, spread=0.2, cap=600))
    document = AgentWriteChain(writer, mode=mode).invoke("Write an 8,000-word survey of ports.")
    assert document["report"]["calls"]["retries"] == 0


# --- from the log alone ------------------------------------------------------------------------


def log(*replies: str, strict: bool = False) -> list[Any]:
    """Return the log of a document whose sections got these replies, one after another."""
    request: Any = {"type": "request", "instruction": "Describe the harbor.", "required": None,
                    "unit": "words", "language": "en", "style": "", "context": [],
                    "sources": []}  # fmt: skip
    events: list[Any] = [request, {"type": "plan", "plan": given(3)["plan"], "usage": {}}]
    for reply in replies:
        progress = DocumentState(
            events, closed=False
        )  # as after a restart: nothing but the log is known
        index = progress.current()
        assert index is not None
        request = SectionRequest(index, "write", 70)
        event = to_record(
            accept_reply(progress, request, Reply(reply, "stop"), Usage(), strict=strict)
        )
        events = json.loads(json.dumps([*events, event]))
    return events


def grown(*replies: str) -> list[Any]:
    """Return the same, from one `DocumentState` that has seen it all."""
    events = log()
    progress = DocumentState(events, closed=False)
    for reply in replies:
        request = SectionRequest(progress.current() or 0, "write", 70)
        event = to_record(accept_reply(progress, request, Reply(reply, "stop"), Usage()))
        progress.add([event])
        events.append(event)
    return events


def test_the_log_decides_the_same_after_a_restart() -> None:
    one, two = page(1, 70), page(2, 70)
    replies = [one, one, ZH, one, two]
    assert log(*replies) == grown(*replies)
    problems = [event.get("problem") for event in log(*replies)[2:]]
    assert problems == [None, "repeats section 1", "wrong language (zh)", None, None]


def test_a_strict_run_stops_and_names_section_and_problem() -> None:
    assert len(log(EN, ZH, ZH, strict=True)) == 5
    for bad, said in [(ZH, r"wrong language \(zh\)"), (EN, "repeats section 1")]:
        with pytest.raises(ReplyError, match=rf"section 2 \('Part B'\).*{said}"):
            log(EN, *[bad] * (MAX_RETRIES + 1), strict=True)


def test_a_resumed_run_goes_on_counting_where_it_stopped() -> None:
    thread: Any = {"configurable": {"thread_id": "harbor"}}
    writer = FakeWriter(replies=[EN, ZH, ValueError("gone"), ZH, ZH])
    chain = AgentWriteChain(
        writer, length_control=False, checkpointer=InMemorySaver(), max_retries=0
    )
    with pytest.raises(ValueError, match="gone"):
        chain.invoke(given(), thread)
    section = chain.invoke(None, thread)["sections"][1]
    assert section["text"] == ZH
    assert section["calls"] == MAX_RETRIES + 1


ENGLISH = [
    f"The {name} rises over the bay, and every boat that was moored there swings on its rope. "
    f"Nobody who has seen the {name} there would say that it is the same as on the open sea."
    for name in ("tide", "moon", "wind")
]


def test_a_model_that_stays_in_one_language_is_asked_again_once() -> None:
    plan = WritingPlan(
        language="ja",
        unit="characters",
        sections=[SectionPlan(heading=name, main_point=name, length=400) for name in "甲乙丙"],
    )
    writer = FakeWriter(replies=[ENGLISH[0], ENGLISH[0], *ENGLISH])
    document = AgentWriteChain(writer, length_control=False).invoke(
        {"instruction": "海について書いてください。", "plan": plan}
    )
    assert writer.calls == 3 + MAX_RETRIES
    said = [section["notes"] for section in document["sections"]]
    assert all("accepted: wrong language (en)" in notes for notes in said)
