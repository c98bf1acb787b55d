"""A prefix cache as serving engines have it: whole blocks of tokens, shared between requests.

tokens of a chat -> how many of them are cached already

Knows tokens only as strings; does not know what computing one costs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from longchain.testing import tokens

BLOCK = 16
"""Tokens in a block, the default of vLLM."""


def chat_tokens(turns: Iterable[tuple[str, str]], generate: bool = True) -> list[str]:
    """Return the tokens of a chat as the model sees it.

    Every turn is one token for its role, its text, and one token for its end. The role's token of
    the reply follows, so that a reply which is sent back later continues the same tokens.

    Args:
        turns: Role and text of each message.
        generate: Whether the assistant's reply comes next.
    """
    pieces: list[str] = []
    for role, text in turns:
        pieces += f"<|{role}|>", *tokens.split(text), "<|end|>"
    return [*pieces, "<|assistant|>"] if generate else pieces


def block_keys(pieces: Sequence[str], known: Sequence[int] = ()) -> list[int]:
    """Return a key for every full block, which stands for all tokens before it as well.

    Args:
        pieces: The tokens.
        known: The keys of the first blocks, where they have been computed already.
    """
    keys = list(known)
    for start in range(len(keys) * BLOCK, len(pieces) - BLOCK + 1, BLOCK):
        keys.append(hash((keys[-1] if keys else 0, *pieces[start : start + BLOCK])))
    return keys


class PrefixCache:
    """Remembers blocks by their keys; forgets the least recently used ones."""

    def __init__(self, capacity: int) -> None:
        """Make room for `capacity` tokens."""
        self._most = max(1, capacity // BLOCK)
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def match(self, keys: Sequence[int], length: int) -> int:
        """Return how many leading tokens of `length` are cached; the last is always computed."""
        matched = 0
        for key in keys[: (length - 1) // BLOCK]:
            if key not in self._blocks:
                break
            self._blocks.move_to_end(key)
            matched += BLOCK
        return matched

    def store(self, keys: Sequence[int]) -> None:
        """Remember blocks, given in order."""
        # Backward, so that of a chat the last blocks are forgotten first: a block is of no use
        # without those before it.
        for key in reversed(keys):
            self._blocks[key] = None
            self._blocks.move_to_end(key)
        while len(self._blocks) > self._most:
            self._blocks.popitem(last=False)
