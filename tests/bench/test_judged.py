"""Files of judgements: each text judged once, of the right predictions, by the same judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core import exceptions

from longchain.bench import entries
from longchain.bench.judged import judged, predictions_of, read_judgements
from longchain.bench.rubric import DIMENSIONS
from longchain.bench.shapes import Prediction
from longchain.errors import InputError, RunError
from longchain.testing import FakeWriter


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts" / "pred.jsonl"
    path.parent.mkdir()
    made = [
        Prediction(
            id=str(number),
            task="t",
            prompt=f"Write 3 words about {number}.",
            length=3,
            response="One two three." if number else "",
        )
        for number in range(4)
    ]
    path.write_text("".join(one.model_dump_json() + "\n" for one in made))
    return path


def judge(*more: Any, rating: int = 5, count: int = 9) -> FakeWriter:
    said = json.dumps({**dict.fromkeys(DIMENSIONS, rating), "Analysis": "Well."})
    return FakeWriter(replies=[*more, *[said] * count])


def test_each_text_is_judged_once(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "judged.jsonl"
    told: list[tuple[int, int]] = []
    model = judge(rating=4)
    made = judged(texts, model, out, tell=lambda _, done, total: told.append((done, total)))
    # The empty text is not shown to the judge, and has the lowest rating.
    assert [one.s_q for one in made] == [0.0, 75.0, 75.0, 75.0]
    assert model.calls == 3
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    silent = FakeWriter()
    assert judged(texts, silent, out) == made
    assert silent.calls == 0


def test_a_judge_that_is_stopped_goes_on(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged.jsonl"
    refused = exceptions.ModelAuthenticationError("no")
    with pytest.raises(exceptions.ModelAuthenticationError):
        judged(texts, FakeWriter(replies=[*judge(count=1).replies, refused]), out, concurrency=1)
    kept = read_judgements(out)
    assert len(kept) == 2
    out.write_bytes(out.read_bytes() + b'{"id": "1", "ta')  # as a crash leaves it
    model = judge()
    judged(texts, model, out)
    assert model.calls == 2
    assert read_judgements(out)[:2] == kept
    assert sorted(one.id for one in read_judgements(out)) == ["0", "1", "2", "3"]


def test_another_judge_or_other_texts_are_refused(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged.jsonl"
    judged(texts, judge(), out)
    with pytest.raises(RunError, match="repeats: 1, now 2"):
        judged(texts, judge(), out, repeats=2)
    other = FakeWriter(model_name="other")
    with pytest.raises(RunError, match="model: 'fake-writer', now 'other'"):
        judged(texts, other, out)
    texts.write_text("\n".join(texts.read_text().splitlines()[:2]))
    with pytest.raises(RunError, match="sha256"):
        judged(texts, judge(), out)
    with pytest.raises(InputError, match="changed since"):
        predictions_of(out)
    (tmp_path / "foreign.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match="not begun by this command"):
        judged(texts, judge(), tmp_path / "foreign.jsonl")


def test_judgements_find_their_texts_where_both_were_moved(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged.jsonl"
    judged(texts, judge(), out)
    entry = entries.entry(str(out))
    assert [score.s_q for score in entry.scores] == [0.0, 100.0, 100.0, 100.0]
    texts.rename(tmp_path / "pred.jsonl")
    assert entries.entry(str(out)).scores == entry.scores
    (tmp_path / "pred.jsonl").unlink()
    with pytest.raises(InputError, match="which is not there"):
        entries.entry(str(out))
    (tmp_path / "judged.jsonl.meta.json").unlink()
    with pytest.raises(InputError, match="does not say what it is about"):
        entries.entry(str(out))


def test_a_damaged_judgement_is_named(tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text('{"id": "1", "task": "t", "ratings": 3}\n')
    with pytest.raises(InputError, match="line 1, is no judgement"):
        read_judgements(path)
