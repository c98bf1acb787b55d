"""`serve()`: a vLLM server as a context manager, sync and async.

a model's name or folder -> `Server`, ready; stopped with all its processes after the block

Equal calls in one process share one server. `launch` describes a server, `server` runs it,
`shared_server` counts its users.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

from pydantic import SecretStr

from longchain.errors import InputError
from longchain.models.server import launch, model_files
from longchain.models.server.install import find_install, inherited
from longchain.models.server.launch import Launch
from longchain.models.server.server import Progress, Server
from longchain.models.server.shared_server import SharedServer

_MAX_PORT = 65_535


def serve(
    model: str | Path,
    *,
    python: str | Path | None = None,
    port: int | None = None,
    served_model_name: str | None = None,
    tensor_parallel_size: int | None = None,
    max_model_len: int | None = None,
    dtype: str | None = None,
    quantization: str | None = None,
    lora: Mapping[str, str | Path] | None = None,
    chat_template: str | Path | None = None,
    api_key: str | SecretStr | None = None,
    env: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    startup_timeout: float = 1800.0,
    progress: Progress | None = None,
) -> ServerContext:
    """Serve a model with vLLM on this machine, for a `with` block.

    `with serve(model) as server:` or `async with …`; `server.base_url` is the address. The server
    listens on 127.0.0.1 only. It ends with the block, and with this process however that ends.
    Equal calls share one server, which is stopped when the last of them leaves. vLLM's defaults
    apply to everything that is None; on its CPU build, `--enforce-eager` and a KV cache of up to
    4 GiB are set, which `flags` and `VLLM_CPU_KVCACHE_SPACE` override.

    Args:
        model: A folder in Hugging Face's format, or a name on a model hub.
        python: The interpreter that has vLLM; None: `LONGCHAIN_VLLM_PYTHON`, otherwise this one.
        port: The port to listen on; None: a free one.
        served_model_name: The name for requests; None: the hub's, or the folder's last part.
        tensor_parallel_size: GPUs over which the model is split.
        max_model_len: Tokens that a prompt and its reply may have together.
        dtype: Data type of weights and activations, such as `"bfloat16"`.
        quantization: Method by which the weights are quantized, such as `"awq"` or `"fp8"`.
        lora: LoRA adapters, name -> folder or hub's name; requests use the name as the model.
        chat_template: A file with the chat template, for models that have none.
        api_key: The key that requests must send; None: `VLLM_API_KEY`, otherwise none. It reaches
            vLLM through its environment, and appears in no command line, log or message.
        env: Environment variables to set for vLLM.
        flags: More flags, as `vllm serve` takes them: `["--gpu-memory-utilization", "0.8"]`.
        startup_timeout: Seconds after which a server that is not ready is given up. A first start
            downloads the model.
        progress: Called every few seconds of the start with a line about it.

    Raises:
        InputError: An argument cannot be used. Like all of these, also raised on entering.
        MissingExtraError: There is no vLLM.
        ServerError: vLLM ended, or was not ready in time; the message has the cause and the last
            lines of the log.
    """
    _check_numbers(startup_timeout, port, tensor_parallel_size, max_model_len)
    launch.check_flags(flags)
    key = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key

    def prepare() -> Launch:
        variables = dict(env or {})
        path = model_files.model_path(model)
        adapters = (lora or {}).items()
        return Launch(
            install=find_install(python, variables),
            model=path,
            name=served_model_name or model_files.model_name(path),
            port=port,
            tensor_parallel_size=tensor_parallel_size,
            max_model_len=max_model_len,
            dtype=dtype,
            quantization=quantization,
            lora=tuple((name, model_files.lora_path(name, folder)) for name, folder in adapters),
            chat_template=None if chat_template is None else model_files.file_path(chat_template),
            env=tuple(sorted(variables.items())),
            flags=tuple(flags),
            api_key=key or inherited(variables).get("VLLM_API_KEY") or None,
        )

    return ServerContext(prepare, startup_timeout, progress)


def _check_numbers(
    startup_timeout: float,
    port: int | None,
    tensor_parallel_size: int | None,
    max_model_len: int | None,
) -> None:
    if not startup_timeout > 0:
        raise InputError(f"startup_timeout must be above 0 seconds, not {startup_timeout!r}")
    if port is not None and not 1 <= port <= _MAX_PORT:
        raise InputError(f"port cannot be {port!r}")
    if tensor_parallel_size is not None and tensor_parallel_size < 1:
        raise InputError(f"tensor_parallel_size cannot be {tensor_parallel_size!r}")
    if max_model_len is not None and max_model_len < 1:
        raise InputError(f"max_model_len cannot be {max_model_len!r}")


_servers: WeakValueDictionary[Launch, SharedServer[Server]] = WeakValueDictionary()
_servers_lock = threading.Lock()


class ServerContext:
    """Context manager, sync and async, that `serve()` returns; it yields a `Server`."""

    def __init__(
        self, prepare: Callable[[], Launch], startup_timeout: float, progress: Progress | None
    ) -> None:
        self._prepare = prepare
        self._timeout = startup_timeout
        self._progress = progress
        self._entered: list[tuple[SharedServer[Server], Server]] = []
        """Servers in use: the same context may be entered several times."""

    def __enter__(self) -> Server:
        return self._enter(threading.Event())

    def __exit__(self, *_: object) -> None:
        self._leave()

    async def __aenter__(self) -> Server:
        cancelled = threading.Event()
        entering = asyncio.ensure_future(asyncio.to_thread(self._enter, cancelled))
        try:
            return await asyncio.shield(entering)
        except asyncio.CancelledError:
            cancelled.set()
            await asyncio.wait([entering])
            if not entering.exception():
                await self.__aexit__()
            raise

    async def __aexit__(self, *_: object) -> None:
        leaving = asyncio.ensure_future(asyncio.to_thread(self._leave))
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            await asyncio.wait([leaving])
            raise

    def _enter(self, cancelled: threading.Event) -> Server:
        wanted = self._prepare()
        with _servers_lock:
            shared = _servers.setdefault(wanted, SharedServer())

        def start() -> Server:
            wanted.check()
            server = Server(wanted)
            try:
                server.wait(self._timeout, self._progress, cancelled)
            except BaseException:
                server.stop()
                raise
            return server

        server = shared.acquire(start, cancelled)
        self._entered.append((shared, server))
        return server

    def _leave(self) -> None:
        shared, server = self._entered.pop()
        shared.release(server)
