"""Scores without a judge: the published figures bit for bit, the rest by hand."""

from __future__ import annotations

import json
import math
import random
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longchain import AgentWriteChain
from longchain.bench import diversity, lifebench, structure
from longchain.bench.schema import Bound, Prediction, Score
from longchain.bench.score import score, summarize
from longchain.bench.summary import intervals, range_of
from longchain.length import count_characters, count_words, count_words_reference, length_score
from longchain.prose.repetition import rep_n, tokens
from longchain.testing import FakeWriter, LengthBehavior

PROSE = (
    "The harbor was built in 1848, when the old quay had silted up. Its cranes came by sea from "
    "Glasgow, and its clerks from every town along the coast. Nobody remembers who paid for the "
    "lighthouse. Fishermen still call it the widow, since it stands alone and never sleeps."
)


def prediction(response: str = PROSE, **more: Any) -> Prediction:
    given: dict[str, Any] = {"id": "1", "task": "ports", "prompt": "Write about a harbor."}
    return Prediction(**given | {"response": response, "length": 50} | more)


def ids(text: str) -> list[int]:
    return diversity.number_tokens(text.split())


# The published score, transcribed apart ------------------------------------------------------


def published_count(text: str) -> int:
    """LongWriter's counter without a pattern: Han, and words that are ASCII letters throughout."""
    han = sum("一" <= character <= "\u9fff" for character in text)
    runs = groupby(text, key=lambda character: character.isalnum() or character == "_")
    words = ["".join(run) for is_word, run in runs if is_word]
    return han + sum(word.isascii() and word.isalpha() for word in words)


def published_score(required: int, output: int) -> float:
    """Equation 1 of arXiv 2408.07055, in the order in which the published script computes it."""
    if output == 0:
        return 0.0  # where that script divides by zero
    times, most = (output / required, 3) if output > required else (required / output, 2)
    return 100 * max(0, 1.0 - (times - 1) / most)


SCRIPTS = [
    "abcdefgXYZ",
    "0123456789",
    " \n\t\u3000",
    ".,;:!?'\"-–—_*#`|[]()。、！？「」",
    "中文写作长度测试一二三鿿一",
    "ひらがなカタカナ日本語",
    "한국어글쓰기",
    "éüñßøΩжяЁ",
    "हिन्दीไทย",
    "🙂👩‍👩‍👧🇯🇵\u200b\xad\u0301",
]


def text_of(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.02:
        return ""
    if kind < 0.05:
        return "".join(rng.choices(SCRIPTS[3], k=rng.randrange(1, 80)))
    if kind < 0.08:
        return "".join(rng.choices(SCRIPTS[1] + " .", k=rng.randrange(1, 80)))
    chosen = [*rng.sample(SCRIPTS, rng.randrange(1, 5)), SCRIPTS[0], SCRIPTS[2]]
    return "".join(rng.choices("".join(chosen), k=rng.randrange(1, 400)))


def test_the_published_score_comes_out_bit_for_bit() -> None:
    rng = random.Random(5)
    for _ in range(10_000):
        text = text_of(rng)
        count = published_count(text)
        required = rng.choice((1, count or 1, count + 1, rng.randrange(1, 1 + 5 * (count + 1))))
        made = score(prediction(text, length=required), light=True)
        assert made.length_published == count == count_words_reference(text), text
        assert made.s_l_published == published_score(required, count)
        assert made.s_l == published_score(required, count_words(text))
    for _ in range(10_000):
        required, output = (int(10 ** rng.uniform(0, 7)) for _ in range(2))
        assert length_score(required, output) == published_score(required, output)


def test_a_huge_text_is_counted() -> None:
    made = score(prediction("word 字 " * 200_000, length=400_000), light=True)
    assert made.length_published == made.length == 400_000
    assert made.s_l == made.s_l_published == 100.0


def test_two_counts_stand_side_by_side() -> None:
    text = "わたしは海が好きです。" * 10
    made = score(prediction(text, length=110, unit="characters", language="ja"))
    assert made.length == count_characters(text, "ja") == 110
    assert made.length_published == 20  # kana count nothing there
    assert (made.s_l, made.s_l_published) == (100.0, 0.0)
    made = score(prediction("I don't know 3.14.", length=4))
    assert (made.length, made.length_published) == (4, 4)  # don't as two, the number as none


@pytest.mark.parametrize("response", ["", "  \n", "...", "# * —"])
@pytest.mark.parametrize("bound", ["equal", "at_most", "at_least"])
def test_an_empty_reply_scores_nothing(response: str, bound: Bound) -> None:
    extra = {"entry": "Week", "number": 4, "prefix": "#*# Week 1:"}
    made = score(prediction(response, bound=bound, extra=extra, error="no answer"))
    assert (made.s_l, made.s_l_published) == (0.0, 0.0)
    assert made.flags == ["empty", "failed"]
    assert made.measures["deviation"] == -1
    assert made.measures["lifebench_score"] == 0
    assert made.measures["completion"] == made.measures["completion_published"] == 0
    assert "mtld" not in made.measures


def test_without_a_required_length_there_is_no_length_score() -> None:
    made = score(prediction(length=None))
    assert made.s_l is made.s_l_published is made.required is None
    assert "deviation" not in made.measures
    assert made.measures["mtld"] > 40


def test_light_scores_the_length_alone() -> None:
    light, full = score(prediction(), light=True), score(prediction())
    assert light.measures == {}
    assert light == full.model_copy(update={"measures": {}})


# LIFEBench -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "bound", "expected"),
    [
        (100, "equal", 100.0),
        (90, "equal", 100 * math.exp(-0.5)),
        (150, "equal", 100 * math.exp(-1.0)),
        (200, "equal", 100 * math.exp(-2.0)),
        (2, "equal", 100 * math.exp(-4.9)),
        (50, "at_most", 100.0),
        (100, "at_most", 100.0),
        (110, "at_most", 100 * math.exp(-0.2)),
        (500, "at_least", 100.0),
        (100, "at_least", 100.0),
        (80, "at_least", 100 * math.exp(-1.0)),
        (1, "at_most", 0.0),
        (0, "equal", 0.0),
    ],
)
def test_lifebench_by_hand(output: int, bound: Bound, expected: float) -> None:
    assert lifebench.score(100, output, bound) == pytest.approx(expected)


def test_lifebench_counts_in_its_own_way() -> None:
    # One for `it's`, `3`, `14`, `well-known`, each Han; none where letters touch Han or accents.
    assert lifebench.count("it's 3.14, well-known 中文 — ok中 café") == 7
    assert lifebench.deviation(200, 150) == -0.25
    measures = score(prediction("a b c d", length=8, bound="at_least")).measures
    assert measures["lifebench_length"] == 4
    assert measures["lifebench_deviation"] == measures["deviation"] == -0.5
    assert measures["lifebench_score"] == pytest.approx(100 * math.exp(-2.5))


# Diversity -----------------------------------------------------------------------------------


def test_mtld_by_hand() -> None:
    # Forwards `a a` is a factor (ratio 1/2), four times; so it is backwards: 8 / 4.
    assert diversity.mtld(ids("a a a a a a a a")) == 2.0
    # Forwards: a b c a b is 3/5 at the fifth token; the rest, c, has ratio 1 and counts nothing.
    # Backwards: c b a c b likewise: 6 tokens per factor either way.
    assert diversity.mtld(ids("a b c a b c")) == 6.0
    # Ratio 4/5 at the end, above 0.72: no factor, but (1 - 0.8) / (1 - 0.72) of one.
    assert diversity.mtld(ids("a b c d a")) == pytest.approx(5 / (0.2 / 0.28))
    # 3/4 is above 0.72, so forwards `a b c b b` is one factor (3/5), and `d` counts nothing: 6.
    # Backwards `d b b` is one (2/3), and the rest `c b a` counts nothing: 6.
    assert diversity.mtld(ids("a b c b b d")) == 6.0
    # Exactly 0.72, 18 of 25, is not below it, whatever floats make of that.
    assert diversity.mtld([*range(18), *range(7), 99]) == pytest.approx(26 / (7 / 26 / 0.28))
    assert diversity.mtld(ids("a b c")) == 3.0
    assert diversity.mtld([]) == 0.0


def test_the_directions_are_averaged() -> None:
    # Forwards: `a a` and `b b` are factors, `c d e` counts nothing: 7 / 2.
    # Backwards: `e d c b b` is 4/5, `a` 5/6, `a` 5/7 and below: one factor of 7.
    assert diversity.mtld(ids("a a b b c d e")) == (3.5 + 7) / 2


def test_repetition_by_hand() -> None:
    found = diversity.measures("One two three. One two three. One two four.", "en")
    assert found["distinct_1"] == pytest.approx(4 / 9)
    assert found["distinct_2"] == pytest.approx(4 / 8)
    assert found["rep_2"] == pytest.approx(4 / 8)
    assert found["rep_4"] == rep_n("One two three. One two three. One two four.", 4)
    assert found["duplicate_sentences"] == 0  # too short to count
    assert diversity.measures("one", "en")["rep_4"] == 0
    assert diversity.measures("—", "en") == {}


def test_sentences_that_come_again() -> None:
    said = "The ship came into the harbor. Nobody had been waiting for it. "
    assert diversity.measures(said * 2, "en")["duplicate_sentences"] == 0.5
    assert diversity.measures(said * 4, "en")["duplicate_sentences"] == 0.75
    said = "その船は静かに港へ入ってきた。誰もそれを待ってはいなかった。"
    assert diversity.measures(said * 2, "ja")["duplicate_sentences"] == 0.5
    assert diversity.measures("はい、そう。" * 5, "ja")["duplicate_sentences"] == 0


def test_what_repeats_is_smaller_compressed() -> None:
    assert diversity.compression("") == 1.0
    once, often = diversity.compression(PROSE), diversity.compression(PROSE * 20)
    assert 1 < once < 2 < 10 < often
    assert diversity.compression("\ud800 half a character") > 0


def test_sentence_by_sentence_the_tokens_are_those_of_the_text() -> None:
    lists = "# A\n\n- one's own\n- two\n\n" + PROSE
    for text in (PROSE, lists, "日本語です。「はい。」と言った。" * 30):
        found, items = diversity.measures(text), tokens(text)
        assert found["rep_4"] == pytest.approx(rep_n(text, 4))
        assert found["distinct_1"] == len(set(items)) / len(items)


# Entries -------------------------------------------------------------------------------------

WEEKS = {"entry": "Week", "number": 4, "separator": "#*#", "prefix": "", "end": "*** finished"}


def weeks(text: str, **more: Any) -> tuple[float, float]:
    found = structure.completion(text, WEEKS | more)
    return found["completion"], found["completion_published"]


def test_entries_are_counted_as_published() -> None:
    assert weeks("#*# Week 1: a\n#*# Week 2: b\n#*# Week 3: c\n#*# Week 4: d") == (100, 100)
    assert weeks(" cold.\n#*# Week 2: b", prefix="#*# Week 1:") == (50, 50)
    # Once is enough; what nobody asked for is nothing, and so is what follows the end.
    text = "#*# Week 1: a #*# Week 1: a #*# Week 9: b *** finished *** #*# Week 2"
    assert weeks(text) == (25, 25)
    # Whatever a block says first is its name there, wherever it stands; not here.
    assert weeks("#*# As in Week 3, it rained.") == (0, 25)
    # Without separators all is one block there; here a heading is one, too.
    assert weeks("## Week 1\n\na\n\n**Week 2** b\n\nWeek 3: c, unlike Week 4.") == (75, 25)
    assert weeks(f"#*# Week {'9' * 5000}") == (0, 0)


def test_items_are_found_by_their_labels() -> None:
    items = [{"label": "Week 1"}, {"label": "Week 12"}, {"label": "第3節"}, "Menu  A", {"x": 1}]
    found = structure.completion("Week 12. menu\na: 第3節", {"items": items})
    assert found == {"completion": 75.0}
    assert structure.completion("text", {"items": [], "number": "4", "entry": "Week"}) == {}
    assert structure.completion("text", {"entry": "Week", "number": 0}) == {}


def test_a_chain_that_writes_all_entries_completes() -> None:
    plan = "\n".join(
        f"Paragraph {n} - Main Point: Week {n} of the diary - Word Count: 40 words"
        for n in range(1, 5)
    )
    replies = [plan, *(f"#*# Week {n}: {PROSE}" for n in range(1, 5))]
    chain = AgentWriteChain(FakeWriter(replies=replies), length_control=False)
    done = chain.invoke({"instruction": "A diary of 4 weeks.", "length": 180, "unit": "words"})
    extra = {"entry": "Week", "number": 4, "separator": "#*#"}
    text = done["text"]
    made = score(prediction(text, mode="sequential", report=done["report"], extra=extra))
    assert made.measures["completion"] == made.measures["completion_published"] == 100


# Structure -----------------------------------------------------------------------------------


def test_headings_stand_once_and_in_order() -> None:
    planned = ["The Quay", "2. Cranes", "The Light"]
    text = "# Harbor\n\n## 1. The quay\n\na\n\n## **Cranes** ##\n\nb\n\n**The Light**\n\nc"
    assert structure.headings(text, planned) == {"headings": 1.0, "headings_in_order": 1.0}
    swapped = "## Cranes\n\n## The Quay\n\n## The Light\n\n## The Light\n"
    found = structure.headings(swapped, planned)
    assert found == {"headings": pytest.approx(2 / 3), "headings_in_order": 0.0}
    hidden = "```\n## The Quay\n```\n\nThe Quay\n"
    assert structure.headings(hidden, planned) == {"headings": 0.0, "headings_in_order": 1.0}


def test_the_plan_is_in_the_report_or_in_the_sample() -> None:
    report = {"sections": [{"heading": "The Quay"}, {"heading": ""}, {"heading": "Cranes"}]}
    text = "## The Quay\n\nIt is old.\n\n## Cranes\n\nThey are new."
    made = score(prediction(text, report=report))
    assert (made.measures["headings"], made.flags) == (1.0, [])
    made = score(prediction(text, extra={"headings": ["Cranes", "The Quay", "End"]}))
    assert made.measures["headings"] == pytest.approx(2 / 3)
    assert made.flags == ["headings off plan"]
    assert "headings" not in score(prediction(text)).measures


def test_a_chain_s_document_has_its_headings() -> None:
    chain = AgentWriteChain(FakeWriter(behavior=LengthBehavior()))
    done = chain.invoke({"instruction": "Write a 900-word report on ports."})
    made = score(
        prediction(done["text"], length=900, mode="sequential", report=done["report"]),
    )
    assert made.s_l is not None
    assert made.s_l > 95
    assert made.measures["headings"] == made.measures["headings_in_order"] == 1.0
    assert made.flags == []
    assert made.measures["leaks"] == 0


@pytest.mark.parametrize(
    ("response", "more", "flags"),
    [
        (PROSE, {}, []),
        (PROSE[:-20], {}, ["unfinished"]),
        (PROSE, {"report": {"finish": "length"}}, ["cut"]),
        (PROSE, {"language": "ja"}, ["wrong language"]),
        (PROSE, {"language": "ja", "prompt": "英語で書いてください。"}, []),
        (f"Sure! Here is the article you asked for:\n\n{PROSE}", {}, ["leak"]),
        (f"{PROSE}\n\nLet me know if you want changes.", {}, ["leak"]),
        (f"{PROSE}\n\n(Word count: 52)", {}, ["leak"]),
        (f"{PROSE}<|im_end|>{PROSE}", {}, ["leak"]),
        (f"Paragraph 2 - Main Point: The quay. - Word Count: 80 words\n\n{PROSE}", {}, ["leak"]),
        (f"{PROSE}\n\nParagraph 3: {PROSE}", {"mode": "parallel"}, ["leak"]),
        (f"{PROSE}\n\nParagraph 3: {PROSE}", {"mode": "direct"}, []),
        ("I'm sorry, but I cannot help with that.", {}, ["refusal"]),
        (PROSE + " And so it went." * 40, {}, ["loop"]),
    ],
)
def test_what_is_found(response: str, more: dict[str, Any], flags: list[str]) -> None:
    assert score(prediction(response, **more)).flags == flags


def test_long_texts_are_looked_at_where_it_matters() -> None:
    rng = random.Random(1)
    words = sorted({word for word in PROSE.split() if word.isalpha()})
    long = " ".join(f"{' '.join(rng.sample(words, 9)).capitalize()}." for _ in range(900))
    assert len(long) > 40_000
    assert score(prediction(long)).flags == []
    assert score(prediction(f"Sure, here is the essay:\n\n{long}")).flags == ["leak"]
    assert score(prediction(f"{long}\n\nWould you like me to go on?")).flags == ["leak"]
    assert score(prediction(f"{long[:20_000]}[INST]{long[20_000:]}")).flags == ["leak"]
    half = score(prediction(f"{long[:20_000]}\n\n{'港は静かでした。' * 2_000}"))
    assert half.measures["wrong_language"] == 3 / 8


# Properties ----------------------------------------------------------------------------------

SHARES = ("distinct_1", "distinct_2", "distinct_3", "rep_2", "rep_3", "rep_4")
TEXTS = st.one_of(st.text(max_size=300), st.builds(text_of, st.randoms(use_true_random=False)))


@given(
    text=TEXTS,
    required=st.integers(1, 10**7),
    unit=st.sampled_from(["words", "characters"]),
    language=st.sampled_from(["en", "zh", "ja", "ko", "th", "x-unknown"]),
    bound=st.sampled_from(["equal", "at_most", "at_least"]),
)
@settings(max_examples=300, deadline=None)
def test_scores_stay_in_their_ranges(
    text: str, required: int, unit: Any, language: str, bound: Any
) -> None:
    given = prediction(text, length=required, unit=unit, language=language, bound=bound)
    made = score(given)
    assert made == score(given)
    assert Score.model_validate_json(made.model_dump_json()) == made
    for value in (made.s_l, made.s_l_published, made.measures["lifebench_score"]):
        assert value is not None
        assert 0 <= value <= 100
    for name in (*SHARES, "duplicate_sentences", "wrong_language"):
        assert 0 <= made.measures.get(name, 0) <= 1
    assert made.measures.get("mtld", 1) > 0
    assert all(map(math.isfinite, made.measures.values()))


# Summaries -----------------------------------------------------------------------------------


def scored(number: int, required: int | None, output: int, **more: Any) -> Score:
    value = None if required is None else length_score(required, output)
    given: dict[str, Any] = {"required": required, "s_l": value, "s_l_published": value}
    return Score(id=str(number), task="t", length=output, **given | more)


def test_means_by_range_type_and_language() -> None:
    scores = [
        scored(1, 499, 499, kind="News", measures={"mtld": 40.0}),
        scored(2, 500, 500, kind="News", measures={"mtld": 60.0, "rep_4": 0.5}),
        scored(3, 2_000, 1_000, language="zh", flags=["unfinished", "wrong language"]),
        scored(4, 4_000, 0, language="zh", flags=["empty"]),
        scored(5, None, 10),
    ]
    found = summarize(scores)
    assert (found["n"], found["empty"], found["unmeasured"], found["unjudged"]) == (5, 1, 1, 0)
    assert (found["unfinished"], found["wrong_language"]) == (1, 1)
    assert found["s_l"] == found["s_l_published"] == (100 + 100 + 50 + 0) / 4
    assert found["s"] is found["s_q"] is found["s_published"] is None
    assert {name: row["s_l"] for name, row in found["ranges"].items()} == {
        "[0, 500)": 100,
        "[500, 2k)": 100,
        "[2k, 4k)": 50,
        "[4k, 20k)": 0,
    }
    assert {name: row["n"] for name, row in found["kinds"].items()} == {"News": 2}
    assert {name: row["s_l"] for name, row in found["languages"].items()} == {"en": 100, "zh": 25}
    assert found["measures"] == {"mtld": 50.0, "rep_4": 0.5}
    assert found["measured"] == {"mtld": 2, "rep_4": 1}
    low, high = found["intervals"]["s_l"]
    assert 0 <= low < found["s_l"] < high <= 100
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_judged_scores() -> None:
    judged = {"quality": {"Clarity": 75.0}, "s_q": 75.0}
    scores = [scored(1, 100, 100, **judged), scored(2, 100, 50, flags=["unjudged"])]
    found = summarize(scores)
    assert (found["s_l"], found["s_q"], found["s"]) == (75.0, 75.0, 75.0)
    assert (found["unjudged"], found["quality"]) == (1, {"Clarity": 75.0})
    assert summarize(scores[1:])["unjudged"] == 1


def test_a_summary_does_not_depend_on_the_order() -> None:
    rng = random.Random(2)
    scores = [scored(n, 1_000, rng.randrange(3_000), kind=f"k{n % 3}") for n in range(60)]
    found = summarize(scores)
    for _ in range(3):
        rng.shuffle(scores)
        assert summarize(scores) == found
    assert summarize(scores, seed=1)["intervals"] != found["intervals"]
    assert summarize(scores, resamples=0)["intervals"] == {}


def test_nothing_is_summed_up_as_nothing() -> None:
    found = summarize([])
    assert (found["n"], found["s_l"], found["ranges"], found["intervals"]) == (0, None, {}, {})


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    rng, held = random.Random(9), 0
    for seed in range(100):
        values = [(rng.uniform(0, 100), None, None) for _ in range(40)]
        low, high = intervals(values, resamples=300, seed=seed)["s_l"]
        held += low <= 50 <= high
    assert 88 <= held <= 99


def test_ranges_have_open_ends() -> None:
    edges = {0: 0, 499: 0, 500: 1, 1_999: 1, 2_000: 2, 3_999: 2, 4_000: 3, 20_000: 3, 90_000: 3}
    names = list(dict.fromkeys(map(range_of, edges)))
    assert [names.index(range_of(length)) for length in edges] == list(edges.values())
    assert range_of(None) == ""
