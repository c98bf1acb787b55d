"""Data models of the benchmarks: the instruction, the text, its scores and its judgement.

`Sample` -> `Prediction` -> `Score` and `Judgement`

Knows the fields and how they are written as JSON lines; knows no model, data set or formula.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from longchain.document import Unit, Usage

Bound = Literal["equal", "at_most", "at_least"]
"""Kind of a required length: to be met, an upper bound or a lower bound."""

WritingMode = Literal["direct", "sequential", "parallel", "given"]
"""Mode of writing: the model alone, AgentWrite in one of its modes, or a text from elsewhere."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sample(_Record):
    """One instruction of a benchmark."""

    id: str
    """Identifier, unique within the task and the same in every run."""

    task: str
    """Name of the benchmark, such as `longbench-write`."""

    prompt: str
    """Instruction for the model, as published."""

    length: int | None = None
    """Required length in `unit`; None if the benchmark requires none."""

    unit: Unit = "words"
    language: str = "en"
    """BCP 47 tag of the language to write in."""

    kind: str = ""
    """Published type, such as `Academic and Monograph`; empty for none."""

    bound: Bound = "equal"

    extra: dict[str, Any] = Field(default_factory=dict)
    """Further data that the benchmark's own score needs, JSON-plain."""


class Prediction(Sample):
    """The text written for a sample: one line of a predictions file, the sample included."""

    # Old versions of longchain name this field `way`, and the files go on to do so.
    model_config = ConfigDict(serialize_by_alias=True)

    response: str = ""
    """Text exactly as the writer returned it; empty if it returned none."""

    model: str = ""
    """Name of the model, without secrets."""

    mode: WritingMode = Field(
        default="given", validation_alias=AliasChoices("way", "mode"), serialization_alias="way"
    )
    """Mode in which the text was written; `way` in JSON."""

    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the writer: sampling, options of the chain."""

    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of longchain, LangChain and the model's package."""

    prompt_hash: str = ""
    """SHA-256 of the prompt that was sent, the first 16 hexadecimal digits."""

    usage: Usage = Field(default_factory=Usage)
    seconds: float = 0.0
    error: str = ""
    """Reason why there is no text, in a sentence; such a sample scores 0 and is counted."""

    report: dict[str, Any] = Field(default_factory=dict)
    """Report of the document, if AgentWrite wrote it."""

    @property
    def is_empty(self) -> bool:
        """Whether the response has no letter and no digit."""
        return not any(map(str.isalnum, self.response))


class Score(_Record):
    """The scores of one prediction; None where a measure does not apply."""

    id: str
    task: str
    language: str = "en"
    kind: str = ""
    required: int | None = None
    unit: Unit = "words"
    bound: Bound = "equal"

    length: int = 0
    """Output length in `unit`, as longchain counts."""

    length_published: int = 0
    """Output length as LongWriter's published counter counts."""

    s_l: float | None = None
    """S_l, 0 to 100, by longchain's count."""

    s_l_published: float | None = None
    """S_l, 0 to 100, by the published counter: for comparison with published figures."""

    measures: dict[str, float] = Field(default_factory=dict)
    """All other measures without a judge, by name: `rep_4`, `mtld`, `deviation`, …"""

    flags: list[str] = Field(default_factory=list)
    """Problems of the text: `empty`, `unfinished`, `wrong language`, `leak`, …"""

    quality: dict[str, float] = Field(default_factory=dict)
    """Scores of the judge by dimension, 0 to 100; empty if unjudged or unreadable."""

    s_q: float | None = None
    """S_q, 0 to 100: the mean of `quality`."""


class Judgement(_Record):
    """A judge's ratings of one prediction; JSON-plain by `model_dump`."""

    id: str
    task: str
    judge: str
    """Name of the judging model, without secrets."""

    prompt_hash: str
    """SHA-256 of the judge's prompt without the texts, the first 16 hexadecimal digits."""

    temperature: float | None = None
    """Temperature of the judge; None: its default, as none was set or it refused the one set."""

    seed: int = 0
    """Seed of the judging order."""

    places: list[int] = Field(default_factory=list)
    """Positions in the judging order, from 1, one for each time the text was judged."""

    ratings: list[dict[str, float]] = Field(default_factory=list)
    """Ratings from 1 to 5 by dimension, one for each reply that could be read."""

    analyses: list[str] = Field(default_factory=list)
    """Reasons of the judge, one for each rating; empty if it gave none."""

    unscored: list[str] = Field(default_factory=list)
    """Reasons for missing ratings, one for each that is missing."""

    repaired: int = 0
    """Number of ratings that took a second request."""

    quality: dict[str, float] = Field(default_factory=dict)
    """Mean rating by dimension, 0 to 100; empty if there is no rating."""

    s_q: float | None = None
    """S_q, 0 to 100: the mean of the dimensions."""

    usage: Usage = Field(default_factory=Usage)
    seconds: float = 0.0
    """Duration of all requests together."""
