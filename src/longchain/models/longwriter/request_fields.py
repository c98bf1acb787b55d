"""Request fields: splits a call's arguments into OpenAI's fields and vLLM's, and checks names.

a call's arguments -> those for OpenAI's client, and those for `extra_body`

vLLM silently ignores a field that it does not know, so an unknown name is refused here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from longchain.errors import InputError

VLLM = frozenset(
    {
        "add_generation_prompt", "add_special_tokens", "allowed_token_ids", "bad_words",
        "cache_salt", "chat_template", "chat_template_kwargs", "continue_final_message",
        "documents", "echo", "ignore_eos", "include_reasoning", "include_stop_str_in_output",
        "kv_transfer_params", "length_penalty", "logits_processors", "min_p", "min_tokens",
        "mm_processor_kwargs", "priority", "prompt_logprobs", "repetition_detection",
        "repetition_penalty", "request_id", "response_format", "return_token_ids",
        "return_tokens_as_token_ids", "session_id", "skip_special_tokens",
        "spaces_between_special_tokens", "stop_token_ids", "stream_interval",
        "structured_outputs", "thinking_token_budget", "top_k", "truncate_prompt_tokens",
        "truncation_side", "use_beam_search", "vllm_xargs",
    }
)  # fmt: skip
"""Fields of vLLM beside OpenAI's: `ChatCompletionRequest` of vLLM 0.32."""

_OLD_PREFIX = "guided_"
"""Prefix of vLLM's fields for structured output up to 0.11; later versions ignore them."""


@lru_cache(maxsize=1)
def _openai_fields() -> frozenset[str]:
    from openai.resources.chat.completions import Completions

    return frozenset(inspect.signature(Completions.create).parameters) - {"self"}


def check(names: Iterable[str], also_known: Iterable[str] = ()) -> None:
    """Refuse a request field that neither OpenAI nor vLLM knows.

    Args:
        names: The fields' names.
        also_known: Names that the caller knows, beside OpenAI's and vLLM's.

    Raises:
        InputError: A name is not known; the message suggests a similar one.
    """
    known = {*_openai_fields(), *VLLM, *also_known}
    for name in names:
        if name.startswith(_OLD_PREFIX):
            raise InputError(
                f"vLLM ignores the old field {name!r}: use structured_outputs={{...}}, or "
                'with_structured_output(schema, method="json_schema")'
            )
        if name not in known:
            similar = get_close_matches(name, sorted(known), n=1)
            hint = f"; is {similar[0]!r} meant?" if similar else ""
            raise InputError(f"a vLLM server knows no request field {name!r}{hint}")


def split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a call's arguments as OpenAI's client takes them, and those for `extra_body`.

    Raises:
        InputError: A name is not known.
    """
    openai_fields = _openai_fields()
    for_openai: dict[str, Any] = {}
    extra_body = dict(arguments.get("extra_body") or {})
    check([*arguments, *extra_body])
    for name, value in arguments.items():
        if name not in openai_fields:
            extra_body[name] = value
        elif name != "extra_body":
            for_openai[name] = value
    return for_openai, extra_body
