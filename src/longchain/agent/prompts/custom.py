"""Checks the variables of a prompt that replaces a built-in one.

`ChatPromptTemplate` + `VariableRules` -> the same template, or `PromptError`
"""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.prompts import ChatPromptTemplate

from longchain.errors import PromptError


@dataclass(frozen=True)
class VariableRules:
    """Variables that one kind of prompt may use and must use."""

    option: str
    """Name of the option that takes the prompt, for messages."""

    allowed: frozenset[str]
    """Variables that are filled in."""

    required: tuple[frozenset[str], ...]
    """Sets of variables, one of which must be used in full."""

    check_optional: bool = False
    """Whether optional placeholders for messages count, too; they may be left empty."""


def check_prompt(prompt: ChatPromptTemplate, rules: VariableRules) -> ChatPromptTemplate:
    """Return the prompt if its variables follow the rules.

    Raises:
        PromptError: A variable is unknown, or a required one is missing.
    """
    variables = set(prompt.input_variables)
    if rules.check_optional:
        variables.update(prompt.optional_variables)
    if unknown := variables - rules.allowed:
        raise PromptError(
            f"{rules.option} has unknown variables: {sorted(unknown)}; "
            f"it may use {sorted(rules.allowed)}"
        )
    if not any(names <= variables for names in rules.required):
        missing = sorted(rules.required[0] - variables)
        choices = " or ".join(str(sorted(names)) for names in rules.required)
        raise PromptError(f"{rules.option} lacks the variables {missing}; it must use {choices}")
    return prompt
