"""Messages -> prompt text, for models whose tokenizer has no chat template, or the wrong one.

OpenAI's message dictionaries -> one string that the model goes on from

A format is what a model was trained on, to the letter; only the opening of `zero` is our own
words. A last message of the assistant stays open, so that a cut reply is gone on with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from longchain.errors import InputError

Format = Literal["chat", "inst", "alpaca", "zero"]
"""How messages become a prompt: `chat` leaves it to the server's chat template."""

_SIGNATURE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
"""Kana or Han: the Japanese form of `alpaca`."""

_ALPACA = {
    "en": (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.",
        "### Instruction:",
        "### Response:",
    ),
    "ja": (
        "以下は、タスクを説明する指示です。要求を適切に満たす応答を書きなさい。",
        "### 指示:",
        "### 応答:",
    ),
}
"""Opening and headings that the Alpaca models and their Japanese kin were trained on.

Source: Stanford Alpaca's prompt without an input, and its translation as used for open-calm.
"""

_ZERO = {
    "en": (
        "A user gives a writing task and an assistant carries it out. The assistant first plans "
        "inside of <think> </think>: structure, audience, tone, what may be unclear, and how long "
        "each part should be. Then it gives the finished text inside of <answer> </answer>."
    ),
    "zh": (
        "用户提出写作任务，助手完成它。助手先在<think> </think>中规划：结构、读者、语气、可能"
        "含糊之处以及各部分的长度；然后在<answer> </answer>中给出完成的作品。"
    ),
}
_ZERO_ROLES = {"en": ("<|user|>:", "<|assistant|>:"), "zh": ("<|用户|>:", "<|助手|>:")}

STOP: dict[Format, tuple[str, ...]] = {
    "chat": (),
    "inst": ("[INST]",),
    "alpaca": ("\n### Instruction:", "\n### 指示:"),
    "zero": ("</answer>", "<|user|>", "<|用户|>", "<|endoftext|>"),
}
"""Where a reply ends though the model goes on: it begins to speak for the user."""


def render(messages: Sequence[Mapping[str, Any]], form: Format) -> str:
    """Return the prompt of a conversation.

    Args:
        messages: Messages as OpenAI's interface has them: `role` and `content`, text only.
        form: Any format but `chat`.

    Raises:
        InputError: A message is no text, or of a role that the format does not know.
    """
    turns = [(str(message["role"]), _text(message, form)) for message in messages]
    system = "\n\n".join(text for role, text in turns if role == "system")
    spoken = [(role, text) for role, text in turns if role != "system"]
    first = next((text for role, text in spoken if role == "user"), "")
    return {"inst": _inst, "alpaca": _alpaca, "zero": _zero}[form](system, spoken, first)


def _text(message: Mapping[str, Any], form: Format) -> str:
    role, content = message["role"], message.get("content") or ""
    if role not in ("system", "user", "assistant"):
        raise InputError(f"the prompt format {form!r} has no place for a message of role {role!r}")
    if isinstance(content, str):
        return content
    kinds = {block.get("type") for block in content} - {"text"}
    if kinds:
        raise InputError(f"the prompt format {form!r} takes text only, not {sorted(kinds)}")
    return "".join(block["text"] for block in content)


def _inst(system: str, spoken: list[tuple[str, str]], first: str) -> str:
    """`[INST]…[/INST]`, as LongWriter-llama3.1-8b was trained; see `train/pre_tokenize_llama3.py`.

    Of THUDM/LongWriter. The tokenizer puts its token for the beginning before it.
    """
    opening = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system else ""
    return opening + "".join(
        f"[INST]{text}[/INST]" if role == "user" else text for role, text in spoken
    )


def _alpaca(system: str, spoken: list[tuple[str, str]], first: str) -> str:
    opening, instruction, response = _ALPACA["ja" if _SIGNATURE.search(first) else "en"]
    parts = [system or opening]
    for role, text in spoken:
        if role == "user":
            parts += [f"\n\n{instruction}\n{text}\n\n{response}\n"]
        else:
            parts += [text]
    return "".join(parts)


def _zero(system: str, spoken: list[tuple[str, str]], first: str) -> str:
    """The frame of LongWriter-Zero, arXiv 2506.18841: a system message replaces its opening."""
    language = "zh" if _SIGNATURE.search(first) else "en"
    user, assistant = _ZERO_ROLES[language]
    return (system or _ZERO[language]) + "".join(
        f" {user} {text} {assistant}" if role == "user" else text for role, text in spoken
    )
