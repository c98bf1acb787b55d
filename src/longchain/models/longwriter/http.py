"""The HTTP library under OpenAI's client: `httpx2` since openai 3, `httpx` before.

Callers of a chat model get this library's errors and set its time limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

if TYPE_CHECKING or int(openai.__version__.partition(".")[0]) >= 3:
    import httpx2 as httpx
else:
    import httpx

__all__ = ["httpx"]
