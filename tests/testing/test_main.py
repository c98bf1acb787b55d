import signal
import subprocess
import sys

import httpx
import pytest

from longchain.testing import Faults, LengthBehavior
from longchain.testing.__main__ import create_server

ARGUMENTS = """
    --model quill --window 99 --slots 2 --tokens-per-second 50 --prefill-tokens-per-second 900
    --latency 0.5 --no-prefix-cache --no-json-schema --bias 0.7 --spread 0.2 --cap 50 --sections 4
    --seed 8 --fault drop=0.1 --fault rate_limit=0.2 --retry-after 3
"""


def test_arguments_reach_the_server() -> None:
    made = create_server(ARGUMENTS.split())
    assert made.model == "quill"
    assert made._settings == {
        "behavior": LengthBehavior(bias=0.7, spread=0.2, cap=50, sections=4, seed=8),
        "faults": Faults(drop=0.1, rate_limit=0.2, retry_after=3, seed=8),
        "window": 99,
        "tokens_per_second": 50,
        "prefill_tokens_per_second": 900,
        "latency": 0.5,
        "slots": 2,
        "prefix_cache": False,
        "json_schema": False,
    }


@pytest.mark.parametrize("argument", ["--fault=explode=0.1", "--fault=drop", "--bias=-1"])
def test_bad_arguments_are_a_usage_error(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        create_server([argument])
    assert "error:" in capsys.readouterr().err


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_server_in_its_own_process() -> None:
    command = [sys.executable, "-W", "error", "-m", "longchain.testing", "--model", "quill"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/models").json()["data"][0]["id"] == "quill"
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
