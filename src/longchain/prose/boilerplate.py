"""Finds the boilerplate that models write around the requested prose, or instead of it.

reply -> reply without labels, announcements, word counts and farewells, and a note for each;
reply -> whether it is a refusal or an error message

Knows phrases of eight languages and looks at the first and the last lines only. What real prose
may begin or end with must not match, so a pattern asks for a colon, for a line of its own, or for
a word that means the piece of writing itself (`section`, `正文`), mostly for two of these.
"""

from __future__ import annotations

import re

_FLAGS = re.IGNORECASE | re.MULTILINE
_BOLD = r"(?:\*\*|__)?"
_MARKUP = r"[ \t]*(?P<markup>\#{1,6}[ \t]+|\*\*|__)?[ \t]*"


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), _FLAGS)


# --- labels ------------------------------------------------------------------------------------

_NUMBER = (
    r"(?:[0-9０-９]{1,3}|[一二三四五六七八九十百]{1,4}|[IVXLC]{1,6}\b"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten)\b)"
)
_PART = (
    "Section|Paragraph|Step|Part|Abschnitt|Absatz|Schritt|Teil|Paragraphe|Étape|Partie|Sección"
    "|Párrafo|Paso|Parte|섹션|단락|단계|段落|步骤|步驟|小节|小節|セクション|パラグラフ|ステップ"
    "|パート"
)
_LABEL = (
    rf"(?:(?P<word>{_PART})\s*(?P<number>{_NUMBER})(?:\s*(?:of|/|von|sur|de)\s*{_NUMBER})?"
    rf"|第\s*{_NUMBER}\s*(?:小?[节節]|段落?|部分|步))"
)
CHAPTER = rf"(?:(?:Chapter|Kapitel|Chapitre|Capítulo)\s*{_NUMBER}|第\s*{_NUMBER}\s*[章回장])"
"""Pattern of a chapter's number before its name: it labels a heading rather than prose."""

# Followed by lower case, the label is the subject of a sentence: `Section 3: see above`.
_LABELED = re.compile(
    rf"{_MARKUP}{_LABEL}(?P<inner>\*\*|__)?[ \t]*"
    rf"(?:[:：](?P<outer>\*\*|__)?|(?<=[ \t])[-–—](?=\s)|(?=\n|\Z))[ \t]*+(?-i:(?![a-zß-ÿ]))",
    _FLAGS,
)
_CHAPTER_ALONE = re.compile(rf"{_MARKUP}{CHAPTER}[.:：]?{_BOLD}[ \t]*(?:\n|\Z)", _FLAGS)
_PLAN_LINE = re.compile(
    rf"{_MARKUP}{_LABEL}[^\n]{{0,400}}?(?:Main Point|Word Count|Heading|主旨|要点|要點|字数|文字数)"
    rf"{_BOLD}\s*[:：][^\n]*(?:\n|\Z)",
    _FLAGS,
)
_HEADING_LINE = re.compile(r"[^\n.!?。！？…:：]{1,80}\n")

# --- announcements -----------------------------------------------------------------------------

_SURE = r"(?:Sure(?: thing)?|Certainly|Of course|Absolutely|Okay|OK|Understood|Great)"
_WRITING = (
    r"(?:section|paragraph|passage|text|draft|version|continuation|chapter|prose|rewrite|revision"
    r"|introduction|conclusion|story|article|essay|part|piece|content)"
)
_SECTION_ZH = r"(?:正文|内容|部分|章节|段落|小节|续写|文章|文本|版本|[节段章])"
_SECTION_JA = r"(?:セクション|本文|文章|段落|パラグラフ|続き|内容|原稿|パート|[節章])"
_YES_JA = r"(?:はい|承知(?:いた)?しました|かしこまりました|わかりました|了解しました|もちろんです)"

_ANNOUNCEMENT = _any_of(
    # A line of its own: `Sure, here is a revised section about ships:`
    rf"{_BOLD}(?:{_SURE}\b[^\n:]{{0,80}}?)?(?:Here(?:['’]s| is| are)|Below is|This is)[ \t]+"
    rf"(?:the|a|an|my|your)[ \t]+(?:[\w-]+[ \t]+){{0,6}}?{_WRITING}"
    rf"(?:[ \t]+(?:for|on|about|in|titled|called|with|as|number|\d)\b[^\n]{{0,120}})?"
    rf"[:.]{_BOLD}[ \t]*\n",
    rf"{_SURE}![^\n]{{0,60}}\b(?:Here|Below|I['’]ll|I have|I['’]ve)\b[^\n]{{0,160}}[:.!][ \t]*\n",
    # Before the prose on the same line, it must name the section itself.
    rf"{_BOLD}Here(?:['’]s| is)[ \t]+(?:the|your)[ \t]+(?:(?:next|requested|revised|rewritten|full"
    rf"|final|complete)[ \t]+)?(?:section|paragraph|continuation|draft){_BOLD}:{_BOLD}[ \t]*",
    r"(?:(?:Gerne|Natürlich|Klar|Selbstverständlich)[!,.]?[ \t]*)?Hier (?:ist|folgt) (?:der|die|das"
    r"|eine?)[^\n.:]{0,60}\b(?:Abschnitt|Absatz|Text|Entwurf|Fassung|Kapitel|Fortsetzung|Teil)"
    r"[^\n.:]{0,80}:[ \t]*\n",
    r"(?:(?:Bien sûr|D['’]accord|Certainement)[ \t]*[!,.]?[ \t]*)?Voici (?:le|la|une?)"
    r"[^\n.:]{0,60}\b(?:section|paragraphe|texte|version|chapitre|suite|partie)\b"
    r"[^\n.:]{0,80}:[ \t]*\n",
    r"(?:(?:¡?Claro(?: que sí)?|Por supuesto)[!,.]*[ \t]*)?Aquí (?:está|tienes?|va)[^\n.:]{0,60}"
    r"\b(?:sección|párrafo|texto|versión|capítulo|continuación|parte)\b[^\n.:]{0,80}:[ \t]*\n",
    r"(?:好的?|当然(?:可以)?|没问题|明白了?)[，,。！!][ \t]*(?:以下|下面|这)[^\n。]{0,60}[：:]\s*",
    rf"(?:以下|下面)(?:就?是|为)[^\n。：:]{{0,30}}{_SECTION_ZH}[：:]\s*",
    rf"{_YES_JA}[、。！!][ \t]*[^\n。]{{0,80}}(?:です|ます|ました)[。：:][ \t]*\n",
    rf"(?:{_YES_JA}[、。！!][ \t]*)?以下[はがに][^\n。：:]{{0,40}}{_SECTION_JA}[^\n。：:]{{0,12}}"
    r"(?:です|ます)[：:][ \t]*",
    r"(?:(?:네|물론입니다|알겠습니다)[,.!][ \t]*)?다음은[^\n.:]{0,40}"
    r"(?:섹션|본문|단락|글|내용|원고|부분|장)입니다[:.][ \t]*\n",
)

# --- farewells ---------------------------------------------------------------------------------

_COUNT = r"[\d,.０-９ ]{1,9}"
_APPROXIMATELY = r"(?:approx\S*|about|roughly|~|≈|[约約])?[ \t]*"
_COUNT_UNIT = r"[ \t]*(?:words|characters|字|文字)"
_LABELED_COUNT = (
    r"(?:(?:total |final |approximate )?(?:word|character) count"
    r"|(?:全文|本文|本节|正文|总|總)?字[数數]"
    rf"|文字数)[*_]{{0,2}}\s*[:：]?[*_]{{0,2}}\s*{_APPROXIMATELY}{_COUNT}(?:{_COUNT_UNIT})?"
)
_WORD_COUNT = _any_of(
    # In brackets after the last sentence, or on a line of its own.
    rf"(?:^|(?<=[.!?…。！？」』”\"*）)]))[ \t]*[*_]{{0,3}}[(（\[【〔][*_]{{0,2}}(?:{_LABELED_COUNT}"
    rf"|(?:全文|本文|本节|正文|共|合計)?{_APPROXIMATELY}{_COUNT}{_COUNT_UNIT})[左右程度]{{0,2}}"
    r"[*_]{0,2}[)）\]】〕][*_]{0,3}\s*\Z",
    rf"^[*_]{{0,3}}{_LABELED_COUNT}[*_.。]{{0,3}}\s*\Z",
)
_SIGN_OFF = re.compile(
    r"[ \t]*[*_(（\[【]{0,3}(?:(?:to be )?continued(?: in (?:the )?next (?:section|part))?"
    r"|end of (?:the )?(?:section|part|chapter|document)(?: \d+)?"
    r"|未完待[续續]|待续|つづく|続く|계속|Fortsetzung folgt|à suivre|continuará"
    r")[ .…。]{0,6}[*_)）\]】]{0,3}\s*\Z",
    _FLAGS,
)
_RULE_LINE = r"[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})"
_LEADING_RULE = re.compile(rf"{_RULE_LINE}(?:\n|\Z)")
_CLOSING_RULE = re.compile(rf"(?:\A|\n){_RULE_LINE}\s*\Z")
_IF_YOU_LIKE = r"if you(?:['’]d| would)? (?:like|want|need|wish|prefer)"
# A last line that addresses the user.
_OFFER = re.compile(
    r"[*_(\[]{0,3}(?:(?:Please |Just )?let me know (?:if|whether|how|what)\b[^\n]{0,240}"
    r"|(?:Would|Do) you (?:like|want)(?: for)? me to\b[^\n]{0,200}\?"
    r"|(?:Shall|Should) I (?:continue|go on|proceed)\b[^\n]{0,120}\?"
    r"|I hope (?:this|that) (?:section|text|draft|version|helps|meets|works for you)[^\n]{0,160}"
    r"|Feel free to (?:let me know|ask|tell me|reach out|request)\b[^\n]{0,160}"
    rf"|{_IF_YOU_LIKE}[^\n]{{0,160}}\b(?:let me know|just ask|tell me|I can|I['’]d be)\b"
    r"[^\n]{0,120}"
    rf"|I can (?:also )?(?:expand|revise|adjust|continue|add|write)\b[^\n]{{0,120}}{_IF_YOU_LIKE}"
    r"[^\n]{0,60}"
    r"|(?:Lassen Sie|Lass) mich wissen[^\n]{0,200}|N['’]hésitez pas à me [^\n]{0,200}"
    r"|(?:Avísame|Házmelo saber|Hazme saber)[^\n]{0,200}"
    r"|希望(?:以上|这)[^\n]{0,40}(?:[您你]的)?(?:要求|需求)[^\n]{0,20}"
    r"|(?:如果?[您你]?[有需想]|如需|若需)[^\n]{0,40}(?:告诉我|告知我?|为[您你])[^\n]{0,40}"
    r"|[^\n。]{0,60}(?:修正|調整|ご要望)[^\n]{0,40}お(?:知らせ|申し付け|聞かせ)ください[。！]?"
    r"|[^\n]{0,40}(?:수정|추가)[^\n]{0,40}말씀해 ?주세요[.!]?"
    r")[*_)\]]{0,3}\s*\Z",
    _FLAGS,
)

MAX_REMOVALS = 20
"""Removals from one reply: each costs a search of the whole, and a reply with more is noise."""


def strip_opening(text: str, *, labels: bool = True) -> tuple[str, list[str]]:
    """Remove labels, announcements and rules from the beginning of a reply.

    Args:
        text: The reply.
        labels: Whether to remove numbered labels, too; not if the reply is a whole document.

    Returns:
        The rest, and a note for each removal.
    """
    notes: list[str] = []
    while len(notes) < MAX_REMOVALS:
        removal = _remove_first(text, labels)
        if removal is None:
            break
        rest, note = removal
        text = rest.lstrip(" \t\n")
        notes.append(note)
    return text, notes


def _remove_first(text: str, labels: bool) -> tuple[str, str] | None:
    """Remove one thing from the beginning; returns the rest and a note, None if nothing matches."""
    if match := _ANNOUNCEMENT.match(text):
        return text[match.end() :], "announcement removed"
    if match := _LEADING_RULE.match(text):
        return text[match.end() :], "rule removed"
    if not labels:
        return None
    if match := _PLAN_LINE.match(text) or _CHAPTER_ALONE.match(text):
        return text[match.end() :], "label removed"
    match = _LABELED.match(text)
    if match is None or _begins_series(text, match):
        return None
    return _remove_label(text, match), "label removed"


def _begins_series(text: str, label: re.Match[str]) -> bool:
    """Whether more such labels follow: numbered steps are part of the prose."""
    if not label["word"]:
        return False
    series = re.compile(rf"^[#*_>\s-]*{label['word']}\s*({_NUMBER})", _FLAGS)
    return any(later[1] != label["number"] for later in series.finditer(text, label.end()))


def _remove_label(text: str, label: re.Match[str]) -> str:
    rest = text[label.end() :]
    # `Section 3: The Long Winter` on a line of its own is the section's heading in other words.
    heading = _HEADING_LINE.match(rest)
    if heading and rest[heading.end() :].strip():
        return rest[heading.end() :]
    if label["inner"] or label["outer"] or rest[:1] in ("", "\n"):
        return rest
    # The label opened emphasis, or a heading, that the rest of the line continues.
    return (label["markup"] or "") + rest


def strip_closing(text: str) -> tuple[str, list[str]]:
    """Remove rules, word counts and farewells from the end of a reply.

    Returns:
        The rest, and a note for each removal.
    """
    notes: list[str] = []
    while (closing := _find_closing(text)) is not None:
        end, note = closing
        text = text[:end].rstrip(" \t\n")
        notes.append(note)
    return text, notes


def _find_closing(text: str) -> tuple[int, str] | None:
    """Return where one removable thing at the end begins and the note for it; None without one."""
    near_end = max(0, len(text) - 200)
    if match := _CLOSING_RULE.search(text, near_end):
        return match.start(), "rule removed"
    if match := _WORD_COUNT.search(text, near_end):
        return match.start(), "word count removed"
    last_line = text.rstrip().rfind("\n") + 1
    if match := _SIGN_OFF.match(text, last_line) or _OFFER.match(text, last_line):
        return match.start(), "farewell removed"
    return None


# --- refusals and errors --------------------------------------------------------------------------

_CANNOT = r"I(?: can(?:['’]t|not| not)| won['’]t|(?: am|['’]m) (?:unable|not able|not allowed) to)"
_REQUESTED_ACT = (
    r"(?:assist|help(?=[.!,]| you| with| write| create)|comply|complete|fulfil|provide|write|create"
    r"|generate|produce|continue|engage|do (?:that|this)|support|participate|discuss|share|answer"
    r"|respond|proceed|access)"
)
_REFUSAL = _any_of(
    rf"(?:I['’]m|I am)? ?(?:so |very |really )?(?:sorry|afraid)\b[^\n.]{{0,40}}?[ ]"
    rf"{_CANNOT} (?:\w+ )?{_REQUESTED_ACT}",
    rf"(?:I apologi[sz]e|My apologies)[^\n]{{0,60}}\b{_CANNOT} (?:\w+ )?{_REQUESTED_ACT}",
    rf"(?:Unfortunately, )?{_CANNOT} (?:assist|help (?:you )?with|comply|fulfil|participate in)",
    rf"(?:Unfortunately, )?{_CANNOT} {_REQUESTED_ACT}[^\n.]{{0,60}}\b(?:request|content|material)",
    r"(?:Unfortunately, )?I (?:must|have to) (?:respectfully )?decline\b",
    r"As an? (?:AI(?: language model| model| assistant| system)?|(?:large )?language model), I\b",
    r"(?:Es tut mir (?:sehr )?leid|Tut mir leid|Entschuldigung|Leider)[^\n]{0,60}\b(?:kann|darf) "
    r"[^\n]{0,80}\b(?:nicht|keine?n?)\b",
    r"Als (?:KI|künstliche Intelligenz|(?:KI-)?Sprachmodell)(?:-\w+)? (?:kann|darf|bin) ich\b",
    r"(?:Je suis (?:vraiment )?désolée?|Désolée?)[^\n]{0,40}\bje ne (?:peux|suis) pas",
    r"En tant qu(?:['’](?:IA|intelligence artificielle)|e modèle de langage)[^\n]{0,20}, je ne\b",
    r"Lo siento[^\n]{0,40}\bno (?:puedo|me es posible|estoy en condiciones)",
    r"Como (?:modelo de lenguaje|IA|inteligencia artificial)[^\n]{0,20}, no\b",
    r"(?:非常|很|十分)?(?:抱歉|对不起|對不起|不好意思)[^\n。]{0,24}(?:无法|無法|不能|没办法|不便)",
    r"我?作[为為](?:一[个名個])?(?:AI|人工智[能慧]|大?语言模型)(?:语言模型|模型|助手|助理)?[，,]我",
    r"(?:大変|誠に)?(?:申し訳|恐れ入り|すみません|ごめんなさい)[^\n]{0,80}"
    r"(?:できません|できかね|いたしかね|お答えでき|お手伝いでき|応じられ)",
    r"私?は?(?:AI|人工知能|言語モデル)[^\n]{0,60}(?:できません|できかね|いたしかね)",
    r"(?:죄송합니다|죄송하지만|미안하지만)[^\n]{0,60}(?:수 없습니다|어렵습니다|불가능합니다)",
    r"(?:저는 )?(?:AI|인공지능|언어 모델)[^\n]{0,60}수 없습니다",
)
_STATUS = r"[45]\d\d\b"
_ERROR = _any_of(
    r"max(?:imum)? (?:re)?tries(?: exceeded| reached)?[ .!]*(?:failed\b|\Z)",
    rf"(?:error|exception|http(?: error)?|status)(?: code)?\s*[:=-]?\s*{_STATUS}",
    rf"{_STATUS}[: -]+(?:internal|bad|too many|service|gateway|unauthori[sz]ed|forbidden|client)\b",
    r"(?:error: ?)?(?:internal server error|bad gateway|service (?:temporarily )?unavailable"
    r"|gateway time-?out|too many requests|(?:the )?request timed out"
    r"|connection (?:error|reset|refused|timed out)|rate limit (?:exceeded|reached)"
    r"|(?:maximum )?context length exceeded"
    r"|null|none|undefined|n/a)[.!]?[ \t]*(?:[:(\n]|\Z)",
    r"(?-i:(?:\w+\.)*[A-Z]\w+(?:Error|Exception)\b[:(])",
    r"error[.!]?\s*\Z",
    r"traceback \(most recent call last\)",
    r"\{\s*[\"'](?:error|detail)[\"']\s*:",
    r"<(?:!doctype )?html\b",
)


def is_refusal(text: str) -> bool:
    """Whether a reply begins like a refusal; meant for short replies only."""
    return bool(_REFUSAL.match(text))


def is_error(text: str) -> bool:
    """Whether a reply begins like the message of a failed request; meant for short replies only."""
    return bool(_ERROR.match(text))
