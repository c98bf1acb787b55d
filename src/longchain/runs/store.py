"""Store of runs: the interface to their records, their locks and the checkpointer of their text.

a path or a PostgreSQL address -> `Store`

Knows what the stores in `sqlite` and `postgres` share; knows nothing of documents.
"""

from __future__ import annotations

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from longchain.errors import StoreError
from longchain.models.error_hints import explain
from longchain.runs.record import Record


class ThreadedSaver(BaseCheckpointSaver[Any]):
    """Adds the asynchronous methods to a synchronous checkpointer: each call in a thread.

    LangGraph has one saver for synchronous and one for asynchronous use of each database; a run
    needs both. A call takes some milliseconds.
    """

    serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
    """Serializer of checkpoints. `None` allows plain data and LangGraph's own types only; the
    default imports and calls any function that a checkpoint names, so that opening a database
    would run code from it."""

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the output of a node; replace an error by its explanation, without secrets.

        LangGraph would store the error itself, and a provider's error may repeat the key.
        """
        safe_writes: list[tuple[str, Any]] = []
        for channel, value in writes:
            if isinstance(value, Exception):
                value = explain(value)
            safe_writes.append((channel, value))
        super().put_writes(config, safe_writes, task_id, task_path)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return a checkpoint."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self, config: RunnableConfig | None, **kwargs: Any
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, the latest first."""
        for checkpoint in await asyncio.to_thread(lambda: list(self.list(config, **kwargs))):
            yield checkpoint

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint."""
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the output of a node."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a run."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return the updates that make up a log."""
        return await asyncio.to_thread(
            lambda: self.get_delta_channel_history(config=config, channels=channels)
        )


class Store(ABC):
    """Runs in one database.

    Every method raises a `StoreError` if the database is full, damaged or out of reach.
    """

    location: str
    """Location of the database, without secrets."""

    saver: BaseCheckpointSaver[Any]
    """Checkpointer of the logs; each run is a thread of it."""

    @abstractmethod
    def add(self, record: Record) -> bool:
        """Register a run; False if the name is taken."""

    @abstractmethod
    def save(self, record: Record) -> None:
        """Update the record of a run."""

    @abstractmethod
    def load(self, run: str) -> Record | None:
        """Return the record of a run; None if there is no such run."""

    @abstractmethod
    def records(self) -> list[Record]:
        """Return all records, the latest first."""

    @abstractmethod
    def delete(self, run: str) -> None:
        """Delete a run with all its text."""

    @abstractmethod
    def lock(self, run: str) -> AbstractContextManager[None]:
        """Lock a run while the block runs; the lock of a process that dies is released.

        Raises:
            RunError: Another process, or this one, has locked it.
        """

    @abstractmethod
    def is_locked(self, run: str) -> bool:
        """Return whether a process has locked a run, this one included."""

    @abstractmethod
    def check_lock(self, run: str) -> None:
        """Check that the lock of a run has not been lost.

        Raises:
            StoreError: It has been lost.
        """

    @abstractmethod
    def translate(self, error: BaseException) -> StoreError | None:
        """Return the `StoreError` for an error of the database; None for any other error."""

    @abstractmethod
    def translated_errors(self) -> AbstractContextManager[None]:
        """Raise errors of the database in the block as `StoreError`."""

    @abstractmethod
    def close(self) -> None:
        """Close the database."""


def describe_process() -> str:
    """Return the name of this process that others are shown while it locks a run."""
    return f"process {os.getpid()} on {socket.gethostname()}"
