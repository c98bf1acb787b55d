"""A model without a chat template on a real vLLM, and what its user is told when it is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest
from langchain_core.exceptions import ModelConnectionError, ModelInvalidRequestError
from tiny_model import CHECKPOINT

from longchain.models.longwriter import LongWriterLLM


def test_prompt_formats_and_a_killed_server(tmp_path: Path) -> None:
    bare = tmp_path / "open-calm-tiny"
    shutil.copytree(CHECKPOINT, bare)
    (bare / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((bare / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(config))
    with LongWriterLLM.serve(bare, max_retries=1) as llm:
        assert (llm.form, llm.temperature, llm.top_k) == ("alpaca", 0.7, 40)
        asked = "Write 50 words about the harbor."
        assert llm.invoke(asked, max_tokens=60).text
        uncut = llm.invoke(asked, max_tokens=90, temperature=0)
        llm.request_tokens = 17
        assert uncut.text.startswith(llm.invoke(asked, max_tokens=90, temperature=0).text[:200])

        chat = LongWriterLLM(model=llm.model_name, base_url=llm.openai_api_base,
                             prompt_format="chat")  # fmt: skip
        with pytest.raises(ModelInvalidRequestError, match="has no chat template: name a prompt"):
            chat.invoke(asked)

        server = llm._server
        assert server is not None
        killed = threading.Timer(1.0, os.kill, (server.pid, signal.SIGKILL))
        killed.start()
        began = time.monotonic()
        with pytest.raises(ModelConnectionError, match="ended with code -9"):
            llm.invoke(asked, max_tokens=15_000, min_tokens=15_000)
        with pytest.raises(ModelConnectionError, match="ended with code -9"):
            llm.invoke(asked)
        assert time.monotonic() - began < 20
