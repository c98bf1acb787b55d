import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longchain.length.count import count_length
from longchain.prose.cleanup import clean, stitch, to_sentence_end, trim
from longchain.sentences import split_sentences

PROSE = "The sea was calm that night. Nobody on the pier had slept."
CHINESE = "春天来了，万物复苏。河边的柳树发出了新芽。"
JAPANESE = "春が来た。川辺の柳が芽を出した。"

DAMAGE = [
    (f"<think>Let me plan.</think>\n\n{PROSE}", "reasoning removed"),
    (f"<THINKING>\nFirst...\n\nSecond\n</THINKING>{PROSE}", "reasoning removed"),
    (f"I need about 60 words.\n</think>\n\n{PROSE}", "reasoning removed"),
    (f"I need about 60 words.</think>{PROSE}", "reasoning removed"),
    (f"[THINK]plan[/THINK]{PROSE}", "reasoning removed"),
    (f"<analysis>a</analysis>\n<reasoning>b</reasoning>\n{PROSE}", "reasoning removed"),
    (
        f"<|channel|>analysis<|message|>Plan.<|end|><|channel|>final<|message|>{PROSE}",
        "reasoning removed",
    ),
    (f"```markdown\n{PROSE}\n```", "fence removed"),
    (f"```\n{PROSE}\n```\n", "fence removed"),
    (f"```md\n{PROSE}", "fence removed"),
    (
        f"Here is the section:\n\n```\n{PROSE}\n```\n\nLet me know if you want more.",
        "fence removed",
    ),
    (f"Section 3: {PROSE}", "label removed"),
    (f"**Section 3:** {PROSE}", "label removed"),
    (f"### Section 3\n\n{PROSE}", "label removed"),
    (f"Paragraph 2: {PROSE}", "label removed"),
    (f"Paragraph 2 of 12:\n{PROSE}", "label removed"),
    (f"Step 4 - {PROSE}", "label removed"),
    (f"Section 3: A Calm Night\n\n{PROSE}", "label removed"),
    (f"## Section Three: A Calm Night\n\n{PROSE}", "label removed"),
    (f"Paragraph 1 - Main Point: Calm. - Word Count: 400 words\n\n{PROSE}", "label removed"),
    (f"Chapter 2\n\n{PROSE}", "label removed"),
    (f"Abschnitt 3: {PROSE}", "label removed"),
    (f"第3节：{CHINESE}", "label removed"),
    (f"第三节：{CHINESE}", "label removed"),
    (f"段落2：{CHINESE}", "label removed"),
    (f"セクション３：{JAPANESE}", "label removed"),
    (f"第1章\n\n{JAPANESE}", "label removed"),
    (f"Here is the section: {PROSE}", "announcement removed"),
    (f"Here's the revised draft:\n\n{PROSE}", "announcement removed"),
    (f"**Here is the section:**\n\n{PROSE}", "announcement removed"),
    (f"Sure! Here's a 60-word section about the sea:\n\n{PROSE}", "announcement removed"),
    (
        f"Certainly, here is the next part of the story:\n\n{PROSE}".replace(" of the story", ""),
        "announcement removed",
    ),
    (f"Certainly! I have written it as you asked:\n\n{PROSE}", "announcement removed"),
    (f"Below is the continuation.\n\n{PROSE}", "announcement removed"),
    (f"Hier ist der Abschnitt über das Meer:\n\n{PROSE}", "announcement removed"),
    (f"Bien sûr ! Voici le texte demandé :\n\n{PROSE}", "announcement removed"),
    (f"¡Claro! Aquí tienes la sección sobre el mar:\n\n{PROSE}", "announcement removed"),
    (f"好的，以下是关于春天的正文：\n\n{CHINESE}", "announcement removed"),
    (f"以下是第三节的内容：{CHINESE}", "announcement removed"),
    (f"承知しました。以下は第3節の本文です：\n\n{JAPANESE}", "announcement removed"),
    (f"以下はセクション3の本文です：\n{JAPANESE}", "announcement removed"),
    (f"{PROSE}\n\nLet me know if you'd like any changes!", "farewell removed"),
    (f"{PROSE}\n\nWould you like me to continue with the next section?", "farewell removed"),
    (f"{PROSE}\n\n*I hope this section meets your needs.*", "farewell removed"),
    (f"{PROSE}\n\nTo be continued...", "farewell removed"),
    (f"{PROSE}\n\n[End of Section 3]", "farewell removed"),
    (f"{CHINESE}\n\n（未完待续）", "farewell removed"),
    (f"{CHINESE}\n\n如果您需要修改，请告诉我。", "farewell removed"),
    (f"{JAPANESE}\n\n修正のご要望があればお知らせください。", "farewell removed"),
    (f"{PROSE}\n\n(Word count: 412)", "word count removed"),
    (f"{PROSE} (412 words)", "word count removed"),
    (f"{PROSE}\n[400 words]", "word count removed"),
    (f"{PROSE}\n\n**Word count:** 1,412 words", "word count removed"),
    (f"{CHINESE}（字数：400字）", "word count removed"),
    (f"{CHINESE}\n\n（全文约400字）", "word count removed"),
    (f"{JAPANESE}（約400文字）", "word count removed"),
    (f"{PROSE}\n\n---", "rule removed"),
    (f"---\n\n{PROSE}", "rule removed"),
    (f"<section>\n{PROSE}\n</section>", "tag removed"),
    (f'<reference id="3">\n{PROSE}</reference>', "tag removed"),
    (f"<text>{PROSE}</text>", "tag removed"),
    (f"{CHINESE}</text>", "tag removed"),
    (f"{PROSE}\n</instruction>", "tag removed"),
    (f"{PROSE}<|im_end|>", "special token removed"),
    (f"{PROSE}</s>", "special token removed"),
    (f"<s>{PROSE}</s>", "special token removed"),
    (f"[/INST] {PROSE}", "special token removed"),
    (f"<|im_start|>assistant\n{PROSE}<|im_end|>\n<|im_start|>user\nMore!", "special token removed"),
    (f"{PROSE}<|user|>\nNow write section 4.<|assistant|>\nIt rained.", "special token removed"),
    (f"{PROSE}<｜end▁of▁sentence｜>", "special token removed"),
    (f"**{PROSE}**", "bold removed"),
]


@pytest.mark.parametrize(("reply", "note"), DAMAGE)
def test_what_is_no_prose_is_removed(reply: str, note: str) -> None:
    result = clean(reply)
    assert result.text in (PROSE, CHINESE, JAPANESE)
    assert note in result.notes
    assert result.problem is None


HONEST = [
    "Section 3 of the Act provides for a fine. It was rarely imposed.",
    "Section 3: the forgotten clause, as lawyers call it, ended the dispute.",
    "[Analysis] was printed on the door. He knocked.",
    "Section 12 was the longest. Nobody read it.",
    "Step by step, the army withdrew. The road was empty by noon.",
    "Step 1: Heat the oven.\n\nStep 2: Mix the flour with the eggs.",
    "Step 1 - Heat the oven.\nStep 2 - Mix the flour.\nStep 3 - Bake it.",
    "**Step 1:** Heat the oven.\n\n**Step 2:** Mix the flour.",
    "Paragraph 2 of Article 5 was struck out. It had caused much trouble.",
    "Part of the reason lies in trade. The rest is politics.",
    "Chapter 2 tells of the flood. It is short.",
    "Here is where the story begins: a small village on the coast.",
    "Here is the plan:\n\n1. Find a boat.\n2. Cross the river.",
    "Here is the full text of the treaty:\n\n> The parties agree to peace.",
    "Here is the problem: nobody knew. That was new.",
    "Of course, here is the rub.\n\nThe king had no heir, and the law gave none.",
    "Sure, he was late: the train had stopped at the border.",
    "This is the story of a man who could not sleep. He lived by the sea.",
    "Certainly, the evidence points elsewhere. It always has.",
    "Great minds disagreed. The text of the law was plain.",
    "第三节车厢里坐着一位老人。他在看窗外。",
    "以下是三个原因：第一，成本太高；第二，时间不足。",
    "以下の三点が重要です。第一に費用、第二に時間です。",
    "第1章で述べたように、問題は費用である。",
    "好的开始是成功的一半。这句话人人都知道。",
    "Models of this kind print a `<think>` block and close it with `</think>` first. It helps.",
    "The model closes its thoughts with the </think> tag. Then it answers.",
    "Use the `<section>` element here. It groups content.",
    "<section> elements group related content. They have been in use for years.",
    "The template ends with `<|im_end|>`\nand begins with `<|im_start|>`. Both are tokens.",
    "A chat looks like this:\n\n```\n<|im_start|>user\nHello<|im_end|>\n```\n\nThat is all.",
    "Old prices are <s>struck out</s> on the page. New ones follow.",
    "```python\nprint(1)\n```",
    "```\na = 1\n```\n\nThat was all of it.",
    "```\na = 1\n```\n\nThat was the first. The second is:\n\n```\nb = 2\n```",
    "Run it:\n\n```sh\n# install\nmake\n\n\n\nmake test\n```\n\nIt takes a minute.",
    "### A sub-heading\n\nProse below it. More prose.",
    "The contract was short (412 words). It said all.",
    "He counted them again: 400 words",
    "The letter closed as it had begun.\n\n“Let me know if you can come.”",
    "Let me know if it rains, he had said. It did not rain.\n\nSo I never called.",
    "Feel free to adjust the seasoning to taste.",
    "Mix it well.\n\nFeel free to change the amount of sugar.",
    "He walked in.\n\n---\n\nNobody spoke.",
    "**Never mix the two.** The gas is deadly.",
    "The rule is old.\n\n**Never mix bleach with ammonia, for the gas can kill.**\n\nDo so.",
    "　　春天来了。\n\n　　柳树发芽了。",
    "I’m sorry, but I can’t come on Sunday. The boat leaves on Saturday.",
    "I'm sorry, but I can't help but wonder what he saw. He never said.",
    "I cannot write these lines without weeping. Forgive me.",
    "“I'm sorry, but I can't help you,” she said. He left.",
    "As an AI engineer, I have seen many fashions. Few lasted.",
    "As an AI winter followed, funds dried up. Labs closed.",
    "作为AI工程师，我见过很多模型。它们都会出错。",
    "Error: the word comes from the Latin for wandering. It kept that sense.",
    "Internal server errors are rare. They should be logged.",
    "None of this was new. Everyone had seen it.",
    "Too many requests for help went unheard. People died.",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "👨‍👩‍👧 The family came. می‌خواهم بروم.",
]


@pytest.mark.parametrize("prose", HONEST)
def test_honest_prose_stays(prose: str) -> None:
    result = clean(prose, heading="The Long Winter", title="A History of Ice")
    assert result.text == prose
    assert (result.notes, result.problem) == ([], None)


@pytest.mark.parametrize(
    ("reply", "heading", "note"),
    [
        ("# The Long Winter\n\n", "The Long Winter", "heading removed"),
        ("**The Long Winter**\n\n", "The Long Winter", "heading removed"),
        ("**The Long Winter:** ", "The Long Winter", "heading removed"),
        ("The long winter:\n\n", "The Long Winter", "heading removed"),
        ("2.1 The Long Winter\n", "The Long Winter", "heading removed"),
        ("## 2. The Long Winter\n", "The Long Winter", "heading removed"),
        ("# Chapter 2: The Long Winter\n\n", "The Long Winter", "heading removed"),
        ("Chapter II. The Long Winter\n\n", "Chapter 2: The Long Winter", "heading removed"),
        ("### The Long Winters\n\n", "The Long Winter", "heading removed"),
        ("第2章 長い冬\n\n", "長い冬", "heading removed"),
        ("## 第二章：漫长的冬天\n\n", "漫长的冬天", "heading removed"),
        ("# A History of Ice\n\n## The Long Winter\n\n", "The Long Winter", "title removed"),
        ("Section 3: The Long Winter\n\n", "The Long Winter", "label removed"),
    ],
)
def test_a_heading_that_the_document_has_already(reply: str, heading: str, note: str) -> None:
    result = clean(reply + PROSE, heading=heading, title="A History of Ice")
    assert result.text == PROSE
    assert note in result.notes


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("The Long Winter began in 1709.", "The Long Winter"),
        ("The Long Winter ended early, and nobody had foreseen it.", "The Long Winter"),
        ("### The Short Summer", "The Long Winter"),
        ("### Phase 3", "Phase 2"),
        ("The Long Winters", "The Long Winter"),
    ],
)
def test_a_first_line_that_only_resembles_the_heading_stays(line: str, heading: str) -> None:
    assert clean(f"{line}\n\n{PROSE}", heading=heading).text == f"{line}\n\n{PROSE}"


def test_headings_are_put_below_the_sections_own() -> None:
    reply = f"{PROSE}\n\n## Wind\n\n{PROSE}\n\n### Waves\n\n# Tide\n\n```sh\n# a comment\n```"
    expected = (
        f"{PROSE}\n\n#### Wind\n\n{PROSE}\n\n##### Waves\n\n#### Tide\n\n```sh\n# a comment\n```"
    )
    assert clean(reply).text == expected
    assert clean(reply).notes == ["heading demoted"]


def test_a_whole_document_keeps_its_own_headings_and_labels() -> None:
    document = f"## Section 1: Wind\n\n{PROSE}\n\n## Section 2: Waves\n\nThe waves rose. They fell."
    assert clean(f"# Ice\n\n{document}", title="Ice", sections=False).text == document


def test_white_space_and_characters_are_normalized() -> None:
    reply = "\ufeff\r\n\r\nOne\u200b line.\r\n\r\n\r\n \r\nTwo.\x00 \n\n\n"
    assert clean(reply).text == "One line.\n\nTwo."


ECHOES = [
    ("It rained. The sea was calm that night.", "The sea was calm that night. Then it rose."),
    ("It rained. The sea was calm that night.", "the sea was calm that night! Then it rose."),
    (
        "He slept. It rained all day. The sea was calm that night.",
        "It rained all day. The sea was calm that night.\n\nThen it rose.",
    ),
]


@pytest.mark.parametrize(("tail", "reply"), ECHOES)
def test_an_echo_of_the_last_sentences_is_removed(tail: str, reply: str) -> None:
    result = clean(reply, previous_tail=tail)
    assert (result.text, result.notes) == ("Then it rose.", ["echo removed"])


@pytest.mark.parametrize(
    ("tail", "reply"),
    [
        ("He waited. It was over.", "It was over. At last they slept."),
        ("The sea was calm that night.", "The sea was calm that night because no wind blew."),
        ("The sea was calm that night.", "That night nobody slept. The wind blew."),
        ("", PROSE),
    ],
)
def test_what_only_begins_like_the_last_sentence_stays(tail: str, reply: str) -> None:
    assert clean(reply, previous_tail=tail).text == reply


def test_an_echo_in_chinese_is_removed() -> None:
    result = clean("河边的柳树发出了新芽。燕子回来了。", previous_tail=CHINESE, language="zh")
    assert result.text == "燕子回来了。"


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot write this section.",
        "I am sorry, but I am unable to continue this story.",
        "I apologize, but I cannot assist with this request. Please ask for something else.",
        "I cannot assist with that request.",
        "I can't help you with this.",
        "I'm unable to help with that.",
        "I must decline this request.",
        "As an AI language model, I don't have access to that.",
        "As an AI, I cannot write this.",
        "Es tut mir leid, aber ich kann diesen Text nicht schreiben.",
        "Je suis désolé, mais je ne peux pas écrire ce texte.",
        "Lo siento, pero no puedo escribir esta sección.",
        "抱歉，我无法提供这类内容。",
        "对不起，我不能写这个。",
        "作为一个AI语言模型，我无法回答这个问题。",
        "申し訳ありませんが、そのご要望にはお応えできません。",
        "申し訳ございませんが、この内容を書くことはできません。",
        "죄송하지만 그 내용은 작성할 수 없습니다.",
    ],
)
def test_a_short_refusal_is_no_prose(reply: str) -> None:
    result = clean(reply)
    assert (result.text, result.problem) == ("", "refusal")
    assert "refusal" in result.notes


def test_a_character_may_refuse() -> None:
    story = (
        "I'm sorry, but I can't help with that. "
        + " ".join(
            f"He had said it {word} times."
            for word in ("two", "three", "four", "five")
            for _ in "ab"
        )
        + " ".join(f" And then came year {year}, which was worse." for year in range(1700, 1712))
    )
    assert clean(story).problem is None
    assert clean(story).text == story


@pytest.mark.parametrize(
    "reply",
    [
        "Max tries. Failed.",
        "Error: 429 Too Many Requests",
        "Error code: 429 - {'error': {'message': 'Rate limit reached'}}",
        "Internal server error",
        "HTTP 502",
        "503 Service Unavailable",
        "openai.RateLimitError: Error code: 429",
        '{"error": {"message": "overloaded"}}',
        "Request timed out.",
        "<html><head><title>502 Bad Gateway</title></head></html>",
        "None",
    ],
)
def test_the_message_of_a_failed_request_is_no_prose(reply: str) -> None:
    result = clean(reply)
    assert (result.text, result.problem) == ("", "empty")
    assert "error text" in result.notes


def test_long_prose_may_begin_with_an_error() -> None:
    story = "Error 404 was what they called the room. " + " ".join(
        f"In {year} it moved again, and nobody knew why." for year in range(1990, 2010)
    )
    assert clean(story).text == story


@pytest.mark.parametrize(
    "reply",
    [
        *("", " \n\n", "---", "***", "```\n```", "<think>I never came to an end", "…"),
        *("Section 3:", "# The Long Winter", "Let me know if you need more.", "</s>"),
    ],
)
def test_a_reply_without_prose_is_empty(reply: str) -> None:
    result = clean(reply, heading="The Long Winter")
    assert (result.text, result.problem) == ("", "empty")
    assert "empty" in result.notes


@pytest.mark.parametrize("prose", [PROSE, CHINESE])
def test_of_a_loop_what_stands_before_it_is_kept(prose: str) -> None:
    sentence = split_sentences(prose)[-1].strip()
    result = clean(prose + f" {sentence}" * 12)
    assert (result.text, result.problem) == (prose, "loop")
    assert result.notes == ["loop cut"]


def test_notes_come_once_and_in_order() -> None:
    reply = f"<think>x</think>\n\nSection 3:\n\nSection 3:\n\n{PROSE}\n\n---\n\n(60 words)\n\n---"
    result = clean(reply)
    assert result.text == PROSE
    assert result.notes == [
        *("reasoning removed", "label removed", "rule removed", "word count removed"),
    ]


MESS = st.lists(
    st.one_of(
        st.sampled_from([reply for reply, _ in DAMAGE] + HONEST),
        st.sampled_from(
            [
                "```",
                "**",
                "<think>",
                "</think>",
                "# ",
                "\n",
                "\r\n",
                "---",
                "<s>",
                "</s>",
                " ",
                "（",
            ]
        ),
        st.text(max_size=12),
    ),
    max_size=6,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(MESS, st.text(max_size=12), st.sampled_from(["", PROSE, CHINESE]))
def test_cleaning_never_fails_and_once_is_enough(reply: str, heading: str, tail: str) -> None:
    once = clean(reply, heading=heading, previous_tail=tail)
    twice = clean(once.text, heading=heading, previous_tail=tail)
    assert twice.text == once.text
    assert (once.text == "") == (once.problem in ("empty", "refusal"))


WORDS = st.sampled_from(
    [f"{first}{rest}" for first in "bcdfghlmnprst" for rest in ("ew", "ore", "ight", "anner")]
)
SENTENCES = st.lists(WORDS, min_size=4, max_size=12, unique=True).map(
    lambda words: f"The {' '.join(words)} came."
)
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=5, unique=True).map(" ".join)
DOCUMENTS = st.lists(PARAGRAPHS, min_size=1, max_size=5, unique=True).map("\n\n".join)


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
def test_healthy_prose_is_returned_as_it_is(prose: str) -> None:
    assert clean(prose, heading="Of Ships", title="Ice", previous_tail="It rained all day.") == (
        type(clean(""))(prose)
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "It rose.", "It rose."),
        ("It fell.", "", "It fell."),
        ("It fell.", "It rose.", "It fell.\n\nIt rose."),
        ("The river was wide and", "cold in winter.", "The river was wide and cold in winter."),
        (
            "It rained. The river was wide and",
            "The river was wide and cold in winter.",
            "It rained. The river was wide and cold in winter.",
        ),
        (
            "The river was wide and deep",
            "was wide and deep, and cold.",
            "The river was wide and deep, and cold.",
        ),
        ("He knew the environ", "He knew the environmental law.", "He knew the environmental law."),
        (
            "It rained. The sea was calm that night.",
            "The sea was calm that night. It rose.",
            "It rained. The sea was calm that night. It rose.",
        ),
        ("It rained. A", "And it rained.", "It rained. And it rained."),
        ("It fell", ", and rose.", "It fell, and rose."),
        ("春天来了，万物", "复苏。", "春天来了，万物复苏。"),
        ("春天来了，河边的柳树", "河边的柳树发芽了。", "春天来了，河边的柳树发芽了。"),
        ("春が来た。", "川が流れる。", "春が来た。\n\n川が流れる。"),
        ("- one\n- two", "- three", "- one\n- two\n- three"),
        ("| a |\n|---|\n| 1 |", "| 2 |", "| a |\n|---|\n| 1 |\n| 2 |"),
        ("It fell.", "- one\n- two", "It fell.\n\n- one\n- two"),
        ("### Wind", "It blew.", "### Wind\n\nIt blew."),
        ("```\na = 1", "b = 2\n```", "```\na = 1\nb = 2\n```"),
    ],
)
def test_stitch(before: str, after: str, expected: str) -> None:
    assert stitch(before, after) == expected


@settings(max_examples=100, deadline=None)
@given(PARAGRAPHS, PARAGRAPHS)
def test_what_is_stitched_holds_both(before: str, after: str) -> None:
    joined = stitch(before, after, "en")
    assert joined.startswith(before)
    assert joined.endswith(after)


@settings(max_examples=100, deadline=None)
@given(PARAGRAPHS, st.integers(20, 60))
def test_a_cut_text_that_is_repeated_is_stitched_to_the_whole(text: str, size: int) -> None:
    before = text[:size].rstrip()
    assert stitch(before, text, "en") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("It rained. It st", "It rained."),
        ("It rained.", "It rained."),
        ("“It rained.” He sl", "“It rained.”"),
        ("It rained.\n\n### Wind\n\nIt bl", "It rained."),
        ("It rained.\n\n### Wind", "It rained."),
        ("The river was wi", "The river was"),
        ("River", "River"),
        ("春天来了。柳树", "春天来了。"),
        ("春天来", "春天来"),
        ("It rained. The reasons are:\n\n- tra", "It rained."),
        ("O wind\nO rain\nO sea\nO sno", "O wind\nO rain\nO sea"),
    ],
)
def test_to_sentence_end(text: str, expected: str) -> None:
    assert to_sentence_end(text) == expected


LIST = "The reasons are these:\n\n- Trade was slow.\n- Winters were long.\n"


@pytest.mark.parametrize(
    ("text", "keep", "expected"),
    [
        ("One two three. Four five. Six.", 3, "One two three."),
        ("One two three. Four five. Six.", 5, "One two three. Four five."),
        ("One two three. Four five. Six.", 0, "One two three."),
        ("One two three. Four five. Six.", 99, "One two three. Four five. Six."),
        ("One two three.\n\n### Next\n\nFour five six.", 4, "One two three."),
        (f"It rained. {LIST}", 5, "It rained."),
        (f"It rained. {LIST}", 9, "It rained. The reasons are these:\n\n- Trade was slow."),
        ("One two. **Three four. Five.** Six.", 3, "One two."),
        ("One two. **Three four. Five.** Six.", 4, "One two. **Three four. Five.**"),
        ("Two to the 2**3 is eight. Four five. Six.", 7, "Two to the 2**3 is eight."),
    ],
)
def test_trim(text: str, keep: int, expected: str) -> None:
    assert trim(text, keep, "words", "en") == expected


def test_trim_counts_characters_and_keeps_the_least() -> None:
    assert trim(CHINESE, 10, "characters", "zh") == "春天来了，万物复苏。"
    assert (
        trim("One two. Three. Four. Five.", 2, "words", "en", min_length=4)
        == "One two. Three. Four."
    )


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.integers(0, 200))
def test_what_is_trimmed_is_the_closest_beginning(text: str, keep: int) -> None:
    kept = trim(text, keep, "words", "en")
    pieces = split_sentences(text, "en")
    edges = ["".join(pieces[:number]).rstrip() for number in range(1, len(pieces) + 1)]
    distances = [abs(count_length(edge, "words", "en") - keep) for edge in edges]
    assert kept in edges
    assert distances[edges.index(kept)] == min(distances)


def test_long_replies_are_cleaned_and_trimmed() -> None:
    text = "\n\n".join(
        f"In {year} the harbor froze, and {year + 1} was mild." for year in range(9000)
    )
    assert clean(text).text == text
    assert len(trim(text, 5000, "words", "en")) < len(text)


@pytest.mark.parametrize(
    "unit", ["**a", "<think", "```\n", "Section 1: ", "| - ", "（", "<s>", "\n \n"]
)
def test_hostile_replies_come_to_an_end(unit: str) -> None:
    clean(unit * 20_000)  # quadratic, this would outlast the suite's time limit
    assert not re.search(r"\n\n\n", clean(unit * 50).text)
