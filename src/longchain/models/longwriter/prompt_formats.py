"""Prompt formats of models whose tokenizer has no chat template, or the wrong one.

OpenAI's message dictionaries -> one prompt, which the model continues

A format is exactly what a model was trained on; only the opening of `zero` is in our own words. A
last message of the assistant stays open, so that the model continues it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from longchain.errors import InputError

Format = Literal["chat", "inst", "alpaca", "zero"]
"""Names of the formats; `chat` leaves the prompt to the server's chat template."""

_KANA_OR_HAN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
"""Characters that choose the Japanese form of `alpaca` and the Chinese one of `zero`."""

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
"""Opening and headings that the English and Japanese Alpaca models were trained on.

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
"""Strings that end a reply: the model has begun to write the user's next message."""

Turns = list[tuple[str, str]]
"""Role and text of each message of the user and the assistant."""


def render(messages: Sequence[Mapping[str, Any]], form: Format) -> str:
    """Return the prompt for a conversation.

    Args:
        messages: Messages as OpenAI's interface has them: `role` and `content`, text only.
        form: Any format but `chat`.

    Raises:
        InputError: A message is not text, or its role has no place in the format.
    """
    system_texts: list[str] = []
    turns: Turns = []
    for message in messages:
        role, text = str(message["role"]), _text(message, form)
        if role == "system":
            system_texts.append(text)
        else:
            turns.append((role, text))
    return _RENDERERS[form]("\n\n".join(system_texts), turns)


def _text(message: Mapping[str, Any], form: Format) -> str:
    """Return the text of a message."""
    role, content = message["role"], message.get("content") or ""
    if role not in ("system", "user", "assistant"):
        raise InputError(f"the prompt format {form!r} has no place for a message of role {role!r}")
    if isinstance(content, str):
        return content
    other_kinds = {block.get("type") for block in content} - {"text"}
    if other_kinds:
        raise InputError(f"the prompt format {form!r} takes text only, not {sorted(other_kinds)}")
    return "".join(block["text"] for block in content)


def _is_east_asian(turns: Turns) -> bool:
    """Return whether the user's first message has kana or Han."""
    first = next((text for role, text in turns if role == "user"), "")
    return _KANA_OR_HAN.search(first) is not None


def _inst(system: str, turns: Turns) -> str:
    """Return `[INST]…[/INST]`, as LongWriter-llama3.1-8b was trained.

    Source: `train/pre_tokenize_llama3.py` of THUDM/LongWriter. The tokenizer puts its token for
    the beginning before it.
    """
    prompt = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system else ""
    for role, text in turns:
        prompt += f"[INST]{text}[/INST]" if role == "user" else text
    return prompt


def _alpaca(system: str, turns: Turns) -> str:
    """Return the headings of Alpaca; a system message replaces the opening."""
    language = "ja" if _is_east_asian(turns) else "en"
    opening, instruction, response = _ALPACA[language]
    prompt = system or opening
    for role, text in turns:
        if role == "user":
            prompt += f"\n\n{instruction}\n{text}\n\n{response}\n"
        else:
            prompt += text
    return prompt


def _zero(system: str, turns: Turns) -> str:
    """Return the frame of LongWriter-Zero; a system message replaces the opening.

    Source: arXiv 2506.18841.
    """
    language = "zh" if _is_east_asian(turns) else "en"
    user, assistant = _ZERO_ROLES[language]
    prompt = system or _ZERO[language]
    for role, text in turns:
        prompt += f" {user} {text} {assistant}" if role == "user" else text
    return prompt


_RENDERERS: dict[Format, Callable[[str, Turns], str]] = {
    "inst": _inst,
    "alpaca": _alpaca,
    "zero": _zero,
}
