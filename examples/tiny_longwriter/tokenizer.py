"""texts -> a tokenizer with whole words and whole numbers, and its chat template.

Byte-level BPE, so that any text encodes. Words of the toy language and numbers up to 2,000 are
one token each, whatever the merges say (`ignore_merges`). Text splits before it is merged, and no
token crosses such an edge; so what the model writes tokenizes back to the same ids.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import regex
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ("<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
PAD, SYSTEM, USER, ASSISTANT, END = range(5)
ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}

NUMBERS = (*range(2001), *range(2050, 5001, 50))
"""Whole tokens."""

MERGES = 700
"""Merges for what is no known word."""

OFTEN = 4
"""How often a word must occur to become a token."""

SPLIT = r" ?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]|\n+|\s"

TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{{- '<|assistant|>' -}}"
    "{%- generation -%}{{- message['content'] + '<|end|>' -}}{%- endgeneration -%}"
    "{%- elif message['role'] in ('system', 'developer') -%}"
    "{{- '<|system|>' + message['content'] + '<|end|>' -}}"
    "{%- else -%}"
    "{{- '<|user|>' + message['content'] + '<|end|>' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def build(texts: Iterable[str]) -> Any:
    """Return a tokenizer for texts of the toy language."""
    texts = list(texts)
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(SPECIAL) + 256 + MERGES,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    made = json.loads(tokenizer.to_str())
    vocabulary: dict[str, int] = made["model"]["vocab"]
    for token in (*map(str, NUMBERS), *_words(texts)):
        vocabulary.setdefault(token, len(vocabulary))
    made["model"]["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(made))


def _words(texts: list[str]) -> list[str]:
    """Return the frequent pieces of text as byte-level tokens, in a fixed order."""
    counts = Counter(piece for text in texts for piece in regex.findall(SPLIT, text))
    words = [word for word, count in counts.items() if count >= OFTEN and word.isascii()]
    kept = [word for word in words if not any(map(str.isdigit, word))]
    return sorted(word.replace(" ", "Ġ").replace("\n", "Ċ") for word in kept)


def save(tokenizer: Any, folder: Path, window: int) -> None:
    """Write the tokenizer's two files."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": SPECIAL[END],
        "pad_token": SPECIAL[PAD],
        "model_max_length": window,
        "clean_up_tokenization_spaces": False,
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def load(folder: Path) -> Any:
    """Read the tokenizer of a folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def encode(tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    """Return the ids of a request: the chat template's, up to where the reply begins."""
    ids: list[int] = []
    for message in messages:
        text = tokenizer.encode(message["content"], add_special_tokens=False).ids
        ids += [ROLES[message["role"]], *text, END]
    return [*ids, ASSISTANT]
