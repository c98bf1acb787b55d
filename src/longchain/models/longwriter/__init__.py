"""LongWriter models, and any other on a vLLM server, as a LangChain chat model.

messages -> a reply of any length, from one request or several, with its usage

- `presets`, `prompt_formats`: prompt format, sampling and limits of the published models
- `defaults`, `request_fields`: the arguments of a model and of a request
- `reply`, `thinking`, `continuation`: a reply that takes several requests
- `error_translation`: errors, each in one sentence
- `vllm_model`: a model's fields, profile and token counts
- `model`: `LongWriterLLM`
- `model_server`: `LongWriterLLM.serve()`
"""

from longchain.models.longwriter.model import LongWriterLLM
from longchain.models.longwriter.presets import Preset, preset
from longchain.models.longwriter.prompt_formats import Format

__all__ = ["Format", "LongWriterLLM", "Preset", "preset"]
