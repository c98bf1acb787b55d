"""Names of request fields -> where they go, or why nobody knows them.

OpenAI's fields go as they are, vLLM's through `extra_body`. vLLM ignores a name that it does not
know without a word, so such a name is refused here.
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
"""What a vLLM server takes beside OpenAI's fields: `ChatCompletionRequest` of vLLM 0.32."""

_OLD = "guided_"
"""vLLM's names for structured output up to 0.11; later versions ignore them."""


@lru_cache(maxsize=1)
def _openai() -> frozenset[str]:
    from openai.resources.chat.completions import Completions

    return frozenset(inspect.signature(Completions.create).parameters) - {"self"}


def check(names: Iterable[str], known: Iterable[str] = ()) -> None:
    """Refuse a request field that neither OpenAI nor vLLM knows.

    Args:
        names: The fields' names.
        known: Further names that mean something to the caller.

    Raises:
        InputError: A name is not known; it says which may be meant.
    """
    everything = {*_openai(), *VLLM, *known}
    for name in names:
        if name.startswith(_OLD):
            raise InputError(
                f"vLLM ignores the old field {name!r}: use structured_outputs={{...}}, or "
                'with_structured_output(schema, method="json_schema")'
            )
        if name not in everything:
            close = get_close_matches(name, sorted(everything), n=1)
            hint = f"; is {close[0]!r} meant?" if close else ""
            raise InputError(f"a vLLM server knows no request field {name!r}{hint}")


def routed(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a request's fields as OpenAI's client takes them, and those for `extra_body`.

    Raises:
        InputError: A name is not known.
    """
    extra = dict(fields.get("extra_body") or {})
    check([*fields, *extra])
    own = _openai()
    extra |= {name: value for name, value in fields.items() if name not in own}
    return {n: v for n, v in fields.items() if n in own and n != "extra_body"}, extra
