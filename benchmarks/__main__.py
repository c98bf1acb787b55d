"""All benchmarks with moderate settings: `python -m benchmarks`, some ten minutes on two cores.

Each prints a Markdown table of what was measured side by side, and the promises that do not hold.
`python -m benchmarks vllm` runs those on a real vLLM instead, some fifteen minutes.
"""

from __future__ import annotations

import subprocess
import sys

RUNS = (
    ("Length control", ["length", "--seeds", "5"]),
    ("Prompt layouts", ["layouts"]),
    ("Memory", ["memory"]),
    ("Chaos", ["chaos", "--runs", "100"]),
    ("Durability", ["durability"]),
    ("Overhead", ["overhead"]),
)
"""A title, and the module with its arguments; the last one measures time, so nothing runs beside
it."""

ON_VLLM = (
    ("Prefix work on a real vLLM", ["prefix"]),
    ("Throughput on a real vLLM", ["throughput"]),
)
"""What needs a vLLM, and the tiny model: `make bench-vllm` has both."""


def main() -> int:
    """Run one after another, each in a process of its own; fail where a benchmark crashes."""
    failed, more = 0, sys.argv[1:]
    runs = ON_VLLM if more[:1] == ["vllm"] else RUNS
    for title, (module, *arguments) in runs:
        print(f"\n## {title}\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
        command += more[1:] if runs is ON_VLLM else more
        failed |= subprocess.run(command, check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
