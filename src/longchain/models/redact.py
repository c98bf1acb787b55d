"""Redaction of secrets: API keys, tokens and passwords in addresses, messages and logs.

a URL, a model name, an error message or a server's log -> the same without its secrets

Knows the usual forms of keys and the environment's secret variables; knows no models.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_MASK = "[key]"

_URL = re.compile(r"(https?:/*|//)(.*)", re.DOTALL | re.IGNORECASE)
_QUERY_OR_FRAGMENT = re.compile(r"[?#]")

_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")
_MIN_SECRET_LENGTH = 8
"""Characters below which the value of a secret variable is left: `1` or `true` is no secret, and
replacing it would garble the text."""

_SECRET_IN_MESSAGE = re.compile(
    r"(?:\b(?:sk|pk|key)[-_]|(?<=[Bb]earer ))[\w.*-]{6,}"  # a key, also one that is partly starred
    r"|(?<=://)\S+(?=@)"  # user and password of an address
)
_SECRET_IN_LOG = re.compile(
    r"\b(?:sk|pk|hf|key)[-_]\w{8,}|(?<=[Bb]earer )[\w.-]{6,}"
    r"|(?<=://)[^\s/@]+(?=@)"
)
"""Narrower than in messages, since a log holds JSON and file paths without spaces: there, `\\S+` up
to an `@` would swallow half a line."""


def redact_model_name(name: str) -> str:
    """Remove the user, password, query and fragment of an address inside a model name.

    A name without an address, such as `opus@2026`, stays as it is.
    """
    return _URL.sub(lambda match: match[1] + _redact_address(match[2]), name)


def redact_url(url: str) -> str:
    """Remove the user, password, query and fragment of an address, with or without `http://`."""
    if _URL.search(url):
        return redact_model_name(url)
    return _redact_address(url)


def _redact_address(address: str) -> str:
    """Redact the part of an address behind `//`."""
    # A password may contain an unescaped @ or slash, so the last @ ends it. If there is a question
    # mark before that @, nobody can tell the password from the query: nothing is shown.
    user_and_password, _, host_and_path = address.rpartition("@")
    if _QUERY_OR_FRAGMENT.search(user_and_password):
        return "…"
    return _QUERY_OR_FRAGMENT.split(host_and_path, maxsplit=1)[0]


def redact_secrets(text: str) -> str:
    """Replace keys, and user and password of addresses, in an error message by `[key]`."""
    return _redact_variables(_SECRET_IN_MESSAGE.sub(_MASK, text), os.environ)


def redact_log(text: str, environment: Mapping[str, str], api_key: str | None) -> str:
    """Replace keys in a server's log by `[key]`.

    Args:
        text: Lines of the log.
        environment: The server's environment variables.
        api_key: The key that the server asks of its clients, of any length.
    """
    if api_key:
        text = text.replace(api_key, _MASK)
    return _SECRET_IN_LOG.sub(_MASK, _redact_variables(text, environment))


def _redact_variables(text: str, environment: Mapping[str, str]) -> str:
    """Replace the values of variables that are named like a secret."""
    for variable, value in environment.items():
        if len(value) >= _MIN_SECRET_LENGTH and _SECRET_VARIABLE.search(variable):
            text = text.replace(value, _MASK)
    return text
