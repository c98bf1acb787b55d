"""Traces: an OpenTelemetry span for each model call, if OpenTelemetry is installed and set up.

model call -> span with its name, run, section and tokens

Spans carry numbers and names: no text of a prompt or a reply, and no message of an error, which
may repeat either, or a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longchain.calls.monitor import CallMonitor

try:
    from opentelemetry import trace as _telemetry
except ImportError:  # an optional package
    _telemetry = None  # type: ignore[assignment]

_PLAIN_TEXT = re.compile(r"[\w./ -]{1,120}")


@contextmanager
def span(
    name: str, context: Mapping[str, Any], monitor: CallMonitor | None = None
) -> Iterator[None]:
    """Open a span named `longchain.NAME` around a block.

    Args:
        name: Name of the work, such as `write`.
        context: The run and the section, as attributes `longchain.run` and so on.
        monitor: Monitor whose tokens become `gen_ai.usage.input_tokens` and `…output_tokens`.
    """
    if _telemetry is None:
        yield
        return
    tracer = _telemetry.get_tracer("longchain")
    attributes = {
        f"longchain.{key}": value
        for key, value in context.items()
        if isinstance(value, int) or (isinstance(value, str) and _PLAIN_TEXT.fullmatch(value))
    }
    with tracer.start_as_current_span(
        f"longchain.{name}",
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(_telemetry.StatusCode.ERROR)
            raise
        finally:
            if monitor is not None:
                current.set_attribute("gen_ai.operation.name", "chat")
                current.set_attribute("gen_ai.usage.input_tokens", monitor.usage.input_tokens)
                current.set_attribute("gen_ai.usage.output_tokens", monitor.usage.output_tokens)
                current.set_attribute("longchain.calls", monitor.usage.calls)
