"""Secrets in addresses, model names, messages and logs."""

from __future__ import annotations

import pytest

from longchain.models.redact import redact_log, redact_model_name, redact_secrets, redact_url


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("openai:gpt-5", "openai:gpt-5"),
        ("opus@2026", "opus@2026"),
        ("longwriter:NAME@http://u:pass@h:1/v1?key=k#f", "longwriter:NAME@http://h:1/v1"),
        ("https:/u:p@ss/word@h/v1", "https:/h/v1"),
        ("http://u:pa?ss@h/v1", "http://…"),
    ],
)
def test_a_model_name_keeps_no_secret_of_its_address(name: str, shown: str) -> None:
    assert redact_model_name(name) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("u:pass@h/v1?key=k", "h/v1"),
        ("postgresql://u:pass@h/db", "postgresql://h/db"),
        ("localhost:11434", "localhost:11434"),
    ],
)
def test_an_address_may_come_without_its_scheme(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    ("text", "message", "log"),
    [
        ("wrong key sk-abcdefgh", "wrong key [key]", "wrong key [key]"),
        ("wrong key sk-ab**cd", "wrong key [key]", "wrong key sk-ab**cd"),
        ("wrong key hf_abcdefgh", "wrong key hf_abcdefgh", "wrong key [key]"),
        ("Bearer abc.d-ef", "Bearer [key]", "Bearer [key]"),
        ("http://u:pass@h/v1", "http://[key]@h/v1", "http://[key]@h/v1"),
        ("no hunter2-hunter2", "no [key]", "no [key]"),
        ("no abcdefg", "no abcdefg", "no abcdefg"),
    ],
)
def test_messages_and_logs_have_no_keys(
    monkeypatch: pytest.MonkeyPatch, text: str, message: str, log: str
) -> None:
    environment = {"SOME_API_KEY": "hunter2-hunter2", "SHORT_TOKEN": "abcdefg", "HOME": "http://u"}
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert redact_secrets(text) == message
    assert redact_log(text, environment, None) == log


def test_a_servers_own_key_is_hidden_in_its_log_however_short() -> None:
    assert redact_log("the key is abc", {}, "abc") == "the key is [key]"
