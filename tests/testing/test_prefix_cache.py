import pytest

from longchain.testing.prefix_cache import PrefixCache, block_keys, chat_tokens

PIECES = [f"t{n}" for n in range(100)]


@pytest.mark.parametrize(
    ("length", "cached"), [(100, 96), (97, 96), (96, 80), (33, 32), (32, 16), (16, 0), (1, 0)]
)
def test_whole_blocks_match_but_never_the_last_token(length: int, cached: int) -> None:
    cache = PrefixCache(1_000)
    cache.store(block_keys(PIECES))
    assert cache.match(block_keys(PIECES[:length]), length) == cached


@pytest.mark.parametrize(("changed", "cached"), [(0, 0), (20, 16), (50, 48), (99, 96)])
def test_nothing_matches_after_the_first_difference(changed: int, cached: int) -> None:
    cache = PrefixCache(1_000)
    cache.store(block_keys(PIECES))
    other = [*PIECES[:changed], "other", *PIECES[changed + 1 :]]
    assert cache.match(block_keys(other), 100) == cached


def test_keys_can_be_continued() -> None:
    assert block_keys(PIECES, block_keys(PIECES[:40])) == block_keys(PIECES)


def test_end_of_the_least_recently_used_chat_is_forgotten_first() -> None:
    cache = PrefixCache(96)
    old, new = block_keys(PIECES), block_keys(PIECES[::-1])
    cache.store(old)
    cache.store(new[:2])
    assert cache.match(old, 100) == 64
    assert cache.match(new, 100) == 32


def test_reply_continues_the_tokens_of_its_prompt() -> None:
    turns = [("system", "Be brief."), ("user", "Begin the story.")]
    prompt = chat_tokens(turns)
    later = chat_tokens([*turns, ("assistant", "Once."), ("user", "Go on.")])
    assert later[: len(prompt) + 1] == [*prompt, "Once"]
    assert chat_tokens(turns, generate=False) == prompt[:-1]
