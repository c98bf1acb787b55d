from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longchain.agent.planning import planfile
from longchain.agent.planning.planfile import Format
from longchain.document import ChapterPlan, SectionPlan, WritingPlan
from longchain.errors import PlanFileError

FORMATS: tuple[Format, ...] = ("yaml", "json", "md")

TRICKY = (
    "yes", "1.0", "null", "~", "2024-01-01", "=", "# x", "## 1. A (400 words)", "---", "\\# x",
    "(5)", "<!-- x -->", "Chapter 2. X (3 words)", "a: b", "- x", "'", '"', "1. ",
    "Chapter, continued: X", "（400字）", "**bold** _it_ [a](b)", "ローマ帝国：序説", "😀",
)  # fmt: skip

texts = st.text(max_size=40) | st.sampled_from(TRICKY)
lengths = st.integers(1, 10**6)


@st.composite
def plans(draw: st.DrawFn) -> WritingPlan:
    headings = st.lists(texts.map(lambda text: " ".join(text.split())).filter(bool), max_size=3)
    names = list(dict.fromkeys(draw(headings)))
    chapters = st.tuples(*(st.builds(ChapterPlan, heading=st.just(name), main_point=texts,
                                     length=lengths) for name in names))  # fmt: skip
    section = st.builds(
        SectionPlan,
        heading=texts,
        main_point=texts,
        length=lengths,
        chapter=st.sampled_from(names or [""]),
    )
    sections = draw(st.lists(section, min_size=0 if names else 1, max_size=5))
    if draw(st.booleans()):  # the usual case: chapter after chapter
        sections.sort(key=lambda part: [*names, ""].index(part.chapter))
    listed = draw(st.booleans()) or not sections  # else chapters that only sections name
    return WritingPlan(
        title=draw(texts),
        sections=sections,
        chapters=list(draw(chapters)) if listed else [],
        unit=draw(st.sampled_from(["words", "characters"])),
        language=draw(st.sampled_from([None, "en", "ja", "no", ""])),
    )


@pytest.fixture
def book() -> WritingPlan:
    return WritingPlan(
        title="Rome",
        language="en",
        chapters=[
            ChapterPlan(heading="Empire", main_point="From Augustus on", length=900),
            ChapterPlan(heading="Fall", length=500),
        ],
        sections=[
            SectionPlan(
                heading="The Principate", main_point="One man", length=400, chapter="Empire"
            ),
            SectionPlan(main_point="# no heading", length=500, chapter="Empire"),
        ],
    )


@given(plans(), st.sampled_from(FORMATS))
@settings(deadline=None)
def test_every_plan_reads_back_exactly(plan: WritingPlan, form: Format) -> None:
    assert planfile.loads(planfile.dumps(plan, form), form) == plan


@given(st.text() | st.text(alphabet="#-()[]{}:\"' \n1aé\\"), st.sampled_from(FORMATS))
@settings(deadline=None)
def test_any_text_is_a_plan_or_a_plan_file_error(text: str, form: Format) -> None:
    with suppress(PlanFileError):
        assert planfile.loads(text, form).length >= 1


def test_chapters_whose_sections_are_interleaved_read_back(book: WritingPlan) -> None:
    book.sections.append(SectionPlan(heading="Out", length=1, chapter="Fall"))
    book.sections.append(SectionPlan(heading="Back", length=2, chapter="Empire"))
    for form in FORMATS:
        assert planfile.loads(planfile.dumps(book, form), form) == book


@pytest.mark.parametrize("title", ["a\nb", "a\x85b", "\u2028", "---\n---\n# b", "a\r\nb"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_title_of_several_lines_reads_back(title: str, form: Format, book: WritingPlan) -> None:
    book.title = title
    assert planfile.loads(planfile.dumps(book, form), form).title == title


def test_yaml_is_for_people(book: WritingPlan) -> None:
    book.title = "ローマ"
    assert planfile.dumps(book, "yaml").splitlines()[1:] == [
        "title: ローマ",
        "unit: words",
        "language: en",
        "chapters:",
        "  - heading: Empire",
        "    main_point: From Augustus on",
        "    length: 900",
        "    sections:",
        "      - heading: The Principate",
        "        main_point: One man",
        "        length: 400",
        "      - heading: ''",
        "        main_point: '# no heading'",
        "        length: 500",
        "  - heading: Fall",
        "    main_point: ''",
        "    length: 500",
    ]
    assert planfile.dumps(book, "yaml").startswith("# A plan")


def test_markdown_is_an_outline(book: WritingPlan) -> None:
    assert [line for line in planfile.dumps(book, "md").splitlines() if line][5:] == [
        "# Rome",
        "## Chapter 1. Empire (900 words)",
        "From Augustus on",
        "### 1.1. The Principate (400 words)",
        "One man",
        "### 1.2. (500 words)",
        "\\# no heading",
        "## Chapter 2. Fall (500 words)",
    ]


@pytest.mark.parametrize("name", ["p.yaml", "p.yml", "p.json", "p.md", "P.YAML"])
def test_the_suffix_names_the_form(tmp_path: Path, name: str, book: WritingPlan) -> None:
    planfile.save(book, tmp_path / name)
    assert planfile.load(str(tmp_path / name)) == book


def test_a_byte_order_mark_and_windows_line_ends_are_read(
    tmp_path: Path, book: WritingPlan
) -> None:
    for form in FORMATS:
        path = tmp_path / f"plan.{form}"
        text = planfile.dumps(book, form).replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert planfile.load(path) == book


@pytest.mark.parametrize(
    ("edited", "heading"),
    [("1984", "1984"), ("yes", "yes"), ("2024-01-01", "2024-01-01"), ("", ""), ("null", "")],
)
def test_a_heading_that_a_person_left_unquoted_is_text(edited: str, heading: str) -> None:
    text = f"sections:\n- heading: {edited}\n  length: 1,200\n"
    section = planfile.loads(text, "yaml").sections[0]
    assert (section.heading, section.length) == (heading, 1200)


def test_markdown_that_a_person_wrote_is_read() -> None:
    text = "# Rome\n\n## Kings (700字)\n### A (300字)\nfirst line\nsecond line\n### B （400）\n"
    plan = planfile.loads(text, "md")
    assert (plan.title, plan.unit, plan.length) == ("Rome", "characters", 700)
    assert [part.heading for part in plan.of_chapter("Kings")] == ["A", "B"]
    assert plan.sections[0].main_point == "first line second line"


def test_a_chapter_without_a_length_has_that_of_its_sections() -> None:
    text = "chapters:\n- heading: A\n  sections:\n  - length: 3\n  - length: 4\n"
    assert planfile.loads(text, "yaml").chapters[0].length == 7


GOOD = """\
# remark
title: Rome
sections:
  - heading: Kings
    main_point: |
      two
      lines
    length: 400
  - heading: The Principate
    main_point: One man
    length: 400
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("length: 400\n", "length: 4oo\n",
         "plan, line 8: `length` of section 1 ('Kings') must be a whole number of at least 1, "
         "not '4oo'"),
        ("man\n    length: 400", "man\n    length: 0",
         "plan, line 11: `length` of section 2 ('The Principate') must be a whole number of at "
         "least 1, not '0'"),
        ("man\n    length: 400", "man\n    length:",
         "plan, line 11: `length` of section 2 ('The Principate') must be a whole number of at "
         "least 1, not nothing"),
        ("man\n    length: 400", "man",
         "plan, line 9: section 2 ('The Principate') lacks its `length`"),
        ("man\n    length: 400", "man\n    lenght: 400",
         "plan, line 11: section 2 ('The Principate') has no field `lenght`; "
         "did you mean `length`?"),
        ("title:", "titel:", "plan, line 2: the plan has no field `titel`; did you mean `title`?"),
        ("One man", "[a, b]",
         "plan, line 10: `main_point` of section 2 ('The Principate') must be a text, "
         "not ['a', 'b']"),
        ("title: Rome", "unit: pages",
         "plan, line 2: `unit` must be words or characters, not 'pages'"),
        ("One man", "One: man", "plan, line 10: not YAML: mapping values are not allowed here"),
        ("One man", "One man\n    heading: B",
         "plan, line 11: `heading` appears here a second time"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_field(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(PlanFileError) as caught:
        planfile.loads(GOOD.replace(old, new, 1), "yaml")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("yaml", "sections: []\n", "plan, line 1: `sections` is empty"),
        ("yaml", "title: x\n", "plan, line 1: `sections` is empty"),
        ("yaml", "", "plan: the plan must be a mapping"),
        ("yaml", "a plan\n", "plan, line 1: the plan must be a mapping"),
        ("yaml", "sections:\n- A\n", "plan, line 2: section 1 must be a mapping"),
        ("yaml", "sections: many\n", "plan, line 1: `sections` must be a list, not 'many'"),
        ("yaml", "chapters:\n- length: 3\n", "plan, line 2: chapter 1 lacks its `heading`"),
        ("yaml", "chapters:\n- {heading: A, length: 3}\n- {heading: A, length: 3}\n",
         "plan, line 3: chapter 2 ('A') has the heading of chapter 1"),
        ("yaml", "chapters:\n- {heading: Ab, length: 3}\nsections:\n- {length: 3, chapter: Ac}\n",
         "plan, line 4: `chapter` of section 1 names no chapter of the plan: 'Ac'; "
         "did you mean 'Ab'?"),
        ("yaml", "chapters:\n- {heading: A, length: 3}\nsections:\n- {heading: Out, length: 3}\n",
         "plan, line 4: section 1 ('Out') is in no chapter, though the plan has chapters; "
         "name its `chapter`, or make it a chapter"),
        ("md", "# Rome\n\n## Intro (2)\n## Kings (7)\n### A (7)\n",
         "plan, line 3: section 1 ('Intro') is in no chapter"),
        ("yaml", "title: \x07\n", "plan: not YAML: unacceptable character"),
        ("yaml", "[" * 5000, "plan: not a plan: nested too deeply"),
        ("yaml", "[[[[[[[[1]]]]]]]]", "plan, line 1: not a plan: nested too deeply"),
        ("yaml", "qqqq: 1\n",
         "plan, line 1: the plan has no field `qqqq`; known are title, unit, language"),
        ("json", "[" * 100_000, "plan: not a plan: nested too deeply"),
        ("json", '{"a": ' + "9" * 5000 + "}", "plan: not JSON: Exceeds the limit"),
        ("json", '{"title": "a",\n"title": "b"}', "plan, line 2: `title` appears here a second"),
        ("json", '{"sections": [\n{"length": 400,}\n]}', "plan, line 2: not JSON"),
        ("json", '{"title": 7,\n"sections": [{\n\t"length": "x"}]}',
         "plan, line 3: `length` of section 1"),
        ("json", '{"sections": [{"length": 1}],\n"title": 7}',
         "plan, line 2: `title` of the plan must be a text, not 7"),
        ("json", '{"sections": [{"length": true}]}', "plan, line 1: `length` of section 1"),
        ("json", '{"sections": [{"length": 1}],\n"unit": "\\ud800"}',
         "plan, line 2: `unit` must be words or characters, not '?'"),
        ("json", '{"sections": [{"length": 1,\n"\\ud800": 2}]}',
         "plan, line 2: section 1 has no field `\ud800`"),
        ("md", "# Rome\n\n## 1. Kings (4oo words)\n",
         "plan, line 3: `length` of section 1 ('Kings') must be a whole number of at least 1, "
         "not '4oo words'"),
        ("md", "# Rome\n\n## 1. Kings\n", "plan, line 3: section 1 ('Kings') lacks its `length`"),
        ("md", "# Rome\nnote\n## 1. Kings (4)\n", "plan, line 2: this belongs to no section"),
        ("md", "---\nunit: words\n---\n## A (4 words)\n## B (4 characters)\n",
         "plan, line 5: this length counts characters, the plan words"),
        ("md", "---\nunits: words\n---\n## A (4 words)\n",
         "plan, line 2: the plan has no field `units`; did you mean `unit`?"),
        ("md", "---\nunit: words\n", "plan, line 1: the `---` at the top has no second one"),
        ("md", "### A (4 words)\n", "plan, line 1: `###` belongs to no chapter"),
        ("md", "", "plan: `sections` is empty"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_said_to_be_none(form: Format, text: str, message: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        planfile.loads(text, form)
    assert str(caught.value).startswith(message)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"title: x\nsections: \xe9\n")
    (tmp_path / "dir.md").mkdir()
    for name, message in {
        "none.yaml": "no such plan file",
        "dir.md": "a directory",
        "latin.yaml": "line 2: not UTF-8",
        "plan.txt": "ends in .yaml, .json or .md, not '.txt'",
    }.items():
        with pytest.raises(PlanFileError, match=message) as caught:
            planfile.load(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PlanFileError, match="cannot be read: Permission denied"):
        planfile.load(tmp_path / "plan.md")


def test_an_unknown_form_is_named(book: WritingPlan) -> None:
    form: Any = "toml"
    with pytest.raises(PlanFileError, match="yaml, json or md, not 'toml'"):
        planfile.dumps(book, form)
    with pytest.raises(PlanFileError, match="yaml, json or md, not 'toml'"):
        planfile.loads("", form)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, book: WritingPlan) -> None:
    with pytest.raises(PlanFileError, match="cannot be written"):
        planfile.save(book, tmp_path / "no" / "plan.yaml")
    with pytest.raises(PlanFileError, match="ends in"):
        planfile.save(book, tmp_path / "plan.toml")
