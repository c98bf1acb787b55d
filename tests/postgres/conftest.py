"""One real PostgreSQL for all tests here, and a fresh database in it for each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from benchmarks.cluster import cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs a PostgreSQL, and may talk to this machine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.postgres)
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture(scope="session")
def dsn() -> Iterator[str]:
    """The server, by its address for a superuser."""
    with cluster() as address:
        yield address


@pytest.fixture
def database(dsn: str) -> Iterator[str]:
    """The address of a fresh database on it, dropped afterwards whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(dsn, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield f"{dsn.rpartition('/')[0]}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
