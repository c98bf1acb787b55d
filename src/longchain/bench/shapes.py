"""The nouns of the benchmarks: what is asked, what came back, how well it did.

`Sample` -> `Prediction` -> `Score`

Knows shapes, and how they lie in JSON lines; knows no model, no data set and no formula.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from longchain.document import Unit, Usage

Bound = Literal["equal", "at_most", "at_least"]
"""How a required length is meant."""

Way = Literal["direct", "sequential", "parallel", "given"]
"""How a text was written: by the model alone, by AgentWrite in one of its modes, or by others."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sample(_Shape):
    """One instruction of a benchmark."""

    id: str
    """Unique within its task, and the same in every run of it."""

    task: str
    """The benchmark's name, such as `longbench-write`."""

    prompt: str
    """What the model is asked, as published."""

    length: int | None = None
    """The required length in `unit`; None where the benchmark asks for none."""

    unit: Unit = "words"
    language: str = "en"
    """A BCP 47 tag."""

    kind: str = ""
    """The published type, such as `Academic and Monograph`; empty for none."""

    bound: Bound = "equal"

    extra: dict[str, Any] = Field(default_factory=dict)
    """What else the benchmark's own score needs, JSON-plain."""


class Prediction(Sample):
    """What a model or a chain made of a sample: one line of a results file, the sample in it."""

    response: str = ""
    """The text, raw, as it came back; empty where nothing did."""

    model: str = ""
    """The model's name, without secrets."""

    way: Way = "given"
    settings: dict[str, Any] = Field(default_factory=dict)
    """What it was written with: sampling, the chain's options."""

    versions: dict[str, str] = Field(default_factory=dict)
    """Of longchain, LangChain and the model's package."""

    prompt_hash: str = ""
    """SHA-256 of the prompt that was sent, the first 16 hexadecimal digits."""

    usage: Usage = Field(default_factory=Usage)
    seconds: float = 0.0
    error: str = ""
    """Why there is no text, in a sentence; it scores 0 and is counted."""

    report: dict[str, Any] = Field(default_factory=dict)
    """The document's own report, of texts that AgentWrite wrote."""


class Score(_Shape):
    """How well one prediction did; None where a measure does not apply."""

    id: str
    task: str
    language: str = "en"
    kind: str = ""
    required: int | None = None
    unit: Unit = "words"
    bound: Bound = "equal"

    length: int = 0
    """As longchain counts, in `unit`."""

    length_published: int = 0
    """As LongWriter's published counter counts."""

    s_l: float | None = None
    """S_l, 0 to 100, by the right count."""

    s_l_published: float | None = None
    """S_l, 0 to 100, by the published counter: for comparison with published figures."""

    measures: dict[str, float] = Field(default_factory=dict)
    """All other judge-free measures by name: `rep_4`, `mtld`, `deviation`, …"""

    flags: list[str] = Field(default_factory=list)
    """What was found: `empty`, `unfinished`, `wrong language`, `leak`, …"""

    quality: dict[str, float] = Field(default_factory=dict)
    """The judge's scores by dimension, 0 to 100; empty where unjudged or unreadable."""

    s_q: float | None = None
    """Their mean, 0 to 100."""
