"""The HTTP library under OpenAI's client: `httpx2` since openai 3, `httpx` before.

Its errors and time limits are what a caller of ours meets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

if TYPE_CHECKING or int(openai.__version__.partition(".")[0]) >= 3:
    import httpx2 as httpx
else:
    import httpx

__all__ = ["httpx"]
