from collections import Counter
from typing import Any

import pytest

from longchain.errors import InputError
from longchain.testing import Faults
from longchain.testing.faults import FaultSampler


def test_shares_are_kept() -> None:
    draw = FaultSampler(Faults(rate_limit=0.2, drop=0.1, refusal=0.05))
    drawn = Counter(draw.sample([f"request {n}"]) for n in range(3_000))
    assert set(drawn) == {"ok", "rate_limit", "drop", "refusal"}
    assert drawn["rate_limit"] / 3_000 == pytest.approx(0.2, abs=0.03)
    assert drawn["drop"] / 3_000 == pytest.approx(0.1, abs=0.03)


def test_draw_depends_on_the_request_and_not_on_order() -> None:
    names = [f"request {n % 50}" for n in range(150)]
    faults = Faults(error=0.5, seed=4)
    forward, backward = FaultSampler(faults), FaultSampler(faults)
    drawn = sorted((name, forward.sample([name])) for name in names)
    assert drawn == sorted((name, backward.sample([name])) for name in reversed(names))


def test_same_request_draws_again() -> None:
    draw = FaultSampler(Faults(error=0.5))
    assert {draw.sample(["again"]) for _ in range(30)} == {"ok", "error"}


def test_script_comes_first() -> None:
    draw = FaultSampler(Faults(refusal=1.0, script=["429", "ok", "500", "half_plan"]))
    drawn = [draw.sample(["request"]) for _ in range(5)]
    assert drawn == ["rate_limit", "ok", "error", "half_plan", "refusal"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"drop": -0.1}, "0 or more"),
        ({"drop": 0.6, "cut": 0.5}, "at most 1"),
        ({"script": ["ok", "explode"]}, "'explode'"),
    ],
)
def test_impossible_faults_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Faults(**fields)
