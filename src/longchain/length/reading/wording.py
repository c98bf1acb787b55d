"""The form of a language's table of phrases, for `longchain.length.reading`.

language -> the phrases that stand before and after a number

Knows words only, as regular expressions without groups; `measures`, `parts` and `read` know what
to do with them. To add a language, write one `Wording` (`wording_european` has short ones) and
name it in `grammar`; number words go into `numerals`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The phrases of one language.

    `*_before` stands right before the number, `*_after` right after its unit; the others may
    stand anywhere in the same sentence.
    """

    words: str = ""
    """Units that count words."""

    characters: str = ""
    """Units that count characters."""

    counted: str = ""
    """Nouns of which a document has several: chapters, sections, pages, essays."""

    texts: str = ""
    """Nouns for a whole text: article, essay, report."""

    inner: str = ""
    """Nouns for a small piece of a document: abstract, introduction, title."""

    inner_link: str = ""
    """What joins such a noun to its length: `should be`, `of`, `(`."""

    opening: str = ""
    """The piece that every outline begins with."""

    body: str = ""
    closing: str = ""
    """The piece that every outline ends with: with both, the pieces add up to the whole."""

    beside: str = ""
    """What adds a piece to a document: with, including, plus."""

    range_before: str = ""
    """`between`: makes `and` a range."""

    range_link: str = ""
    """What stands between the ends of a range, besides dashes."""

    pair_link: str = ""
    """What stands between them only after `between`."""

    from_before: str = ""
    """`expand it from` 500 to 2,000 words: with a verb of reworking it is no range."""

    stretch_after: str = ""
    """The same where the verb comes last."""

    more_before: str = ""
    """More than: a lower bound, unless negated."""

    more_after: str = ""
    less_before: str = ""
    """Less than: an upper bound, unless negated."""

    less_after: str = ""
    negation: str = ""
    """What turns a bound around: `no` more than, `must not` exceed."""

    filler: str = ""
    """What may stand between a bound and its number."""

    about_before: str = ""
    about_after: str = ""
    each_before: str = ""
    """Marks of a length that each part has."""

    each_after: str = ""
    of_before: str = ""
    """Joins counted parts to the length of each: 6 sections `of` 500 words."""

    total_before: str = ""
    total_after: str = ""
    write: str = ""
    """Verbs that ask for a new text."""

    write_after: str = ""
    into_before: str = ""
    """Marks of the result of a rework: `in`, `into`, `to`."""

    into_after: str = ""
    given: str = ""
    """Marks of a text that is there already: this, the following."""

    own: str = ""
    """Possessives: the text is there already, unless it is asked for by a verb of writing."""

    rework: str = ""
    """Verbs whose object is there already: summarize, translate, extend."""

    rework_after: str = ""
    source_before: str = ""
    """Right before the length of a text that is there already: `based on a`, `was`, `from`."""

    source_after: str = ""
    denied_before: str = ""
    """`not a`, `instead of`."""

    denied_after: str = ""
    other: str = ""
    """Makes it no length at all, anywhere before in the clause: vocabulary, learn, per day."""

    asking: str = ""
    """Begins a question about a length rather than for a text: `how` hard are 2,000 words?"""

    other_before: str = ""
    other_after: str = ""
    label_words: str = ""
    """`word count`: the number needs no unit."""

    label_characters: str = ""
