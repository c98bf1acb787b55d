"""`serve()` over a fake vLLM: real processes, groups, signals, ports and logs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from longchain.errors import InputError, MissingExtraError, ModelNameError, ServerError
from longchain.models.server import Server, launch, serve

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

KEY = "sk-very-secret-0123456789"


# What a server is ----------------------------------------------------------------------------


def test_a_server_runs_for_as_long_as_the_block(engine: Any) -> None:
    with serve(engine.model, **engine.options()) as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", server.base_url)
        assert (server.model, server.api_key) == ("my-model", None)
        assert server.pid == engine.started()["pid"]
        assert httpx.get(f"{server.base_url}/models", trust_env=False).status_code == 200
        assert (server.alive(), server.diagnose()) == (True, None)
        assert "Starting" in server.tail(1)
        assert server.tail(0) == ""
    assert not server.alive()
    assert engine.gone()
    assert engine.is_free(server.base_url)
    assert server.diagnose() == f"the vLLM server at {server.base_url} was stopped"


async def test_a_server_in_async_code_leaves_the_loop_alone(engine: Any) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    async with serve(engine.model, **engine.options(ENGINE_SECONDS="0.3")) as server:
        assert server.alive()
    beating.cancel()
    assert beats > 10
    assert engine.gone()


def test_options_become_flags(engine: Any, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"r": 40}')
    template = tmp_path / "chat.jinja"
    template.touch()
    options: dict[str, Any] = {
        "served_model_name": "quill",
        "tensor_parallel_size": 2,
        "max_model_len": 4096,
        "dtype": "bfloat16",
        "quantization": "fp8",
        "lora": {"style": adapter},
        "chat_template": template,
        "flags": ["--dtype", "float32"],
    }
    with serve(engine.model, **options, **engine.options()) as server:
        port = server.base_url[:-3].rpartition(":")[2]
    expected = f"""
        --model {engine.model} --served-model-name quill --host 127.0.0.1 --port {port}
        --tensor-parallel-size 2 --max-model-len 4096 --dtype bfloat16 --quantization fp8
        --chat-template {template} --enable-prompt-tokens-details --enable-lora --lora-modules
    """.split()
    adapters = json.dumps({"name": "style", "path": str(adapter)})
    argv = engine.started()["argv"]
    assert argv == [*expected, adapters, "--max-lora-rank", "64", "--dtype", "float32"]


def test_environment_of_a_gpu_build(engine: Any) -> None:
    with serve(engine.model, **engine.options(VLLM_NO_USAGE_STATS="0")):
        env = engine.started()["env"]
    assert (env["VLLM_NO_USAGE_STATS"], env["DO_NOT_TRACK"], env["HF_HUB_OFFLINE"]) == (*"011",)
    assert "VLLM_CPU_KVCACHE_SPACE" not in env
    assert "VLLM_API_KEY" not in env
    assert env["PATH"].split(os.pathsep)[0] == os.path.dirname(sys.executable)


def test_a_hubs_model_may_be_downloaded(engine: Any) -> None:
    with serve("writers/long-1b", **engine.options()) as server:
        assert server.model == "writers/long-1b"
    assert "HF_HUB_OFFLINE" not in engine.started()["env"]


def test_cpu_build_gets_a_cache_and_compiles_nothing(engine: Any) -> None:
    engine.install_for_cpu()
    with serve(engine.model, **engine.options()):
        run = engine.started()
    assert "--enforce-eager" in run["argv"]
    assert 1 <= int(run["env"]["VLLM_CPU_KVCACHE_SPACE"]) <= 4


@pytest.mark.parametrize(
    ("flags", "env", "space"),
    [
        (["--gpu-memory-utilization=0.3"], {}, None),
        (["--kv-cache-memory-bytes", "1"], {}, None),
        ([], {"VLLM_CPU_KVCACHE_SPACE": "1"}, "1"),
    ],
)
def test_a_cache_that_is_given_stands(
    engine: Any, flags: list[str], env: dict[str, str], space: str | None
) -> None:
    engine.install_for_cpu()
    wanted = serve(engine.model, flags=flags, **engine.options(**env))._prepare()
    assert wanted.environment().get("VLLM_CPU_KVCACHE_SPACE") == space


def test_the_newest_entry_is_taken(engine: Any) -> None:
    engine.install("entrypoints/launchers/api_server/entry.py")
    wanted = serve(engine.model, **engine.options())._prepare()
    assert wanted.install.server_module == "vllm.entrypoints.launchers.api_server.entry"


def test_a_key_is_handed_over_by_the_environment_alone(engine: Any) -> None:
    options = engine.options("die", ENGINE_SAYS=f"ValueError: no {KEY} and no hf_abcdefghijk")
    with pytest.raises(ServerError) as caught, serve(engine.model, api_key=KEY, **options):
        pass
    run = engine.started()
    assert run["env"]["VLLM_API_KEY"] == KEY
    assert KEY not in str(run["argv"])
    assert "ValueError: no [key] and no [key]" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("given", [KEY, SecretStr(KEY), None])
def test_the_key_is_known_to_the_server(
    engine: Any, monkeypatch: pytest.MonkeyPatch, given: Any
) -> None:
    if given is None:
        monkeypatch.setenv("VLLM_API_KEY", KEY)
    with serve(engine.model, api_key=given, **engine.options()) as server:
        assert server.api_key == SecretStr(KEY)
        assert KEY not in repr(vars(server))


def test_the_interpreter_comes_from_the_environment(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGCHAIN_VLLM_PYTHON", sys.executable)
    with serve(engine.model, env=engine.env()) as server:
        assert server.alive()


def test_progress_is_told(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longchain.models.server.server._PROGRESS_SECONDS", 0.1)
    hold = engine.record.with_suffix(".wait")
    hold.touch()
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if line.endswith(" s: Starting"):  # not before its log says so
            hold.unlink(missing_ok=True)

    with serve(engine.model, progress=tell, startup_timeout=60, **engine.options()) as server:
        pass
    assert any(re.fullmatch(r"vLLM, \d+ s: Starting", line) for line in lines)
    assert lines[-1].endswith(f"ready at {server.base_url}")


# How it ends ---------------------------------------------------------------------------------


def test_an_exception_ends_it(engine: Any) -> None:
    with pytest.raises(ZeroDivisionError), serve(engine.model, **engine.options()):
        _ = 1 / 0
    assert engine.gone()


def test_what_ignores_requests_is_ended_by_force(engine: Any) -> None:
    with serve(engine.model, **engine.options("stubborn")) as server:
        pass
    assert engine.gone()
    assert engine.is_free(server.base_url)


def test_a_failing_progress_ends_it(engine: Any) -> None:
    def fail(line: str) -> None:
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError), serve(engine.model, progress=fail, **engine.options()):
        pass
    assert engine.gone()


PARENT = """
import os, sys, time
from longchain.models.server import process
from longchain.models.server import serve
process._GRACE_SECONDS = 0.3
serving = serve(sys.argv[1], python=sys.executable)

def stay():
    end = time.monotonic() + 60
    while time.monotonic() < end:  # a signal just before a long sleep would be seen after it
        time.sleep(0.05)

{body}
"""
STAYS = """
with serving as server:
    print(server.base_url, flush=True)
    stay()
"""
FORKS = """
with serving as server:
    if (child := os.fork()) == 0:  # holds the pipe, too
        os.closerange(1, 3)
        stay()
        os._exit(0)
    print(server.base_url, child, flush=True)
    stay()
"""
CHILD_EXITS = """
with serving as server:
    if (child := os.fork()) == 0:
        sys.exit()  # by way of the exit handlers
    os.waitpid(child, 0)
    time.sleep(1)
    print(server.alive(), flush=True)
"""
HANDLES_CTRL_C = """
with serving as server:
    try:
        print(flush=True)
        stay()
    except KeyboardInterrupt:
        time.sleep(0.5)
    print(server.alive(), flush=True)
"""
LEAVES_IT = """
server = serving.__enter__()
print(server.log, flush=True)
"""


def parent(engine: Any, body: str, mode: str = "quick") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT.format(body=body), str(engine.model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **engine.env(mode)},
        start_new_session=True,
    )


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("body", [STAYS, FORKS], ids=["alone", "forked"])
def test_it_ends_with_its_parent(engine: Any, sent: signal.Signals, body: str) -> None:
    with parent(engine, body) as process:
        assert process.stdout is not None
        url, *forked = process.stdout.readline().split()
        assert not engine.is_free(url)
        process.send_signal(sent)
        process.wait(10)
        assert engine.gone()
        assert engine.is_free(url)
        for child in map(int, forked):
            assert engine.running(child)
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_its_parent_before_it_is_ready(engine: Any, sent: signal.Signals) -> None:
    with parent(engine, STAYS, "hang") as process:
        engine.started()
        process.send_signal(sent)
        out, err = process.communicate()
    assert out == ""
    assert ("KeyboardInterrupt" in err) is (sent == signal.SIGINT)
    assert engine.gone()


def test_it_ends_with_the_interpreter_and_its_log_does(engine: Any) -> None:
    with parent(engine, LEAVES_IT) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert engine.gone()
    assert not Path(out.strip()).exists()


def test_a_fork_that_exits_ends_nothing(engine: Any) -> None:
    with parent(engine, CHILD_EXITS) as process:
        out, err = process.communicate()
    assert (out, err) == ("True\n", "")


def test_ctrl_c_is_the_callers_to_handle(engine: Any) -> None:
    with parent(engine, HANDLES_CTRL_C) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate()
    assert (out, err) == ("True\n", "")
    assert engine.gone()


def test_a_killed_supervisor_leaves_nothing(engine: Any) -> None:
    with serve(engine.model, **engine.options()) as server:
        supervisor = server._process._supervisor
        supervisor.kill()
        engine.wait_until(lambda: not server.alive())
        assert "ended with code None: the cause is unknown" in str(server.diagnose())
        engine.wait_until(lambda: not engine.running(server.pid))
    assert engine.is_free(server.base_url)
    # Nobody is left who knew of this one.
    os.kill(engine.started()["child"], signal.SIGKILL)


async def test_cancelling_the_start_ends_it(engine: Any) -> None:
    async def start() -> None:
        async with serve(engine.model, **engine.options("hang")):
            pass

    task = asyncio.create_task(start())
    await asyncio.to_thread(engine.started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.gone()


async def test_cancelling_the_block_ends_it(engine: Any) -> None:
    inside = asyncio.Event()

    async def stay() -> None:
        async with serve(engine.model, **engine.options()):
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(stay())
    await inside.wait()
    task.cancel()
    await asyncio.sleep(0.01)
    task.cancel()  # and again while it is being stopped
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.gone()


# Who shares it -------------------------------------------------------------------------------


def test_equal_calls_share_one_server(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(engine.model.parent)
    with serve(engine.model, **engine.options()) as first:
        with serve("./my-model", startup_timeout=9, **engine.options()) as second:
            assert second is first
        assert first.alive()
    assert not first.alive()
    assert len(engine.runs) == 1


def test_the_last_one_stops_it(engine: Any) -> None:
    first, second = (serve(engine.model, **engine.options()) for _ in range(2))
    server = first.__enter__()
    assert second.__enter__() is server
    first.__exit__()
    assert server.alive()
    second.__exit__()
    assert engine.gone()


@pytest.mark.parametrize(
    "other", [{"max_model_len": 9}, {"api_key": KEY}, {"flags": ["--enable-lora"]}]
)
def test_other_calls_get_other_servers(engine: Any, other: dict[str, Any]) -> None:
    with (
        serve(engine.model, **engine.options()) as first,
        serve(engine.model, **other, **engine.options()) as second,
    ):
        assert first.base_url != second.base_url
    assert engine.gone()


def together(engine: Any, count: int, options: dict[str, Any]) -> list[Server | ServerError]:
    """Enter and leave in many threads at once; return what each of them got."""
    got: list[Server | ServerError] = []
    all_in = threading.Barrier(count)

    def use() -> None:
        try:
            with serve(engine.model, **options) as server:
                got.append(server)
                all_in.wait(20)
        except ServerError as error:
            got.append(error)

    threads = [threading.Thread(target=use) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_callers_at_once_wait_for_one_start(engine: Any) -> None:
    got = together(engine, 5, engine.options(ENGINE_SECONDS="0.2"))
    assert len(got) == 5
    assert len(set(got)) == len(engine.runs) == 1
    assert engine.gone()


def test_callers_at_once_hear_of_one_failure(engine: Any) -> None:
    options = engine.options("die", ENGINE_SAYS="ValueError: broken", ENGINE_SECONDS="1")
    got = together(engine, 5, options)
    assert len({str(error) for error in got}) == len(engine.runs) == 1
    assert "ValueError: broken" in str(got[0])


def test_a_failure_is_not_held_against_later_calls(engine: Any) -> None:
    for _ in range(2):
        with (
            pytest.raises(ServerError),
            serve(engine.model, **engine.options("die", ENGINE_SAYS="ValueError: x")),
        ):
            pass
    assert len(engine.runs) == 2


def test_a_dead_server_is_told_of_and_replaced(engine: Any) -> None:
    serving = serve(engine.model, **engine.options())
    with serving as dead:
        os.kill(dead.pid, signal.SIGKILL)
        diagnosis = dead.diagnose()
        assert diagnosis is not None
        assert diagnosis.startswith(
            f"the vLLM server at {dead.base_url} ended with code -9: it was"
        )
        assert diagnosis.endswith(str(dead.log))
        with serving as alive:
            assert alive is not dead
            assert alive.diagnose() is None
        assert not alive.alive()
    assert dead.log.exists()
    assert engine.gone()


def test_a_sick_server_is_told_of(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longchain.models.server.server._HEALTH_TIMEOUT", 0.2)
    with serve(engine.model, **engine.options()) as server:
        Path(f"{engine.record}.sick").touch()
        assert "is not healthy: the cause is unknown; its log" in str(server.diagnose())
        with (
            pytest.raises(ServerError, match="not ready"),
            serve(engine.model, startup_timeout=1, **engine.options()),
        ):
            pass
    assert len(engine.runs) == 2
    assert server.log.exists()
    assert engine.gone()


# What goes wrong -----------------------------------------------------------------------------


def test_a_death_at_the_start_is_told_with_its_log(engine: Any) -> None:
    says = "Traceback\nValueError: the moon is full"
    with (
        pytest.raises(ServerError) as caught,
        serve(engine.model, **engine.options("die", ENGINE_SAYS=says)),
    ):
        pass
    first, *tail = str(caught.value).splitlines()
    assert first.startswith(
        f"vLLM could not serve '{engine.model}': ValueError: the moon is full; its log: "
    )
    assert tail[-1] == "ValueError: the moon is full"
    assert "ValueError" in Path(first.rpartition(" ")[2]).read_text()
    assert engine.gone()


def test_a_kill_at_the_start_is_taken_for_want_of_memory(engine: Any) -> None:
    with (
        pytest.raises(ServerError, match=r"it was killed, as the system does .* memory runs out"),
        serve(engine.model, **engine.options("killed")),
    ):
        pass


def test_unknown_flags_are_named(engine: Any) -> None:
    with (
        pytest.raises(ServerError, match="this vLLM has no flag --no-such-flag; check"),
        serve(engine.model, flags=["--no-such-flag"], **engine.options()),
    ):
        pass


def test_a_start_does_not_take_forever(engine: Any) -> None:
    with (
        pytest.raises(ServerError, match=r"it was not ready after 0\.5 seconds"),
        serve(engine.model, startup_timeout=0.5, **engine.options("hang")),
    ):
        pass
    assert not engine.runs or engine.gone()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held.getsockname()[1]


def test_a_port_in_use_is_refused(engine: Any, taken: int) -> None:
    with (
        pytest.raises(InputError, match=f"port {taken} is in use"),
        serve(engine.model, port=taken, **engine.options()),
    ):
        pass
    assert engine.runs == []


def test_a_given_port_is_used(engine: Any) -> None:
    port = launch.free_port()
    with serve(engine.model, port=port, **engine.options()) as server:
        assert server.base_url == f"http://127.0.0.1:{port}/v1"


def test_a_model_larger_than_the_memory_is_refused(engine: Any) -> None:
    engine.install_for_cpu()
    with (engine.model / "model-1.safetensors").open("wb") as file:
        file.truncate(2**40)
    with (
        pytest.raises(ServerError, match=r"takes 1024\.0 GiB and its KV cache 1 GiB, but"),
        serve(engine.model, **engine.options()),
    ):
        pass
    assert engine.runs == []


def test_a_cache_larger_than_the_memory_is_refused(engine: Any) -> None:
    engine.install_for_cpu()
    (engine.model / "model.safetensors").write_bytes(b"weights")
    options = engine.options(VLLM_CPU_KVCACHE_SPACE="4000000")
    with (
        pytest.raises(
            ServerError, match=r"its KV cache 4000000 GiB, but .* GiB of memory are free"
        ),
        serve(engine.model, **options),
    ):
        pass


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_single_precision_is_loaded_as_half(engine: Any, dtype: str) -> None:
    (engine.model / "config.json").write_text('{"torch_dtype": "float32"}')
    (engine.model / "model.safetensors").write_bytes(b"8 bytes.")
    (engine.model / "consolidated.safetensors").write_bytes(b"the same again")
    wanted = serve(engine.model, dtype=dtype, **engine.options())._prepare()
    assert wanted._weight_bytes() == (8 if dtype == "float32" else 4)


def adapter(folder: Path) -> Path:
    (folder / "adapter").mkdir()
    (folder / "adapter" / "adapter_config.json").touch()
    return folder / "adapter"


def test_an_adapter_is_no_model(engine: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(ModelNameError, match="is a LoRA adapter: serve its base model with lora="),
        serve(adapter(tmp_path), **engine.options()),
    ):
        pass


@pytest.mark.parametrize(
    "model", ["", "/no/such/folder", Path("missing"), "./a", "~/a/b", "--a", "a/b/c"]
)
def test_missing_models_are_refused(engine: Any, model: str | Path) -> None:
    with pytest.raises(ModelNameError, match="give a"), serve(model, **engine.options()):
        pass
    assert engine.runs == []


def test_a_folder_without_a_model_is_refused(engine: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(ModelNameError, match=r"not a model's folder, it has no config\.json"),
        serve(tmp_path, **engine.options()),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"port": 0}, "port cannot be 0"),
        ({"port": 70_000}, "port cannot be 70000"),
        ({"max_model_len": -1}, "max_model_len cannot be -1"),
        ({"startup_timeout": 0}, "startup_timeout must be above 0 seconds, not 0"),
        ({"flags": "--dtype half"}, "the flags are a list of words"),
        ({"flags": ["--api_key=x"]}, "the flag --api-key cannot be passed on: use api_key="),
        ({"lora": {"a": "/no/such"}}, "the adapter 'a' is not at '/no/such'"),
        ({"chat_template": "no.jinja"}, "'no.jinja' is not a file"),
        ({"python": "/no/python"}, "'/no/python' is not a program"),
        ({"python": "true"}, "is not a Python interpreter"),
    ],
)
def test_bad_options_are_refused(engine: Any, options: dict[str, Any], said: str) -> None:
    with (
        pytest.raises(InputError, match=re.escape(said)),
        serve(engine.model, **{**engine.options(), **options}),
    ):
        pass
    assert engine.runs == []


def test_a_missing_vllm_is_named(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingExtraError, match="LONGCHAIN_VLLM_PYTHON"), serve(engine.model):
        pass


def test_an_unknown_vllm_is_named(engine: Any) -> None:
    (engine.packages / "vllm/entrypoints/openai/api_server.py").unlink()
    with (
        pytest.raises(MissingExtraError, match="has no known server"),
        serve(engine.model, **engine.options()),
    ):
        pass
