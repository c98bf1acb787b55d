"""Where runs are kept: records, locks, and the checkpointer that holds their text.

a path or a PostgreSQL address -> `Store`

Knows databases; knows nothing of documents. What the two kinds share stands here.
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


class Threaded(BaseCheckpointSaver[Any]):
    """The asynchronous half of a synchronous checkpointer: each call in a thread.

    LangGraph's two savers for each database speak one half each, and a run goes through both
    doors. A call takes some milliseconds.
    """

    serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
    """None allows plain data and LangGraph's own types. Left out, whatever module and callable a
    checkpoint names is imported and called, so that to open a database would be to run it."""

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a node has added; of an error, what may be shown of it.

        LangGraph stores an error as it stands, and a provider's may repeat the key.
        """
        plain = [(c, explain(v) if isinstance(v, Exception) else v) for c, v in writes]
        super().put_writes(config, plain, task_id, task_path)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return a checkpoint."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self, config: RunnableConfig | None, **kwargs: Any
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, the latest first."""
        for found in await asyncio.to_thread(lambda: list(self.list(config, **kwargs))):
            yield found

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
        """Store what a node has added."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a run."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what a log is made of."""
        return await asyncio.to_thread(
            lambda: self.get_delta_channel_history(config=config, channels=channels)
        )


class Store(ABC):
    """The runs of one place.

    Every method raises a `StoreError` where the database is full, damaged or out of reach.
    """

    shown: str
    """The place, without secrets."""

    saver: BaseCheckpointSaver[Any]
    """The checkpointer that holds the logs; a run is a thread of it."""

    @abstractmethod
    def add(self, record: Record) -> bool:
        """Register a run; False where the name is taken."""

    @abstractmethod
    def save(self, record: Record) -> None:
        """Bring a record up to date."""

    @abstractmethod
    def load(self, run: str) -> Record | None:
        """Return a run's record."""

    @abstractmethod
    def records(self) -> list[Record]:
        """Return all records, the latest first."""

    @abstractmethod
    def delete(self, run: str) -> None:
        """Delete a run with all its text."""

    @abstractmethod
    def lock(self, run: str) -> AbstractContextManager[None]:
        """Hold a run for as long as the block lasts; who dies lets go of it.

        Raises:
            RunError: Somebody else holds it.
        """

    @abstractmethod
    def held(self, run: str) -> bool:
        """Say whether somebody holds a run, this process included."""

    @abstractmethod
    def still_held(self, run: str) -> None:
        """Make sure that a hold has not been lost.

        Raises:
            StoreError: It has.
        """

    @abstractmethod
    def translated(self, error: BaseException) -> StoreError | None:
        """Return the `StoreError` for what the database has raised; None for all else."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[None]:
        """Turn what the database raises inside of the block into a `StoreError`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""


def me() -> str:
    """Return what others are told of this process."""
    return f"process {os.getpid()} on {socket.gethostname()}"
