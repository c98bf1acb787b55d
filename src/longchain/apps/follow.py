"""A document being written -> lines a person can follow, and what it came to.

Progress goes to stderr: which section, how long so far against the required length, and when it
should be done. A document that cannot be finished leaves its finished sections beside the output.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from longchain.agent.finishing.markdown import pieces
from longchain.agent.state import DocumentState
from longchain.apps.export import partial
from longchain.document import LongDocument, WritingPlan
from longchain.errors import StoreError
from longchain.models import resolve
from longchain.models.profile import layers
from longchain.runs import Run


def begin(run: Run) -> None:
    """Tell what writes, under which name it is kept, and what differs from before."""
    if run.record.status != "done":  # which takes no model
        model = layers(run.chain.stages.model)[-1]
        _say(f"model: {resolve.describe(model)}")
    _say(f"run: {run.id}")
    for line in run.said:
        _say(f"resumed: {line}")


def write(run: Run, *, quiet: bool, rescue: Path | None) -> LongDocument | None:
    """Write a run to its end and tell how it goes.

    Args:
        run: What is written.
        quiet: Tell nothing.
        rescue: The output's path; beside it go the finished sections where writing stops early.

    Returns:
        The document; None where its plan waits for a review.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a request to end; what is finished is kept.
    """
    progress: DocumentState | None = None
    told = _Told(quiet)
    try:
        with told.listening(), _heeding(run):
            for progress in run.follow():
                told.add(progress)
    except BaseException as error:
        if progress is not None:
            _rescue(progress, rescue, always=isinstance(error, StoreError))
        raise
    return None if run.record.status == "review" else run.document()


@contextmanager
def _heeding(run: Run) -> Iterator[None]:
    """Let Ctrl-C, or a request to end, end also what other threads are waiting for."""

    def stop(*_: object) -> None:
        # Threads whose calls are given up say so, one traceback each.
        logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL + 1)
        run.stop()
        raise KeyboardInterrupt

    try:
        before = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread, which alone hears of signals
        before = {}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def tidy(output: Path | None) -> None:
    """Remove what an earlier stop left beside a document that is whole now."""
    if output is not None:
        with suppress(OSError):
            partial(output).unlink()


def _rescue(progress: DocumentState, output: Path | None, *, always: bool) -> None:
    """Keep what was finished, it was paid for; raise nothing in the place of what went wrong.

    Args:
        progress: Where the document stands.
        output: Where it should have gone.
        always: Whether to print it where there is no output: it is kept nowhere else.
    """
    if progress.plan is None or not progress.published_sections() or not (output or always):
        return
    finished = "".join(pieces(progress)[0])
    where = "on standard output"
    with suppress(OSError):
        try:
            if output is None:
                print(finished)  # noqa: T201
            else:
                partial(output).write_text(finished, encoding="utf-8")
                where = f"in {str(partial(output))!r}"
        except OSError as error:
            print(finished)  # noqa: T201
            where += f": {str(output)!r} could not be written: {error.strerror}"
        print(f"longchain: the finished sections are {where}", file=sys.stderr)  # noqa: T201


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


class _Told:
    """What has been told already: `DocumentState` -> new lines on stderr."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.done: set[int] = set()
        self.planned = 0
        self.began = time.monotonic()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Tell what is waited for, too: the library logs it."""
        logger, handler = (
            logging.getLogger("longchain.agent.node"),
            logging.StreamHandler(sys.stderr),
        )
        handler.setFormatter(logging.Formatter("waiting: %(message)s"))
        level = logger.level
        if not self.quiet:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    def add(self, progress: DocumentState) -> None:
        """Tell what is new."""
        if self.quiet or progress.plan is None:
            return
        if len(progress.sections) != self.planned:
            self.planned = len(progress.sections)
            _say(
                f"plan: {counted(self.planned, 'section')}, {_of(progress)}"
                + (f" ({'; '.join(progress.plan_notes)})" if progress.plan_notes else "")
            )
        for index, draft in enumerate(progress.sections):
            if draft.done and index not in self.done:
                self.done.add(index)
                self._section(progress, index)

    def _section(self, progress: DocumentState, index: int) -> None:
        draft = progress.sections[index]
        so_far = sum(d.length for d in progress.sections if d.done) + progress.overhead()
        spent = time.monotonic() - self.began
        left = max((progress.required or 0) - so_far, 0) * spent / max(so_far, 1)
        name = draft.plan.heading or draft.plan.main_point
        name = name if len(name) <= 48 else name[:47] + "…"
        _say(
            f"[{index + 1}/{len(progress.sections)}] {name}: {draft.length:,} "
            f"({so_far:,} of {_of(progress)}, {_clock(left)} left)"
        )


def _of(progress: DocumentState) -> str:
    """Return the required length with its unit."""
    required = "open length in" if progress.required is None else f"{progress.required:,}"
    return f"{required} {progress.unit}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 section` or `2 sections`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def parts(plan: WritingPlan) -> str:
    """Return what a plan is made of, such as `12 sections, 5,000 words`."""
    made = counted(len(plan.chapters), "chapter") if plan.chapters else ""
    made = made or counted(len(plan.sections), "section")
    return f"{made}, {plan.length:,} {plan.unit}"


def conclude(finished: LongDocument, output: Path | None) -> None:
    """Tell what a document came to."""
    report, usage = finished.report, finished.usage
    where = f" -> {output}" if output else ""
    required = report["required_length"]
    score = f" of {required:,}, S_l {report['length_score']:.1f}" if required else ""
    lines = [
        f"done: {finished.length:,} {finished.unit}{score}, "
        f"{counted(len(finished.sections), 'section')}, "
        f"{counted(usage.calls, 'call')}{where}"
    ]
    citations = report["citations"]
    if citations["references"]:
        state = "all resolved" if citations["resolved"] else "NOT all resolved"
        lines.append(f"citations: {citations['citations']}, {state}")
    for index, section in enumerate(finished.sections, 1):
        worth = [note for note in section.notes if note not in ("extended", "trimmed")]
        if worth:
            lines.append(f"section {index}: {'; '.join(worth)}")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201


def describe(measured: dict[str, Any]) -> str:
    """Return the measures of a text as lines."""
    required = measured["required_length"]
    lines = [f"length: {measured['output_length']:,} {measured['unit']} ({measured['language']})"]
    if required:
        lines.append(
            f"required: {required:,} ({measured['deviation']:+.1%}), "
            f"S_l {measured['length_score']:.1f}"
        )
    repetition = measured["repetition"]
    lines += [
        f"repetition: rep-4 {repetition['rep_4']:.1%}, "
        f"{repetition['duplicate_sentences']} duplicate sentences",
        f"headings: {len(measured['headings'])}",
        f"last sentence: {'unfinished' if measured['unfinished'] else 'complete'}",
    ]
    return "\n".join(lines)
