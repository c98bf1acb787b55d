"""Files of judgements: each text judged once, of the right predictions, by the same judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core import exceptions

from longchain.bench import report_files
from longchain.bench.judgements import judge_file, read_judged_predictions, read_judgements
from longchain.bench.rubric import DIMENSIONS
from longchain.bench.schema import Prediction
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
    made = judge_file(
        texts, model, out, on_progress=lambda _, done, total: told.append((done, total))
    )
    # The empty text is not shown to the judge, and has the lowest rating.
    assert [one.s_q for one in made] == [0.0, 75.0, 75.0, 75.0]
    assert model.calls == 3
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    silent = FakeWriter()
    assert judge_file(texts, silent, out) == made
    assert silent.calls == 0


def test_a_judge_that_is_stopped_goes_on(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged.jsonl"
    refused = exceptions.ModelAuthenticationError("no")
    with pytest.raises(exceptions.ModelAuthenticationError):
        judge_file(
            texts, FakeWriter(replies=[*judge(count=1).replies, refused]), out, concurrency=1
        )
    kept = read_judgements(out)
    assert len(kept) == 2
    out.write_bytes(out.read_bytes() + b'{"id": "1", "ta')  # as a crash leaves it
    model = judge()
    judge_file(texts, model, out)
    assert model.calls == 2
    assert read_judgements(out)[:2] == kept
    assert sorted(one.id for one in read_judgements(out)) == ["0", "1", "2", "3"]


def test_another_judge_or_other_texts_are_refused(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged.jsonl"
    judge_file(texts, judge(), out)
    with pytest.raises(RunError, match="repeats: 1, now 2"):
        judge_file(texts, judge(), out, repeats=2)
    other = FakeWriter(model_name="other")
    with pytest.raises(RunError, match="model: 'fake-writer', now 'other'"):
        judge_file(texts, other, out)
    texts.write_text("\n".join(texts.read_text().splitlines()[:2]))
    with pytest.raises(RunError, match="sha256"):
        judge_file(texts, judge(), out)
    with pytest.raises(InputError, match="changed since"):
        read_judged_predictions(out)
    (tmp_path / "foreign.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match="not begun by this command"):
        judge_file(texts, judge(), tmp_path / "foreign.jsonl")


def test_judgements_find_their_texts_where_both_were_moved(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged.jsonl"
    judge_file(texts, judge(), out)
    entry = report_files.load(str(out))
    assert [score.s_q for score in entry.scores] == [0.0, 100.0, 100.0, 100.0]
    texts.rename(tmp_path / "pred.jsonl")
    assert report_files.load(str(out)).scores == entry.scores
    (tmp_path / "pred.jsonl").unlink()
    with pytest.raises(InputError, match="which is not there"):
        report_files.load(str(out))
    (tmp_path / "judged.jsonl.meta.json").unlink()
    with pytest.raises(InputError, match="does not say what it is about"):
        report_files.load(str(out))


def test_a_damaged_judgement_is_named(tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text('{"id": "1", "task": "t", "ratings": 3}\n')
    with pytest.raises(InputError, match="line 1, is no judgement"):
        read_judgements(path)
