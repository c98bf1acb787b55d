"""Files of records: continued after a crash, refused untouched, and readable by older versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from longchain.bench.metadata import RunMetadata, metadata_path
from longchain.bench.predictions import read_predictions
from longchain.bench.record_file import RecordFile
from longchain.bench.run import Outcome, run
from longchain.bench.schema import Prediction, Sample, Score
from longchain.bench.writers import Chained, ChainWriter, Direct, ModelWriter
from longchain.errors import InputError, RunError
from longchain.testing import FakeWriter, LengthBehavior

METADATA = RunMetadata(task="t", model="m")


def open_file(path: Path, records: list[Score], metadata: RunMetadata = METADATA) -> RecordFile:  # type: ignore[type-arg]
    def load(record: Score) -> bool:
        records.append(record)
        return True

    return RecordFile(path, Score, metadata, noun="score", load=load)


def write(path: Path, *ids: str) -> None:
    with open_file(path, []) as file:
        for name in ids:
            file.append(Score(id=name, task="t"))


def test_a_file_is_continued_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    write(path, "1", "2")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "3", "ta')
    records: list[Score] = []
    with open_file(path, records):
        assert [record.id for record in records] == ["1", "2"]
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-1])  # a whole record that only lacks its line end
    with open_file(path, records):
        assert [record.id for record in records[2:]] == ["1", "2"]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"a text of\nsomebody else", b"without a line end"])
def test_a_file_that_is_refused_is_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_bytes(content)
    with pytest.raises(RunError, match="was not begun by this command"), open_file(path, []):
        pass
    assert path.read_bytes() == content
    assert not metadata_path(path).exists()


def test_other_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    write(path, "1")
    other = RunMetadata(task="t", model="m", mode="judge")
    with pytest.raises(RunError, match="mode: '', now 'judge'"), open_file(path, [], other):
        pass
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(InputError, match="line 1, is no score"), open_file(path, []):
        pass


# Files of older versions, in which the mode is called `way` --------------------------------------

SAMPLES = [
    Sample(id=str(number), task="ports", prompt=f"Write 30 words on port {number}.", length=30)
    for number in range(3)
]


def test_the_mode_is_called_way_in_files(tmp_path: Path) -> None:
    path = tmp_path / "pred.jsonl"
    run(SAMPLES, ModelWriter(FakeWriter(behavior=LengthBehavior()), streaming=False), path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["way"], "mode" in line) for line in lines] == [("direct", False)] * 3
    assert json.loads(metadata_path(path).read_text())["way"] == "direct"
    assert Prediction(id="1", task="t", prompt="p", mode="parallel").model_dump()["way"]


def test_an_old_file_is_read_and_continued(tmp_path: Path) -> None:
    path = tmp_path / "pred.jsonl"
    old = {
        "id": "0", "task": "ports", "prompt": SAMPLES[0].prompt, "length": 30, "unit": "words",
        "language": "en", "kind": "", "bound": "equal", "extra": {}, "response": "Old.",
        "model": "fake-writer", "way": "direct", "settings": {"client": "FakeWriter"},
        "versions": {}, "prompt_hash": "0", "usage": {}, "seconds": 1.0, "error": "", "report": {},
    }  # fmt: skip
    path.write_text(json.dumps(old) + "\n")
    about = {
        "task": "ports", "source": "", "sha256": "", "model": "fake-writer", "way": "direct",
        "settings": {"client": "FakeWriter"}, "versions": {},
    }  # fmt: skip
    metadata_path(path).write_text(json.dumps(about))
    model = FakeWriter(behavior=LengthBehavior())
    assert run(SAMPLES, ModelWriter(model, streaming=False), path) == Outcome(3, 2, 0)
    predictions = read_predictions(path, strict=True).predictions
    assert [prediction.mode for prediction in predictions] == ["direct"] * 3
    assert predictions[0].response == "Old."


def test_earlier_names_of_the_writers() -> None:
    assert (Direct, Chained) == (ModelWriter, ChainWriter)
