"""Cleans a model's reply to prose for the document, and joins and shortens prose.

reply + heading + text before it -> `Cleaned`; text + continuation -> text; text + length -> text

Changes the beginning and the end of a reply and its markup, never the prose between. Knows the
form of a section; knows no models and does not decide whether the model is asked again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Literal

from longchain.document import Unit
from longchain.language import FENCED_CODE, character_class, detect, is_spaced
from longchain.length.count import count_length
from longchain.prose.boilerplate import (
    CHAPTER,
    MAX_REMOVALS,
    is_error,
    is_refusal,
    strip_closing,
    strip_opening,
)
from longchain.prose.loops import Tokenized, loop_start
from longchain.prose.reasoning import strip_reasoning
from longchain.prose.repetition import tokens
from longchain.sentences import ends_sentence, split_sentences

Problem = Literal["empty", "refusal", "loop"]


@dataclass(frozen=True)
class Cleaned:
    """A cleaned reply."""

    text: str
    """The prose; empty if the problem is `empty` or `refusal`."""

    notes: list[str] = field(default_factory=list)
    """Changes in order, each once: `label removed`, `heading demoted`, `loop cut`, ..."""

    problem: Problem | None = None
    """Reason why the reply cannot be used as it is; with `loop`, `text` is the prose before it."""


@dataclass(frozen=True)
class _Context:
    """The request for a reply, and the text before it."""

    headings: dict[str, str]
    """Headings that do not belong into the reply, each with the note of its removal."""

    before: str
    language: str | None
    sections: bool


_Pass = Callable[[str, _Context], tuple[str, list[str]]]
"""Repairs one kind of damage; returns the text and a note for each removal."""


def clean(
    text: str,
    *,
    heading: str = "",
    title: str = "",
    previous_tail: str = "",
    language: str | None = None,
    sections: bool = True,
    looped: bool = False,
) -> Cleaned:
    """Clean a reply to the prose of one section.

    Args:
        text: The reply.
        heading: The section's heading, which does not belong into its prose.
        title: The document's title, likewise.
        previous_tail: The end of the text that the reply continues; repeating it is an echo.
        language: The document's language; None: detected when needed.
        sections: Whether the reply is one section. False: a whole document, whose headings and
            labels stay.
        looped: Whether the server stopped the reply because it repeated itself.
    """
    headings = {title: "title removed", heading: "heading removed"}
    context = _Context(headings, previous_tail, language, sections)
    notes: list[str] = []
    text = _apply_passes(text, context, notes)
    problem: Problem | None = None
    if _is_short(text) and is_error(text):
        text, problem = "", "empty"
        notes.append("error text")
    elif _is_short(text) and is_refusal(text):
        text, problem = "", "refusal"
        notes.append("refusal")
    elif not any(map(str.isalnum, text)):
        text, problem = "", "empty"
        notes.append("empty")
    elif (place := loop_start(text, known=looped)) is not None or looped:
        text, problem = _apply_passes(text[:place], context, notes), "loop"
        notes.append("loop cut")
    return Cleaned(text, list(dict.fromkeys(notes)), problem)


def _apply_passes(text: str, context: _Context, notes: list[str]) -> str:
    """Apply all passes until none changes the text: one may expose what another removes."""
    for _ in range(MAX_REMOVALS):
        before = text
        for apply in _PASSES:
            text, pass_notes = apply(text, context)
            notes += pass_notes
        if text == before:
            break
    return text


def _is_short(text: str) -> bool:
    """Whether a reply is too short for a section, in which a character may refuse something."""
    return len(text) < 160 or (len(text) < 600 and " " in text and len(tokens(text)) < 80)


# --- characters --------------------------------------------------------------------------------

_SPACELESS = character_class("th", "lo", "my", "km")
_CONTROL = re.compile(
    # A zero-width space separates words in Thai, Lao, Burmese and Khmer.
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2060\ufeff\ud800-\udfff]|(?<![{_SPACELESS}])\u200b"
)
_ASCII_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_CODE = re.compile(FENCED_CODE, re.DOTALL | re.MULTILINE)


def _blank_out_code(text: str) -> str:
    """Return the text with its code blanked out, character for character."""
    if "`" not in text and "~~~" not in text:
        return text
    return _CODE.sub(lambda code: "\x00" * len(code.group()), text)


def _normalize_characters(text: str, _: _Context) -> tuple[str, list[str]]:
    if not text.isascii() or "\r" in text:
        text = re.sub(r"\r\n?|[\u2028\u2029]", "\n", text)
    # Other white space may be intended: U+3000 indents a paragraph in Chinese and Japanese.
    text = text.translate(_ASCII_CONTROL) if text.isascii() else _CONTROL.sub("", text)
    return text.strip(" \t\n"), []


def _merge_blank_lines(text: str, _: _Context) -> tuple[str, list[str]]:
    visible = _blank_out_code(text)
    for gap in reversed(list(re.finditer(r"\n(?:[ \t]*\n){2,}", visible))):
        text = f"{text[: gap.start()]}\n\n{text[gap.end() :]}"
    return text, []


# --- markup of the model and of the prompt -----------------------------------------------------


def _remove_reasoning(text: str, _: _Context) -> tuple[str, list[str]]:
    rest = strip_reasoning(text, _blank_out_code(text))
    return rest, ["reasoning removed"] if rest != text else []


_TOKEN = r"(?:<[|｜][\w▁]{2,30}[|｜]>|\[/?INST\]|<</?SYS>>|<(?:bos|eos|pad|(?:start|end)_of_turn)>)"
_LEADING_TOKENS = re.compile(rf"(?:\s*{_TOKEN}(?:(?:system|user|assistant|model)(?=\s))?)+\s*")
# After an end token at the end of a line, the model writes the next turn by itself.
_TURN_END = re.compile(
    rf"(?:^|(?<=[^\s\w`\"'“‘(,])){_TOKEN}(?=[ \t]*(?:\n|\Z|{_TOKEN}))|\s*{_TOKEN}\s*\Z",
    re.MULTILINE,
)
_LEADING_BOS, _TRAILING_EOS = (
    re.compile(r"(?:\s*<s>)++(?!.*</s>\s*\S)", re.DOTALL),
    re.compile(r"\s*</s>\s*\Z"),
)


def _remove_special_tokens(text: str, _: _Context) -> tuple[str, list[str]]:
    if "<" not in text and "[" not in text:
        return text, []
    note = ["special token removed"]
    if first := _LEADING_TOKENS.match(text) or _LEADING_BOS.match(text):
        return text[first.end() :], note
    visible = _blank_out_code(text)
    if end := _TURN_END.search(visible):
        return text[: end.start()], note
    if (end := _TRAILING_EOS.search(visible)) and "<s>" not in visible:
        return text[: end.start()], note
    return text, []


_TAG_NAME = (
    r"(?:sections?|chapters?|text|instructions?|references?|sources|plan|documents?|context|style"
    r"|step|answer|output|response|prose|continuation|previous|prior)"
)
_TAGS = re.compile(
    # Before lower case the tag is a subject of the prose: `<section> elements group ...`.
    rf"^(?:[ \t]*</?{_TAG_NAME}(?:\s[^<>\n]*)?/?>)+(?-i:(?!\s?[a-z]))[ \t]*+"
    rf"|(?<=\S)(?:</{_TAG_NAME}>)+[ \t]*$|\s</{_TAG_NAME}>\s*\Z",
    re.MULTILINE | re.IGNORECASE,
)


def _remove_prompt_tags(text: str, _: _Context) -> tuple[str, list[str]]:
    if "<" not in text:
        return text, []
    tags = list(_TAGS.finditer(_blank_out_code(text)))
    for tag in reversed(tags):
        text = text[: tag.start()] + text[tag.end() :]
    return text, ["tag removed"] if tags else []


_FENCE = re.compile(
    r"(`{3,}|~{3,})[ \t]*(markdown|md|text|txt|plaintext|plain)?[ \t]*\n", re.IGNORECASE
)
_FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)


def _unwrap_fence(text: str, _: _Context) -> tuple[str, list[str]]:
    opening = _FENCE.match(text)
    if not opening:
        return text, []
    depth, lines = 1, list(_FENCE_LINE.finditer(text, opening.end()))
    for line in lines:
        depth += 1 if line[1].strip() else -1
        if depth == 0 and line.end() < len(text):
            return text, []
    if depth == 0:
        return text[opening.end() : lines[-1].start()], ["fence removed"]
    if opening[2] and depth == 1:
        # The reply was cut before its wrapper closed; a fence of no such type may be code.
        return text[opening.end() :], ["fence removed"]
    return text, []


# --- the beginning and the end -----------------------------------------------------------------


def _strip_opening(text: str, context: _Context) -> tuple[str, list[str]]:
    return strip_opening(text, labels=context.sections)


def _strip_closing(text: str, _: _Context) -> tuple[str, list[str]]:
    return strip_closing(text)


_ORDINAL = re.compile(
    rf"(?:{CHAPTER}|Section\s+\d+|\d+(?:\.\d+)*(?=[.)、:：\s])|[IVXLC]+(?=[.):]))[.)、:：\s—–-]*",
    re.IGNORECASE,
)
_LINE = re.compile(r"([ \t]*(?:#{1,6}[ \t]+|(?=\*\*|__)))?([^\n]{1,300})(?:\n|\Z)")
_RUN_IN = re.compile(r"(\*\*|__)([^*_\n]{1,200}?)\1[:：.]?[ \t]+(?=\S)")


def _remove_heading(text: str, context: _Context) -> tuple[str, list[str]]:
    """Remove a first line, or bold words at its beginning, that repeat a heading."""
    line, run_in = _LINE.match(text), _RUN_IN.match(text)
    for heading, note in context.headings.items():
        if line and _is_heading(line[2], heading, fuzzy=line[1] is not None):
            return text[line.end() :], [note]
        if run_in and _is_heading(run_in[2], heading, fuzzy=False):
            return text[run_in.end() :], [note]
    return text, []


def _is_heading(line: str, heading: str, *, fuzzy: bool) -> bool:
    """Whether a line is the heading, numbered or not; if `fuzzy`, with small differences."""
    whole, plain = tokens(heading), tokens(_strip_number(heading))
    if not whole or len(line) > 2 * len(heading) + 60:
        return False
    bare = tokens(_strip_number(line))
    if tokens(line) == whole or (bare and bare in (whole, plain)):
        return True
    # `Phase 2` and `Phase 3` are as similar as two spellings of one heading.
    if not fuzzy or list(filter(str.isdecimal, bare)) != list(filter(str.isdecimal, plain)):
        return False
    return SequenceMatcher(None, " ".join(plain), " ".join(bare)).ratio() >= 0.85


def _strip_number(heading: str) -> str:
    heading = heading.strip(" \t#*_")
    return _ORDINAL.sub("", heading, count=1) if _ORDINAL.match(heading) else heading


def _remove_echo(text: str, context: _Context) -> tuple[str, list[str]]:
    end = _echo_end(context.before, text, context.language)
    return (text[end:].lstrip(" \t\n"), ["echo removed"]) if end else (text, [])


def _echo_end(before: str, after: str, language: str | None) -> int:
    """Return where the repeated last sentences of `before` end in `after`; 0 for no echo."""
    if not before.strip() or not after:
        return 0
    last = split_sentences(before[-2000:], language)[-8:]
    finished = ends_sentence(before)
    head = Tokenized.of(after[:4000])
    for first in range(len(last)):
        key = tokens("".join(last[first:]))
        if len(key) < (5 if " " in before[-200:].strip() else 10) or head.items[: len(key)] != key:
            continue
        edge = head.sentence_end(after, len(key) - 1)
        if edge is not None or not finished or len(key) == len(head.items):
            return edge if edge is not None else head.ends[len(key) - 1]
    return 0


# --- structure ---------------------------------------------------------------------------------

_HEADING = re.compile(r"^ {0,3}(#{1,6})(?=[ \t]+\S)", re.MULTILINE)


def _demote_headings(text: str, context: _Context) -> tuple[str, list[str]]:
    """Move headings below the section's own, which is on level 2 or 3."""
    marks = list(_HEADING.finditer(_blank_out_code(text)))
    if not context.sections or not any(len(mark[1]) < 3 for mark in marks):
        return text, []
    for mark in reversed(marks):
        level = max(4, min(6, len(mark[1]) + 2))
        text = f"{text[: mark.start()]}{'#' * level}{text[mark.end() :]}"
    return text, ["heading demoted"]


_BOLD = re.compile(r"(\*\*|__)(?=\S)((?:(?!\1).)+)(?<=[.!?…。！？」』”\"])\1", re.DOTALL)


def _unwrap_bold(text: str, _: _Context) -> tuple[str, list[str]]:
    """Unwrap prose that is bold as a whole; a single bold paragraph among others is emphasis."""
    if len(text) < 40:
        return text, []
    if whole := _BOLD.fullmatch(text):
        return whole[2], ["bold removed"]
    matches = [_BOLD.fullmatch(paragraph) for paragraph in text.split("\n\n")]
    if all(matches):
        return "\n\n".join(match[2] for match in matches if match), ["bold removed"]
    return text, []


_PASSES: list[_Pass] = [
    *(_normalize_characters, _unwrap_fence, _remove_reasoning),
    *(_remove_special_tokens, _remove_prompt_tags, _normalize_characters),
    *(_strip_opening, _remove_heading, _remove_echo, _strip_closing),
    *(_unwrap_bold, _demote_headings, _merge_blank_lines, _normalize_characters),
]


# --- joining and cutting -----------------------------------------------------------------------

# Next to these characters, full-width punctuation included, there is no space.
_UNSPACED_EDGE = re.compile(f"[{_SPACELESS}\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_BLOCK_MARK = re.compile(
    r"[ \t]*(?:(#{1,6}[ \t])|([-*+][ \t]|\d{1,3}[.)][ \t])|(\|)|(>)|(```|~~~))"
)


def stitch(before: str, after: str, language: str | None = None) -> str:
    """Join a text and its continuation.

    If `after` begins with a repeat of the end of `before`, whole sentences or the sentence that
    was cut, the repeat is left out. Otherwise a finished sentence is followed by a new paragraph,
    an unfinished one by a space, or by nothing in Chinese and Japanese; list items and table rows
    by the next line.
    """
    if not before.strip() or not after.strip():
        return before if before.strip() else after
    whole, rest = before.rstrip(), after.lstrip()
    shared = _shared_length(whole, rest, language)
    return whole + rest[shared:] if shared else _join(whole, after)


def _shared_length(before: str, after: str, language: str | None) -> int:
    """Return how many characters at the beginning of `after` repeat the end of `before`."""
    tail = before[-2000:]
    cut = "" if ends_sentence(before) else split_sentences(tail, language)[-1]
    for edge in re.finditer(r"\A|\s+|(?<=[^\x00-\x7f])", tail):
        rest = tail[edge.end() :]
        if len(rest) >= _min_shared(tail[: edge.end()], rest, cut) and after.startswith(rest):
            return len(rest)
    return _echo_end(before, after, language)


def _min_shared(head: str, rest: str, cut: str) -> int:
    """Return the number of characters from which on a repeat is no coincidence."""
    if rest == cut:
        return 1
    if not _UNSPACED_EDGE.search(rest):
        return 12
    return 4 if head.endswith(("，", "、", "；", "：")) else 6


def _join(before: str, after: str) -> str:
    rest = after.lstrip()
    block, last = _BLOCK_MARK.match(rest), before[before.rfind("\n") + 1 :]
    above = _BLOCK_MARK.match(last)
    if before.count("```") % 2:
        return f"{before}\n{after.strip(chr(10))}"
    if block and above and block.lastindex == above.lastindex and block.lastindex in (2, 3, 4):
        return f"{before}\n{rest}"
    if block or (above and above.lastindex == 1) or "\n\n" in after[: len(after) - len(rest)]:
        return f"{before}\n\n{rest}"
    if ends_sentence(before) and not rest[0].islower():
        return f"{before}\n\n{rest}"
    touching = _UNSPACED_EDGE.match(before[-1]) or _UNSPACED_EDGE.match(rest[0])
    space = "" if touching or rest[0] in ",.;:!?)]}…”’%" else " "
    return f"{before}{space}{rest}"


def to_sentence_end(text: str, language: str | None = None) -> str:
    """Remove an unfinished last sentence, and a heading that has no text after that.

    Verse loses its last line only. If no sentence has an end, the text loses its last word, which
    may be cut; a text of one word, or in a script without spaces, stays.
    """
    text = text.rstrip()
    if not text or ends_sentence(text):
        return text
    pieces = split_sentences(text, language)
    last = pieces.pop()
    lines = last.rstrip().split("\n")
    if len(lines) > 2 and max(map(len, lines)) < 70:
        return "".join([*pieces, "\n".join(lines[:-1])]).rstrip()
    while pieces and _announces(pieces[-1]):
        pieces.pop()
    if pieces:
        return "".join(pieces).rstrip()
    spaced = is_spaced(language or detect(text))
    return text.rsplit(None, 1)[0] if spaced and " " in text and not _HEADING.match(text) else text


def trim(
    text: str, length: int, unit: Unit, language: str | None = None, *, min_length: int = 0
) -> str:
    """Shorten a text to its first sentences, as close to a length as possible.

    Keeps at least one sentence and `min_length`, and ends neither with a heading or a line that
    announces a list, nor inside bold text. Each sentence is counted once.

    Args:
        text: Prose in Markdown.
        length: The target length.
        unit: The unit of lengths.
        language: The document's language; None: detected.
        min_length: The minimum length to keep, in the same unit.
    """
    language = language or detect(text)
    pieces = split_sentences(text, language)
    lengths = list(accumulate(count_length(piece, unit, language) for piece in pieces))
    bold_marks = list(accumulate(piece.count("**") for piece in pieces))
    candidates = [index for index, total in enumerate(lengths) if total >= min_length]
    if not candidates:
        return text

    def misfit(index: int) -> tuple[bool, int]:
        is_inside = bold_marks[index] % 2 == 1 or _announces(pieces[index])
        return is_inside, abs(lengths[index] - length)

    return "".join(pieces[: min(candidates, key=misfit) + 1]).rstrip()


def _announces(piece: str) -> bool:
    """Whether the next sentence belongs to this one: a heading, or `The reasons are these:`."""
    return bool(_HEADING.match(piece)) or piece.rstrip().endswith((":", "："))
