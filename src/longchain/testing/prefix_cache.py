"""Simulates the prefix cache of a serving engine: blocks of tokens, shared between requests.

tokens of a chat -> number of leading tokens that are cached

Knows tokens only as strings; does not know the time that computing them takes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from longchain.testing import tokens

BLOCK = 16
"""Tokens per block: the default of vLLM."""


def chat_tokens(turns: Iterable[tuple[str, str]], generate: bool = True) -> list[str]:
    """Return the tokens of a chat, as a chat template renders it.

    Every turn has one token for its role, those of its text, and one for its end. The role token of
    the reply follows, so that a later request with this reply begins with the same tokens.

    Args:
        turns: Role and text of each message.
        generate: Whether to add the role token of the reply.
    """
    pieces: list[str] = []
    for role, text in turns:
        pieces += f"<|{role}|>", *tokens.split(text), "<|end|>"
    return [*pieces, "<|assistant|>"] if generate else pieces


def block_keys(pieces: Sequence[str], known: Sequence[int] = ()) -> list[int]:
    """Return a key for every full block, computed from the block and all blocks before it.

    Args:
        pieces: The tokens.
        known: Keys of the first blocks, if they have been computed before.
    """
    keys = list(known)
    for start in range(len(keys) * BLOCK, len(pieces) - BLOCK + 1, BLOCK):
        keys.append(hash((keys[-1] if keys else 0, *pieces[start : start + BLOCK])))
    return keys


class PrefixCache:
    """Stores the keys of blocks, and evicts the least recently used ones."""

    def __init__(self, capacity: int) -> None:
        """Create an empty cache for a number of tokens."""
        self._max_blocks = max(1, capacity // BLOCK)
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def match(self, keys: Sequence[int], length: int) -> int:
        """Return the number of leading tokens that are cached.

        Args:
            keys: The keys of the prompt's blocks.
            length: Tokens of the prompt; the last one is always computed.
        """
        matched = 0
        for key in keys[: (length - 1) // BLOCK]:
            if key not in self._blocks:
                break
            self._blocks.move_to_end(key)
            matched += BLOCK
        return matched

    def store(self, keys: Sequence[int]) -> None:
        """Store the blocks with these keys, which are in the order of the text."""
        # Backward, so that the last blocks of a chat are evicted first: a block is useless without
        # the blocks before it.
        for key in reversed(keys):
            self._blocks[key] = None
            self._blocks.move_to_end(key)
        while len(self._blocks) > self._max_blocks:
            self._blocks.popitem(last=False)
