"""The tiny LongWriter that is shipped: complete, small, and open about what it is."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "tiny_longwriter" / "checkpoint"
WINDOW = 16_384


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def header() -> dict[str, Any]:
    """What the weights' file says of its tensors."""
    with (FOLDER / "model.safetensors").open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        made: dict[str, Any] = json.loads(file.read(size))
    made.pop("__metadata__", None)
    return made


def test_the_checkpoint_is_complete_and_small() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "evaluation.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 8_000_000


def test_it_is_a_llama_with_a_long_window() -> None:
    config = read("config.json")
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] == WINDOW
    assert config["tie_word_embeddings"]
    assert read("tokenizer_config.json")["model_max_length"] == WINDOW


def test_its_weights_are_what_the_configuration_says() -> None:
    config, tensors = read("config.json"), header()
    assert {tensor["dtype"] for tensor in tensors.values()} == {"BF16"}
    table = tensors["model.embed_tokens.weight"]["shape"]
    assert table == [config["vocab_size"], config["hidden_size"]]
    layers = {name.split(".")[2] for name in tensors if ".layers." in name}
    assert len(layers) == config["num_hidden_layers"]


def test_words_numbers_and_ends_of_turns_are_tokens() -> None:
    vocabulary = read("tokenizer.json")["model"]["vocab"]
    assert len(set(vocabulary.values())) == read("config.json")["vocab_size"]
    assert all(str(number) in vocabulary for number in range(2001))
    assert vocabulary["<|end|>"] == read("generation_config.json")["eos_token_id"]
    assert read("tokenizer.json")["model"]["ignore_merges"]


@pytest.mark.parametrize("kind", ["plans", "plans, JSON"])
def test_its_own_figures_say_that_its_plans_add_up(kind: str) -> None:
    assert read("evaluation.json")[kind]["add_up"] >= 0.9


def test_its_own_figures_say_that_it_keeps_to_lengths_and_ends() -> None:
    figures = read("evaluation.json")
    assert figures["all_lengths"]["score"] >= 85
    assert all(figure["prompts"] >= 40 for figure in figures["lengths"].values())
    assert figures["texts"]["ended"] >= 0.99


def test_it_says_what_it_is() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "A test model that writes toy sentences" in card
    assert f"--seed {read('training.json')['seed']} " in card
