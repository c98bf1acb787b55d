"""The exceptions that longchain raises.

```
LongchainError
├── InputError            the caller must change something         (also ValueError)
│   ├── LengthError       a required length that cannot be written
│   ├── SourceError       a source that cannot be read
│   ├── PromptError       a custom prompt with missing or unknown variables
│   ├── PlanFileError     a plan file that cannot be read: line and field
│   ├── ModelNameError    an unknown model, or no model
│   └── RunError          a run that does not exist, is in use elsewhere, or cannot be changed so
├── PlanError             no plan could be read from a reply       (also OutputParserException)
├── ReplyError            the model's replies had no usable text   (also ModelError)
├── BudgetError           the next call would exceed a limit of calls, tokens or money
├── StoreError            the database of runs cannot be read or written (also OSError)
├── WindowError           more tokens than the model's context window (also ContextOverflowError)
├── ServerError           a model server did not start, or stopped (also RuntimeError)
└── MissingExtraError     an optional package is not installed     (also ImportError)
```

Every message names the problem, the value that caused it, and the next thing to do.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from langchain_core.exceptions import ContextOverflowError, ModelError, OutputParserException


class LongchainError(Exception):
    """Base class of all exceptions of longchain."""


class InputError(LongchainError, ValueError):
    """The caller's input cannot be used."""


class LengthError(InputError):
    """A required length is below 1, above 2,000,000, or contradicts the plan."""


class SourceError(InputError):
    """A source is missing, empty, binary, too large, or used up."""


class PromptError(InputError):
    """A custom prompt lacks a required variable, or has one that longchain does not provide."""


class PlanFileError(InputError):
    """A plan file cannot be read; the message names the line or the field."""


class ModelNameError(InputError):
    """A model string names no known model, or a model is required and none was passed."""


class RunError(InputError):
    """A run does not exist, is in use by another process, or cannot be changed in this way."""


class PlanError(LongchainError, OutputParserException):
    """No plan could be read from a model's reply, which is in `llm_output`."""

    def __init__(self, message: str, *, llm_output: str | None = None) -> None:
        super().__init__(message, llm_output=llm_output)
        # LangChain appends the URL of its troubleshooting page. The message is sent to the model
        # with a retry, where the URL would only distract.
        self.args = (message,)


class ReplyError(LongchainError, ModelError):
    """A model's replies had no text that can be used in a document, even after retries."""


class BudgetError(LongchainError):
    """The next call would exceed a limit that the caller set; finished sections are saved."""


class StoreError(LongchainError, OSError):
    """The database of runs is full, damaged, read-only or unreachable."""


class WindowError(LongchainError, ContextOverflowError):
    """A prompt and the requested reply do not fit into the model's context window."""

    def __init__(self, *, window: int, tokens: int | None = None) -> None:
        self.window = window
        """Maximum number of tokens of prompt and reply together."""
        self.tokens = tokens
        """Tokens of the prompt if the server reports them; some stop counting at the window."""
        prompt = "the prompt" if tokens is None else f"a prompt of {tokens:,} tokens"
        super().__init__(
            f"{prompt} does not fit into the model's window of {window:,} tokens: use memory "
            "'summary', shorter references, or a model with a larger window"
        )


class ServerError(LongchainError, RuntimeError):
    """A vLLM server did not start, or stopped; the message has the last lines of its log."""


class MissingExtraError(LongchainError, ImportError):
    """An optional package is not installed."""


def import_extra(module: str, extra: str, feature: str) -> ModuleType:
    """Import an optional module, or raise an error that names the extra to install.

    Args:
        module: The module to import, such as `"langserve"`.
        extra: The extra of longchain that installs it.
        feature: The feature that needs it, as the beginning of a sentence.

    Raises:
        MissingExtraError: The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise MissingExtraError(
            f'{feature} needs the package {error.name!r}: pip install "longchain[{extra}]"'
        ) from error
