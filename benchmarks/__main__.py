"""All benchmarks with moderate settings: `python -m benchmarks`, some ten minutes on two cores.

Each prints a Markdown table of what was measured side by side, and the promises that do not hold.
"""

from __future__ import annotations

import subprocess
import sys

RUNS = (
    ("Length control", ["length", "--seeds", "5"]),
    ("Prompt layouts", ["layouts"]),
    ("Memory", ["memory"]),
    ("Overhead", ["overhead"]),
)
"""A title, and the module with its arguments; the last one measures time, so nothing runs beside
it."""


def main() -> int:
    """Run one after another, each in a process of its own; fail where a benchmark crashes."""
    failed = 0
    for title, (module, *arguments) in RUNS:
        print(f"\n## {title}\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{module}", *arguments, *sys.argv[1:]]
        failed |= subprocess.run(command, check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
