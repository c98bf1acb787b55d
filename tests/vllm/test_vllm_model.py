"""`LongWriterLLM` on a real vLLM."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError, ModelNotFoundError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from tiny_model import CHECKPOINT

from longchain.agent.planning.planner import plan_prompt, plan_schema, prompt_variables
from longchain.errors import WindowError
from longchain.length import count_words
from longchain.models.longwriter import LongWriterLLM
from longchain.models.resolve import chat_model

ASKED = "Write 100 words about the harbor."


def test_a_reply_ends_by_itself_and_says_what_it_took(llm: LongWriterLLM) -> None:
    message = llm.invoke(ASKED)
    assert message.response_metadata["finish_reason"] == "stop"
    assert 40 < count_words(message.text) < 250
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == llm.get_num_tokens_from_messages(
        [HumanMessage(ASKED)]
    )


async def test_sixteen_at_once(llm: LongWriterLLM) -> None:
    lengths = range(20, 180, 10)
    asked = [f"Write {words} words about the harbor." for words in lengths]
    messages = await asyncio.gather(*map(llm.ainvoke, asked))
    assert len(messages) == 16
    assert all(m.response_metadata["finish_reason"] == "stop" for m in messages)
    written = [count_words(message.text) for message in messages]
    assert sum(written[8:]) > 1.5 * sum(written[:8])  # each has its own length


@pytest.mark.parametrize("size", [None, 16])
def test_a_stream_is_one_reply_with_one_usage(greedy: LongWriterLLM, size: int | None) -> None:
    greedy.request_tokens = size
    whole: Any = None
    count = 0
    for chunk in greedy.stream(ASKED):
        whole = chunk if whole is None else whole + chunk
        count += 1
    assert count > 10
    assert whole.text == greedy.invoke(ASKED).text
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata["output_tokens"] >= greedy.get_num_tokens(whole.text)


def test_cached_tokens_are_told(greedy: LongWriterLLM) -> None:
    long = "Write 16 words about the harbor. " * 20
    assert greedy.invoke(long).usage_metadata
    again = greedy.invoke(long).usage_metadata
    assert again is not None
    assert again["input_token_details"]["cache_read"] >= 64


def test_a_stop_string_ends_a_reply(greedy: LongWriterLLM) -> None:
    whole = greedy.invoke(ASKED).text
    stop = whole[50:58]
    message = greedy.invoke(ASKED, stop=[stop])
    assert message.text == whole[: whole.index(stop)]
    assert message.response_metadata["stop_reason"] == stop


@pytest.mark.parametrize("size", [16, 17, 23, 40, 64])
async def test_a_continued_reply_is_the_uncut_one(greedy: LongWriterLLM, size: int) -> None:
    for asked in (ASKED, "Write 240 words about the mountain."):
        uncut = greedy.invoke(asked)
        cut = LongWriterLLM(
            model="tiny", base_url=greedy.openai_api_base, temperature=0, request_tokens=size
        )
        joined = await cut.ainvoke(asked)
        assert joined.text == uncut.text
        assert uncut.usage_metadata
        assert uncut.usage_metadata["output_tokens"] > size


@pytest.mark.parametrize("total", [400, 1000])
def test_a_plan_by_json_schema(llm: LongWriterLLM, total: int) -> None:
    asked = plan_prompt("en").format_prompt(
        **prompt_variables(
            f"Write a {total}-word report on the harbor.",
            required=total,
            unit="words",
            language="en",
        )
    )
    planner = llm.with_structured_output(plan_schema())
    plan = planner.invoke(asked)
    assert 3 <= len(plan["sections"]) <= 8
    assert set(plan["sections"][0]) == {"heading", "main_point", "length"}


def test_an_overflow_has_both_numbers(llm: LongWriterLLM) -> None:
    with pytest.raises(ContextOverflowError) as caught:
        llm.invoke("harbor " * 20_000)
    assert isinstance(caught.value, WindowError)
    assert caught.value.window == 16_384
    assert (caught.value.tokens or 0) > 16_384


def test_a_limit_beyond_the_window_is_no_error(greedy: LongWriterLLM) -> None:
    message = greedy.invoke(ASKED, max_tokens=32_768)
    assert message.response_metadata["finish_reason"] == "stop"


def test_the_profile_is_the_servers(llm: LongWriterLLM) -> None:
    assert llm.ask_profile() == {"max_input_tokens": 16_384, "structured_output": True}


TEXTS = ["The harbor wakes early.", "港の朝は早い。", "Line one.\n\nLine 2,000 — 3 % \t end ", "🐟"]
TOKENIZE = """
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
asked = json.load(sys.stdin)
ids = [tokenizer.encode(text, add_special_tokens=False) for text in asked["texts"]]
chat = tokenizer.apply_chat_template(asked["chat"], add_generation_prompt=True, tokenize=False)
print(json.dumps([ids, len(tokenizer.encode(chat, add_special_tokens=False))]))
"""


def test_tokens_are_counted_as_the_tokenizer_does(llm: LongWriterLLM) -> None:
    chat = [("system", "Be brief."), ("user", ASKED), ("assistant", TEXTS[0]), ("user", TEXTS[1])]
    query = {"texts": TEXTS, "chat": [{"role": role, "content": text} for role, text in chat]}
    command = [os.environ["LONGCHAIN_VLLM_PYTHON"], "-c", TOKENIZE, str(CHECKPOINT)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, input=json.dumps(query), capture_output=True, text=True, check=True, env=env
    )
    ids, count = json.loads(done.stdout.splitlines()[-1])
    assert [llm.get_token_ids(text) for text in TEXTS] == ids
    assert [llm.get_num_tokens(text) for text in TEXTS] == [len(one) for one in ids]
    messages = [
        SystemMessage("Be brief."),
        HumanMessage(ASKED),
        AIMessage(TEXTS[0]),
        HumanMessage(TEXTS[1]),
    ]
    assert llm.get_num_tokens_from_messages(messages) == count


def test_a_reply_that_repeats_itself_is_stopped(greedy: LongWriterLLM) -> None:
    (token,) = greedy.get_token_ids(" harbor")
    asked: dict[str, Any] = {"allowed_token_ids": [token], "max_tokens": 400}
    detection = {"max_pattern_size": 10, "min_pattern_size": 1, "min_count": 8}
    message = greedy.invoke(ASKED, repetition_detection=detection, **asked)
    assert message.response_metadata["finish_reason"] == "repetition"
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] < 50
    assert greedy.invoke(ASKED, **asked).response_metadata["finish_reason"] == "length"


def test_a_wrong_model_name_is_told_with_the_right_one(llm: LongWriterLLM) -> None:
    other = LongWriterLLM(model="small", base_url=llm.openai_api_base)
    with pytest.raises(ModelNotFoundError, match="serves no model 'small'; it serves 'tiny'"):
        other.invoke(ASKED)


def test_a_wrong_path_is_told(llm: LongWriterLLM) -> None:
    url = str(llm.openai_api_base).removesuffix("/v1")
    with pytest.raises(ModelNotFoundError, match="the base URL mostly ends in /v1"):
        LongWriterLLM(model="tiny", base_url=url).invoke(ASKED)


def test_a_server_that_is_named_by_address_alone_is_a_vllm(llm: LongWriterLLM) -> None:
    assert isinstance(chat_model(base_url=str(llm.openai_api_base)), LongWriterLLM)
