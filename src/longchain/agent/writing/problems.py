"""Problems of a reply that is prose and still not usable: wrong language, or a repeat.

reply + `DocumentState` -> the problem, or nothing

Decides nothing about retries: that is `longchain.agent.writing.accept`.
"""

from __future__ import annotations

from longchain.agent.state import DocumentState
from longchain.prose.wrong_language import wrong_language


def reply_problem(text: str, progress: DocumentState, index: int) -> str:
    """Check the prose of a reply: wrong language, or a repeat of a section.

    Args:
        text: The reply's prose.
        progress: Where the document stands before the reply.
        index: The index of the section that it is for.

    Returns:
        `wrong language (en)`, `repeats section 3`, `repeats itself` or nothing.
    """
    draft = progress.sections[index]
    wanted = [progress.request["instruction"], progress.request["style"]]
    wanted += [draft.plan.heading, draft.plan.main_point]
    wanted += [draft.revision.note] if draft.revision else []
    if found := wrong_language(text, progress.language, "\n".join(wanted)):
        return f"wrong language ({found})"
    texts = [other.published.text for other in progress.sections]
    texts[index] = draft.text
    place = progress.told.repeated(text, texts)
    if place is None:
        return ""
    return "repeats itself" if place == index else f"repeats section {place + 1}"


def may_be_accepted(problem: str) -> bool:
    """Return whether a reply with this problem may be kept if nothing better comes."""
    return problem.startswith(("wrong language", "repeats"))
