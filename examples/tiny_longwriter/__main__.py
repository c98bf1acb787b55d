"""The command line: train a checkpoint, measure one, or ship the best of several.

python -m examples.tiny_longwriter --seed 1 -o out/tiny
python -m examples.tiny_longwriter evaluate out/tiny
python -m examples.tiny_longwriter card out/tiny out/other
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    """Train, or evaluate where that is the first word."""
    words = sys.argv[1:]
    if words[:1] == ["evaluate"]:
        from . import evaluate

        return evaluate.main(words[1:])
    if words[:1] == ["card"]:
        from . import card

        return card.main(words[1:])
    parser = argparse.ArgumentParser(description="Train a tiny LongWriter from scratch.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the corpus; less for a try")
    given = parser.parse_args(words)
    from .train import train

    print(train(given.seed, given.output, share=given.share))
    return None


if __name__ == "__main__":
    main()
