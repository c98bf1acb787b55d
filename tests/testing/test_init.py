import subprocess
import sys

import pytest

from longchain import testing


def test_every_public_name_loads() -> None:
    assert testing.__all__ == sorted(testing.__all__) == dir(testing)
    assert all(getattr(testing, name).__name__ == name for name in testing.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'Oracle'"):
        testing.Oracle  # noqa: B018


def test_server_loads_neither_openai_nor_langgraph() -> None:
    code = "import sys; from longchain.testing import SimulatedServer; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = out.stdout.split()
    assert "longchain.testing.server" in loaded
    assert not {"openai", "langgraph", "langchain_openai"}.intersection(loaded)
