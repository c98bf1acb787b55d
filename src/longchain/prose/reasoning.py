"""Separates a model's reasoning from its answer.

reply -> answer; prose -> prose without reasoning

Knows the tags and the channel with which models mark their reasoning; does not know the request.
"""

from __future__ import annotations

import re
from bisect import bisect_left

_NAMES = r"think|thinking|thought|reasoning|analysis"
_TAG = re.compile(rf"<(?P<end>/)?(?:{_NAMES})>|(?-i:\[(?P<close>/)?THINK\])", re.IGNORECASE)
_OPENING_AT_START = re.compile(rf"\s*(?:<({_NAMES})>|(?-i:\[(THINK)\]))", re.IGNORECASE)
_BLOCK_OPENING = re.compile(rf"^[ \t]*<({_NAMES})>", re.IGNORECASE | re.MULTILINE)
_BLOCK_CLOSING = re.compile(rf"</({_NAMES})>[ \t]*$\n*", re.IGNORECASE | re.MULTILINE)
_CLOSING_TAG = rf"(?:</(?:{_NAMES})>|(?-i:\[/THINK\]))"
# Not if prose mentions the tag: `the </think> tag`.
_LATE_CLOSING = re.compile(
    rf"(?<![`\"'“‘(])(?:(?<!\w[ ]){_CLOSING_TAG}|{_CLOSING_TAG}(?=\s*(?:\n|\Z)))", re.IGNORECASE
)
_FINAL_CHANNEL = "<|channel|>final<|message|>"


def extract_answer(reply: str) -> str:
    """Return a reply without its reasoning, even if only one of two tags is there.

    Every tag counts, wherever it is: this is for replies that are data, such as a plan.
    """
    text = reply.rpartition(_FINAL_CHANNEL)[2]
    parts: list[str] = []
    begin, is_reasoning = 0, False
    for tag in _TAG.finditer(text):
        if tag["end"] or tag["close"]:
            if not is_reasoning:
                parts = []  # the reasoning began without a tag
            begin, is_reasoning = tag.end(), False
        elif not is_reasoning:
            parts.append(text[begin : tag.start()])
            is_reasoning = True
    if not is_reasoning:
        parts.append(text[begin:])
    return "".join(parts)


def strip_reasoning(prose: str, visible: str) -> str:
    """Return prose without reasoning; the result may begin with more of it.

    Prose may mention the tags: one counts at the beginning, on a line of its own, or if it
    closes what was never opened.

    Args:
        prose: The reply.
        visible: The reply with its code blanked out, character for character.
    """
    if "<" not in prose and "[" not in prose:
        return prose  # most replies have no tag and need no search
    if _FINAL_CHANNEL in prose:
        return prose.rpartition(_FINAL_CHANNEL)[2]
    if begin := _leading_reasoning_end(prose):
        return prose[begin:]
    if blocks := _find_blocks(visible):
        return _without_blocks(prose, blocks)
    closings = list(_LATE_CLOSING.finditer(visible))
    return prose[closings[-1].end() :] if closings else prose


def _leading_reasoning_end(prose: str) -> int:
    """Return where the reasoning at the beginning of prose ends; 0 if there is none."""
    end = 0
    while opening := _OPENING_AT_START.match(prose, end):
        name = opening[1] or opening[2]
        closing = re.compile(rf"[<\[]/{name}[>\]]", re.IGNORECASE).search(prose, opening.end())
        end = closing.end() if closing else len(prose)
    return end


def _find_blocks(visible: str) -> list[tuple[int, int]]:
    """Return the begin and end of each block of reasoning on lines of its own."""
    closings: dict[str, list[re.Match[str]]] = {}
    for closing in _BLOCK_CLOSING.finditer(visible):
        closings.setdefault(closing[1].lower(), []).append(closing)
    blocks: list[tuple[int, int]] = []
    last_end = 0
    for opening in _BLOCK_OPENING.finditer(visible):
        if opening.start() < last_end:
            continue
        candidates = closings.get(opening[1].lower(), [])
        at = bisect_left(candidates, opening.end(), key=lambda closing: closing.start())
        if at == len(candidates):
            continue
        last_end = candidates[at].end()
        blocks.append((opening.start(), last_end))
    return blocks


def _without_blocks(prose: str, blocks: list[tuple[int, int]]) -> str:
    parts = []
    position = 0
    for begin, end in blocks:
        parts.append(prose[position:begin])
        position = end
    parts.append(prose[position:])
    return "".join(parts)
