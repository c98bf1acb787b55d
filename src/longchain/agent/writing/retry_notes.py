"""Note that opens a request after a reply that could not be used.

problem of the reply -> two or three sentences in the language of the prompts

The note precedes the request, whose length must stay its last number with a unit. Texts are in
`longchain.agent.prompts`.
"""

from __future__ import annotations

from longchain.agent.prompts import prompts_for


def retry_note(problem: str, language: str) -> str:
    """Return the note that opens a retry.

    Args:
        problem: The problem as the log has it: `empty`, `repeats section 3`,
            `wrong language (en)`.
        language: BCP 47 tag of the document's language.
    """
    prompts = prompts_for(language)
    kind, number = _split_number(problem.partition(" (")[0])
    advice = prompts.retry.by_problem.get(kind, prompts.retry.other)
    note = prompts.retry.opening + advice
    return note.format(problem=problem, number=number, language=prompts.language_name(language))


def _split_number(problem: str) -> tuple[str, str]:
    """Split `repeats section 3` into `repeats section` and `3`."""
    kind, _, number = problem.rpartition(" ")
    return (kind, number) if number.isdecimal() else (problem, "")
