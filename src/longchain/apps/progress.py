"""Progress of a run on stderr, and a summary of the finished document.

`DocumentState` after each step -> lines: section, length so far against the required one, time left

A run that stops early leaves its finished sections beside the output file.
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

from longchain.agent.finishing.markdown import chunks
from longchain.agent.state import DocumentState
from longchain.apps.export import partial_path
from longchain.calls import ask
from longchain.document import LongDocument, WritingPlan
from longchain.errors import StoreError
from longchain.models import resolve
from longchain.models.profile import layers
from longchain.runs import Run

MAX_NAME = 48
"""Characters of a section's name in a line of progress."""


def announce(run: Run) -> None:
    """Print the model, the id of the run, and the differences found when it was resumed."""
    if run.record.status != "done":  # a finished run needs no model
        model = layers(run.chain.stages.model)[-1]
        _print(f"model: {resolve.describe(model)}")
    _print(f"run: {run.id}")
    for message in run.messages:
        _print(f"resumed: {message}")


def write(run: Run, *, quiet: bool, rescue: Path | None) -> LongDocument | None:
    """Write a run to its end and print its progress.

    Args:
        run: The run.
        quiet: Whether to print nothing.
        rescue: Path of the output; if writing stops early, the finished sections go beside it.

    Returns:
        The document; None if its plan waits for a review.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a request to end; finished sections are kept.
    """
    state: DocumentState | None = None
    printer = _ProgressPrinter(quiet)
    try:
        with printer.retries_shown(), _signals_stop(run):
            for state in run.follow():
                printer.update(state)
    except BaseException as error:
        if state is not None:
            _rescue(state, rescue, always=isinstance(error, StoreError))
        raise
    return None if run.record.status == "review" else run.document()


@contextmanager
def _signals_stop(run: Run) -> Iterator[None]:
    """Let Ctrl-C, or a request to end, also end the calls that other threads wait for."""

    def stop(*_: object) -> None:
        # Threads whose calls are given up would log one traceback each.
        logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL + 1)
        run.stop()
        raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # only the main thread can receive signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def remove_partial(output: Path | None) -> None:
    """Remove the finished sections of an earlier stop, now that the document is complete."""
    if output is not None:
        with suppress(OSError):
            partial_path(output).unlink()


def _rescue(state: DocumentState, output: Path | None, *, always: bool) -> None:
    """Save the finished sections; raise nothing that would hide the error that stopped the run.

    Args:
        state: State of the document.
        output: File that the document would have gone to.
        always: Whether to print the sections if there is no file: they are stored nowhere else.
    """
    if state.plan is None or not state.published_sections():
        return
    if output is None and not always:
        return
    text = "".join(chunks(state)[0])
    location = "on standard output"
    with suppress(OSError):
        try:
            if output is None:
                print(text)  # noqa: T201
            else:
                partial_path(output).write_text(text, encoding="utf-8")
                location = f"in {str(partial_path(output))!r}"
        except OSError as error:
            print(text)  # noqa: T201
            location += f": {str(output)!r} could not be written: {error.strerror}"
        print(f"longchain: the finished sections are {location}", file=sys.stderr)  # noqa: T201


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


class _ProgressPrinter:
    """Prints the steps of a document that have not been printed yet."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.printed: set[int] = set()
        """Indices of the finished sections that have been printed."""

        self.planned = 0
        self.began = time.monotonic()

    @contextmanager
    def retries_shown(self) -> Iterator[None]:
        """Print temporary errors that are waited out: `longchain.calls.ask` logs them."""
        if self.quiet:
            yield
            return
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("waiting: %(message)s"))
        level = ask.logger.level
        ask.logger.addHandler(handler)
        ask.logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            ask.logger.removeHandler(handler)
            ask.logger.setLevel(level)

    def update(self, state: DocumentState) -> None:
        """Print the new plan and the sections finished since the last update."""
        if self.quiet or state.plan is None:
            return
        if len(state.sections) != self.planned:
            self.planned = len(state.sections)
            notes = f" ({'; '.join(state.plan_notes)})" if state.plan_notes else ""
            _print(f"plan: {counted(self.planned, 'section')}, {_required(state)}{notes}")
        for index, section in enumerate(state.sections):
            if section.done and index not in self.printed:
                self.printed.add(index)
                self._print_section(state, index)

    def _print_section(self, state: DocumentState, index: int) -> None:
        """Print a finished section, with the length so far and the time left."""
        section = state.sections[index]
        so_far = sum(other.length for other in state.sections if other.done) + state.overhead()
        spent = time.monotonic() - self.began
        left = max((state.required or 0) - so_far, 0) * spent / max(so_far, 1)
        name = section.plan.heading or section.plan.main_point
        if len(name) > MAX_NAME:
            name = name[: MAX_NAME - 1] + "…"
        _print(
            f"[{index + 1}/{len(state.sections)}] {name}: {section.length:,} "
            f"({so_far:,} of {_required(state)}, {_format_seconds(left)} left)"
        )


def _required(state: DocumentState) -> str:
    """Return the required length with its unit."""
    required = "open length in" if state.required is None else f"{state.required:,}"
    return f"{required} {state.unit}"


def _format_seconds(seconds: float) -> str:
    """Return a time such as `2m05s` or `40s`."""
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 section` or `2 sections`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def describe_plan(plan: WritingPlan) -> str:
    """Return the size of a plan, such as `12 sections, 5,000 words`."""
    parts = counted(len(plan.sections), "section")
    if plan.chapters:
        parts = counted(len(plan.chapters), "chapter")
    return f"{parts}, {plan.length:,} {plan.unit}"


def summarize(document: LongDocument, output: Path | None) -> None:
    """Print the length, the score and the notes of a document."""
    report, usage = document.report, document.usage
    target = f" -> {output}" if output else ""
    required = report["required_length"]
    score = f" of {required:,}, S_l {report['length_score']:.1f}" if required else ""
    lines = [
        f"done: {document.length:,} {document.unit}{score}, "
        f"{counted(len(document.sections), 'section')}, "
        f"{counted(usage.calls, 'call')}{target}"
    ]
    citations = report["citations"]
    if citations["references"]:
        resolved = "all resolved" if citations["resolved"] else "NOT all resolved"
        lines.append(f"citations: {citations['citations']}, {resolved}")
    for index, section in enumerate(document.sections, 1):
        notes = [note for note in section.notes if note not in ("extended", "trimmed")]
        if notes:
            lines.append(f"section {index}: {'; '.join(notes)}")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201


def describe_measures(measured: dict[str, Any]) -> str:
    """Return the measures of a text, as lines."""
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
