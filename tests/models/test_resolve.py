import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from longchain.errors import ModelNameError
from longchain.models.longwriter import LongWriterLLM
from longchain.models.profile import (
    REASONING_TOKENS,
    context_window,
    output_limit,
    supports_json_schema,
)
from longchain.models.resolve import chat_model, describe, name

URL = "http://localhost:8000/v1"
OPENAI = "https://api.openai.com/v1"
KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        *("LONGCHAIN_MODEL", "LONGCHAIN_BASE_URL", "OPENAI_API_KEY", "OPENAI_API_BASE"),
        *("OPENAI_BASE_URL", "LANGSMITH_GATEWAY"),
    ):
        monkeypatch.delenv(variable, raising=False)


class Server:
    """An OpenAI-compatible server, as far as `GET /models`."""

    def __init__(self, *models: dict[str, Any], status: int = 200, body: str | None = None):
        self.body = json.dumps({"object": "list", "data": models}) if body is None else body
        self.status = status
        self.requests: list[httpx.Request] = []

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(
            self.status, text=self.body, headers={"content-type": "application/json"}
        )


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with Server({"id": "qwen", "object": "model", "max_model_len": 4096}).client() as opened:
        yield opened


def test_a_chat_model_is_returned_as_it_is() -> None:
    model = FakeListChatModel(responses=["a"])
    assert chat_model(model, temperature=0.1) is model


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        ({"OPENAI_API_KEY": KEY}, None, ("gpt-5-mini", None)),
        ({"OPENAI_API_KEY": KEY}, "openai:gpt-4o", ("gpt-4o", None)),
        ({"OPENAI_API_KEY": KEY}, "gpt-4o", ("gpt-4o", None)),
        ({"OPENAI_API_KEY": KEY, "LONGCHAIN_MODEL": "openai:a"}, None, ("a", None)),
        ({"OPENAI_API_KEY": KEY, "LONGCHAIN_MODEL": "openai:a"}, "openai:b", ("b", None)),
        ({"OPENAI_API_KEY": KEY, "LONGCHAIN_MODEL": "", "LONGCHAIN_BASE_URL": " "}, "", None),
        ({"LONGCHAIN_MODEL": "openai:a", "LONGCHAIN_BASE_URL": URL}, None, ("a", URL)),
        ({"LONGCHAIN_MODEL": "a", "LONGCHAIN_BASE_URL": URL}, None, ("a", URL)),
        ({"LONGCHAIN_BASE_URL": URL}, "meta/Llama-4", ("meta/Llama-4", URL)),
        ({"LONGCHAIN_BASE_URL": URL}, "gpt-oss-20b", ("gpt-oss-20b", URL)),
        ({"LONGCHAIN_BASE_URL": URL}, "qwen3:8b", ("qwen3:8b", URL)),
        ({"LONGCHAIN_BASE_URL": URL}, "mistral:7b", ("mistral:7b", URL)),
        ({"OPENAI_API_KEY": "", "LONGCHAIN_BASE_URL": URL}, "openai:qwen3:8b", ("qwen3:8b", URL)),
        ({"OPENAI_BASE_URL": URL}, "openai:a", ("a", URL)),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": ""}, "gpt-4o", ("gpt-4o", OPENAI)),
    ],
)
def test_the_order_of_what_is_meant(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    given: str | None,
    expected: tuple[str, str | None] | None,
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    model = chat_model(given)
    assert isinstance(model, ChatOpenAI)
    assert (model.model_name, model.openai_api_base) == (expected or ("gpt-5-mini", None))
    assert model.stream_usage is True


@pytest.mark.parametrize("given", [None, "offline"])
def test_without_anything_the_offline_writer_is_meant(given: str | None) -> None:
    from longchain.models.offline import OfflineWriter

    model = chat_model(given)
    assert isinstance(model, OfflineWriter)
    assert ("LONGCHAIN_MODEL" in describe(model)) is (given is None)


def test_empty_addresses_of_openai_are_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    model = chat_model()
    assert isinstance(model, ChatOpenAI)
    assert str(model.root_client.base_url) == "https://api.openai.com/v1/"


@pytest.mark.parametrize(("environment", "sent"), [("", "none"), (KEY, KEY)])
def test_a_server_gets_the_key_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, environment: str, sent: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", environment)
    server = Server({"id": "qwen"})
    model = chat_model(base_url=URL, http_client=server.client())
    assert isinstance(model, ChatOpenAI)
    assert server.requests[0].headers["authorization"] == f"Bearer {sent}"
    assert model.root_client.api_key == sent


def test_a_server_is_asked_for_its_model_and_window(client: httpx.Client) -> None:
    model = chat_model(base_url=URL, http_client=client, temperature=0.3)
    assert isinstance(model, ChatOpenAI)
    assert (name(model), context_window(model), model.temperature) == ("qwen", 4096, 0.3)
    assert describe(model) == f"qwen (ChatOpenAI at {URL}; the server's model)"


def test_an_adapter_is_not_the_servers_model() -> None:
    server = Server({"id": "base"}, {"id": "adapter", "parent": "base"})
    assert name(chat_model(base_url=URL, http_client=server.client())) == "base"


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (Server(), "serves no model"),
        (Server({"id": "a"}, {"id": "b"}), "serves 2 models (a, b); name one"),
        (Server(status=401, body=json.dumps({"error": f"wrong key {KEY}"})), "HTTP 401"),
        (Server(status=404, body="<html>"), "HTTP 404"),
        (Server(body="<html>"), "not the answer"),
        (Server(body="[]"), "not the answer"),
        (Server(body='{"data": [1]}'), "not the answer"),
        (Server(body="{}"), "not the answer"),
    ],
)
def test_a_server_that_names_no_model(
    monkeypatch: pytest.MonkeyPatch, server: Server, said: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = "http://user:password@localhost:8000/v1"
    with pytest.raises(ModelNameError) as caught:
        chat_model(base_url=url, http_client=server.client())
    message = str(caught.value)
    assert said in message
    assert URL in message
    assert KEY not in message
    assert "password" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_server_that_is_down() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ModelNameError, match=r"localhost:8000/v1 .*no connection"):
        chat_model(base_url=URL, http_client=httpx.Client(transport=httpx.MockTransport(refuse)))


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://x/v1", "http://", "http://a b/v1", "http://[1/v1", "http://x:y"],
)
def test_a_base_url_that_is_no_address(url: str) -> None:
    with pytest.raises(ModelNameError, match="base URL"):
        chat_model("openai:a", base_url=url)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("anthropic:claude-x", "pip install langchain-anthropic"),
        ("claude-x", "pip install langchain-anthropic"),
        ("groq:qwen3-32b", "pip install langchain-groq"),
        ("vllm:qwen", "'vllm:qwen' is not known"),
        ("nope", "longwriter:NAME@URL"),
        ("openai:", "openai:NAME"),
        ("anthropic:", "anthropic:NAME"),
        ("openai:gpt-5", "OPENAI_API_KEY"),
        ("gpt-5", "OPENAI_API_KEY"),
        ("longwriter:name", "@http"),
        ("longwriter:name@host", "web address"),
    ],
)
def test_a_string_that_names_no_model_says_what_to_do(given: str, said: str) -> None:
    with pytest.raises(ModelNameError) as caught:
        chat_model(given)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "url", "shown"),
    [
        (None, "http://u:hun@ter@h:1/v1", "http://h:1/v1"),
        (None, "http://u:hun/ter@h:1/v1", "http://h:1/v1"),
        (None, "http://u:hunter?@h/v1", "http://…"),
        (None, "u:hunter@h/v1", "'h/v1'"),
        (None, "h/v1?key=hunter", "'h/v1'"),
        ("https://u:hunter@h/v1", None, "'https://h/v1'"),
        ("https:/u:hunter@h/v1", None, "'https:/h/v1'"),
        ("openai:https://u:hunter@h/v1", None, "'openai:https://h/v1'"),
        ("anthropic:https://u:hunter@h/v1", None, "'anthropic:https://h/v1'"),
        ("groq:https://u:hunter@h/v1", None, "'groq:https://h/v1'"),
        ("longwriter:https://u:hunter@", None, "'longwriter:https://'"),
    ],
)
def test_no_part_of_an_address_that_may_be_secret_is_shown(
    given: str | None, url: str | None, shown: str
) -> None:
    with pytest.raises(ModelNameError) as caught:
        chat_model(given, base_url=url, http_client=Server(status=404).client())
    assert shown in str(caught.value)
    assert not {"hun", "ter"} & set(re.split(r"\W", str(caught.value)))
    assert "hunter" not in str(caught.value)


def test_a_model_string_keeps_an_at_sign_of_its_own() -> None:
    with pytest.raises(ModelNameError, match="the model 'nowhere:opus@2026' is not known"):
        chat_model("nowhere:opus@2026")


def test_describe_shows_no_password() -> None:
    model = chat_model("https://u:hunter@h/v1", base_url="http://u:hunt@er@h:1/v1")
    assert describe(model) == "https://h/v1 (ChatOpenAI at http://h:1/v1; as given)"


def test_the_offline_writer_has_no_address() -> None:
    with pytest.raises(ModelNameError, match="leave out the base URL"):
        chat_model("offline", base_url=URL)


@pytest.mark.parametrize(
    ("given", "more"), [("openai:gpt-4o", {}), ("azure_openai:gpt-4o", {"azure_endpoint": URL})]
)
def test_a_wrong_argument_does_not_show_the_key(given: str, more: dict[str, Any]) -> None:
    with pytest.raises(ModelNameError) as caught:
        chat_model(given, api_key=KEY, max_retries="many", **more)
    assert "max_retries" in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("address", [f"@{URL}", ""])
def test_longwriter_is_sampled_as_its_authors_do(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("LONGCHAIN_BASE_URL", URL)
    name = "THUDM/LongWriter-glm4-9b"
    model = chat_model(f"longwriter:{name}{address}", extra_body={"min_p": 0.1})
    assert isinstance(model, LongWriterLLM)
    assert (model.temperature, model.top_p, model.max_tokens) == (0.5, 0.8, 32_768)
    assert (model.top_k, model.extra_body) == (50, {"min_p": 0.1})
    assert (model.model_name, model.openai_api_base) == (name, URL)


def test_a_longwriter_temperature_may_be_chosen() -> None:
    model = chat_model(f"longwriter:x@{URL}", temperature=0.9)
    assert isinstance(model, LongWriterLLM)
    assert model.temperature == 0.9


def test_a_wrong_argument_of_a_longwriter_is_told() -> None:
    with pytest.raises(ModelNameError, match=r"cannot be set up: .*min_tokens"):
        chat_model(f"longwriter:x@{URL}", min_tokens="few")


@pytest.mark.parametrize(
    ("given", "said"),
    [("openai:gpt-4o", "gpt-4o (ChatOpenAI; as given)"), (None, "OPENAI_API_KEY is set")],
)
def test_describe_says_why_and_no_key(
    monkeypatch: pytest.MonkeyPatch, given: str | None, said: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    line = describe(chat_model(given))
    assert said in line
    assert KEY not in line


class ChatOllama(FakeListChatModel):
    num_predict: int | None = None


class ChatGoogleGenerativeAI(FakeListChatModel):
    model: str = "gemini"


class Child(ChatOllama):
    pass


def _fake(kind: type[FakeListChatModel] = FakeListChatModel, **fields: Any) -> BaseChatModel:
    return kind(responses=["a"], **fields)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (_fake(), {"max_tokens": 100}),
        (_fake(ChatOllama), {"num_predict": 100}),
        (_fake(Child), {"num_predict": 100}),
        (_fake(ChatOllama, num_predict=-1), {"num_predict": 100}),
        (_fake(ChatOllama, num_predict=50), {"num_predict": 50}),
        (_fake(ChatGoogleGenerativeAI), {"max_output_tokens": 100}),
        (_fake(profile={"max_output_tokens": 60}), {"max_tokens": 60}),
        (_fake(profile={"reasoning_output": True}), {"max_tokens": 100 + REASONING_TOKENS}),
        (
            _fake(profile={"reasoning_output": True, "max_output_tokens": 8000}),
            {"max_tokens": 8000},
        ),
    ],
)
def test_output_limit(model: BaseChatModel, expected: dict[str, int]) -> None:
    assert output_limit(model, 100) == expected


def test_output_limit_keeps_to_what_the_model_was_made_with() -> None:
    limit: dict[str, Any] = {"max_tokens": 40}
    model = ChatOpenAI(model="x", api_key=SecretStr(KEY), **limit)
    assert output_limit(model, 100) == {"max_tokens": 40}


def test_output_limit_keeps_to_what_the_model_is_bound_to() -> None:
    wrapped: Any = _fake(ChatOllama).bind(num_predict=40).with_retry()
    assert output_limit(wrapped, 100) == {"num_predict": 40}


WRAPPINGS: list[Callable[[BaseChatModel], Any]] = [
    lambda model: model.bind(seed=1),
    lambda model: model.with_retry(),
    lambda model: model.with_fallbacks([_fake()]),
    lambda model: model.with_config(tags=["x"]),
    lambda model: model.bind(seed=1).with_retry(),
    lambda model: model.with_retry().with_fallbacks([_fake()]),
    lambda model: model.with_fallbacks([_fake()]).with_retry().bind(seed=1),
]


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_wrapped_model_is_known_by_what_it_wraps(
    wrap: Callable[[BaseChatModel], Any],
) -> None:
    profile = {"max_input_tokens": 9, "structured_output": True, "max_output_tokens": 60}
    wrapped = wrap(_fake(ChatOllama, num_predict=50, profile=profile))
    assert output_limit(wrapped, 1000) == {"num_predict": 50}
    assert (context_window(wrapped), supports_json_schema(wrapped)) == (9, True)
    unlimited = wrap(_fake(ChatOllama, profile=profile))
    assert output_limit(unlimited, 1000) == {"num_predict": 60}


@pytest.mark.parametrize(
    ("profile", "window", "schema"),
    [
        (None, None, None),
        ({}, None, None),
        ({"max_input_tokens": 9, "structured_output": True}, 9, True),
        ({"max_input_tokens": 0, "structured_output": False}, None, False),
    ],
)
def test_what_a_profile_says(
    profile: dict[str, Any] | None, window: int | None, schema: bool | None
) -> None:
    model = _fake(profile=profile)
    assert (context_window(model), supports_json_schema(model)) == (window, schema)


def test_name_falls_back_to_the_kind() -> None:
    assert name(_fake(ChatGoogleGenerativeAI)) == "gemini"
    assert name(_fake()) == "fake-list-chat-model"


def test_the_module_alone_imports_no_provider() -> None:
    code = (
        "import sys, longchain.models.resolve;"
        "found = {'langchain_openai', 'openai', 'langchain'} & sys.modules.keys();"
        "sys.exit(' '.join(found) or None)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
