"""A model's reasoning in a reply, told from its answer.

reply -> answer; prose -> prose without reasoning

Knows the tags and the channel by which models set their reasoning off; knows nothing of what was
asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left

_NAMES = r"think|thinking|thought|reasoning|analysis"
_TAG = re.compile(rf"<(?P<end>/)?(?:{_NAMES})>|(?-i:\[(?P<close>/)?THINK\])", re.IGNORECASE)
_FIRST = re.compile(rf"\s*(?:<({_NAMES})>|(?-i:\[(THINK)\]))", re.IGNORECASE)
_BLOCK_BEGIN = re.compile(rf"^[ \t]*<({_NAMES})>", re.IGNORECASE | re.MULTILINE)
_BLOCK_END = re.compile(rf"</({_NAMES})>[ \t]*$\n*", re.IGNORECASE | re.MULTILINE)
_CLOSING = rf"(?:</(?:{_NAMES})>|(?-i:\[/THINK\]))"
# Not where prose speaks of the tag: `the </think> tag`.
_END = re.compile(
    rf"(?<![`\"'“‘(])(?:(?<!\w[ ]){_CLOSING}|{_CLOSING}(?=\s*(?:\n|\Z)))", re.IGNORECASE
)
_FINAL_CHANNEL = "<|channel|>final<|message|>"


def answer(reply: str) -> str:
    """Return a reply without its reasoning, also where only one of two tags is there.

    Every tag counts, wherever it stands: this is for replies that are data, such as a plan.
    """
    text = reply.rpartition(_FINAL_CHANNEL)[2]
    kept: list[str] = []
    begin, inside = 0, False
    for tag in _TAG.finditer(text):
        if tag["end"] or tag["close"]:
            kept = kept if inside else []
            begin, inside = tag.end(), False
        elif not inside:
            kept.append(text[begin : tag.start()])
            inside = True
    return "".join(kept) if inside else "".join([*kept, text[begin:]])


def without_reasoning(prose: str, visible: str) -> str:
    """Return prose without reasoning; what that lays bare may hold more.

    Prose may speak of the tags: one counts at the beginning, on a line of its own, or where it
    closes what was never opened.

    Args:
        prose: The reply.
        visible: The reply with its code blanked out, character for character.
    """
    if "<" not in prose and "[" not in prose:
        return prose  # as most replies: no tag, no closer look
    if _FINAL_CHANNEL in prose:
        return prose.rpartition(_FINAL_CHANNEL)[2]
    if begin := _beginning(prose):
        return prose[begin:]
    if blocks := _blocks(visible):
        edges = [0, *(edge for block in blocks for edge in block), len(prose)]
        return "".join(prose[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True))
    closed = [end.end() for end in _END.finditer(visible)]
    return prose[closed[-1] :] if closed else prose


def _beginning(prose: str) -> int:
    """Return where the reasoning that prose begins with ends; 0 where it begins with none."""
    end = 0
    while first := _FIRST.match(prose, end):
        closing = re.compile(rf"[<\[]/{first[1] or first[2]}[>\]]", re.IGNORECASE)
        closed = closing.search(prose, first.end())
        end = closed.end() if closed else len(prose)
    return end


def _blocks(visible: str) -> list[tuple[int, int]]:
    """Return where reasoning begins and ends that stands on lines of its own."""
    ends: dict[str, list[re.Match[str]]] = {}
    for end in _BLOCK_END.finditer(visible):
        ends.setdefault(end[1].lower(), []).append(end)
    found: list[tuple[int, int]] = []
    for begin in _BLOCK_BEGIN.finditer(visible):
        closers = ends.get(begin[1].lower(), [])
        at = bisect_left(closers, begin.end(), key=lambda end: end.start())
        if at < len(closers) and begin.start() >= (found[-1][1] if found else 0):
            found.append((begin.start(), closers[at].end()))
    return found
