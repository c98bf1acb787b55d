"""Runs of benchmarks: each sample once, whatever happens; and the files they leave."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from langchain_core import exceptions
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from longchain import AgentWriteChain
from longchain.bench.predictions import export_published, read_predictions
from longchain.bench.run import Outcome, Progress, arun, run
from longchain.bench.schema import Prediction, Sample
from longchain.bench.writers import ChainWriter, ModelWriter
from longchain.calls.retry import Retry
from longchain.errors import InputError, RunError
from longchain.testing import FakeWriter, LengthBehavior


def samples(count: int, words: int = 50) -> list[Sample]:
    return [
        Sample(
            id=f"{number:04d}",
            task="ports",
            prompt=f"Write a {words}-word note about port {number}.",
            length=words,
            kind="News Report",
        )
        for number in range(count)
    ]


def writer(*replies: Any, **more: Any) -> FakeWriter:
    return FakeWriter(replies=list(replies), behavior=LengthBehavior(), **more)


def direct(model: FakeWriter, **options: Any) -> ModelWriter:
    return ModelWriter(model, streaming=False, retries=Retry(first_pause=0.0), **options)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out" / "pred.jsonl"


# What is asked, and what is kept -------------------------------------------------------------


def test_a_model_is_asked_once_with_the_bare_prompt(file: Path) -> None:
    model = writer()
    told: list[Progress] = []
    outcome = run(samples(3), direct(model, max_tokens=200), file, on_progress=told.append)
    assert outcome == Outcome(total=3, written=3, failed=0)
    assert [[(m.type, m.content) for m in asked] for asked in model.requests] == [
        [("human", sample.prompt)] for sample in samples(3)
    ]
    assert model.kwargs == [{"max_tokens": 200}] * 3
    made = read_predictions(file, strict=True).predictions[0]
    assert len(made.response.split()) == 50
    assert (made.model, made.mode, made.usage.calls) == ("fake-writer", "direct", 1)
    assert made.settings == {"client": "FakeWriter", "max_tokens": 200}
    assert made.report == {"finish": "stop"}
    assert len(made.prompt_hash) == 16
    assert {"longchain", "langchain-core"} <= made.versions.keys()
    assert Sample(**{name: getattr(made, name) for name in Sample.model_fields}) == samples(3)[0]
    assert [(progress.done, progress.total) for progress in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1].seconds_left == 0.0
    about = json.loads(file.with_name("pred.jsonl.meta.json").read_text())
    assert (about["task"], about["model"], about["way"]) == ("ports", "fake-writer", "direct")


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_a_chain_is_given_the_prompt(file: Path, mode: Any) -> None:
    chain = AgentWriteChain(writer(), mode=mode)
    run(samples(2, 600), chain, file)
    for made in read_predictions(file).predictions:
        assert made.mode == mode
        assert made.settings["length_control"] is True
        assert made.usage.calls >= 2
        assert made.report["required_length"] == 600
        assert made.report["output_length"] == pytest.approx(600, rel=0.1)


def test_a_length_can_be_handed_over(file: Path) -> None:
    silent = [
        sample.model_copy(update={"prompt": "A note on ports."}) for sample in samples(1, 300)
    ]
    run(silent, ChainWriter(AgentWriteChain(writer()), pass_length=True), file)
    (made,) = read_predictions(file).predictions
    assert made.report["required_length"] == 300
    assert made.settings["hand_length"] is True


def test_a_chain_of_ones_own_is_told_from_the_usual_one() -> None:
    usual = ChainWriter(AgentWriteChain(writer())).settings
    assert (usual["memory"], usual["window"]) == ("auto", None)
    other = AgentWriteChain(
        writer(),
        planner_model=writer(model_name="planner"),
        memory="summary",
        window=9_000,
        retriever=lambda _: [],
    )
    changed = ChainWriter(other).settings
    assert (changed["memory"], changed["window"], changed["planner"]) == (
        "summary", 9_000, "planner",
    )  # fmt: skip
    assert changed["retriever"] == "RunnableLambda"


def test_no_secret_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment-0123456789")
    model = ChatOpenAI(
        model="m",
        api_key="sk-secret-0123456789",  # type: ignore[arg-type]
        base_url="http://user:pass@127.0.0.1:1/v1?token=hidden",
        temperature=0.5,
        default_headers={"Authorization": "Bearer hidden"},
        extra_body={"key": "hidden"},
    )
    settings = ModelWriter(model.bind(top_p=0.9, user="hidden")).settings  # type: ignore[arg-type]
    assert settings == {
        "client": "ChatOpenAI",
        "base_url": "http://127.0.0.1:1/v1",
        "temperature": 0.5,
        "top_p": 0.9,
    }


def test_so_many_samples_are_written_at_once(file: Path) -> None:
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
    model = Counting(behavior=LengthBehavior(), latency=0.01)
    run(samples(12), direct(model), file, concurrency=4)
    assert max(peak) == 4


# What goes wrong -----------------------------------------------------------------------------


def test_what_may_pass_is_asked_again(file: Path) -> None:
    model = writer(exceptions.ModelRateLimitError("slow down"), exceptions.ModelAPIError("oops"))
    run(samples(1), direct(model), file)
    (made,) = read_predictions(file).predictions
    assert (made.error, model.calls, made.usage.calls) == ("", 3, 3)


def test_a_sample_that_fails_for_good_is_counted(file: Path) -> None:
    model = writer(exceptions.ModelInvalidRequestError("no such thing, key sk-abcdefgh1234"))
    outcome = run(samples(3), direct(model), file, concurrency=1)
    assert outcome == Outcome(total=3, written=3, failed=1)
    failed = read_predictions(file).predictions[0]
    assert failed.response == ""
    assert failed.error == "the model failed: no such thing, key [key]"
    assert run(samples(3), direct(writer()), file) == Outcome(3, 0, 1)
    assert run(samples(3), direct(writer()), file, retry_failed=True) == Outcome(3, 1, 0)
    assert sorted(ids(file)) == ["0000", "0001", "0002"]


def test_an_empty_reply_is_no_error(file: Path) -> None:
    run(samples(1), direct(writer("")), file)
    (made,) = read_predictions(file).predictions
    assert (made.response, made.error) == ("", "")


def test_half_a_character_can_be_written_down(file: Path) -> None:
    run(samples(1), direct(writer("a \ud83d b")), file)
    assert read_predictions(file).predictions[0].response == "a \ufffd b"


@pytest.mark.parametrize(
    "error",
    [exceptions.ModelAuthenticationError("who?"), exceptions.ModelConnectionError("refused")],
)
def test_what_all_would_meet_stops_the_run(file: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        run(samples(5), direct(writer("one", "two", *[error] * 6)), file, concurrency=1)
    assert ids(file) == ["0000", "0001"]
    assert run(samples(5), direct(writer()), file) == Outcome(5, 3, 0)


def test_a_bug_is_no_failed_sample(file: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run(samples(5), direct(writer("one", lambda _: str(1 // 0))), file, concurrency=1)
    assert ids(file) == ["0000"]


async def test_a_run_can_be_cancelled(file: Path) -> None:
    slow = direct(writer(latency=30.0))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(arun(samples(4), slow, file), 0.2)
    assert (await arun(samples(4), direct(writer()), file)).written == 4


# The file ------------------------------------------------------------------------------------


def test_what_stands_there_is_not_written_again(file: Path) -> None:
    run(samples(2), direct(writer()), file)
    before = file.read_bytes()
    model = writer()
    run(samples(5), direct(model), file)
    assert file.read_bytes().startswith(before)
    assert model.calls == 3


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_half_a_line_is_dropped(file: Path, cut: int) -> None:
    run(samples(3), direct(writer()), file)
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    # Without its line end, the last line is still whole.
    assert run(samples(3), direct(writer()), file).written == (0 if cut == 1 else 1)
    assert sorted(ids(file)) == ["0000", "0001", "0002"]


def test_a_damaged_line_is_not_passed_over(file: Path) -> None:
    run(samples(3), direct(writer()), file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1][:50], lines[2]]) + "\n")
    with pytest.raises(InputError, match="line 2, is no prediction"):
        run(samples(3), direct(writer()), file)


def test_other_settings_are_refused_by_name(file: Path) -> None:
    run(samples(1), direct(writer(), max_tokens=100), file, sha256="a")
    with pytest.raises(RunError, match=r"max_tokens: 100, now 200\)"):
        run(samples(2), direct(writer(), max_tokens=200), file, sha256="a")
    with pytest.raises(RunError, match=r"mode: 'direct', now 'sequential'.*length_control: None"):
        run(samples(2), AgentWriteChain(writer()), file, sha256="a")
    with pytest.raises(RunError, match="sha256: 'a', now 'b'; max_tokens: 100, now None"):
        run(samples(2), direct(writer()), file, sha256="b")
    other = writer(model_name="other")
    assert run(samples(2), direct(other), file, force=True).written == 1
    assert [made.model for made in read_predictions(file).predictions] == ["fake-writer", "other"]


def test_another_prompt_under_an_id_is_refused(file: Path) -> None:
    run(samples(1), direct(writer()), file)
    with pytest.raises(RunError, match=r"'0000'.*another prompt"):
        run(samples(1, words=60), direct(writer()), file)


def test_a_file_of_others_is_not_gone_on_with(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"prompt": "a"}\n')
    with pytest.raises(RunError, match=r"pred\.jsonl\.meta\.json is not beside it"):
        run(samples(1), direct(writer()), file)
    assert file.read_text() == '{"prompt": "a"}\n'


def test_one_process_writes_a_file(file: Path) -> None:
    file.parent.mkdir()
    with FileLock(f"{file}.lock"), pytest.raises(RunError, match="another process"):
        run(samples(1), direct(writer()), file)
    run(samples(1), direct(writer()), file)


def test_bad_input_is_refused(file: Path) -> None:
    with pytest.raises(InputError, match="no samples"):
        run([], direct(writer()), file)
    with pytest.raises(InputError, match="two samples have the id '0000'"):
        run(samples(1) * 2, direct(writer()), file)
    with pytest.raises(InputError, match="concurrency is 0"):
        run(samples(1), direct(writer()), file, concurrency=0)
    with pytest.raises(InputError, match="max_tokens is 0"):
        ModelWriter(writer(), max_tokens=0)
    kept = AgentWriteChain(writer(), checkpointer=InMemorySaver())
    with pytest.raises(InputError, match="without a checkpointer"):
        ChainWriter(kept)
    (file.parent).mkdir()
    (file.parent / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        run(samples(1), direct(writer()), file.parent / "file" / "pred.jsonl")


_KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from longchain.bench.run import run
from longchain.bench.writers import ModelWriter
from longchain.testing import FakeWriter, LengthBehavior
sys.path.insert(0, sys.argv[1])
from test_run import samples

file, chance, kills = Path(sys.argv[2]), random.Random(int(sys.argv[3])), 0
size = lambda: file.stat().st_size if file.exists() else 0
while True:
    if (child := os.fork()) == 0:  # the library is loaded once
        writer = ModelWriter(FakeWriter(behavior=LengthBehavior()), streaming=False)
        run(samples(1_000, 20), writer, file)
        os._exit(0)
    aim, ended = size() + chance.randrange(500, 90_000), 0
    while not ended and size() < aim:
        time.sleep(chance.random() / 500)
        ended = os.waitpid(child, os.WNOHANG)[0]
    if not ended:
        os.kill(child, signal.SIGKILL)
        kills += 1
        _, status = os.waitpid(child, 0)
    else:
        break
print(kills)
"""


def test_a_thousand_samples_killed_at_random_are_written_once_each(file: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(Path(__file__).parent), str(file), "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.stderr == ""
    assert int(done.stdout) >= 10
    assert sorted(ids(file)) == [sample.id for sample in samples(1_000, 20)]
    assert not any(made.error for made in read_predictions(file, strict=True).predictions)


# What others wrote ---------------------------------------------------------------------------


def test_published_predictions_are_read_and_written(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "LongWriter-glm4-9b"
    folder.mkdir(parents=True)
    published = [
        {"prompt": "Write a 3-word note", "type": "News Report", "length": 3,
         "response_length": 3, "response": "One two three."},
        {"prompt": "写一篇五字的短文", "type": "Popular Science", "length": 5,
         "response_length": 4, "response": "四个汉字"},
    ]  # fmt: skip
    path = folder / "pred.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in published))
    first, second = read_predictions(path, strict=True).predictions
    assert (first.id, first.mode, first.model) == ("001", "given", "LongWriter-glm4-9b")
    assert (first.kind, first.length, first.unit, first.language) == (
        "News Report", 3, "words", "en",
    )  # fmt: skip
    assert (second.unit, second.language, second.response) == ("characters", "zh", "四个汉字")
    again = tmp_path / "again.jsonl"
    assert export_published([first, second], again) == 2
    assert [json.loads(line) for line in again.read_text().splitlines()] == published


def test_our_own_can_be_exported(file: Path, tmp_path: Path) -> None:
    asked = samples(2)
    asked[1].length = None
    run(asked, direct(writer("Five words, don't you think")), file, concurrency=1)
    out = tmp_path / "published.jsonl"
    assert export_published(read_predictions(file).predictions, out) == 1
    (line,) = map(json.loads, out.read_text().splitlines())
    # The published counter takes `don't` for two words.
    assert (line["type"], line["length"], line["response_length"]) == ("News Report", 50, 6)


def test_lines_that_are_none_are_named(tmp_path: Path) -> None:
    good = Prediction(id="1", task="t", prompt="p").model_dump_json()
    path = tmp_path / "given.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + "\n".join(
            [
                good,
                "",
                "{",
                "[]",
                '{"prompt": "p", "response": null}',
                '{"prompt": 3, "response": ""}',
                good,
            ]
        ).encode()
        + b'\n\xff\n{"id": "1", "task": "t", "prompt": 2}\n'
    )
    read = read_predictions(path)
    assert [made.id for made in read.predictions] == ["1", "005"]
    assert [reason.partition(": ")[0] for reason in read.skipped] == [
        "line 3", "line 4", "line 6", "line 7", "line 8", "line 9",
    ]  # fmt: skip
    assert read.skipped[3] == "line 7: sample '1' is already in line 1"
    assert read.skipped[4] == "line 8: no UTF-8 text"
    with pytest.raises(InputError, match="line 3: no JSON"):
        read_predictions(path, strict=True)
    path.write_text("\n")
    with pytest.raises(InputError, match="it is empty"):
        read_predictions(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_predictions(tmp_path / "missing.jsonl")
