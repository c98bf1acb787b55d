"""The phrases of one language around a length, as regular expressions.

`longchain.length.reading.phrases_english`, `phrases_european` and `phrases_cjk` have one `Phrases`
object per language. To add a language, write one (`phrases_european` has short ones), add it to the
table in `patterns`, and add its number words to `numerals`.

Knows phrases only, without capturing groups; `mentions`, `parts` and `required_length` decide what
they mean.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """The phrases of one language.

    Phrases named `*_before` match directly before the number, those named `*_after` directly after
    its unit; the others match anywhere in the same sentence.
    """

    words: str = ""
    """Units that count words."""

    characters: str = ""
    """Units that count characters."""

    part_nouns: str = ""
    """Nouns for parts of which a document has several: chapters, sections, pages, essays."""

    text_nouns: str = ""
    """Nouns for a whole text: article, essay, report."""

    piece_nouns: str = ""
    """Nouns for a small piece of a document: abstract, introduction, title."""

    piece_link: str = ""
    """Words between such a noun and its length: `should be`, `of`, `(`."""

    opening: str = ""
    """Nouns for the first piece of an outline."""

    body: str = ""
    """Nouns for the middle piece of an outline."""

    closing: str = ""
    """Nouns for the last piece of an outline; with first and last, the pieces are summed."""

    addition: str = ""
    """Words that add a piece to a document: with, including, plus."""

    range_before: str = ""
    """`between`: makes `and` a range."""

    range_link: str = ""
    """Words between the ends of a range, besides dashes."""

    pair_link: str = ""
    """Words between the ends of a range only if `between` precedes."""

    from_before: str = ""
    """`expand it from` 500 to 2,000 words: after a verb of reworking these are no range."""

    resize_after: str = ""
    """Verb of reworking after two lengths, which are then no range."""

    minimum_before: str = ""
    """`more than`: a lower bound, unless negated."""

    minimum_after: str = ""
    """`or more`: a lower bound."""

    maximum_before: str = ""
    """`less than`: an upper bound, unless negated."""

    maximum_after: str = ""
    """`or less`: an upper bound."""

    negation: str = ""
    """Words that reverse a bound: `no` more than, `must not` exceed."""

    filler: str = ""
    """Words that may come between a bound and its number."""

    approximate_before: str = ""
    """`about`, `exactly` and other words before a number that do not change it."""

    approximate_after: str = ""
    """`or so`, `in length` and other words after a unit that do not change the length."""

    each_before: str = ""
    """Words before a length that each part has: `each section`."""

    each_after: str = ""
    """Words after a length that each part has: `per chapter`."""

    part_link: str = ""
    """Words between counted parts and the length of each: 6 sections `of` 500 words."""

    total_before: str = ""
    """Words before the length of the whole document: `in total`."""

    total_after: str = ""
    """Words after the length of the whole document."""

    write_verbs: str = ""
    """Verbs that request a new text."""

    write_verbs_after: str = ""
    """Verbs that request a new text, after its length."""

    result_before: str = ""
    """Words before the length of the result of reworking: `in`, `into`, `to`."""

    result_after: str = ""
    """Words after the length of the result of reworking."""

    existing: str = ""
    """Words that refer to an existing text: `this`, `the following`."""

    possessive: str = ""
    """Possessives, which refer to an existing text unless a verb of writing precedes."""

    rework_verbs: str = ""
    """Verbs whose object is an existing text: summarize, translate, extend."""

    rework_verbs_after: str = ""
    """Verbs of reworking after the length of the existing text."""

    source_before: str = ""
    """Words before the length of an existing text: `based on a`, `was`, `from`."""

    source_after: str = ""
    """Words after the length of an existing text: `attached`."""

    negated_before: str = ""
    """Words before a length that is not wanted: `not a`, `instead of`."""

    negated_after: str = ""
    """Words after a length that is not wanted."""

    unrelated: str = ""
    """Words anywhere before in the clause that make it no length: vocabulary, learn, per day."""

    question: str = ""
    """Words that start a question about a length: `how` hard are 2,000 words?"""

    unrelated_before: str = ""
    """Words directly before a number that make it no length."""

    unrelated_after: str = ""
    """Words directly after a unit that make it no length."""

    label_words: str = ""
    """`word count`: a label of a number of words, which needs no unit."""

    label_characters: str = ""
    """`character count`: a label of a number of characters, which needs no unit."""
