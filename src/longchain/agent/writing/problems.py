"""Problems of a reply: empty, a refusal, a loop, the wrong language, or a repeat.

reply + `DocumentState` -> `ReplyProblem` or None

Does not decide about retries: see `longchain.agent.writing.accept`.
"""

from __future__ import annotations

from longchain.agent.events import ReplyProblem
from longchain.agent.state import DocumentState
from longchain.prose.cleanup import Cleaned
from longchain.prose.wrong_language import wrong_language

MIN_LOOP_SHARE = 0.25
"""Minimum length of the prose before a loop, as a share of the requested length.

A model that loops earlier got nowhere: asked to continue, it would loop again.
"""


def unusable_problem(
    cleaned: Cleaned, text: str, state: DocumentState, requested: int
) -> ReplyProblem | None:
    """Check whether a reply has usable prose at all.

    Args:
        cleaned: The reply after cleanup.
        text: Its whole sentences.
        state: The document.
        requested: The length that was requested.
    """
    match cleaned.problem:
        case "empty" | "refusal":
            return ReplyProblem(cleaned.problem)
        case "loop" if state.count(text) < requested * MIN_LOOP_SHARE:
            return ReplyProblem("loop")
    return None if text.strip() else ReplyProblem("no whole sentence")


def reply_problem(text: str, state: DocumentState, index: int) -> ReplyProblem | None:
    """Check the prose of a reply: wrong language, or a repeat of a section.

    Args:
        text: The reply's prose.
        state: The document before the reply.
        index: The index of the section that the reply is for.
    """
    language = wrong_language(text, state.language, _requested_words(state, index))
    if language:
        return ReplyProblem("wrong language", language=language)
    texts = [section.published.text for section in state.sections]
    texts[index] = state.sections[index].text
    repeated = state.repeat_index.find(text, texts)
    if repeated is None:
        return None
    if repeated == index:
        return ReplyProblem("repeats itself")
    return ReplyProblem("repeats section", section=repeated + 1)


def _requested_words(state: DocumentState, index: int) -> str:
    """Return the wording of the request, whose language a reply may also be in."""
    section, request = state.sections[index], state.request
    words = [request.instruction, request.style, section.plan.heading, section.plan.main_point]
    if section.revision:
        words.append(section.revision.note)
    return "\n".join(words)
