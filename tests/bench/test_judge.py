"""The judge: every text is judged, or unscored for a reason that is told."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from langchain_core import exceptions
from langchain_core.messages import AIMessage, BaseMessage

from longchain.bench import rubric
from longchain.bench.agreement import agreement, spearman
from longchain.bench.judge import ajudge, apply, judge
from longchain.bench.judge_stats import describe
from longchain.bench.rubric import DIMENSIONS
from longchain.bench.schema import Judgement, Prediction
from longchain.bench.score import score, summarize
from longchain.calls.retry import Retry
from longchain.errors import InputError, PromptError
from longchain.testing import FakeWriter

KEYS = [name.lower().replace(" ", "_") for name in DIMENSIONS]


def rated(*scores: Any, analysis: str = "Fine.") -> str:
    """A judge's reply: six scores, or one for all."""
    given = scores if len(scores) == 6 else scores * 6
    return json.dumps({"analysis": analysis, **dict(zip(KEYS, given, strict=True))})


def predictions(count: int) -> list[Prediction]:
    return [
        Prediction(
            id=f"{number:03d}",
            task="ports",
            prompt=f"Write about port {number}.",
            length=20,
            response=f"Port {number} is old. " * (number + 1),
        )
        for number in range(count)
    ]


def judged(count: int, model: Any, **options: Any) -> list[Judgement]:
    return judge(
        predictions(count), model, retries=Retry(max_retries=2, first_pause=0.0), **options
    )


# Ratings -------------------------------------------------------------------------------------


def test_six_ratings_make_a_score() -> None:
    model = FakeWriter(replies=[rated(5, 4, 3, 2, 1, 3)])
    (made,) = judged(1, model)
    assert made.ratings == [dict(zip(DIMENSIONS, (5, 4, 3, 2, 1, 3), strict=True))]
    assert list(made.quality.values()) == [100, 75, 50, 25, 0, 50]
    assert made.s_q == 50
    assert made.analyses == ["Fine."]
    assert (made.judge, made.temperature, made.seed) == ("fake-writer", 0.0, 0)
    assert made.prompt_hash == rubric.load_template().hash
    assert len(made.prompt_hash) == 16
    assert made.usage.calls == 1
    assert model.kwargs == [{"temperature": 0.0}]
    (asked,) = model.requests[0]
    assert "<order>\nWrite about port 0.\n</order>" in asked.text
    assert "<delivered>\nPort 0 is old. \n</delivered>" in asked.text
    assert Judgement.model_validate(json.loads(json.dumps(made.model_dump()))) == made


def test_texts_come_in_a_shuffled_order_and_go_back_to_their_places() -> None:
    def answer(messages: list[BaseMessage]) -> str:
        return rated(5 if "port 3." in messages[0].text else 2)

    orders = []
    for seed in (0, 1):
        model = FakeWriter(replies=[answer] * 8)
        made = judged(8, model, seed=seed, concurrency=1)
        assert [one.id for one in made] == [one.id for one in predictions(8)]
        assert [one.s_q for one in made] == [100 if one.id == "003" else 25 for one in made]
        assert sorted(place for one in made for place in one.places) == list(range(1, 9))
        orders.append([asked[0].text for asked in model.requests])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


async def test_so_many_are_asked_at_once() -> None:
    class Counting(FakeWriter):
        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            running.append(1)
            peak.append(len(running))
            try:
                return await super()._agenerate(*args, **kwargs)
            finally:
                running.pop()

    running: list[int] = []
    peak: list[int] = []
    model = Counting(replies=[rated(3)] * 12, latency=0.01)
    made = await ajudge(predictions(12), model, concurrency=3)
    assert max(peak) == 3
    assert [one.s_q for one in made] == [50] * 12


def test_a_schema_is_used_where_the_model_takes_one() -> None:
    model = FakeWriter(replies=[rated(4)], structured=True)
    (made,) = judged(1, model)
    assert made.s_q == 75
    form = model.kwargs[0]["response_format"]["json_schema"]["schema"]
    assert form["required"] == ["analysis", *KEYS]
    assert made.temperature is None  # it could not be handed over, so it is not claimed


def test_the_models_own_temperature_is_set() -> None:
    class Warm(FakeWriter):
        temperature: float = 0.7

        def _answer(self, *args: Any) -> AIMessage:
            seen.append(self.temperature)
            return super()._answer(*args)

    seen: list[float] = []
    model = Warm(replies=[rated(4)] * 2, structured=True)
    assert judged(1, model)[0].temperature == 0.0
    assert judged(1, model, temperature=None)[0].temperature is None
    assert seen == [0.0, 0.7]
    assert model.temperature == 0.7


def test_a_schema_that_is_refused_is_left_out_from_then_on() -> None:
    class Unsure(FakeWriter):
        def _schema(self, kwargs: dict[str, Any]) -> None:
            if "response_format" in kwargs:
                raise exceptions.ModelInvalidRequestError("no schema here")

    model = Unsure(replies=[rated(4)] * 6, structured=True)
    assert [one.s_q for one in judged(6, model, concurrency=3)] == [75] * 6
    with_schema = [kwargs for kwargs in model.kwargs if "response_format" in kwargs]
    assert 1 <= len(with_schema) <= 3


def test_a_model_that_knows_no_schema_is_asked_in_words() -> None:
    class Silent(FakeWriter):
        def _resolve_model_profile(self) -> Any:
            return {}

    model = Silent(replies=[rated(4)] * 2)
    assert [one.s_q for one in judged(2, model)] == [75] * 2
    assert model.calls == 2


def test_a_temperature_that_is_refused_is_left_out_from_then_on() -> None:
    class Reasoning(FakeWriter):
        def _answer(self, messages: Any, stop: Any, kwargs: Any) -> AIMessage:
            if "temperature" in kwargs:
                raise exceptions.ModelInvalidRequestError("'temperature' does not support 0.0")
            return super()._answer(messages, stop, kwargs)

    made = judged(6, Reasoning(replies=[rated(4)] * 6), concurrency=3)
    assert [(one.s_q, one.temperature, one.unscored) for one in made] == [(75, None, [])] * 6


def test_an_empty_text_is_not_shown() -> None:
    given = [one.model_copy(update={"response": " \n—"}) for one in predictions(2)]
    told: list[Judgement] = []
    model = FakeWriter()
    made = judge(given, model, on_progress=told.append)
    assert [(one.s_q, one.ratings, one.unscored) for one in made] == [(0.0, [], [])] * 2
    assert model.calls == 0
    assert told == made


# Replies that cannot be read -----------------------------------------------------------------


def test_an_unreadable_reply_is_asked_for_once_more() -> None:
    model = FakeWriter(replies=["Quite good.", rated(4)])
    (made,) = judged(1, model)
    assert (made.s_q, made.repaired, made.unscored) == (75, 1, [])
    first, reply, repair = model.requests[1]
    assert (first.type, reply.text) == ("human", "Quite good.")
    assert "Relevance has no number" in repair.text
    assert made.usage.calls == 2


def test_what_stays_unreadable_is_unscored_and_the_others_go_on() -> None:
    def answer(messages: list[BaseMessage]) -> str:
        return rated(6) if "port 1." in messages[0].text else rated(3)

    made = judged(3, FakeWriter(replies=[answer] * 4))
    assert [one.s_q for one in made] == [50, None, 50]
    assert made[1].quality == {}
    (reason,) = made[1].unscored
    assert reason == (
        "unreadable, also when asked again: Relevance is '6', not a number from 1 to 5"
    )
    said = describe(made)
    assert (said["n"], said["scored"], said["s_q"]) == (3, 2, 50)
    assert said["unscored"] == [{"task": "ports", "id": "001", "reasons": [reason]}]


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("slow"),
        exceptions.ModelRateLimitError("later"),
        exceptions.ContextOverflowError("too long"),
        exceptions.ModelInvalidRequestError("no"),
    ],
)
def test_a_text_that_fails_is_unscored_with_the_reason(error: Exception) -> None:
    def answer(messages: list[BaseMessage]) -> str:
        if "port 1." in messages[0].text:
            raise error
        return rated(3)

    made = judged(3, FakeWriter(replies=[answer] * 9), concurrency=1)
    assert [one.s_q for one in made] == [50, None, 50]
    assert str(error) in made[1].unscored[0]


def test_a_judge_that_never_answers_leaves_all_unscored() -> None:
    made = judged(3, FakeWriter(replies=[rated(3)] * 3, latency=60), timeout=0.05)
    assert [one.s_q for one in made] == [None] * 3
    assert all("no sign of life for 0.05 seconds" in one.unscored[0] for one in made)


def test_what_may_pass_is_asked_again() -> None:
    model = FakeWriter(replies=[rated(3), exceptions.ModelRateLimitError("later"), rated(3)])
    assert [one.s_q for one in judged(2, model, concurrency=1)] == [50, 50]


def test_a_wrong_key_ends_it() -> None:
    error = exceptions.ModelAuthenticationError("no such key")
    with pytest.raises(exceptions.ModelAuthenticationError):
        judged(3, FakeWriter(replies=[error] * 3))


def test_a_bug_is_no_reason() -> None:
    with pytest.raises(ZeroDivisionError):
        judged(2, FakeWriter(replies=[ZeroDivisionError()] * 2))


SIX = dict(zip(DIMENSIONS, (5, 4, 3, 2, 1, 4), strict=True))


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps({"Analysis": "Good.", **SIX}),
        f"Here it is:\n```json\n{json.dumps(SIX, indent=2)}\n```\nGood luck!",
        json.dumps({name.upper(): f"{value}/5" for name, value in SIX.items()}),
        json.dumps({name: f"{value}.0 out of 5" for name, value in SIX.items()}),
        json.dumps({"analysis": "Good.", "scores": SIX}),
        json.dumps({name: {"reason": "so", "score": value} for name, value in SIX.items()}),
        json.dumps(SIX).replace("Breadth and Depth", "Breadth & Depth"),
        str(SIX).replace("}", ",}"),
        json.dumps(SIX)[:-1],
        f"<think>Perhaps {json.dumps(dict.fromkeys(DIMENSIONS, 3))}?</think>{json.dumps(SIX)}",
        "\n".join(f"- **{name}** (1-5): **{value}**/5" for name, value in SIX.items()),
        "\n".join(f"{n}. {name}: {value}" for n, (name, value) in enumerate(SIX.items(), 1)),
        "|dimension|score|\n|---|---|\n" + "\n".join(f"|{n}|{v}|" for n, v in SIX.items()),
    ],
)
def test_replies_in_many_forms_are_read(reply: str) -> None:
    assert rubric.read(reply).scores == SIX


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "the reply is empty"),
        ("Good.", "Relevance has no number"),
        (json.dumps({**SIX, "Clarity": 0}), "Clarity is '0', not a number from 1 to 5"),
        (json.dumps({**SIX, "Clarity": "8/10"}), "Clarity is '8/10', not a number from 1 to 5"),
        (json.dumps({**SIX, "Clarity": True}), "Clarity is 'True', not a number from 1 to 5"),
        (json.dumps({**SIX, "Clarity": None}), "Clarity has no number"),
        (json.dumps({k: v for k, v in SIX.items() if k != "Accuracy"}), "Accuracy has no number"),
        ("\n".join(f"{name}: 1-5" for name in DIMENSIONS), "Relevance is '1-5', not a number"),
        ("{" * 100_000, "Relevance has no number"),
    ],
)
def test_what_cannot_be_read_is_said(reply: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        rubric.read(reply)


# The prompt ----------------------------------------------------------------------------------


def test_another_prompt_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "judge.txt"
    path.write_text("Rate.\n$INST$\n---\n$RESPONSE$\nJSON: {...}")
    model = FakeWriter(replies=[rated(3)], structured=True)
    text = predictions(1)[0].model_copy(update={"prompt": "Say $RESPONSE$ and {response}."})
    (made,) = judge([text], model, prompt=path, temperature=0.5)
    (asked,) = model.requests[0]
    assert asked.text == (
        "Rate.\nSay $RESPONSE$ and {response}.\n---\nPort 0 is old. \nJSON: {...}"
    )
    # It says itself in which form it wants its answer.
    assert model.kwargs == [{"temperature": 0.5}]
    assert made.temperature == 0.5
    assert made.prompt_hash == rubric.load_template(path).hash != rubric.load_template().hash


def test_a_prompt_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "judge.txt"
    with pytest.raises(InputError, match="cannot be read"):
        rubric.load_template(path)
    path.write_text("Rate {response}.")
    with pytest.raises(PromptError, match="INST"):
        rubric.load_template(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no UTF-8"):
        rubric.load_template(path)


@pytest.mark.parametrize("options", [{"repeats": 0}, {"concurrency": 0}])
def test_wrong_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="1 or more"):
        judged(1, FakeWriter(), **options)


def test_ids_are_of_one_text_each() -> None:
    with pytest.raises(InputError, match="'000'"):
        judge(predictions(1) * 2, FakeWriter())


# Repeats and biases --------------------------------------------------------------------------


def test_repeats_are_averaged_and_their_agreement_told() -> None:
    replies = {0: iter((3, 4)), 1: iter((5, 5)), 2: iter((1, 2))}

    def answer(messages: list[BaseMessage]) -> str:
        number = next(n for n in replies if f"port {n}." in messages[0].text)
        return rated(next(replies[number]))

    made = judged(3, FakeWriter(replies=[answer] * 6), repeats=2, concurrency=1)
    assert [one.s_q for one in made] == [62.5, 100.0, 12.5]
    assert all(len(one.ratings) == len(one.places) == 2 for one in made)
    said = describe(made, [score(one, light=True) for one in predictions(3)])
    assert said["agreement"].keys() == {*DIMENSIONS, "mean"}
    clarity = said["agreement"]["Clarity"]
    assert (clarity["texts"], clarity["exact"]) == (3, pytest.approx(1 / 3))
    assert clarity["difference"] == pytest.approx(2 / 3)
    assert clarity["alpha"] == said["agreement"]["mean"]["alpha"]
    # Each pair twice: 2 x (1 + 0 + 1) within; 2 x (6 x 80 - 20 x 20) among 3 4 5 5 1 2.
    assert clarity["alpha"] == pytest.approx(1 - 5 * 4 / 160)
    assert json.loads(json.dumps(said)) == said


def test_one_of_several_may_fail() -> None:
    replies = [rated(5), "no", "no"]
    (made,) = judged(1, FakeWriter(replies=replies), repeats=2, concurrency=1)
    assert (made.s_q, len(made.ratings), len(made.unscored)) == (100, 1, 1)


def test_agreement_by_hand() -> None:
    assert agreement([]) is None
    assert agreement([[1.0], []]) is None
    found = agreement([[1, 1], [5, 5]])
    assert found is not None
    assert found == (2, 1.0, 0.0, 1.0)
    same = agreement([[3, 3], [3, 3]])
    assert same is not None
    assert same.alpha is None
    rng = random.Random(4)
    chance = agreement([[rng.randint(1, 5) for _ in range(3)] for _ in range(2_000)])
    assert chance is not None
    assert chance.alpha == pytest.approx(0, abs=0.05)


def test_alpha_is_that_of_the_textbook() -> None:
    # Krippendorff's example with four observers and missing values: interval alpha 0.849.
    table = """1 1 . 1
    2 2 3 2
    3 3 3 3
    3 3 3 3
    2 2 2 2
    1 2 3 4
    4 4 4 4
    1 1 2 1
    2 2 2 2
    . 5 5 5
    . . 1 1
    . . 3 ."""
    units = [[int(v) for v in line.split() if v != "."] for line in table.splitlines()]
    found = agreement(units)
    assert found is not None
    assert found.alpha == pytest.approx(0.849, abs=0.0005)


def test_spearman_by_hand() -> None:
    assert spearman([1, 2, 3], [10, 20, 21]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [9, 7, 5, 1]) == pytest.approx(-1)
    # Ranks 1 2 3 4 and 1 2.5 2.5 4: 4.5 over the root of 5 x 4.5.
    assert spearman([1, 2, 3, 4], [1, 2, 2, 3]) == pytest.approx(4.5 / (5 * 4.5) ** 0.5)
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2], [1, 2]) is None


def test_a_judge_that_likes_length_is_found_out() -> None:
    def answer(messages: list[BaseMessage]) -> str:
        return rated(min(5, 1 + messages[0].text.count("is old") // 2))

    made = judged(9, FakeWriter(replies=[answer] * 9))
    said = describe(made, [score(one, light=True) for one in predictions(9)])
    assert said["length_bias"] > 0.95
    assert abs(said["order_bias"]) < 0.9
    assert describe(made)["length_bias"] is None
    assert describe([])["n"] == 0


# Scores --------------------------------------------------------------------------------------


def test_judgements_are_put_to_their_scores() -> None:
    scores = [score(one) for one in predictions(4)]
    made = judged(3, FakeWriter(replies=[rated(4), "?", "?", rated(4)]), concurrency=1)
    found = apply(scores, reversed(made))
    unscored = next(at for at, one in enumerate(made) if one.s_q is None)
    for at, one in enumerate(found[:3]):
        assert one.s_q == (None if at == unscored else 75)
        assert ("unjudged" in one.flags) == (at == unscored)
    assert found[3] == scores[3]
    assert all(one.s_q is None for one in scores)
    said = summarize(found)
    assert (said["s_q"], said["unjudged"]) == (75, 2)
    assert said["quality"] == dict.fromkeys(DIMENSIONS, 75)
    again = judged(3, FakeWriter(replies=[rated(5)] * 3))
    assert [one.flags for one in apply(found, again)][:3] == [one.flags for one in scores[:3]]
    with pytest.raises(InputError, match="1 judgements are about texts that have no score"):
        apply(scores[1:], made)
