"""`LongWriterLLM` on a fake server: what is asked, what comes back, what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelNotFoundError,
)
from langchain_core.messages import AIMessage, BaseMessageChunk, HumanMessage, SystemMessage

from longchain.errors import InputError, ModelNameError, WindowError
from longchain.models.error_hints import explain
from longchain.models.longwriter import LongWriterLLM
from longchain.models.longwriter.http import httpx
from longchain.models.profile import context_window, supports_json_schema
from tests.models.longwriter.transport import TEXT, URL, FakeVLLM, failure, split

ASKED = "Write about the harbor."


def joined(chunks: Iterator[BaseMessageChunk]) -> Any:
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


async def ajoined(model: LongWriterLLM, asked: Any, **kwargs: Any) -> Any:
    whole: Any = None
    async for chunk in model.astream(asked, **kwargs):
        whole = chunk if whole is None else whole + chunk
    return whole


def every_way(model: LongWriterLLM, asked: Any, **kwargs: Any) -> Iterator[Any]:
    """The same call through all four doors, one after another."""
    yield model.invoke(asked, **kwargs)
    yield asyncio.run(model.ainvoke(asked, **kwargs))
    yield joined(model.stream(asked, **kwargs))
    yield asyncio.run(ajoined(model, asked, **kwargs))


# Presets and fields --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("THUDM/LongWriter-glm4-9b", ("chat", 0.5, 0.8, 50, 32_768, [151_329, 151_336, 151_338])),
        ("LongWriter-llama3.1-8b", ("inst", 0.5, 0.8, 50, 32_768, None)),
        ("THU-KEG/LongWriter-Zero-32B", ("zero", 0.6, 0.95, None, 15_500, None)),
        ("cyberagent/open-calm-7b", ("alpaca", 0.7, 0.75, 40, None, None)),
        ("Qwen/Qwen3-8B", ("chat", None, None, None, None, None)),
    ],
)
def test_a_name_brings_its_preset(name: str, expected: tuple[Any, ...]) -> None:
    model = LongWriterLLM(model=name, base_url=URL)
    settings = (model.form, model.temperature, model.top_p, model.top_k, model.max_tokens)
    assert (*settings, model.stop_token_ids) == expected


def test_what_is_given_goes_before_the_preset() -> None:
    model = LongWriterLLM(model="LongWriter-glm4-9b", base_url=URL, temperature=0.9, top_k=5)
    assert (model.temperature, model.top_p, model.top_k) == (0.9, 0.8, 5)


def test_long_form_fields_are_sent(server: FakeVLLM) -> None:
    detection = {"max_pattern_size": 20, "min_count": 4}
    model = server.model(
        min_tokens=5,
        top_k=7,
        repetition_penalty=1.1,
        repetition_detection=detection,
        ignore_eos=True,
        stop_token_ids=[9],
        chat_template_kwargs={"enable_thinking": False},
        min_p=0.1,
    )
    model.invoke(ASKED, top_k=3, length_penalty=2.0)
    (body,) = server.bodies()
    sent = {
        "min_tokens": 5,
        "top_k": 3,
        "repetition_penalty": 1.1,
        "repetition_detection": detection,
        "ignore_eos": True,
        "stop_token_ids": [9],
        "chat_template_kwargs": {"enable_thinking": False},
        "min_p": 0.1,
        "length_penalty": 2.0,
    }
    assert {name: body[name] for name in sent} == sent


def test_an_adapter_is_asked_for_by_its_name() -> None:
    server = FakeVLLM(names=("tiny", "japanese"))
    server.model(lora="japanese").invoke(ASKED)
    assert server.bodies()[0]["model"] == "japanese"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("topk", "no request field 'topk'; is 'top_k' meant?"),
        ("guided_json", "ignores the old field 'guided_json': use structured_outputs"),
    ],
)
def test_an_unknown_field_is_refused_by_name(server: FakeVLLM, name: str, said: str) -> None:
    for fields in ({name: 1}, {"extra_body": {name: 1}}, {"model_kwargs": {name: 1}}):
        with pytest.raises(InputError, match="field") as caught:
            server.model(**fields)
        assert said in str(caught.value)
    for fields in ({name: 1}, {"extra_body": {name: 1}}):
        with pytest.raises(InputError) as caught:
            server.model().invoke(ASKED, **fields)
        assert said in str(caught.value)
    assert server.requests == []


def test_a_model_must_be_named() -> None:
    with pytest.raises(ModelNameError, match="name the model"):
        LongWriterLLM(base_url=URL)


def test_no_key_of_openai_goes_out_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGCHAIN_API_KEY", "ours")
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    model = LongWriterLLM(model="tiny")
    assert model.openai_api_base == "http://127.0.0.1:8000/v1"
    assert model.openai_api_key.get_secret_value() == "ours"  # type: ignore[union-attr]


def test_traces_name_us(server: FakeVLLM) -> None:
    model = server.model(temperature=0.5, max_tokens=9)
    params = model._get_ls_params()
    assert params["ls_provider"] == "longchain"
    assert params["ls_model_name"] == "tiny"
    assert (params["ls_temperature"], params["ls_max_tokens"]) == (0.5, 9)
    assert "longchain" in (model.metadata or {})["lc_versions"]
    assert model._llm_type == "longwriter"


# Replies -------------------------------------------------------------------------------------


def test_a_reply_says_why_it_ended_and_what_it_took(server: FakeVLLM) -> None:
    for message in every_way(server.model(), ASKED):
        assert message.text == TEXT
        assert message.response_metadata["finish_reason"] == "stop"
        assert message.usage_metadata["output_tokens"] == len(split(TEXT))
        assert message.usage_metadata["input_token_details"]["cache_read"] > 0


@pytest.mark.parametrize("finish", ["repetition", "content_filter"])
def test_other_ends_are_told_as_they_are(finish: str) -> None:
    for message in every_way(FakeVLLM(finish=finish).model(), ASKED):
        assert message.response_metadata["finish_reason"] == finish


@pytest.mark.parametrize("finish", ["abort", "error"])
def test_a_reply_that_the_server_gave_up_is_no_prose(finish: str) -> None:
    model = FakeVLLM(finish=finish).model()
    for call in (lambda: model.invoke(ASKED), lambda: joined(model.stream(ASKED))):
        with pytest.raises(ModelAPIError, match="gave up a reply") as caught:
            call()
        assert caught.value.is_retryable


def test_choices_have_their_own_ends(server: FakeVLLM) -> None:
    result = server.model()._create_chat_result(
        {
            "choices": [
                {"message": {"role": "assistant", "content": "a"}, "finish_reason": finish}
                for finish in ("stop", "length")
            ]
        }
    )
    ends = [(one.generation_info or {})["finish_reason"] for one in result.generations]
    assert ends == ["stop", "length"]


@pytest.mark.parametrize("trims", [False, True])
@pytest.mark.parametrize("size", [16, 17, 18, 19, 20, 21, 22, 23, 31])
def test_a_cut_reply_is_continued_as_one(size: int, trims: bool) -> None:
    server = FakeVLLM(trims=trims)
    for message in every_way(server.model(request_tokens=size), ASKED):
        assert message.text == TEXT
        assert message.response_metadata["finish_reason"] == "stop"
        requests = server.taken()
        assert [body["max_tokens"] for body in requests] == [size] * len(requests)
        assert len(requests) >= len(split(TEXT)) // size
        assert message.usage_metadata["output_tokens"] >= len(split(TEXT))
        assert all(body["continue_final_message"] for body in requests[1:])
        assert all(body["add_generation_prompt"] is False for body in requests[1:])


@pytest.mark.parametrize("form", ["inst", "alpaca", "zero"])
def test_formats_are_continued_in_the_prompt(server: FakeVLLM, form: Any) -> None:
    model = server.model(prompt_format=form, request_tokens=16)
    for message in every_way(model, ASKED):
        assert message.text == TEXT
    bodies = server.bodies()
    assert all("messages" not in body for body in bodies)
    assert bodies[1]["prompt"].startswith(bodies[0]["prompt"])
    assert "continue_final_message" not in bodies[1]


def test_a_budget_ends_a_reply(server: FakeVLLM) -> None:
    for message in every_way(server.model(request_tokens=16, max_tokens=40), ASKED):
        assert message.response_metadata["finish_reason"] == "length"
        assert TEXT.startswith(message.text)
        requests = server.taken()
        assert [body["max_tokens"] for body in requests] == [16, 16, 8]


def test_a_budget_ends_a_stream_without_usage(server: FakeVLLM) -> None:
    message = joined(
        server.model(max_tokens=40, request_tokens=16, stream_usage=False).stream(ASKED)
    )
    assert message.response_metadata["finish_reason"] == "length"
    assert [body["max_tokens"] for body in server.bodies()] == [16, 16, 8]


def test_a_budget_is_not_passed_where_nothing_is_cut(server: FakeVLLM) -> None:
    message = server.model(max_tokens=16).invoke(ASKED)
    assert message.response_metadata["finish_reason"] == "length"
    assert len(server.bodies()) == 1


def test_least_tokens_hold_over_all_requests(server: FakeVLLM) -> None:
    server.model(request_tokens=16, min_tokens=24).invoke(ASKED)
    assert [body["min_tokens"] for body in server.bodies()][:3] == [16, 8, 0]


def test_a_full_window_ends_what_is_begun() -> None:
    server = FakeVLLM(window=45)
    for message in every_way(server.model(request_tokens=16), ASKED):
        assert message.response_metadata["finish_reason"] == "length"
        assert len(message.text) > 40
        assert TEXT.startswith(message.text)


def test_a_stop_string_is_found_across_requests(server: FakeVLLM) -> None:
    for size in range(16, 32):
        for message in every_way(server.model(request_tokens=size), ASKED, stop=["full; nob"]):
            assert message.text == TEXT[: TEXT.index("full; nob")]
            assert message.response_metadata["finish_reason"] == "stop"


def test_one_stop_string_may_stand_alone(server: FakeVLLM) -> None:
    for message in every_way(server.model(request_tokens=16, stop="market"), ASKED):
        assert message.text == TEXT[: TEXT.index("market")]


def test_a_begun_reply_is_gone_on_with(server: FakeVLLM) -> None:
    asked = [HumanMessage(ASKED), AIMessage(TEXT[:40])]
    further: dict[str, Any] = {"continue_final_message": True, "add_generation_prompt": False}
    for message in every_way(server.model(request_tokens=16), asked, **further):
        assert message.text == TEXT[40:]
        assert len(server.bodies()[-1]["messages"]) == 2


def test_thoughts_stay_out_of_the_answer() -> None:
    server = FakeVLLM(text=f"<think>A harbor, three parts.</think>\n<answer>{TEXT}</answer>")
    for size in (None, 16, 19):
        model = server.model(model="tiny", prompt_format="zero", request_tokens=size)
        for message in every_way(model, ASKED):
            assert message.text == TEXT
            assert message.additional_kwargs["reasoning_content"] == "A harbor, three parts."


# The server's own answers --------------------------------------------------------------------


def test_the_profile_comes_from_the_server(server: FakeVLLM) -> None:
    model = server.model()
    assert server.requests == []
    assert context_window(model) == 4_096
    assert supports_json_schema(model.with_retry()) is True  # type: ignore[arg-type]
    assert [path for path, _ in server.requests] == ["/v1/models"]


def test_tokens_are_the_servers(server: FakeVLLM) -> None:
    model = server.model()
    assert model.get_num_tokens(TEXT) == len(split(TEXT)) == len(model.get_token_ids(TEXT))
    asked = [SystemMessage("Be brief."), HumanMessage(ASKED)]
    assert model.get_num_tokens_from_messages(asked) == len(
        split(f"<system>Be brief.<user>{ASKED}")
    )


def test_tokens_are_estimated_with_one_warning(server: FakeVLLM) -> None:
    server.fail = lambda path, body: failure(404, "no") if path == "/tokenize" else None
    model = server.model()
    with pytest.warns(UserWarning, match="estimated"):
        assert 10 < model.get_num_tokens(TEXT) < 200
    assert model.get_num_tokens("two") == 1  # a second warning would be an error


def test_a_limit_beyond_the_window_is_lowered_once(server: FakeVLLM) -> None:
    model = server.model(max_tokens=32_768)
    for message in every_way(model, ASKED):
        assert message.text == TEXT
    asked = [body["max_tokens"] for body in server.bodies()]
    assert asked == [32_768, *[4_096] * 4]


# What goes wrong -----------------------------------------------------------------------------


def error_of(model: LongWriterLLM, asked: str = ASKED) -> Exception:
    errors: list[Exception] = []
    for call in (
        lambda: model.invoke(asked),
        lambda: joined(model.stream(asked)),
        lambda: asyncio.run(model.ainvoke(asked)),
        lambda: asyncio.run(ajoined(model, asked)),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            call()
        errors.append(caught.value)
    assert len({(type(error), str(error)) for error in errors}) == 1
    return errors[0]


def test_an_overflow_has_both_numbers(server: FakeVLLM) -> None:
    error = error_of(server.model(), "word " * 5_000)
    assert isinstance(error, ContextOverflowError)
    assert isinstance(error, WindowError)
    assert error.window == 4_096
    assert error.tokens is not None
    assert error.tokens > 5_000
    assert "4,096" in str(error)


def test_a_wrong_model_name_is_told_with_the_right_ones(server: FakeVLLM) -> None:
    error = error_of(server.model(model="small"))
    assert isinstance(error, ModelNotFoundError)
    assert str(error) == (f"the server at {URL} serves no model 'small'; it serves 'tiny'")


def test_a_wrong_path_is_told(server: FakeVLLM) -> None:
    error = error_of(server.model(base_url="http://vllm.test/"))
    assert isinstance(error, ModelNotFoundError)
    assert "the base URL mostly ends in /v1" in str(error)


def test_no_server_is_told(server: FakeVLLM) -> None:
    def refuse(path: str, body: Any) -> Any:
        raise httpx.ConnectError("refused")

    server.fail = refuse
    error = error_of(server.model(base_url="http://me:secret@vllm.test/v1?key=secret"))
    assert isinstance(error, ModelConnectionError)
    assert "cannot be reached or went away; start one with `longchain vllm tiny`" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Welcome</html>", headers={"content-type": "text/html"}),
        httpx.Response(200, json={"hello": "world"}),
    ],
)
def test_a_page_is_no_answer(server: FakeVLLM, answer: Any) -> None:
    server.fail = lambda path, body: answer
    with pytest.raises(ModelNotFoundError, match="is not OpenAI-compatible"):
        server.model().invoke(ASKED)


def test_an_error_in_a_stream_is_told(server: FakeVLLM) -> None:
    data = b'data: {"error": {"message": "EngineCore has died", "code": 500}}\n\n'
    server.fail = lambda path, body: httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=data
    )
    with pytest.raises(ModelAPIError, match="failed: EngineCore has died"):
        joined(server.model().stream(ASKED))


def test_a_missing_chat_template_is_told(server: FakeVLLM) -> None:
    server.fail = lambda path, body: failure(
        400,
        "As of transformers v4.44, default chat template is no longer allowed, so you must "
        "provide a chat template if the tokenizer does not define one.",
    )
    error = error_of(server.model())
    assert isinstance(error, ModelInvalidRequestError)
    assert "'tiny' has no chat template: name a prompt format" in str(error)


def test_a_wrong_key_is_told_and_not_shown(server: FakeVLLM) -> None:
    server.fail = lambda path, body: failure(401, "Unauthorized sk-very-secret")
    error = error_of(server.model(api_key="sk-very-secret"))
    assert "refuses the key: give api_key" in str(error)
    assert "very-secret" not in str(error)


def test_a_stream_that_breaks_off_is_no_reply(server: FakeVLLM) -> None:
    server.drop_after = 5
    with pytest.raises(ModelConnectionError, match="went away"):
        joined(server.model().stream(ASKED))


def test_a_cut_json_text_is_an_answer(server: FakeVLLM) -> None:
    schema = {"title": "P", "type": "object", "properties": {"a": {}, "b": {}, "c": {}, "d": {}}}
    asked = server.model(max_tokens=3).with_structured_output(schema, include_raw=True)
    answer = asked.invoke(ASKED)
    assert answer["raw"].response_metadata["finish_reason"] == "length"
    assert not answer["raw"].text.endswith("}")


def test_an_error_is_told_once(server: FakeVLLM) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        server.model(model="small").invoke(ASKED)
    assert explain(caught.value) == f"the model failed: {caught.value}"


def test_errors_are_openais_too(server: FakeVLLM) -> None:
    with pytest.raises(openai.NotFoundError):
        server.model(model="small").invoke(ASKED)
