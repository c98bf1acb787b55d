from __future__ import annotations

import pytest

from longchain.prose.reasoning import extract_answer, strip_reasoning

PROSE = "It rained. The ships stayed."


@pytest.mark.parametrize(
    "reply",
    [
        PROSE,
        f"<think>Hm.</think>{PROSE}",
        f"<analysis>a</analysis>[THINK]b[/THINK]{PROSE}",
        f"Hm.</think>{PROSE}",
        f"{PROSE}<think>And now",
        f"{PROSE}<reasoning>Hm.</REASONING>",
        f"<|channel|>analysis<|message|>Hm.<|end|><|channel|>final<|message|>{PROSE}",
    ],
)
def test_the_answer_is_what_stands_outside_the_reasoning(reply: str) -> None:
    assert extract_answer(reply) == PROSE


@pytest.mark.parametrize("reply", ["", "<think>Hm.", "<think>Hm.</think>", "Hm.</think>"])
def test_a_reply_of_reasoning_has_no_answer(reply: str) -> None:
    assert extract_answer(reply) == ""


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>a</think>\n<think>b</think>{PROSE}",
        f"[THINK]a[/THINK]{PROSE}",
        "It rained.\n<think>a</think>\n\n  <THINK>b\n</think>\n The ships stayed.",
        f"a</think> b</think>{PROSE}",
    ],
)
def test_reasoning_leaves_prose(reply: str) -> None:
    assert strip_reasoning(reply, reply).replace("\n", "") == PROSE


@pytest.mark.parametrize(
    "prose",
    [
        PROSE,
        "The model closes with the </think> tag. Then it answers.",
        "Write `</think>` and go on.",
        "It opens with\n<think> and a thought.",
    ],
)
def test_prose_may_speak_of_the_tags(prose: str) -> None:
    assert strip_reasoning(prose, prose) == prose


def test_tags_in_code_stay() -> None:
    prose = "Look:\n```\n<think>a</think>\n```\nDone."
    assert strip_reasoning(prose, prose.replace("<think>a</think>", "\0" * 16)) == prose


@pytest.mark.parametrize("piece", ["<think>a</think>\n", "x\n<think>y", "x\n<think>a</think>\n"])
def test_much_reasoning_comes_to_an_end(piece: str) -> None:
    # Quadratic in its length, it would take longer than any test may.
    reply = piece * (1_000_000 // len(piece)) + PROSE
    assert strip_reasoning(reply, reply).endswith(PROSE)
