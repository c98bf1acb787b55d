"""Sample documents that fill in the prompts of `docs/prompts.md`.

language -> `Sample`; a language without one of its own uses the English one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Texts of one document under way."""

    instruction: str
    style: str
    title: str
    parts: tuple[tuple[str, str], ...]
    """Headings and main points of three parts: sections, or chapters of a long document."""

    passage: tuple[str, str]
    """Title and text of a source."""

    texts: tuple[str, str]
    """Prose of the first and of the second section, far shorter than a real one."""

    note: str
    """Note of the user who asks for a revision."""

    summary: str
    unreadable: str
    """Reply that is no plan."""

    error: str
    """Reason why that reply could not be read."""


ENGLISH = Sample(
    instruction="Write a guide to the tides for people who sail.",
    style="Short sentences. No jargon.",
    title="Tides for Sailors",
    parts=(
        ("Why the Sea Rises", "How the moon and the sun pull at the sea"),
        ("Reading a Tide Table", "How to find the height of the water at a given hour"),
        ("Planning a Passage", "When to leave and to arrive, and how much water to allow"),
    ),
    passage=("Harbor handbook", "Spring tides follow the full and the new moon by two days."),
    texts=(
        "The moon pulls at the sea, and the sea gives way. Two bulges travel around the earth.",
        "A table lists the hours of high and low water. Heights are given in meters.",
    ),
    note="Add an example with figures.",
    summary=(
        "Summary: The moon and the sun raise the sea.\nFacts: Spring tides, two days.\n"
        "Open: How to read a table."
    ),
    unreadable="I would be glad to help with that.",
    error="no section has a length",
)

JAPANESE = Sample(
    instruction="ヨットに乗る人のために、潮汐の手引きを書いてください。",
    style="短い文で、専門用語は使わない。",
    title="ヨット乗りのための潮汐",
    parts=(
        ("海面はなぜ上下するか", "月と太陽が海を引く仕組み"),
        ("潮汐表の読み方", "ある時刻の水位の求め方"),
        ("航海の計画", "出港と入港の時刻、見込むべき水深"),
    ),
    passage=("港の手引き", "大潮は満月と新月の二日後に起こる。"),
    texts=(
        "月が海を引くと、海面が盛り上がる。二つの膨らみが地球を回る。",
        "潮汐表には満潮と干潮の時刻が並ぶ。高さはメートルで示される。",
    ),
    note="数字を使った例を加えてください。",
    summary=("要約：月と太陽が海面を上下させる。\n事実：大潮は二日後。\n未了：潮汐表の読み方。"),
    unreadable="喜んでお手伝いします。",
    error="no section has a length",
)

CHINESE = Sample(
    instruction="为帆船爱好者写一篇潮汐指南。",
    style="句子简短，不用术语。",
    title="水手的潮汐指南",
    parts=(
        ("海面为何涨落", "月亮和太阳如何牵引海水"),
        ("怎样读潮汐表", "如何查出某一时刻的水位"),
        ("安排航程", "何时出港和进港，要留多少水深"),
    ),
    passage=("港口手册", "大潮出现在满月和新月之后两天。"),
    texts=(
        "月亮牵引海水，海面随之隆起。两个隆起绕着地球移动。",
        "潮汐表列出高潮和低潮的时刻。高度以米为单位。",
    ),
    note="请加一个带数字的例子。",
    summary="摘要：月亮和太阳使海面涨落。\n事实：大潮在两天之后。\n未完：怎样读潮汐表。",
    unreadable="我很乐意帮忙。",
    error="no section has a length",
)

SAMPLES = {"en": ENGLISH, "ja": JAPANESE, "zh": CHINESE}


def sample_for(language: str) -> Sample:
    """Return the sample document of a prompt language."""
    return SAMPLES.get(language, ENGLISH)
