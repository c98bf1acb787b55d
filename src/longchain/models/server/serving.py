"""`serve()`: a vLLM server as a context manager, sync and async.

a model's name or folder -> `Server`, ready to be asked; stopped with all its processes afterwards

Equal calls in one process share one server. `launch.py` knows what to start, `process.py` how to
end all of it, `sharing.py` who else uses it, `crash.py` why it has ended.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet, WeakValueDictionary

import httpx
from pydantic import SecretStr

from longchain.errors import InputError, ServerError
from longchain.models.server import crash, launch
from longchain.models.server.launch import HOST, Launch
from longchain.models.server.process import Process
from longchain.models.server.sharing import Abandoned, Slot

_POLL = 0.1
_REPORT_EVERY = 5.0
_HEALTH_TIMEOUT = 5.0
_TAIL = 20
_LONGEST_LOG = 1_000_000
_LONGEST_LINE = 160

Progress = Callable[[str], None]


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
) -> Serving:
    """Serve a model by a vLLM of one's own, for as long as a `with` block lasts.

    `with serve(model) as server:` or `async with …`; `server.base_url` is where to ask. The server
    listens on 127.0.0.1 only. It ends with the block, and with this process however that ends.
    Equal calls share one server, which is stopped when the last of them leaves. What is None is
    left to vLLM; on its CPU build, `--enforce-eager` and a KV cache of up to 4 GiB are set, which
    `flags` and `VLLM_CPU_KVCACHE_SPACE` override.

    Args:
        model: A folder in Hugging Face's format, or a name that a hub knows.
        python: The interpreter that has vLLM; None: `LONGCHAIN_VLLM_PYTHON`, else this one.
        port: Where to listen; None: a port that is free.
        served_model_name: The name to ask for; None: the hub's, or the folder's last part.
        tensor_parallel_size: GPUs to share the model out over.
        max_model_len: Tokens that a prompt and its reply may have together.
        dtype: Of weights and activations, such as `"bfloat16"`.
        quantization: How the weights are quantized, such as `"awq"` or `"fp8"`.
        lora: LoRA adapters, name -> folder or hub's name; each is asked for by its name.
        chat_template: A file with the chat template, for models that have none.
        api_key: What requests must bring; None: `VLLM_API_KEY`, else nothing. It reaches vLLM by
            its environment, and no command line, log or message.
        env: Environment variables to set for vLLM.
        flags: More flags, as `vllm serve` takes them: `["--gpu-memory-utilization", "0.8"]`.
        startup_timeout: Seconds until a server that is not ready is given up. A first start
            downloads the model.
        progress: Called every few seconds of the start with a line about it.

    Raises:
        InputError: Something that is given cannot be used; raised on entering, as are the others.
        MissingExtraError: There is no vLLM.
        ServerError: vLLM ended, or was not ready in time; the message has the cause and the last
            lines of the log.
    """
    if not startup_timeout > 0:
        raise InputError(f"startup_timeout must be above 0 seconds, not {startup_timeout!r}")
    for name, number in (
        ("port", port),
        ("tensor_parallel_size", tensor_parallel_size),
        ("max_model_len", max_model_len),
    ):
        if number is not None and not 1 <= number <= (65_535 if name == "port" else number):
            raise InputError(f"{name} cannot be {number!r}")
    if isinstance(flags, str):
        raise InputError(f'the flags are a list of words, not {flags!r}: ["--flag", "value"]')
    launch.check_flags(flags)
    key = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key

    def want() -> Launch:
        given = dict(env or {})
        path = launch.model_path(model)
        return Launch(
            install=launch.find(python, given),
            model=path,
            name=served_model_name or launch.model_name(path),
            port=port,
            tensor_parallel_size=tensor_parallel_size,
            max_model_len=max_model_len,
            dtype=dtype,
            quantization=quantization,
            lora=tuple((name, launch.lora_path(name, at)) for name, at in (lora or {}).items()),
            chat_template=None if chat_template is None else launch.file_path(chat_template),
            env=tuple(sorted(given.items())),
            flags=tuple(flags),
            api_key=key or launch.inherited(given).get("VLLM_API_KEY") or None,
        )

    return Serving(want, startup_timeout, progress)


class Server:
    """A vLLM server that is ready; `serve()` makes them."""

    base_url: str
    """Where to ask it, up to and with `/v1`."""
    model: str
    """The name to ask for."""
    pid: int
    """The process that answers; the engine and its workers are below it."""
    log: Path
    """What vLLM writes; kept until this process ends, or for good where vLLM failed."""
    api_key: SecretStr | None
    """What requests must bring as a bearer token."""

    def __init__(self, wanted: Launch) -> None:
        port = wanted.port or launch.free_port()
        self.base_url = f"http://{HOST}:{port}/v1"
        self.model = wanted.name
        self.api_key = SecretStr(wanted.api_key) if wanted.api_key else None
        self._wanted = wanted
        self._stopped = False
        self._failed = False
        handle, log = tempfile.mkstemp(prefix="longchain-vllm-", suffix=".log")
        os.close(handle)
        self.log = Path(log)
        self._process = Process(
            wanted.command(port),
            python=wanted.install.python,
            env=wanted.environment(),
            log=self.log,
        )
        _running.add(self)

    def __repr__(self) -> str:
        return f"<Server {self.model!r} at {self.base_url}>"

    def alive(self) -> bool:
        """Say whether the server's process runs."""
        return not self._stopped and self._process.alive()

    def tail(self, n: int = _TAIL) -> str:
        """Return the last `n` lines of the log, without secrets."""
        return "\n".join(self._text().splitlines()[-n:]) if n > 0 else ""

    def diagnose(self) -> str | None:
        """Return one sentence if the server has ended or is about to; None while it works.

        Waits some seconds where the server is there and does not answer.
        """
        if self._stopped:
            return f"the vLLM server at {self.base_url} was stopped"
        with _client() as client:
            if self.alive() and _healthy(client, self.base_url) is not False:
                return None
        # Its end is a matter of moments, if it ends: vLLM may outlive its engine.
        self._failed = True
        end = time.monotonic() + _HEALTH_TIMEOUT
        while self.alive() and time.monotonic() < end:
            time.sleep(_POLL)
        state = "is not healthy" if self.alive() else f"ended with code {self._process.code}"
        return f"the vLLM server at {self.base_url} {state}: {self._cause()}"

    def wait(self, timeout: float, progress: Progress | None, abandoned: threading.Event) -> None:
        """Wait until it answers.

        Raises:
            ServerError: It ended, or has not answered after `timeout` seconds.
        """
        began = time.monotonic()
        next_report = _REPORT_EVERY
        with _client() as client:
            while not _healthy(client, self.base_url):
                passed = time.monotonic() - began
                if not self.alive():
                    raise self._failure(self._cause())
                if passed > timeout:
                    raise self._failure(
                        f"it was not ready after {timeout:g} seconds, which startup_timeout "
                        f"lengthens; its log: {self.log}"
                    )
                if progress and passed >= next_report:
                    next_report = passed + _REPORT_EVERY
                    said = [line for line in crash.lines(self._text()) if line[0] > " "]
                    now = said[-1][:_LONGEST_LINE] if said else "starting"
                    progress(f"vLLM, {passed:.0f} s: {now}")
                if abandoned.wait(_POLL):
                    raise Abandoned
        pid = self._process.pid
        if pid is None or not self.alive():
            raise self._failure(self._cause())
        self.pid = pid
        self._process.begun()
        if progress:
            progress(f"vLLM, {time.monotonic() - began:.0f} s: ready at {self.base_url}")

    def stop(self) -> None:
        """End it with all its processes, and free its port; once is enough."""
        if self._process.alive() and not self._failed:
            _logs.add(self.log)  # it has not failed: nobody needs to read it
        self._stopped = True
        self._process.stop()
        _running.discard(self)

    def _text(self) -> str:
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _LONGEST_LOG))
            return self._wanted.hide(file.read().decode(errors="replace"))

    def _cause(self) -> str:
        return f"{crash.explain(self._text(), self._process.code)}; its log: {self.log}"

    def _failure(self, cause: str) -> ServerError:
        self._failed = True
        tail = self.tail().strip()
        message = f"vLLM could not serve {self._wanted.model!r}: {cause}"
        return ServerError(f"{message}\n{tail}" if tail else message)


def _client() -> httpx.Client:
    # Proxies of the environment are no way to this machine.
    return httpx.Client(trust_env=False, timeout=_HEALTH_TIMEOUT)


def _healthy(client: httpx.Client, base_url: str) -> bool | None:
    """Say whether a server answers that it is well; None where it does not answer in time."""
    try:
        return client.get(f"{base_url.removesuffix('/v1')}/health").status_code == httpx.codes.OK
    except httpx.TimeoutException:
        return None
    except httpx.HTTPError:
        return False


_running: WeakSet[Server] = WeakSet()
_logs: set[Path] = set()


@atexit.register
def _tidy() -> None:
    """Stop what was left running, and remove the logs that nobody needs."""
    for server in list(_running):
        server.stop()
    for log in _logs:
        with suppress(OSError):
            log.unlink()


_slots: WeakValueDictionary[Launch, Slot[Server]] = WeakValueDictionary()
_finding = threading.Lock()


class Serving:
    """What `serve()` returns: a context manager, sync and async, that yields a `Server`."""

    def __init__(
        self, want: Callable[[], Launch], startup_timeout: float, progress: Progress | None
    ) -> None:
        self._want = want
        self._timeout = startup_timeout
        self._progress = progress
        self._held: list[tuple[Slot[Server], Server]] = []

    def __enter__(self) -> Server:
        return self._enter(threading.Event())

    def __exit__(self, *_: object) -> None:
        self._leave()

    async def __aenter__(self) -> Server:
        abandoned = threading.Event()
        entering = asyncio.ensure_future(asyncio.to_thread(self._enter, abandoned))
        try:
            return await asyncio.shield(entering)
        except asyncio.CancelledError:
            abandoned.set()
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

    def _enter(self, abandoned: threading.Event) -> Server:
        wanted = self._want()
        with _finding:
            slot = _slots.setdefault(wanted, Slot())

        def start() -> Server:
            wanted.check()
            server = Server(wanted)
            try:
                server.wait(self._timeout, self._progress, abandoned)
            except BaseException:
                server.stop()
                raise
            return server

        server = slot.take(start, abandoned)
        self._held.append((slot, server))
        return server

    def _leave(self) -> None:
        slot, server = self._held.pop()
        slot.give(server)
