"""LongWriter models, and any other on a vLLM server, as a LangChain chat model.

messages -> a reply of any length, over one request or several, and what it took

- `presets`, `formats`: how the published models want to be asked
- `fields`: which request fields a server knows
- `reply`, `thinking`: a reply on its way
- `failures`: what went wrong, in one sentence
- `served`: what a model and its server know of each other
- `model`: `LongWriterLLM`
"""

from longchain.models.longwriter.formats import Format
from longchain.models.longwriter.model import LongWriterLLM
from longchain.models.longwriter.presets import Preset, preset

__all__ = ["Format", "LongWriterLLM", "Preset", "preset"]
