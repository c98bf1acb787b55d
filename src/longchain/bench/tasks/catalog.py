"""The catalog of benchmarks: where their authors publish them, and how to cite them.

name -> `Task`. Knows addresses, commits and hashes; knows nothing of what is in the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from longchain.errors import InputError

Format = Literal["plain", "hellobench", "longgenbench", "lifebench"]
"""Format of the records in the files; `plain` has `prompt` and `length`."""


@dataclass(frozen=True)
class File:
    """One file of a benchmark at the pinned commit."""

    path: str
    """Path in the authors' repository."""

    sha256: str = ""
    """Hash of its bytes; empty if only `blob` is known."""

    blob: str = ""
    """Git's own id of its content, from the tree of the pinned commit: a SHA-1 of 40 digits."""

    part: str = ""
    """Part of the task that it has, such as `short`."""

    @property
    def name(self) -> str:
        """Name without folders."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Task:
    """A benchmark, or a part of one."""

    name: str
    title: str
    count: int
    """Number of its samples."""

    format: Format
    files: tuple[File, ...]
    repository: str
    """Repository on GitHub, `owner/name`; empty for a benchmark that is part of longchain."""

    commit: str
    license: str
    """SPDX identifier; `none stated` if the authors state none: read the data, don't copy them."""

    citation: str

    @property
    def source(self) -> str:
        """Web page of the data, or `longchain`."""
        if not self.repository:
            return "longchain"
        return f"https://github.com/{self.repository}/tree/{self.commit}"


_LONGWRITER = (
    "THUDM/LongWriter",
    "3fcfdff43deceb49f7936c6bf25ad88d61df0bfa",
    "Apache-2.0",
    "Bai et al. 2024, LongWriter: Unleashing 10,000+ Word Generation from Long Context LLMs, "
    "arXiv 2408.07055",
)
_HELLOBENCH = (
    "Quehry/HelloBench",
    "d403282968b0a61a4963a73c631d3fc1318f17d7",
    "MIT",
    "Que et al. 2024, HelloBench: Evaluating Long Text Generation Capabilities of Large Language "
    "Models, arXiv 2409.16191",
)
_LONGGENBENCH = (
    "mozhu621/LongGenBench",
    "62c0e869219c225671a0b8f50217b0cd836b882b",
    "none stated",
    "Wu et al. 2024, LongGenBench: Benchmarking Long-Form Generation in Long Context LLMs, "
    "arXiv 2409.02076",
)
_LIFEBENCH = (
    "LIFEBench/LIFEBench",
    "e38620ef00e394311decfef9539e30dd36dc12a4",
    "MIT",
    "Zhang et al. 2025, LIFEBench: Evaluating Length Instruction Following in Large Language "
    "Models, arXiv 2505.16234",
)

_ESSAYS = tuple(
    File(f"data/length_constrained_data/heuristic_text_generation_{part}.jsonl", digest, part=part)
    for part, digest in {
        "2k": "0dfcf78d32e6d3762720883b53a4c8078036a7634853d2c21e50d25b73c5d6ed",
        "4k": "60432969da1695ecbb72879ffe7a686e1ec7b93039311c09e2a2d5aa4e0f1d24",
        "8k": "b5c94227ef6858e3a9acee2bbdc99bfe0266850263d4e39cb4ec41980f83b4d8",
        "16k": "9d4bfc908927d52004d6d789796a8361670dae013d5a1adf6c399376cad4d0a5",
    }.items()
)
_ENTRIES = tuple(
    File(f"Dataset/Dataset_{part}.json", digest, part=part)
    for part, digest in {
        "short": "3cf98c4badc330a93d1010f57f6658b09f2ebc2e6428a3df083b652d902d96e8",
        "long": "f61048da5ecfb1b717584af8b2dc5999198459e9b95aceedde2dcc6f5cdd35e7",
    }.items()
)

TASKS: tuple[Task, ...] = (
    Task(
        "longbench-write",
        "LongBench-Write: 60 English and 60 Chinese instructions, 100 to 20,000 words",
        120,
        "plain",
        (
            File(
                "evaluation/longbench_write.jsonl",
                "1f6e99497cc24d65894d65e014062f398ba946ebdd254b7f8b339e48d3ab5779",
            ),
        ),
        *_LONGWRITER,
    ),
    Task(
        "longbench-write-en",
        "LongBench-Write, the 60 instructions for English texts",
        60,
        "plain",
        (
            File(
                "evaluation/longbench_write_en.jsonl",
                "87800927761f340e48899e4df5d47fb7211ad4936a63420dbfa979660414259f",
            ),
        ),
        *_LONGWRITER,
    ),
    Task(
        "longwrite-ruler",
        "LongWrite-Ruler: 8 instructions at 1k, 2k, 5k, 10k, 20k and 30k, English and Chinese",
        48,
        "plain",
        (
            File(
                "evaluation/longwrite_ruler.jsonl",
                "a1d4ebf0df0fa1600567691d11c9a52de3037c4a372970ed2e8f52f2889e0a62",
            ),
        ),
        *_LONGWRITER,
    ),
    Task(
        "hellobench-length",
        "HelloBench's length-constrained sets: 123 essays and stories at 2k, 4k, 8k and 16k words",
        492,
        "hellobench",
        _ESSAYS,
        *_HELLOBENCH,
    ),
    *(
        Task(
            f"hellobench-length-{file.part}",
            f"HelloBench's length-constrained set at {file.part} words",
            123,
            "hellobench",
            (file,),
            *_HELLOBENCH,
        )
        for file in _ESSAYS
    ),
    Task(
        "longgenbench",
        "LongGenBench: diaries, menus, skyscrapers and cities with required entries, both lengths",
        800,
        "longgenbench",
        _ENTRIES,
        *_LONGGENBENCH,
    ),
    *(
        Task(
            f"longgenbench-{file.part}",
            f"LongGenBench, {tokens} tokens",
            400,
            "longgenbench",
            (file,),
            *_LONGGENBENCH,
        )
        for file, tokens in zip(_ENTRIES, ("16k", "32k"), strict=True)
    ),
    Task(
        "lifebench",
        "LIFEBench: 360 instructions, English and Chinese, at 16 to 8,192 words, equal to, at "
        "most and at least",
        10_800,
        "lifebench",
        (File("data/data.jsonl", blob="123e68b73c2ad855103c41536a4326d13940d58c"),),
        *_LIFEBENCH,
    ),
    Task(
        "lifebench-lite",
        "LIFEBench, the authors' choice of 60 of its instructions",
        1_800,
        "lifebench",
        (
            File(
                "data/data_lite.jsonl",
                "162256557581df09ddef2f2253d7d29e70d71b708e8bd9e38a00fef16cbf4c5b",
            ),
        ),
        *_LIFEBENCH,
    ),
    Task(
        "longchain-ja",
        "Japanese instructions of LongBench-Write's seven types and four ranges, 200 to 20,000字",
        44,
        "plain",
        (File("longchain_ja.jsonl"),),
        "",
        "",
        "Apache-2.0",
        "The longchain authors, longchain",
    ),
)
"""All benchmarks, in the order in which they are listed."""


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return [task.name for task in TASKS]


def find(name: str) -> Task:
    """Return a benchmark by its name.

    Raises:
        InputError: There is no benchmark of that name.
    """
    for task in TASKS:
        if task.name == name:
            return task
    close = get_close_matches(name, names(), 1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names())}"
    raise InputError(f"{name!r} is neither a benchmark nor a file: {hint}")
