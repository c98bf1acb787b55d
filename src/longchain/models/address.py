"""An address, or a name that holds one -> what of it may be shown.

User, password, query and fragment may be secret. Knows no models.
"""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(https?:/*|//)(.*)", re.DOTALL | re.IGNORECASE)


def shown(name: str) -> str:
    """Return a model string, or an address, without what may be secret in an address."""
    return _ADDRESS.sub(lambda found: found[1] + _public(found[2]), name)


def shown_url(url: str) -> str:
    """Return what was given as an address, also where it says no `http://`."""
    return shown(url) if _ADDRESS.search(url) else _public(url)


def _public(address: str) -> str:
    """Return the part behind `//` without user, password, query and fragment."""
    before, _, host = address.rpartition("@")
    # A password may hold any sign, also an @ or a slash that should have been escaped; behind a
    # question mark nobody can tell what is a password and what a query.
    return "…" if re.search(r"[?#]", before) else re.split(r"[?#]", host, maxsplit=1)[0]
