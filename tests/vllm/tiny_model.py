"""Where the tiny model is."""

from pathlib import Path

CHECKPOINT = Path(__file__).parents[2] / "examples" / "tiny_longwriter" / "checkpoint"
