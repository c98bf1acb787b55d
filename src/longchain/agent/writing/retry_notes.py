"""Why a reply could not be used -> what the next request says of it.

problem, language of the prompts -> one or two sentences

They stand before the request, whose length stays its last number: that of a section has no unit.
"""

from __future__ import annotations

_AGAIN = {
    "en": {
        "": "Your last answer could not be used ({problem}). ",
        "empty": "It had no text: answer with the prose alone. ",
        "refusal": "It was a refusal: write as much of this part as you can, without apology. ",
        "loop": "It said the same over and over: say something new in every sentence. ",
        "wrong language": "Write every sentence in {language}. ",
        "repeats section": "It said again what part {number} says: write only what is new. ",
        "repeats itself": "It said again what this part says already: write only what is new. ",
        "no whole sentence": "It had no whole sentence: answer with whole sentences. ",
        "other": "Answer with the prose alone. ",
    },
    "ja": {
        "": "前回の回答は使えませんでした（{problem}）。",
        "empty": "本文がありませんでした。本文だけを答えてください。",
        "refusal": "回答が拒否されていました。謝罪を入れず、書けるかぎり本文を書いてください。",
        "loop": "同じ内容が延々と続いていました。どの文でも新しいことを述べてください。",
        "wrong language": "すべての文を{language}で書いてください。",
        "repeats section": "第{number}部分と同じ内容でした。新しい内容だけを書いてください。",
        "repeats itself": "この部分にすでにある内容でした。新しい内容だけを書いてください。",
        "no whole sentence": "完結した文がありませんでした。完結した文で答えてください。",
        "other": "本文だけを答えてください。",
    },
    "zh": {
        "": "上次的回答无法使用（{problem}）。",
        "empty": "其中没有正文。请只回答正文。",
        "refusal": "那是拒绝。请尽可能写出这一部分的正文，不要道歉。",
        "loop": "内容反复循环。请让每一句都说出新的内容。",
        "wrong language": "请每一句都用{language}写。",
        "repeats section": "内容与第{number}部分重复。请只写新的内容。",
        "repeats itself": "内容与这一部分已写的重复。请只写新的内容。",
        "no whole sentence": "其中没有完整的句子。请用完整的句子回答。",
        "other": "请只回答正文。",
    },
}
"""What is said of a reply that could not be used: of any, and then what to do about its problem."""


def wording(problem: str, own: str, language: str) -> str:
    """Return what is said of a reply that could not be used.

    Args:
        problem: Why, as the log has it: `empty`, `repeats section 3`, `wrong language (en)`.
        own: The language of the prompts: `en`, `ja` or `zh`.
        language: What they call the document's language.
    """
    words = _AGAIN[own]
    name, _, number = problem.partition(" (")[0].rpartition(" ")
    if not number.isdecimal():
        name, number = problem.partition(" (")[0], ""
    line = words[""] + words.get(name, words["other"])
    return line.format(problem=problem, number=number, language=language)
