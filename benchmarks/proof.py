"""Full counts that are too long for the tests: `python -m benchmarks.proof PART [--fresh]`.

a part -> its steps, each a command of its own -> `out/proof/PART/STEP.log` and `STEP.ok`

A step that has passed leaves `STEP.ok`, with the commit it passed on, and is skipped from then on:
run the same command again to go on after an interruption or a failure. `--fresh` begins anew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "out" / "proof"

MAX_SECONDS = 3_600
"""Seconds after which a step has failed: what takes longer has to be split into steps."""

SHOWN_LINES = 20
"""Last lines of its log that are printed for a step that failed."""

Steps = dict[str, list[str]]
"""The name of each step, and its arguments to Python."""

HOUSE: Steps = {
    "structure": ["-m", "pytest", "tests/test_structure.py", "tests/test_public.py"],
    "recorded": ["-m", "tests.recorded.record", "--check", "tests/recorded/21eec33.json.gz"],
    "recorded-runs": ["-m", "pytest", "tests/recorded"],
    "layouts": ["-m", "benchmarks.layouts", "--check"],
    "memory": ["-m", "benchmarks.memory", "--check"],
    "length": ["-m", "benchmarks.length", "--seeds", "20", "--check"],
    "longbench": ["-m", "benchmarks.longbench", "--check"],
    "durability": ["-m", "benchmarks.durability", "--store", "both", "--check"],
    "chaos-sqlite": ["-m", "benchmarks.chaos", "--runs", "200", "--store", "sqlite", "--check"],
    "chaos-postgres": ["-m", "benchmarks.chaos", "--runs", "200", "--store", "postgres", "--check"],
    # Measures time: last, so that nothing of this proof runs beside it.
    "overhead": ["-m", "benchmarks.overhead", "--check"],
}
"""Proof that a change of names and structure has changed no behavior."""

PARTS: dict[str, Steps] = {"house": HOUSE}


def main() -> int:
    """Run the steps of a part that have not passed yet; fail if one of them does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--fresh", action="store_true", help="run steps that have passed, too")
    options = parser.parse_args()
    folder = OUTPUT / options.part
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    steps = PARTS[options.part]
    failed = [name for name in steps if not run_step(name, steps[name], folder)]
    if failed:
        print(f"proof {options.part}: failed: {', '.join(failed)}")
        return 1
    print(f"proof {options.part}: all {len(steps)} steps have passed")
    return 0


def run_step(name: str, arguments: list[str], folder: Path) -> bool:
    """Run a step unless it has passed already; return whether it has passed."""
    stamp, log = folder / f"{name}.ok", folder / f"{name}.log"
    if stamp.exists():
        print(f"step {name}: {stamp.read_text(encoding='utf-8').strip()}, skipped")
        return True
    print(f"step {name}: python {' '.join(arguments)}", flush=True)
    start = time.monotonic()
    with log.open("wb") as output:
        problem = execute([sys.executable, *arguments], output.fileno())
    seconds = time.monotonic() - start
    if problem:
        print(f"step {name}: {problem} after {seconds:.0f} s; the end of {log}:")
        print("\n".join(last_lines(log)), flush=True)
        return False
    stamp.write_text(f"passed on {commit()} in {seconds:.0f} s\n", encoding="utf-8")
    print(f"step {name}: {seconds:.0f} s", flush=True)
    return True


def execute(command: list[str], output: int) -> str:
    """Run a command in a process group of its own; return what went wrong, or nothing."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        status = process.wait(MAX_SECONDS)
        return f"exit status {status}" if status else ""
    except subprocess.TimeoutExpired:
        return "stopped"
    finally:
        if process.poll() is None:  # out of time, or Ctrl-C: its workers end with it
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def last_lines(log: Path) -> list[str]:
    """Return the end of a log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:]


def commit() -> str:
    """Return the commit that is checked out, marked `+` if files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True
    )
    return described.stdout.strip() or "unknown commit"


if __name__ == "__main__":
    sys.exit(main())
