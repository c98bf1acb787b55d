from __future__ import annotations

import pytest

from longchain.length.count import count_characters
from longchain.length.markdown import strip_markdown


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("# Head #\n\n## 1. Two\ntext", "Head\n\n1. Two\ntext"),
        ("Title\n===\n\nSub\n---\n", "Title\n\n\nSub\n\n"),
        ("**b** *i* ***bi*** _u_ __uu__ ~~s~~", "b i bi u uu s"),
        ("**a *b* c**, これは**重要**です", "a b c, これは重要です"),
        ("- a\n  * b\n+ c\n1. d\n12) e\n- [x] f\n- [ ] g", "a\nb\nc\nd\ne\nf\ng"),
        ("> a\n> > b\n> - c\n> # d", "a\nb\nc\nd"),
        ("a\n\n---\n\n* * *\n\nb", "a\n\n\n\n\n\nb"),
        ("[two words](http://a.b/c_(d) 'a title')", "two words"),
        ("![alt](x.png) [![badge](a.svg)](b)", "alt badge"),
        ("[text][ref], <https://a.b>, <me@x.y>", "text, https://a.b, me@x.y"),
        ("a\n\n[ref]: http://x.y 'T'\n", "a\n\n\n"),
        ("One.[3] Two [3, 7]. Three[1][2] four[2–4]", "One. Two . Three four"),
        ("a[^1]\n\n[^1]: Note", "a\n\n Note"),
        ("a `x * y * z` ``b ` c``", "a x * y * z b ` c"),
        ("a\n```python\n# c *d* [e](f)\n```\n*g*", "a\n# c *d* [e](f)\ng"),
        ("~~~~\na\n```\nb", "a\n```\nb"),
        ("| a | b |\n|---|:-:|\n| 1 | 2\\|3 |\n", "  a   b  \n  1   2|3  \n"),
        ("a|b\n-|-\n1|2\n", "a b\n1 2\n"),
        ("| 1 | 2 |", "  1   2  "),
        ("<b>a</b><br>b <!-- c\nd --><p class='x'>e</p>", "a b   e "),
        ("H<sub>2</sub>O &amp; &#233;", "H2O & é"),
        ("\\*a\\* \\# \\[3\\]\\\nb", "*a* # [3]\nb"),
        ("---\ntitle: x\n---\nBody", "Body"),
    ],
)
def test_markup_is_not_seen(markdown: str, seen: str) -> None:
    assert strip_markdown(markdown) == seen
    assert count_characters(markdown, "ja") == len("".join(seen.split()))


@pytest.mark.parametrize(
    "text",
    [
        "3 < 5 and 7 > 2, a<b and c>d, x<y",
        "2 * 3 * 4, 2*3*4, f(x)*g(x)*h",
        "snake_case_name, x_1 + y_2",
        "5 *stars\n\nand *more",
        "#tag, C# and F#",
        "1984. A novel.",
        "-5 degrees, +3",
        "a | b",
        "[sic](see below), [Alice]: Hello, [a b]",
        "AT&T; R&D",
        "---\n\nText between rules: one.\n\n---",
    ],
)
def test_text_that_only_looks_like_markup_stays(text: str) -> None:
    assert strip_markdown(text) == text.strip("-") or strip_markdown(text) == text
