"""Problems of a reply that is prose and still not usable: wrong language, or a repeat.

reply + `DocumentState` -> the problem, or nothing

Does not decide whether the model is asked again: see `longchain.agent.writing.accept`.
"""

from __future__ import annotations

from longchain.agent.state import DocumentState
from longchain.prose.wrong_language import wrong_language


def reply_problem(text: str, progress: DocumentState, index: int) -> str:
    """Return the problem of a reply's prose, or nothing.

    Args:
        text: The reply's prose.
        progress: The document's state before the reply.
        index: The index of the section that the reply is for.

    Returns:
        `wrong language (en)`, `repeats section 3`, `repeats itself` or nothing. These strings
        are stored in users' databases.
    """
    draft = progress.sections[index]
    wanted = [
        progress.request["instruction"],
        progress.request["style"],
        draft.plan.heading,
        draft.plan.main_point,
    ]
    if draft.revision:
        wanted.append(draft.revision.note)
    if language := wrong_language(text, progress.language, "\n".join(wanted)):
        return f"wrong language ({language})"
    texts = [other.published.text for other in progress.sections]
    texts[index] = draft.text
    repeated = progress.repeat_index.find(text, texts)
    if repeated is None:
        return ""
    return "repeats itself" if repeated == index else f"repeats section {repeated + 1}"


def may_be_accepted(problem: str) -> bool:
    """Return whether a reply with this problem is prose to keep if nothing better comes."""
    return problem.startswith(("wrong language", "repeats"))
