"""What can go wrong, and what a caller may catch.

```
LongchainError
├── InputError            the caller must change something         (also ValueError)
│   ├── LengthError       a required length that cannot be written
│   ├── SourceError       a source that cannot be read
│   ├── PromptError       a replaced prompt with other variables
│   ├── PlanFileError     a plan file that cannot be read: line and field
│   ├── ModelNameError    a model that is not known, or none given
│   └── RunError          a run that is not there, is somebody else's, or cannot be changed so
├── PlanError             no plan could be read from a reply       (also OutputParserException)
├── ReplyError            the model's replies held no usable prose (also ModelError)
├── BudgetError           the next call would pass a limit of calls, tokens or money
├── StoreError            what keeps the runs cannot be read or written (also OSError)
├── WindowError           more tokens than the model's window has  (also ContextOverflowError)
├── ServerError           a model server that does not start, or has ended (also RuntimeError)
└── MissingExtraError     an optional part is not installed        (also ImportError)
```

Every message says what happened, to which value, and what to do next.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from langchain_core.exceptions import ContextOverflowError, ModelError, OutputParserException


class LongchainError(Exception):
    """The root of everything that longchain raises on purpose."""


class InputError(LongchainError, ValueError):
    """The caller's input cannot be used as it is."""


class LengthError(InputError):
    """A required length of 0, below 0, beyond 2,000,000, or one that contradicts the plan."""


class SourceError(InputError):
    """A source is missing, empty, binary, too large, or used up."""


class PromptError(InputError):
    """A prompt that replaces one of ours lacks a variable, or has one that nobody fills."""


class PlanFileError(InputError):
    """A plan file cannot be read; the message names the line or the field."""


class ModelNameError(InputError):
    """A model string that names no known model, or no model at all where one is needed."""


class RunError(InputError):
    """A run is not known, is being written elsewhere, or cannot be changed in this way."""


class PlanError(LongchainError, OutputParserException):
    """No plan could be read from a model's reply; `llm_output` holds the reply."""

    def __init__(self, message: str, *, llm_output: str | None = None) -> None:
        super().__init__(message, llm_output=llm_output)
        # LangChain adds the address of its troubleshooting page, which a model that is asked
        # again with this message should not see.
        self.args = (message,)


class ReplyError(LongchainError, ModelError):
    """A model answered with nothing that can stand in a document, also when asked again."""


class BudgetError(LongchainError):
    """The next call would pass a limit that the caller set; what is finished is kept."""


class StoreError(LongchainError, OSError):
    """The database of runs is full, damaged, read-only or out of reach."""


class WindowError(LongchainError, ContextOverflowError):
    """A prompt, or what is asked for with it, does not fit into the model's context window."""

    def __init__(self, *, window: int, tokens: int | None = None) -> None:
        self.window = window
        """Tokens that prompt and reply may have together."""
        self.tokens = tokens
        """Tokens of the prompt, where the server says; it may count no further than the window."""
        held = "the prompt" if tokens is None else f"a prompt of {tokens:,} tokens"
        super().__init__(
            f"{held} does not fit into the model's window of {window:,} tokens: use memory "
            "'summary', shorter references, or a model with a larger window"
        )


class ServerError(LongchainError, RuntimeError):
    """A vLLM server could not be started, or has ended; the message has its log's last lines."""


class MissingExtraError(LongchainError, ImportError):
    """An optional part of longchain is not installed."""


def needs(module: str, extra: str, what: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Args:
        module: The module to import, such as `"langserve"`.
        extra: The extra of longchain that installs it.
        what: What needs it, as the beginning of a sentence.

    Raises:
        MissingExtraError: The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise MissingExtraError(
            f'{what} needs the package {error.name!r}: pip install "longchain[{extra}]"'
        ) from error
