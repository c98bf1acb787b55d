"""Error hints: explains an error of a model or of this machine in one line that says what to do.

an exception -> one line without any key

Knows LangChain's errors of models; for longchain's own errors, the line is their message.
"""

from __future__ import annotations

from langchain_core import exceptions

from longchain.errors import LongchainError
from longchain.models.redact import redact_secrets

_HINTS: list[tuple[type[Exception], str]] = [
    (exceptions.ModelAuthenticationError, "check the key in the provider's environment variable"),
    (exceptions.ModelPermissionDeniedError, "check what the key may use"),
    (exceptions.ModelNotFoundError, "check the model's name and the base URL"),
    (exceptions.ModelRateLimitError, "wait a little, or lower the concurrency, and resume"),
    (exceptions.ModelTimeoutError, "resume when the server answers again"),
    (exceptions.ModelConnectionError, "check the base URL and that the server runs"),
    (exceptions.ContextOverflowError, "choose a model with a larger window or `summary` memory"),
    (exceptions.ModelAPIError, "resume when the server works again"),
    # Errors of packages that do not translate them into LangChain's.
    (TimeoutError, "try again when the server answers"),
    (ConnectionError, "check the base URL and that the server runs"),
]
"""What to do about an error; the first class that fits counts."""

_MAX_REASON_CHARACTERS = 300


def explain(error: Exception) -> str:
    """Return one line that says what went wrong and what to do, without any key.

    An `OSError` is taken for the model's only if it is about a connection. An error with a true
    attribute `complete_message` gets no hint: its message says what to do.
    """
    if isinstance(error, LongchainError):
        return str(error)
    reason = redact_secrets(" ".join(str(error).split()))[:_MAX_REASON_CHARACTERS]
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    # Any other OSError is this machine's, such as a full disk.
    failure = "the run stopped" if isinstance(error, OSError) and not hint else "the model failed"
    sentence = f"{failure}: {reason or type(error).__name__}"
    if hint and not getattr(error, "complete_message", False):
        sentence += f"; {hint}"
    return sentence
