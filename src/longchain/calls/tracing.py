"""A model call -> an OpenTelemetry span, where OpenTelemetry is installed and set up.

Spans bear numbers and names: no text of a prompt or a reply, and no message of an error, which
may repeat either, or a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longchain.calls.monitor import Watch

try:
    from opentelemetry import trace as _telemetry
except ImportError:  # an optional package: without it, nobody listens
    _telemetry = None  # type: ignore[assignment]

_PLAIN = re.compile(r"[\w./ -]{1,120}")


@contextmanager
def span(name: str, where: Mapping[str, Any], watch: Watch | None = None) -> Iterator[None]:
    """Make what is done inside a span named `longchain.NAME`.

    Args:
        name: What is done, such as `write`.
        where: The run and the section, as attributes `longchain.run` and so on.
        watch: What counts the tokens, as `gen_ai.usage.input_tokens` and `…output_tokens`.
    """
    if _telemetry is None:
        yield
        return
    tracer = _telemetry.get_tracer("longchain")
    attributes = {
        f"longchain.{key}": value
        for key, value in where.items()
        if isinstance(value, int) or (isinstance(value, str) and _PLAIN.fullmatch(value))
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
            if watch is not None:
                current.set_attribute("gen_ai.operation.name", "chat")
                current.set_attribute("gen_ai.usage.input_tokens", watch.usage.input_tokens)
                current.set_attribute("gen_ai.usage.output_tokens", watch.usage.output_tokens)
                current.set_attribute("longchain.calls", watch.usage.calls)
