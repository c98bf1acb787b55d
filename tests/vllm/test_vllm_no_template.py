"""A model without a chat template, with LoRA adapters, on a real vLLM; and how its end is told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelConnectionError, ModelInvalidRequestError

from longchain.models.longwriter import LongWriterLLM
from tests.vllm.tiny_model import CHECKPOINT

ASKED = "Write 50 words about the harbor."
ADAPTER = """
import json, sys, torch
from pathlib import Path
from safetensors.torch import save_file
folder, scale = Path(sys.argv[1]), float(sys.argv[2])
config = json.loads(Path(sys.argv[3], "config.json").read_text())
size, modules = config["hidden_size"], ["q_proj", "v_proj"]
torch.manual_seed(0)
weights = {}
for layer in range(config["num_hidden_layers"]):
    for module in modules:
        name = f"base_model.model.model.layers.{layer}.self_attn.{module}.lora_"
        weights[f"{name}A.weight"] = torch.randn(8, size)
        weights[f"{name}B.weight"] = torch.randn(size, 8) * scale
folder.mkdir()
save_file(weights, folder / "adapter_model.safetensors")
about = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8, "lora_alpha": 8, "bias": "none"}
about |= {"target_modules": modules, "base_model_name_or_path": sys.argv[3]}
(folder / "adapter_config.json").write_text(json.dumps(about))
"""


def adapter(folder: Path, scale: float) -> Path:
    """An adapter of random weights; of scale 0 it changes nothing."""
    command = [os.environ["LONGCHAIN_VLLM_PYTHON"], "-c", ADAPTER, str(folder), str(scale)]
    subprocess.run([*command, str(CHECKPOINT)], check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongWriterLLM]:
    """The tiny model under the name of a kind that has no chat template, and without one."""
    folder = tmp_path_factory.mktemp("models")
    model = shutil.copytree(CHECKPOINT, folder / "open-calm-tiny")
    (model / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((model / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    lora = {"nothing": adapter(folder / "nothing", 0), "something": adapter(folder / "some", 0.3)}
    with LongWriterLLM.serve(model, lora=lora, max_retries=1) as llm:
        yield llm


def of(llm: LongWriterLLM, **given: Any) -> LongWriterLLM:
    """The same model, asked otherwise."""
    return LongWriterLLM(model=llm.model_name, base_url=llm.openai_api_base, **given)


def test_the_name_brings_the_format(bare: LongWriterLLM) -> None:
    assert (bare.form, bare.temperature, bare.top_k) == ("alpaca", 0.7, 40)
    assert bare.invoke(ASKED, max_tokens=60).text
    uncut = of(bare, temperature=0).invoke(ASKED, max_tokens=90)
    cut = of(bare, temperature=0, request_tokens=17).invoke(ASKED, max_tokens=90)
    assert uncut.text.startswith(cut.text[:200])


def test_a_chat_without_template_is_told(bare: LongWriterLLM) -> None:
    with pytest.raises(ModelInvalidRequestError, match="has no chat template: name a prompt"):
        of(bare, prompt_format="chat").invoke(ASKED)


def test_adapters_are_used_by_name(bare: LongWriterLLM) -> None:
    def greedy(lora: str | None) -> str:
        return of(bare, lora=lora, temperature=0).invoke(ASKED, max_tokens=60).text

    assert greedy("nothing") == greedy(None) != greedy("something")
    assert of(bare, lora="something").ask_profile()["max_input_tokens"] == 16_384


def test_a_killed_server_is_told_in_seconds(bare: LongWriterLLM) -> None:
    server = bare._server
    assert server is not None
    threading.Timer(1.0, os.kill, (server.pid, signal.SIGKILL)).start()
    began = time.monotonic()
    with pytest.raises(ModelConnectionError, match="ended with code -9"):
        bare.invoke(ASKED, max_tokens=15_000, min_tokens=15_000)
    with pytest.raises(ModelConnectionError, match="ended with code -9"):
        bare.invoke(ASKED)
    assert time.monotonic() - began < 20
