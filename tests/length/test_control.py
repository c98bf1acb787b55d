"""The length controller against models made of numbers."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from longchain.errors import LengthError
from longchain.length import LengthController, check, length_score
from longchain.length.control import Bias

HEADING = 3


def write(
    required: int,
    sections: int,
    *,
    bias: float = 1.0,
    spread: float = 0.25,
    cap: int | None = None,
    seed: int = 0,
    closed: bool = True,
) -> tuple[int, int, int]:
    """Return output length, requests and what was thrown away."""
    chance = random.Random(seed)
    control = LengthController([required // sections] * sections, required, closed=closed)
    requests = thrown = 0
    for index in range(sections):
        step, length, calls = control.first(index, HEADING), 0, 0
        while step.action in ("ask", "rewrite"):
            if step.action == "rewrite":
                thrown, length = thrown + length, 0
            drawn = bias * step.length * math.exp(chance.gauss(0, spread))
            got = max(1, round(min(drawn, cap or drawn)))
            control.bias.learn(step.length, got)
            length, calls = length + got, calls + 1
            step = control.next(index, length + HEADING, heading=HEADING, calls=calls)
        if step.action == "trim":
            thrown += max(0, length - step.length)
            length = min(length, step.length)
        control.finish(index, length + HEADING)
        requests += calls
    return sum(control.written.values()), requests, thrown


@pytest.mark.parametrize("cap", [None, 400, 250])
@pytest.mark.parametrize("bias", [0.5, 0.66, 1.0, 1.3, 1.6])
@pytest.mark.parametrize(("required", "sections"), [(200, 2), (1_000, 3), (4_000, 9)])
def test_the_required_length_is_met_whatever_the_model(
    required: int, sections: int, bias: float, cap: int | None
) -> None:
    runs = [write(required, sections, bias=bias, cap=cap, seed=seed) for seed in range(20)]
    assert statistics.fmean(length_score(required, output) for output, _, _ in runs) > 97
    assert sum(thrown for _, _, thrown in runs) < 0.1 * sum(output for output, _, _ in runs)


def test_an_unbiased_model_needs_hardly_more_than_one_request_a_section() -> None:
    runs = [write(10_000, 22, seed=seed)[1] / 22 for seed in range(20)]
    assert statistics.fmean(runs) < 1.1


def test_open_loop_asks_once_for_each_budget_and_keeps_what_comes() -> None:
    output, requests, thrown = write(4_000, 8, bias=0.5, spread=0.0, closed=False)
    assert (requests, thrown) == (8, 0)
    assert output == pytest.approx(2_000, rel=0.02)


def test_a_learnt_bias_changes_what_is_asked() -> None:
    control = LengthController([500, 500, 500, 500])
    assert control.first(0).length == pytest.approx(500, rel=0.1)
    for asked in range(300, 800, 50):
        control.bias.learn(asked, asked // 2)
    assert control.first(1).length == pytest.approx(1_000, rel=0.1)


@pytest.mark.parametrize("bias", [0.5, 1.0, 2.0])
def test_the_bias_is_learnt_from_a_few_replies(bias: float) -> None:
    learnt = Bias()
    for asked in (300, 500, 400, 600):
        learnt.learn(asked, round(asked * bias))
    learnt_bias, cap = learnt.estimate()
    assert learnt_bias == pytest.approx(bias, rel=0.1)
    assert cap is None


def test_a_cap_is_told_apart_from_a_bias() -> None:
    learnt = Bias()
    for asked, written in [(600, 250), (350, 250), (100, 98), (500, 249)]:
        learnt.learn(asked, written)
    bias, cap = learnt.estimate()
    assert cap == pytest.approx(250, rel=0.02)
    assert bias == pytest.approx(1.0, abs=0.15)


def test_asking_a_copy_of_the_bias_leaves_the_original_alone() -> None:
    learnt = Bias()
    learnt.with_reply(100, 50)
    assert learnt.estimate() == (1.0, None)


def test_what_is_left_is_spread_over_what_remains() -> None:
    control = LengthController([400, 400, 400], 1_200)
    control.finish(0, 600)
    assert (control.target(1), control.target(2)) == (300, 300)


def test_no_section_vanishes_however_far_the_others_ran_over() -> None:
    control = LengthController([400, 400, 400], 1_200)
    control.finish(0, 2_000)
    assert control.target(1) == 100


def test_unplanned_chapters_keep_their_share() -> None:
    control = LengthController([500, 500], 3_000, reserve=2_000)
    control.finish(0, 1_000)
    assert control.target(1) == 400
    assert control.remaining(1_000, 2_000) == 1_000


def test_sections_written_alone_keep_to_their_own_budgets() -> None:
    control = LengthController([100, 300], 800, together=False)
    control.finish(0, 700)
    assert control.target(1) == 600


def test_trimming_never_takes_more_than_a_quarter() -> None:
    control = LengthController([100], 100)
    step = control.next(0, 200)
    assert step.action == "trim"
    assert step.least == 150


def test_a_hopeless_reply_is_written_again_once() -> None:
    control = LengthController([100], 100)
    assert control.next(0, 400).action == "rewrite"
    assert control.next(0, 400, calls=2).action == "trim"


def test_a_model_that_writes_nothing_more_is_not_asked_forever() -> None:
    control = LengthController([500])
    assert control.next(0, 10, calls=11).action == "ask"
    assert control.next(0, 10, calls=12).action == "keep"


def test_former_names_still_work() -> None:
    control = LengthController(budgets=[500, 300], most_calls=2)
    assert control.planned == [500, 300]
    assert (control.budget(0), control.rest(0)) == (control.target(0), control.unwritten(0))
    assert control.next(0, 10, calls=1).action == "ask"
    assert control.next(0, 10, calls=2).action == "keep"
    with pytest.raises(TypeError, match="'planned'"):
        LengthController()


@pytest.mark.parametrize("wrong", [0, -5, 2_000_001, 1.5, True, "many"])
def test_lengths_that_cannot_be_written_are_refused(wrong: object) -> None:
    with pytest.raises(LengthError, match="length"):
        check(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("required", "output", "score"),
    [(1000, 1000, 100), (1000, 500, 50), (1000, 2000, 66.7), (1000, 4000, 0), (1000, 250, 0),
     (1000, 0, 0)],
)  # fmt: skip
def test_s_l_is_the_published_score(required: int, output: int, score: float) -> None:
    assert length_score(required, output) == pytest.approx(score, abs=0.05)
