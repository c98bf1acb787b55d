"""Runs and plan files of an old version, and what becomes of them when one goes on with them.

a folder -> `runs.db` and `plan.yaml`, `.json`, `.md`, as the longchain that runs this writes them;
a run of that database -> all that can be done with it, with what comes of it

    python -m tests.recorded.old_runs FOLDER NAME

writes `NAME-runs.db`, `NAME-runs.json.gz` and `NAME-plan.*`. It was run with the version that the
files are named after, and is kept to say what is in them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from longchain import Budget, LongchainError, Run, Runs, WritingPlan
from longchain.testing import FakeWriter, LengthBehavior
from tests.recorded.record import PRICES, ROOT, Breaking, Citing, parted, plan, save

MORE = Budget(calls=200, prices=PRICES)
"""What lets a run that has used up its budget go on."""

BOOK = WritingPlan.model_validate(
    {
        "title": "Water: a book",
        "unit": "words",
        "language": "en",
        "chapters": [
            {"heading": "Sources", "main_point": "Where water comes from", "length": 120},
            {"heading": "Ways", "main_point": "How it is carried: by pipe, by cart", "length": 160},
            {"heading": "Towns", "main_point": "# How it is used", "length": 160},
        ],
        "sections": [
            {"heading": "Springs", "main_point": "Yes", "length": 60, "chapter": "Sources"},
            {"heading": "1. Rain", "main_point": "", "length": 60, "chapter": "Sources"},
            {"heading": "", "main_point": "Aqueducts - 3", "length": 80, "chapter": "Ways"},
            {"heading": "Pipes “of” lead", "main_point": "x", "length": 80, "chapter": "Ways"},
        ],
    }
)
"""A plan with all there is in one: its last chapter has no sections yet."""


def writer(seed: int = 1, **behavior: Any) -> FakeWriter:
    """A writer that does not remember what it has said."""
    return FakeWriter(behavior=LengthBehavior(seed=seed, **behavior))


# What is written -------------------------------------------------------------------------------


def fill(runs: Runs) -> None:
    """Write the runs of the database."""
    given = {"instruction": "Write about water.", "plan": plan().model_dump()}
    revised = runs.start(given, model=writer(spread=0.2), run="revised")
    revised.write()
    revised.revise(2, "shorter, less formal")
    revised.write()
    half = runs.start(given, model=writer(), run="half", budget=Budget(calls=2, prices=PRICES))
    _stopped(half)
    asked = "Write 400 words about water."
    _stopped(runs.start(asked, model=writer(sections=4), run="review", review=True))
    _fill_cited(runs)
    book = {"instruction": "Write a book about water.", "plan": BOOK, "style": "Plain."}
    _stopped(runs.start(book, model=writer(sections=2), run="chapters", budget=Budget(calls=3)))
    broken = Breaking(behavior=LengthBehavior(bias=1.1), avoids="Baths", others=3)
    _stopped(runs.start(given, model=broken, run="parallel", mode="parallel"))
    _fill_changed(runs)
    runs.fork("revised", 3, model=writer(seed=3), name="forked").write()


def _fill_cited(runs: Runs) -> None:
    """Runs with sources: two by the offline writer, which needs nothing handed over."""
    folder = ROOT / "examples" / "sources"
    texts = [(folder / name).read_text() for name in ("02-aqueducts.md", "05-water-loss.md")]
    given: dict[str, Any] = {
        "instruction": "Write 500 words about aqueducts and leaks.",
        "context": texts,
    }
    runs.start(given, model="offline", run="cited").write()
    given["length"] = 700
    _stopped(runs.start(given, model="offline", run="cited-half", budget=Budget(calls=2)))
    citing = FakeWriter(behavior=Citing(seed=1, sections=3))
    given = {"instruction": "Write 300 words about leaks.", "context": texts[1:]}
    runs.start(given, model=citing, run="cited-fake", grounded_only=True).write()


def _fill_changed(runs: Runs) -> None:
    """A Japanese run with a summary, in which people have changed whatever can be changed."""
    options: dict[str, Any] = {"memory": "summary", "memory_tokens": 300, "layout": "paper"}
    wish = "水について1800字で書いてください。"
    run = runs.start(wish, model=writer(sections=6, spread=0.2), run="changed", **options)
    run.write()
    run.amend(instruction="技術者のために水について書いてください。", length=2000, style="簡潔に")
    run.rewrite(3, "水は高い所から低い所へ流れる。人はそれを導いた。")
    made = run.plan
    assert made is not None
    made.sections[4].main_point = "雨と雪"
    run.edit(made)
    for number, _ in enumerate(run.follow(), 1):
        if number == 3:
            break


def _stopped(run: Run) -> None:
    with suppress(LongchainError, ValueError):
        run.write()
    assert run.record.status in ("stopped", "review"), run.record


# What becomes of them --------------------------------------------------------------------------


def continued(runs: Runs, name: str) -> dict[str, Any]:
    """Do with a run all that can be done, and return what comes of it."""
    record = runs.record(name)
    kept = {"status", "instruction", "title", "sections", "finished", "required", "length", "unit"}
    found: dict[str, Any] = {"record": record.model_dump(include=kept | {"usage", "options"})}
    found["before"] = parted(runs.get(name).document().model_dump())[0]
    model: dict[str, Any] = {} if record.model else {"model": writer(seed=7, vary=False)}
    budget: dict[str, Any] = {"budget": MORE} if record.options.get("budget") else {}
    run = runs.resume(name, **model, **budget)
    if run.reviewing():
        run.review()
    found["after"] = parted(run.write().model_dump())[0]
    run.revise(1, "shorter")
    found["revised"] = parted(run.write().model_dump())[0]
    other = runs.fork(name, 2, name=f"{name}-fork", **model)
    found["forked"] = parted(other.write().model_dump())[0]
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def names(runs: Runs) -> Iterator[str]:
    """The runs of a database, the first one first."""
    yield from reversed([record.id for record in runs.list()])


# Files -----------------------------------------------------------------------------------------


def make(folder: Path, name: str) -> None:
    """Write the files."""
    database = folder / f"{name}-runs.db"
    with tempfile.TemporaryDirectory() as own:
        state = Path(own) / "state"
        with Runs(state) as runs:
            fill(runs)
        tidy(state / "runs.db")
        shutil.copyfile(state / "runs.db", database)
        with Runs(state) as runs:
            found = {name: continued(runs, name) for name in names(runs)}
    save(found, folder / f"{name}-runs.json.gz")
    make_plans(folder, name)


def tidy(database: Path) -> None:
    """Take the machine's name out of a database, and what stands beside it into it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        rows = connection.execute("SELECT id, record FROM runs").fetchall()
        for run, text in rows:
            record = json.dumps({**json.loads(text), "holder": ""}, ensure_ascii=False)
            connection.execute("UPDATE runs SET record = ? WHERE id = ?", (record, run))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def make_plans(folder: Path, name: str) -> None:
    """Write the plan files."""
    from longchain.agent.planning import planfile

    for suffix in ("yaml", "json", "md"):
        planfile.save(BOOK, folder / f"{name}-plan.{suffix}")


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
