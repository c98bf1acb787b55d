"""Chaos: runs that are killed at any moment, and what is lost.

Each run writes a document of 12 sections on a simulated server and is killed by `kill -9`, some
twice: at a random moment, from its first second on, or at a commit of its database (before it, in
the middle of it, right after it). Then it is resumed. Counted are the calls beyond those that the
same document takes undisturbed, and compared is its text.

With a fault mix the server also refuses, fails, hangs up and answers badly; then no text is
compared (a call that is sent again may be answered otherwise), but nothing bad may stand in it.

    python -m benchmarks.chaos [--runs 200] [--store sqlite|postgres|both] [--check]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_openai import ChatOpenAI

from benchmarks.cluster import cluster
from longchain import AgentWriteChain, Runs
from longchain.prose.boilerplate import is_error
from longchain.prose.loops import loop_start
from longchain.prose.repetition import duplicate_sentences
from longchain.runs.location import locate_store
from longchain.runs.store import Store
from longchain.testing import Faults, LengthBehavior, SimulatedServer

SECTIONS = 12
LENGTH = 5_200
AT_ONCE = 3
"""Runs under way on two cores: a run also waits for its server and its disk."""
TWICE = 0.25
"""The share of runs that are killed twice."""
FIRST_SECOND = 0.2
"""The share of kills that come before a run can have begun to write."""
AT_COMMIT = 0.4
"""The share of kills at a commit."""
MIX = {
    "rate_limit": 0.10, "error": 0.05, "drop": 0.03, "empty": 0.03, "cut": 0.03, "loop": 0.02,
    "half_plan": 0.02, "retry_after": 0.05,
}  # fmt: skip
"""What goes wrong with the requests of the fault mix; a pause is short, or it would be all."""
LABELS = ("Paragraph ", "Main Point:", "Word Count:", "<section>", "<text>", "Error", "429", "500")


def instruction(number: int) -> str:
    """Return what run `number` writes; its number keeps its requests apart from the others'."""
    return f"Write a {LENGTH}-word guide to port {number} of the river."


class CountingServer(SimulatedServer):
    """A simulated server that says at `/metrics` how many requests each port's guide took."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.taken: Counter[str] = Counter()

    async def _chat(self, body: dict[str, Any], connection: Any) -> None:
        first = str(body["messages"][0]["content"])
        self.taken[first.partition(" guide to port ")[2].partition(" ")[0]] += 1
        await super()._chat(body, connection)

    def _metrics(self) -> str:
        return json.dumps({"taken": self.taken, "faults": self.stats.faults})


def serve(faults: bool) -> None:
    """Serve until standard input closes; a process of its own, since runs are forked."""
    mix = Faults(**MIX, seed=7) if faults else None  # type: ignore[arg-type]
    # The same request is answered alike each time: what a kill changes is then seen in the text.
    behavior = LengthBehavior(spread=0.2, vary=faults)
    with CountingServer(behavior=behavior, faults=mix, latency=0.002) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


@contextmanager
def serving(faults: bool) -> Iterator[str]:
    """Run a server in a process of its own; yield its address."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.chaos",
        "--serve",
        *(["--faults"] if faults else []),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        assert process.stdin is not None
        process.stdin.close()


def told(base_url: str) -> dict[str, Any]:
    """Return what the server has counted."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/metrics") as answer:
        return dict(json.load(answer))


def model_at(base_url: str) -> ChatOpenAI:
    """Return the model, whose client does not try again by itself."""
    return ChatOpenAI(model="simulated", base_url=base_url, api_key="none", max_retries=0)  # type: ignore[arg-type]


# One run -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """When a run is killed: after so many seconds, or at its n-th commit."""

    seconds: float = 0.0
    commit: int = 0
    where: str = ""
    """`before`, `within` or `after` that commit."""


def write(where: str, base_url: str, number: int, kill: Kill | None) -> None:
    """Begin a run, or go on with it; what the forked process does."""
    with Runs(where) as runs:
        if kill and kill.commit:
            _arm(runs._store, kill)
        name = f"port-{number}"
        known = runs._store.load(name) is not None
        model = model_at(base_url)
        options: dict[str, Any] = {"model": model}
        run = (
            runs.resume(name, **options)
            if known
            else runs.start(instruction(number), run=name, **options)
        )
        run.chain.stages.policy.retries.__dict__["first"] = 0.02  # as short as the server's pauses
        run.write()


def _arm(store: Store, kill: Kill) -> None:
    """Have this process kill itself at one of its commits."""
    saver: Any = store.saver
    commits = 0

    def armed(commit: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal commits
            commits += 1
            due = commits == kill.commit
            if due and kill.where == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            if due and kill.where == "within" and hasattr(saver, "cursor"):
                _kill_within(saver)
            result = commit(*args, **kwargs)
            if due:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted

    for owner, name in ((saver, "put"), (saver, "put_writes"), (store, "save"), (store, "add")):
        setattr(owner, name, armed(getattr(owner, name)))


def _kill_within(saver: Any) -> None:
    """Have the next transaction of SQLite die when all is written and nothing is committed."""
    cursor = saver.cursor

    @contextmanager
    def dying(transaction: bool = True) -> Iterator[Any]:
        with cursor(transaction) as opened:
            yield opened
            os.kill(os.getpid(), signal.SIGKILL)

    saver.cursor = dying


# Many runs ---------------------------------------------------------------------------------------


@dataclass
class Task:
    """One run of the benchmark."""

    number: int
    kills: list[Kill]
    killed: int = 0
    attempts: int = 0
    failed: list[int] = field(default_factory=list)
    """Exit codes of attempts that ended by themselves, but not well."""


def plan_kills(count: int, seconds: float, chance: random.Random) -> list[Task]:
    """Return runs with the moments at which they are killed.

    Args:
        count: How many.
        seconds: How long a run takes undisturbed.
        chance: Draws the moments.
    """
    tasks = []
    for number in range(count):
        kills = []
        for _ in range(2 if chance.random() < TWICE else 1):
            drawn = chance.random()
            if drawn < AT_COMMIT:
                place_ = chance.choice(["before", "within", "after"])
                kills.append(Kill(commit=chance.randint(1, 3 * SECTIONS), where=place_))
            elif drawn < AT_COMMIT + FIRST_SECOND:
                kills.append(Kill(seconds=chance.uniform(0.0, 0.15 * seconds)))
            else:
                kills.append(Kill(seconds=chance.uniform(0.0, seconds)))
        tasks.append(Task(number, kills))
    return tasks


def disturb(where: str, base_url: str, tasks: list[Task]) -> None:
    """Run all tasks to their ends, killing them on the way, some at a time."""
    waiting, running = list(reversed(tasks)), dict[int, tuple[Task, Kill | None, float]]()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            task = waiting.pop()
            kill = task.kills[task.killed] if task.killed < len(task.kills) else None
            task.attempts += 1
            running[_forked(where, base_url, task.number, kill)] = (task, kill, time.monotonic())
        for pid, (task, kill, begun) in list(running.items()):
            if kill and kill.seconds and time.monotonic() - begun >= kill.seconds:
                os.kill(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del running[pid]
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGKILL:
                task.killed += 1
                waiting.append(task)
            elif code:
                task.failed.append(code)
                if len(task.failed) < 3:
                    waiting.append(task)
        time.sleep(0.002)


def _forked(where: str, base_url: str, number: int, kill: Kill | None) -> int:
    """Write in a fork, which has everything imported already; return its process."""
    pid = os.fork()
    if pid:
        return pid
    try:
        write(where, base_url, number, kill)
    except BaseException as error:
        print(f"port {number}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


# What became of them -----------------------------------------------------------------------------


@dataclass
class Outcome:
    """What the runs of one store came to."""

    runs: int = 0
    whole: int = 0
    """Runs that ended with every section exactly once and in order."""
    same: int = 0
    """Runs with the text of the undisturbed document."""
    kills: int = 0
    beyond: int = 0
    """Calls beyond the least possible, all runs together."""
    worst: int = 0
    """The most calls beyond the least possible that a run took, less one for each of its kills."""
    held: int = 0
    """Runs whose lock nobody has let go of."""
    bad: list[str] = field(default_factory=list)
    """What stands in a document and should not."""
    noted: Counter[str] = field(default_factory=Counter)
    """What the reports list."""
    seconds: float = 0.0


def judge(where: str, base_url: str, tasks: list[Task], taken: dict[str, int] | None) -> Outcome:
    """Look at every run.

    Args:
        where: The store.
        base_url: The server, asked once more for the undisturbed documents.
        tasks: What was done.
        taken: Requests by port; None where the server's answers vary, so nothing is compared.
    """
    found = Outcome(runs=len(tasks), kills=sum(task.killed for task in tasks))
    with Runs(where) as runs:
        for task in tasks:
            name = f"port-{task.number}"
            document = runs.get(name).document()
            found.whole += document.report["finished"] and _is_whole(document)
            found.held += runs.held(name)
            found.bad += [f"{name}: {said}" for said in _bad(document)]
            for section in document.sections:
                found.noted.update(note.partition(":")[0] for note in section.notes)
            if taken is None:
                continue
            chain = AgentWriteChain(model_at(base_url))
            undisturbed = chain.invoke(instruction(task.number))
            found.same += undisturbed["text"] == document.text
            beyond = taken[str(task.number)] - undisturbed["usage"]["calls"]
            found.beyond += beyond
            found.worst = max(found.worst, beyond - task.killed)
    return found


def _is_whole(document: Any) -> bool:
    """Whether each planned section stands in the text once, in order, with its heading."""
    text, at = document.text, 0
    for planned, section in zip(document.plan.sections, document.sections, strict=True):
        if section.heading != planned.heading or text.count(section.text) != 1:
            return False
        place_ = text.find(f"## {section.heading}\n\n{section.text}", at)
        if place_ < 0:
            return False
        at = place_ + len(section.text)
    return len(document.sections) == len(document.plan.sections)


def _bad(document: Any) -> list[str]:
    said = [label for label in LABELS if label in document.text]
    for number, section in enumerate(document.sections, 1):
        if is_error(section.text):
            said.append(f"an error in section {number}")
        if loop_start(section.text) is not None or len(duplicate_sentences(section.text)) > 2:
            said.append(f"a loop in section {number}")
    return said


def measure(where: str, runs: int, faults: bool, seed: int = 1) -> Outcome:
    """Kill and resume runs on one store, and say what became of them."""
    begun = time.monotonic()
    with serving(faults) as base_url:
        seconds = _undisturbed(where, base_url, faults)
        tasks = plan_kills(runs, seconds, random.Random(seed))
        disturb(where, base_url, tasks)
        taken = None if faults else told(base_url)["taken"]
        found = judge(where, base_url, tasks, taken)
    found.seconds = time.monotonic() - begun
    return found


def _undisturbed(where: str, base_url: str, faults: bool) -> float:
    """Return the seconds of a run that nobody kills, other runs beside it."""
    tasks = [Task(1_000_000 + number, []) for number in range(AT_ONCE)]
    begun = time.monotonic()
    disturb(where, base_url, tasks)
    return time.monotonic() - begun


def failures(name: str, found: Outcome, faults: bool) -> list[str]:
    """Return the promises that do not hold."""
    broken = [f"{name}: {said}" for said in found.bad]
    if found.whole != found.runs:
        broken.append(f"{name}: {found.runs - found.whole} of {found.runs} runs are not whole")
    if found.held:
        broken.append(f"{name}: {found.held} locks are left")
    if not faults:
        if found.same != found.runs:
            broken.append(f"{name}: {found.runs - found.same} texts differ from the undisturbed")
        if found.worst > 0:
            broken.append(f"{name}: a run took {found.worst} calls more than one for each kill")
    return broken


def rows(name: str, found: Outcome, faults: bool) -> str:
    """Return a row of the table."""
    compared = "-" if faults else f"{found.same}"
    beyond = "-" if faults else f"{found.beyond} ({found.beyond / max(found.kills, 1):.2f} a kill)"
    return (
        f"| {name} | {found.runs} | {found.kills} | {found.whole} | {compared} | {beyond} "
        f"| {found.held} | {found.seconds:.0f} |"
    )


def stores(chosen: str, scope: ExitStack) -> Iterator[tuple[str, str]]:
    """Yield the stores by name, each empty."""
    if chosen in ("sqlite", "both"):
        yield "SQLite", locate_store(Path(scope.enter_context(tempfile.TemporaryDirectory())))
    if chosen in ("postgres", "both"):
        yield "PostgreSQL", scope.enter_context(cluster())


def main() -> int:
    """Kill, resume, and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--store", choices=["sqlite", "postgres", "both"], default="sqlite")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--faults", action="store_true", help="only with the fault mix")
    parser.add_argument("--check", action="store_true", help="fail where a promise does not hold")
    given = parser.parse_args()
    if given.serve:
        serve(given.faults)
        return 0
    broken: list[str] = []
    print("| store | runs | kills | whole | same text | calls beyond | locks left | seconds |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    noted: Counter[str] = Counter()
    for faults in (True,) if given.faults else (False, True):
        with ExitStack() as scope:
            for name, where in stores(given.store, scope):
                label = f"{name}, fault mix" if faults else name
                found = measure(where, given.runs, faults)
                print(rows(label, found, faults), flush=True)
                broken += failures(label, found, faults)
                noted += found.noted if faults else Counter()
    print("\nThe reports of the fault mix list:")
    for note, count in noted.most_common():
        print(f"- {note}: {count}")
    for said in broken:
        print(f"BROKEN: {said}")
    return int(bool(broken) and given.check)


if __name__ == "__main__":
    sys.exit(main())
