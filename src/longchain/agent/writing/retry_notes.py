"""Note that opens a request after a reply that could not be used.

`ReplyProblem` -> two sentences in the language of the prompts

The note precedes the request, whose length must stay its last number with a unit. Texts are in
`longchain.agent.prompts`.
"""

from __future__ import annotations

from longchain.agent.events import ReplyProblem
from longchain.agent.prompts import prompts_for


def retry_note(problem: ReplyProblem, language: str) -> str:
    """Return the note that opens a retry.

    Args:
        problem: The problem of the last reply.
        language: BCP 47 tag of the document's language.
    """
    prompts = prompts_for(language)
    advice = prompts.retry.by_problem.get(problem.kind, prompts.retry.other)
    note = prompts.retry.opening + advice
    return note.format(
        problem=problem, number=problem.section, language=prompts.language_name(language)
    )
