"""Prompt formats, to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from longchain.errors import InputError
from longchain.models.longwriter.presets import ALPACA, LLAMA, Preset, preset
from longchain.models.longwriter.prompt_formats import render

USER = {"role": "user", "content": "Name a port."}
REPLY = {"role": "assistant", "content": "Rotterdam."}
AGAIN = {"role": "user", "content": "Another."}
SYSTEM = {"role": "system", "content": "Be brief."}
JAPANESE = {"role": "user", "content": "港を一つ挙げてください。"}


@pytest.mark.parametrize(
    ("form", "messages", "prompt"),
    [
        ("inst", [USER], "[INST]Name a port.[/INST]"),
        (
            "inst",
            [SYSTEM, USER, REPLY, AGAIN],
            "<<SYS>>\nBe brief.\n<</SYS>>\n\n"
            "[INST]Name a port.[/INST]Rotterdam.[INST]Another.[/INST]",
        ),
        (
            "alpaca",
            [USER],
            "Below is an instruction that describes a task. Write a response that appropriately "
            "completes the request.\n\n### Instruction:\nName a port.\n\n### Response:\n",
        ),
        (
            "alpaca",
            [JAPANESE],
            "以下は、タスクを説明する指示です。要求を適切に満たす応答を書きなさい。\n\n"
            "### 指示:\n港を一つ挙げてください。\n\n### 応答:\n",
        ),
        (
            "alpaca",
            [SYSTEM, USER, REPLY],
            "Be brief.\n\n### Instruction:\nName a port.\n\n### Response:\nRotterdam.",
        ),
        ("zero", [SYSTEM, USER], "Be brief. <|user|>: Name a port. <|assistant|>:"),
    ],
)
def test_a_conversation_becomes_a_prompt(
    form: Any, messages: list[dict[str, str]], prompt: str
) -> None:
    assert render(messages, form) == prompt


def test_zero_thinks_in_the_language_of_the_task() -> None:
    assert render([USER], "zero").startswith("A user gives a writing task")
    assert render([JAPANESE], "zero").endswith("<|用户|>: 港を一つ挙げてください。 <|助手|>:")


def test_blocks_of_text_are_text() -> None:
    blocks = [{"type": "text", "text": "Name "}, {"type": "text", "text": "a port."}]
    assert render([{"role": "user", "content": blocks}], "inst") == "[INST]Name a port.[/INST]"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"role": "tool", "content": "7"}, "no place for a message of role 'tool'"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "takes text only, not"),
    ],
)
def test_other_messages_are_refused(message: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        render([message], "alpaca")


def test_a_chosen_format_brings_its_preset() -> None:
    assert preset("my-model", "alpaca") == ALPACA
    assert preset("my-model", "chat") == Preset()
    assert preset("LongWriter-glm4-9b", "inst") == LLAMA
