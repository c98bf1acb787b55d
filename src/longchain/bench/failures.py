"""Classes of errors in a benchmark: those of every call, those of one sample, and bugs.

error -> whether it ends the run, or only fails a sample

Knows error classes; knows nothing of samples or files.
"""

from __future__ import annotations

from langchain_core import exceptions

from longchain.errors import LongchainError, StoreError

ACCESS_ERRORS = (
    exceptions.ModelAuthenticationError,
    exceptions.ModelPermissionDeniedError,
    exceptions.ModelNotFoundError,
)
"""Errors that every call meets, as the model's name or key is wrong."""

FATAL_ERRORS = (
    *ACCESS_ERRORS,
    exceptions.ModelConnectionError,
    exceptions.ModelRateLimitError,
    ConnectionError,
    StoreError,
)
"""Errors that the next sample would meet as well: they end a run, which can be resumed."""

_CALL_ERRORS = (LongchainError, exceptions.ModelError, TimeoutError, ConnectionError)


def is_call_error(error: Exception) -> bool:
    """Return whether a model or longchain refused a sample; any other error is a bug."""
    if isinstance(error, _CALL_ERRORS):
        return True
    # Errors of clients that LangChain has not mapped still carry the server's HTTP status.
    return getattr(error, "status_code", None) is not None
