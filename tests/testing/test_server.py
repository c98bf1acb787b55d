import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from longchain.testing import Faults, LengthBehavior, SimulatedServer, tokens
from longchain.testing.prefix_cache import chat_tokens

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

Serve = Callable[..., SimulatedServer]


class Part(BaseModel):
    heading: str
    main_point: str
    length: int


class Plan(BaseModel):
    title: str
    chapters: list[Part]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers, and stop them after the test."""
    servers: list[SimulatedServer] = []

    def start(**options: Any) -> SimulatedServer:
        servers.append(SimulatedServer(**options).start())
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def connect() -> Iterator[Callable[[SimulatedServer], openai.OpenAI]]:
    """Open clients that do not retry, and close them after the test."""
    clients: list[openai.OpenAI] = []

    def client(server: SimulatedServer) -> openai.OpenAI:
        clients.append(openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0))
        return clients[-1]

    yield client
    for one in clients:
        one.close()


Connect = Callable[[SimulatedServer], openai.OpenAI]


def ask(client: openai.OpenAI, text: str | list[Any], **options: Any) -> Any:
    messages: list[Any] = [{"role": "user", "content": text}] if isinstance(text, str) else text
    return client.chat.completions.create(model="any", messages=messages, **options)


def post(server: SimulatedServer, path: str, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(server.url + path, content=content)


def test_chat(serve: Serve, connect: Connect) -> None:
    server = serve()
    answer = ask(connect(server), "Write 80 words.")
    assert len(answer.choices[0].message.content.split()) == 80
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == len(chat_tokens([("user", "Write 80 words.")]))
    assert answer.usage.completion_tokens == tokens.count(answer.choices[0].message.content)
    assert server.requests[0]["messages"] == [{"role": "user", "content": "Write 80 words."}]


@pytest.mark.parametrize("speed", [None, 5_000])
def test_stream_is_the_same_text_with_usage(
    serve: Serve, connect: Connect, speed: float | None
) -> None:
    server = serve(behavior=LengthBehavior(vary=False), tokens_per_second=speed)
    client = connect(server)
    whole = ask(client, "书写90字")
    *chunks, last = ask(client, "书写90字", stream=True, stream_options={"include_usage": True})
    deltas = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(deltas) == whole.choices[0].message.content
    assert len(deltas) == 90 + 2
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.usage.completion_tokens == 90
    assert len({chunk.id for chunk in [*chunks, last]}) == 1


def test_stream_without_usage(serve: Serve, connect: Connect) -> None:
    chunks = list(ask(connect(serve()), "10 words", stream=True))
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("stream", [True, False])
def test_max_tokens_cuts(serve: Serve, connect: Connect, name: str, stream: bool) -> None:
    server = serve()
    answer = ask(connect(server), "80 words", stream=stream, **{name: 7})
    reason = (list(answer)[-1] if stream else answer).choices[0].finish_reason
    assert reason == "length"
    assert server.stats.output_tokens == 7


def test_stop_and_unknown_fields(serve: Serve, connect: Connect) -> None:
    answer = ask(connect(serve()), "80 words", stop=". ", extra_body={"top_k": 5, "shoes": 2})
    assert answer.choices[0].message.content.count(".") == 0
    assert answer.choices[0].finish_reason == "stop"


def test_langchain_client(serve: Serve) -> None:
    server = serve()
    with httpx.Client() as http:
        model = ChatOpenAI(
            model="any",
            base_url=server.base_url,
            api_key=SecretStr("any"),
            http_client=http,
            stream_usage=True,
        )
        message = model.invoke("Write 40 words")
        chunks = list(model.stream("Write 40 words"))
    assert message.usage_metadata is not None
    assert len(message.text.split()) == 40
    assert sum(usage["output_tokens"] for chunk in chunks if (usage := chunk.usage_metadata)) > 40
    reasons = [chunk.response_metadata.get("finish_reason") for chunk in chunks]
    assert [reason for reason in reasons if reason] == ["stop"]


def test_json_schema(serve: Serve) -> None:
    server = serve(behavior=LengthBehavior(chapters=3))
    with httpx.Client() as http:
        model = ChatOpenAI(
            model="any", base_url=server.base_url, api_key=SecretStr("any"), http_client=http
        ).with_structured_output(Plan, method="json_schema")
        plan = model.invoke("<chapter_format> Total: 9000 words")
    assert isinstance(plan, Plan)
    assert len(plan.chapters) == 3
    assert sum(part.length for part in plan.chapters) == pytest.approx(9_000, rel=0.05)


def test_json_schema_may_be_refused(serve: Serve, connect: Connect) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "p", "schema": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="json_schema"):
        ask(connect(serve(json_schema=False)), "x", response_format=form)


def test_rate_limit_names_the_wait(serve: Serve, connect: Connect) -> None:
    server = serve(faults=Faults(script=["429"], retry_after=2.5))
    with pytest.raises(openai.RateLimitError) as caught:
        ask(connect(server), "x")
    assert caught.value.response.headers["retry-after"] == "2.5"
    assert caught.value.code == "rate_limit_exceeded"


def test_client_that_retries_succeeds(serve: Serve, connect: Connect) -> None:
    server = serve(faults=Faults(script=["429", "429"], retry_after=0.001))
    client = connect(server).with_options(max_retries=2)
    assert len(ask(client, "12 words").choices[0].message.content.split()) == 12
    assert server.stats.faults == {"rate_limit": 2}


def test_error(serve: Serve, connect: Connect) -> None:
    with pytest.raises(openai.InternalServerError, match="simulated"):
        ask(connect(serve(faults=Faults(error=1))), "x")


def test_drop_in_a_whole_answer(serve: Serve, connect: Connect) -> None:
    with pytest.raises(openai.APIConnectionError):
        ask(connect(serve(faults=Faults(drop=1))), "300 words")


def test_drop_in_a_stream(serve: Serve, connect: Connect) -> None:
    received = []
    with pytest.raises(openai.APIConnectionError):  # noqa: PT012
        for chunk in ask(connect(serve(faults=Faults(drop=1))), "300 words", stream=True):
            received.append(chunk)
    assert len(received) > 100
    assert all(chunk.choices[0].finish_reason is None for chunk in received)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("fault", "begins", "reason", "output"),
    [
        ("empty", "", "stop", 0),
        ("cut", "Title: ", "length", None),
        ("loop", "Title: ", "length", 600),
        ("half_plan", "Title: ", "stop", None),
        ("refusal", "I'm sorry", "stop", 11),
    ],
)
def test_faults_of_the_text(
    serve: Serve,
    connect: Connect,
    fault: str,
    begins: str,
    reason: str,
    output: int | None,
    stream: bool,
) -> None:
    server = serve(faults=Faults(script=[fault]), behavior=LengthBehavior(sections=9))
    answer = ask(connect(server), "<plan_format> 4000 words", max_tokens=600, stream=stream)
    if stream:
        choices = [chunk.choices[0] for chunk in answer]
        text = "".join(choice.delta.content or "" for choice in choices)
        finish = choices[-1].finish_reason
    else:
        text, finish = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert text.startswith(begins)
    assert finish == reason
    assert "\nSection 9" not in text
    assert output in (None, server.stats.output_tokens)
    assert server.stats.faults == {fault: 1}


def test_loop_repeats_one_sentence(serve: Serve, connect: Connect) -> None:
    client = connect(serve(faults=Faults(loop=1)))
    text = ask(client, "300 words", max_tokens=500).choices[0].message.content
    sentences = text.split(". ")[:-1]
    assert len(sentences) > 10
    assert len(set(sentences)) == 1


def test_half_plan_leaves_prose_whole(serve: Serve, connect: Connect) -> None:
    server = serve(faults=Faults(half_plan=1))
    assert len(ask(connect(server), "50 words").choices[0].message.content.split()) == 50
    assert server.stats.faults == {}


def test_prefix_cache_reuses_prompt_and_reply(serve: Serve, connect: Connect) -> None:
    server = serve()
    client = connect(server)
    turns = [{"role": "user", "content": "Write the first part in 100 words"}]
    first = ask(client, turns)
    reply = first.choices[0].message.content
    turns += [
        {"role": "assistant", "content": reply},
        {"role": "user", "content": "Write the second part in 100 words"},
    ]
    second, third = ask(client, turns), ask(client, turns)
    computed = first.usage.total_tokens - 1
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert second.usage.prompt_tokens_details.cached_tokens == computed // 16 * 16
    assert (
        third.usage.prompt_tokens_details.cached_tokens
        == (third.usage.prompt_tokens - 1) // 16 * 16
    )
    assert server.stats.cached_tokens == sum(
        answer.usage.prompt_tokens_details.cached_tokens for answer in (second, third)
    )


def test_prefix_cache_switched_off(serve: Serve, connect: Connect) -> None:
    client = connect(serve(prefix_cache=False))
    prompt = "Harbors. " * 50 + "20 words"
    answers = [ask(client, prompt) for _ in range(2)]
    assert [answer.usage.prompt_tokens_details for answer in answers] == [None, None]


@pytest.mark.parametrize(("prompt", "most"), [("word " * 40, None), ("word " * 20, 30)])
def test_overflow(serve: Serve, connect: Connect, prompt: str, most: int | None) -> None:
    options = {"max_tokens": most} if most else {}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(connect(serve(window=40)), prompt, **options)
    message = caught.value.body["message"]  # type: ignore[index]
    assert message.startswith("This model's maximum context length is 40 tokens. However, ")


def test_reply_ends_with_the_window(serve: Serve, connect: Connect) -> None:
    answer = ask(connect(serve(window=40)), "Write 80 words")
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.total_tokens == 40


def test_models_health_and_metrics(serve: Serve, connect: Connect) -> None:
    server = serve(model="quill", window=500, faults=Faults(script=["ok", "429"]))
    client = connect(server)
    (model,) = client.models.list().data
    assert (model.id, model.max_model_len) == ("quill", 500)  # type: ignore[attr-defined]
    ask(client, "10 words")
    with pytest.raises(openai.RateLimitError):
        ask(client, "10 words")
    assert httpx.get(f"{server.url}/health").status_code == 200
    metrics = httpx.get(f"{server.url}/metrics").text.splitlines()
    assert "longchain_simulated_requests 2" in metrics
    assert 'longchain_simulated_faults{kind="rate_limit"} 1' in metrics


def test_tokenize(serve: Serve, connect: Connect) -> None:
    server = serve(window=900)
    answer = post(server, "/tokenize", {"prompt": "the harbor 港"}).json()
    assert (answer["count"], answer["max_model_len"], len(answer["tokens"])) == (5, 900, 5)
    messages = [{"role": "user", "content": "Write 20 words"}]
    counted = post(server, "/tokenize", {"messages": messages}).json()["count"]
    assert counted == ask(connect(server), messages).usage.prompt_tokens


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/nothing", {}, 404, "POST /v1/nothing"),
        ("/v1/chat/completions", b"{", 400, "not JSON"),
        ("/v1/chat/completions", [], 400, "list"),
        ("/v1/chat/completions", {}, 400, "messages"),
        ("/v1/chat/completions", {"messages": ["hi"]}, 400, "messages"),
        ("/v1/chat/completions", {"messages": [{}], "n": 2}, 400, "n=2"),
        ("/v1/chat/completions", {"messages": [{}], "max_tokens": "x"}, 400, "max_tokens"),
        (
            "/v1/chat/completions",
            {"messages": [{}], "response_format": {"type": "json_schema"}},
            400,
            "schema",
        ),
    ],
)
def test_bad_requests(serve: Serve, path: str, body: Any, status: int, message: str) -> None:
    answer = post(serve(), path, body)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


async def together(server: SimulatedServer, count: int) -> list[int]:
    """Ask several times at once; return the numbers of the requests as they are answered."""
    finished: list[int] = []

    async def one(client: openai.AsyncOpenAI, number: int) -> None:
        # Each begins when the one before has arrived at the server, which is another thread.
        while len(server.requests) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        await ask(client, f"Part {number}: 10 words")  # type: ignore[arg-type]
        finished.append(number)

    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
        await asyncio.gather(*(one(client, number) for number in range(count)))
    return finished


async def test_requests_queue_for_slots(serve: Serve) -> None:
    server = serve(slots=1, tokens_per_second=200)
    assert await together(server, 5) == [0, 1, 2, 3, 4]
    assert server.stats.peak == 1


@pytest.mark.parametrize(("slots", "speed", "peak"), [(3, 100, 3), (None, 15, 8)])
async def test_slots_bound_what_is_decoded_at_once(
    serve: Serve, slots: int | None, speed: float, peak: int
) -> None:
    server = serve(slots=slots, tokens_per_second=speed)
    await together(server, 8)
    assert server.stats.peak == peak
    assert server.stats.active == 0


@pytest.mark.parametrize("stream", [True, False])
def test_speed_and_latency_are_kept(serve: Serve, connect: Connect, stream: bool) -> None:
    server = serve(tokens_per_second=100, prefill_tokens_per_second=200, latency=0.1)
    client = connect(server)
    begun = time.monotonic()
    answer = ask(client, "x " * 16 + "Write 90 words", max_tokens=20, stream=stream)
    if stream:
        list(answer)
    assert time.monotonic() - begun >= 0.1 + 20 / 100 + 20 / 200


def test_client_that_leaves_frees_its_slot(serve: Serve, connect: Connect) -> None:
    server = serve(tokens_per_second=20, slots=1)
    stream = ask(connect(server), "Write 900 words", stream=True)
    next(iter(stream))
    stream.close()
    begun = time.monotonic()
    while not server.stats.abandoned and time.monotonic() - begun < 5:
        time.sleep(0.01)
    assert server.stats.abandoned == 1
    assert server.stats.active == 0
    assert ask(connect(server), "Write 2 words").choices[0].finish_reason == "stop"


def test_lengths_do_not_depend_on_the_order_of_requests(serve: Serve, connect: Connect) -> None:
    texts = []
    for order in (range(6), reversed(range(6))):
        client = connect(serve(behavior=LengthBehavior(spread=0.4, seed=2)))
        answers = {number: ask(client, f"Part {number}: 40 words") for number in order}
        texts.append([answers[number].choices[0].message.content for number in range(6)])
    assert texts[0] == texts[1]


def test_server_restarts_afresh(serve: Serve, connect: Connect) -> None:
    server = serve()
    ask(connect(server), "5 words")
    with pytest.raises(RuntimeError, match="runs already"):
        server.start()
    server.close()
    server.close()
    assert server.stats.requests == 1
    with server:
        assert server.stats.requests == 0
        ask(connect(server), "5 words")
    assert len(server.requests) == 1


def test_taken_port_is_an_os_error(serve: Serve) -> None:
    server = serve()
    with pytest.raises(OSError, match="use"):
        SimulatedServer(port=server.port).start()


def test_close_ends_the_thread() -> None:
    before = threading.active_count()
    with SimulatedServer():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


async def test_async_context() -> None:
    async with SimulatedServer() as server, httpx.AsyncClient() as client:
        assert (await client.get(f"{server.url}/health")).status_code == 200
        url = server.url
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/health")
