"""A real PostgreSQL for benchmarks and tests, gone afterwards: `with cluster() as dsn`.

nothing -> the address of a server that is up, its password included

It is as safe as a user's: `fsync` stays on, and a connection needs the password.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

USER = "longchain"
CONNECTIONS = 200
_ACCOUNT = "postgres"
_DEBIAN = Path("/usr/lib/postgresql")
_SECONDS = "60"


class MissingError(RuntimeError):
    """There is no PostgreSQL that can be started here."""


@contextmanager
def cluster() -> Iterator[str]:
    """Start a server of its own on a free port of 127.0.0.1; stop and remove it at the end.

    Yields:
        The address of its database `postgres`, for a superuser.

    Raises:
        MissingError: PostgreSQL is not installed, or root has no account to run it as.
        RuntimeError: It does not start.
    """
    programs, account = _programs(), _account()
    with tempfile.TemporaryDirectory(prefix="longchain-postgres-") as name:
        home = Path(name)
        data, log, password = home / "data", home / "log", secrets.token_hex(16)
        (home / "password").write_text(password)
        if account:
            os.chown(home, account["user"], account["group"])
            os.chown(home / "password", account["user"], account["group"])

        def run(program: str, *arguments: str) -> None:
            _run([programs / program, "-D", data, *arguments], home, account)

        run("initdb", *_INITDB, f"--username={USER}", f"--pwfile={home / 'password'}")
        port = _free_port()
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS.format(port=port, home=home, connections=CONNECTIONS))
        try:
            run("pg_ctl", "start", "-w", "-t", _SECONDS, "-l", str(log))
            yield f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            for mode in ("fast", "immediate"):
                with suppress(RuntimeError):
                    run("pg_ctl", "status")  # fails where it runs no more, or never did
                    run("pg_ctl", "stop", "-w", "-t", _SECONDS, "-m", mode)


_INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale")

_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{home}'
max_connections = {connections}
"""


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise MissingError(
            "PostgreSQL is not installed (there is no initdb): install it, on Debian by "
            "`apt-get install postgresql`, on macOS by `brew install postgresql`."
        )
    return found[-1].parent


def _account() -> dict[str, Any]:
    """Return whom to run it as, as `subprocess` takes it; initdb refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise MissingError(
            f"PostgreSQL does not run as root, and there is no account {_ACCOUNT!r} to run it "
            f"as: make one by `useradd --system {_ACCOUNT}`, or run this as another user."
        ) from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _run(command: list[Any], home: Path, account: dict[str, Any]) -> None:
    """Run one of its programs, which say in their output what went wrong."""
    environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    with subprocess.Popen(
        command,
        cwd=home,  # where we are may be closed to the account
        env={**environment, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **account,
    ) as running:
        try:
            said, _ = running.communicate()
        except KeyboardInterrupt:
            # Killed, it would leave what it has started, which writes on into the folder.
            running.send_signal(signal.SIGINT)
            running.wait()
            raise
    if running.returncode:
        log = home / "log"
        said += log.read_text() if log.exists() else ""
        name = Path(command[0]).name
        raise RuntimeError(f"{name} failed ({running.returncode}): {said.strip()}")


def _free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
