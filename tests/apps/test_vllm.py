"""`longchain vllm` over a fake vLLM."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from longchain.apps.cli import app

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

MAIN = """
from longchain.apps.cli import main
from longchain.models.server import process
process._GRACE_SECONDS = 0.3
main()
"""


def command(engine: Any, *arguments: str, mode: str = "quick", **env: str) -> Any:
    """Start the command line in a process of its own."""
    options = [str(engine.model), "--python", sys.executable, *arguments]
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "vllm", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **engine.env(mode), **env},
    )


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["vllm", *arguments], env=env)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(engine: Any, sent: signal.Signals) -> None:
    with command(engine, "--max-model-len", "512", "--lora", "a=org/b", "--", "--dtype=half") as on:
        url = on.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", url)
        assert not engine.is_free(url)
        on.send_signal(sent)
        out, err = on.communicate()
    assert (on.returncode, out) == (0, "")
    assert err.splitlines()[-2:] == [
        f"longchain write INSTRUCTION --model longwriter:my-model@{url}",
        "Ctrl-C ends the server.",
    ]
    assert engine.gone()
    argv = engine.started()["argv"]
    assert {"--max-model-len", "512", "--enable-lora", "--dtype=half"} <= {*argv}


def test_quiet_says_the_address_alone(engine: Any) -> None:
    with command(engine, "--quiet") as on:
        assert on.stdout.readline()
        on.terminate()
        out, err = on.communicate()
    assert (on.returncode, out, err) == (0, "", "")


def test_a_key_is_asked_for_and_not_shown(engine: Any) -> None:
    with command(engine, VLLM_API_KEY="sk-very-secret") as on:
        on.stdout.readline()
        on.terminate()
        _, err = on.communicate()
    assert "set OPENAI_API_KEY to the server's key, longchain write" in err
    assert "sk-very-secret" not in err


def test_it_may_be_interrupted_before_it_is_ready(engine: Any) -> None:
    with command(engine, mode="hang") as on:
        engine.started()
        on.send_signal(signal.SIGINT)
        out, err = on.communicate()
    assert (on.returncode, out) == (130, "")
    assert err == "longchain: interrupted\n"
    assert engine.gone()


def test_a_server_that_dies_is_told_of(engine: Any) -> None:
    with command(engine) as on:
        on.stdout.readline()
        os.kill(engine.started()["pid"], signal.SIGKILL)
        _, err = on.communicate()
    assert on.returncode == 1
    assert "ended with code -9: it was killed" in err
    assert "Traceback" not in err


def test_a_server_that_does_not_start_is_told_of(engine: Any) -> None:
    with command(engine, mode="die", ENGINE_SAYS="ValueError: the moon is full") as on:
        out, err = on.communicate()
    assert (on.returncode, out) == (1, "")
    assert err.startswith(f"longchain: vLLM could not serve '{engine.model}': ValueError: the moon")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/no/such/model"], "'/no/such/model' is not a folder"),
        (["org/model", "--lora", "a"], "the adapter 'a' cannot be used: write NAME=FOLDER"),
        (["org/model", "--lora", "a=b", "--lora", "a=c"], "the adapter 'a=c' cannot be used"),
        (["org/model", "--port", "0"], "port cannot be 0"),
        (["org/model", "--python", "/no/python"], "'/no/python' is not a program"),
        (["org/model"], "serving a model needs vLLM"),
        (["org/model", "--", "--host=0.0.0.0"], "listens on 127.0.0.1 only"),
    ],
)
def test_mistakes_are_told(arguments: list[str], said: str) -> None:
    done = run(*arguments, env={"LONGCHAIN_VLLM_PYTHON": ""})
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
