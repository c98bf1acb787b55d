"""The estimate against the least that each script takes, and what counts for which model."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from longchain.models import tokens
from longchain.models.tokens import counter, estimate

ENGLISH = "The sea moves because the moon pulls it. "


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (ENGLISH, 0.2, 0.3),
        ("Вода движется под влиянием Луны и Солнца. ", 0.4, 0.6),
        ("תנועת הים ", 0.4, 0.6),
        ("海の水は月の引力で動く。", 1, 1.2),
        ("바닷물은달의인력으로움직인다", 1, 1.2),
        ("समुद्र", 1, 1.2),
        ("မြန်မာနိုင်ငံသည်", 1, 3),
        ("ზღვისწყალი", 1, 3),
        ("የባህርውሃ", 1, 3),
        ("ජලය", 1, 3),
        ("😀🌊🎉", 3, 3.2),
        ("🏳☀✨", 3, 3.2),
        ("𐤀𐤁", 3, 3.2),
        ("“…”—", 1, 1.2),
    ],
)
def test_tokens_a_character(text: str, least: float, most: float) -> None:
    long = text * 100
    assert least <= estimate(long) / len(long) <= most


def test_scripts_add_up() -> None:
    parts = [ENGLISH * 10, "Вода" * 10, "水" * 10, "မြန်" * 10, "😀" * 10]
    assert estimate("".join(parts)) == pytest.approx(sum(map(estimate, parts)), abs=len(parts))


def test_nothing_has_a_token() -> None:
    assert estimate("") == 1


def letters(text: str) -> list[int]:
    return list(range(len(text)))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_models_own_counter_is_used(wrapped: bool) -> None:
    model: Any = FakeListChatModel(responses=["a"], custom_get_token_ids=letters)
    assert counter(model.bind(seed=1).with_retry() if wrapped else model)("four") == 4


@pytest.mark.parametrize(("url", "own"), [(None, True), ("http://localhost:1/v1", False)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_openais_tokenizer_counts_for_openai_alone(
    url: str | None, own: bool, wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(tokens, "_openai_counter", lambda: len)
    model: Any = ChatOpenAI(model="x", api_key=SecretStr("none"), base_url=url)
    assert counter(model.with_retry() if wrapped else model) is (len if own else estimate)
