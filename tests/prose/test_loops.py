import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longchain.prose.loops import LoopGuard, loop_start

CAT = "The cat sat on the mat. "
MOON = "他走进房间，看见了窗外的月亮。"

LOOPS = [
    (CAT * 8, CAT.strip()),
    (CAT * 8 + "The cat sat", CAT.strip()),
    (CAT * 4, CAT.strip()),
    ("very " * 50 + "ve", "very"),
    ("It rained. " + CAT * 8, "It rained. " + CAT.strip()),
    # The sentence before ends as the span does: it must not shift the cut into mid-sentence.
    (
        "We saw him at night. " + "The dog barks at night. " * 6,
        "We saw him at night. The dog barks at night.",
    ),
    ("so it goes on and " * 12, "so it goes on and"),
    ("Good prose.\n\n" + "very " * 60, "Good prose.\n\nvery"),
    ("他走了。" * 20, "他走了。"),
    (MOON * 5, MOON),
    ("はい、そうです。" * 8, "はい、そうです。"),
    ("- one more item\n" * 20, "- one more item"),
    ("| a | b | c |\n" * 20, "| a | b | c |"),
    ("End." + "\n" * 3000, "End."),
    ("End " + "!" * 3000, "End"),
]


@pytest.mark.parametrize(("text", "kept"), LOOPS)
def test_a_loop_is_cut_after_its_first_copy(text: str, kept: str) -> None:
    place = loop_start(text)
    assert place is not None
    assert text[:place] == kept


def test_a_paragraph_in_a_loop_is_found_whatever_its_length() -> None:
    paragraph = " ".join(f"word{i}" for i in range(150)) + ".\n\n"
    assert loop_start("Before. " + paragraph * 4) == len("Before. " + paragraph.rstrip())


HEALTHY = [
    "",
    "One.",
    CAT * 3,
    "And the wind blows over the water, and the boats come home to the old harbor. " * 3,
    "She laughed: ha ha ha ha ha ha ha ha ha ha!",
    "哈哈哈哈哈哈哈哈哈哈，他笑了。哈哈哈哈哈哈",
    "No. No. No. No. No. No.",
    "Let it be, let it be, let it be, let it be.\nWhisper words of wisdom, let it be.",
    "Hallelujah,\n" * 8,
    "\n".join(f"{i}. Item number {i} of the list" for i in range(1, 60)),
    "\n".join(f"| row {i} | yes | no | yes |" for i in range(40)),
    "\n".join(f"| {name} | 0 | 0 | 0 | 0 |" for name in "ABCDEFGHIJKLMNOP"),
    "| 0 | 0 | 0 | 0 | 0 | 0 | 0 |\n" * 8,
    "|   |   |   |   |\n" * 40,
    "\n".join(f"Chapter {i} {'.' * 60} {i * 7}" for i in range(1, 12)),
    "Title\n" + "=" * 200,
    "- [ ] \n" * 30,
    # A loop that the text has left again is no loop at its end.
    CAT * 8 + "Then the dog came in, and all of it was over at last.",
]


@pytest.mark.parametrize("text", HEALTHY)
def test_healthy_text_has_no_loop(text: str) -> None:
    assert loop_start(text) is None


def test_a_refrain_between_verses_is_no_loop() -> None:
    refrain = "And the wind blows over the water,\nand the wind blows over the sea.\n"
    verses = [f"Verse {i} tells of the {word}.\n" for i, word in enumerate(("boat", "net", "tide"))]
    assert loop_start("".join(refrain * 2 + verse for verse in verses) + refrain * 2) is None


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=300))
def test_text_without_repeats_has_no_loop(numbers: list[int]) -> None:
    assert loop_start(" ".join(f"w{number}" for number in numbers)) is None


@given(st.text(max_size=60), st.integers(4, 12), st.text(max_size=30))
def test_the_cut_is_inside_and_leaves_a_text_without_a_loop(
    span: str, copies: int, before: str
) -> None:
    text = before + f" {span} " * copies
    place = loop_start(text)
    if place is not None:
        assert 0 < place <= len(text)
        assert loop_start(text[:place]) is None


def _alarm(text: str, size: int = 5) -> int | None:
    guard = LoopGuard()
    for start in range(0, len(text), size):
        if guard.feed(text[start : start + size]):
            return start + size
    return None


@pytest.mark.parametrize("span", [CAT, MOON, "very ", "他走了。", "w x y z " * 15, "\n"])
def test_the_guard_stops_a_loop_early(span: str) -> None:
    text = "It began well enough. " + span * (4000 // len(span))
    place = _alarm(text)
    assert place is not None
    assert loop_start(text[:place]) is not None


@pytest.mark.parametrize("text", [*HEALTHY, CAT * 5 + "It ended. " * 2])
def test_the_guard_lets_healthy_text_pass(text: str) -> None:
    assert _alarm(text) is None


def test_the_guard_asks_for_more_than_the_finished_text() -> None:
    refrain = "And the wind blows over the water, and the boats come home to the harbor. "
    assert loop_start(refrain * 5) is not None
    for number in range(60):
        # Wherever the guard happens to look.
        before = " ".join(f"w{i}" for i in range(number))
        assert _alarm(f"{before} " + refrain * 5 + "Then the song was over.") is None


def test_the_guard_stays_true_and_keeps_little() -> None:
    guard = LoopGuard()
    assert guard.feed(CAT * 20)
    assert guard.feed("and now for something else")
    guard.feed("x" * 100_000)
    assert len(guard._tail) <= 4000


@settings(max_examples=50)
@given(st.text("ab. \n月", min_size=1, max_size=12), st.integers(1, 400), st.integers(0, 99))
def test_what_the_guard_reports_is_found_in_the_whole(span: str, copies: int, seed: int) -> None:
    words = random.Random(seed).sample(range(1000), seed)
    text = " ".join(map(str, words)) + span * copies
    place = _alarm(text, 7)
    assert place is None or loop_start(text[:place]) is not None
