"""What models say around the prose they were asked for, and instead of it.

reply -> the reply without its label, its announcement or its farewell; reply -> is it a refusal?

Knows phrases of eight languages and looks at the first and the last lines only. What honest prose
may begin or end with must not match, so a pattern asks for a colon, for a line of its own, or for
a word that means the piece of writing itself (`section`, `正文`), mostly for two of these.
"""

from __future__ import annotations

import re

_FLAGS = re.IGNORECASE | re.MULTILINE
_BOLD = r"(?:\*\*|__)?"
_MARKUP = r"[ \t]*(?P<markup>\#{1,6}[ \t]+|\*\*|__)?[ \t]*"


def _any(*patterns: str) -> re.Pattern[str]:
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
"""A chapter's number in front of its name; the label of a heading rather than of prose."""

# What goes on in lower case is a sentence whose subject the label is: `Section 3: see above`.
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

_ANNOUNCEMENT = _any(
    # A line of its own: `Sure, here is a revised section about ships:`
    rf"{_BOLD}(?:{_SURE}\b[^\n:]{{0,80}}?)?(?:Here(?:['’]s| is| are)|Below is|This is)[ \t]+"
    rf"(?:the|a|an|my|your)[ \t]+(?:[\w-]+[ \t]+){{0,6}}?{_WRITING}"
    rf"(?:[ \t]+(?:for|on|about|in|titled|called|with|as|number|\d)\b[^\n]{{0,120}})?"
    rf"[:.]{_BOLD}[ \t]*\n",
    rf"{_SURE}![^\n]{{0,60}}\b(?:Here|Below|I['’]ll|I have|I['’]ve)\b[^\n]{{0,160}}[:.!][ \t]*\n",
    # In front of the prose on the same line it has to name the section itself.
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
_ABOUT = r"(?:approx\S*|about|roughly|~|≈|[约約])?[ \t]*"
_WORDS = r"[ \t]*(?:words|characters|字|文字)"
_NAMED_COUNT = (
    r"(?:(?:total |final |approximate )?(?:word|character) count"
    r"|(?:全文|本文|本节|正文|总|總)?字[数數]"
    rf"|文字数)[*_]{{0,2}}\s*[:：]?[*_]{{0,2}}\s*{_ABOUT}{_COUNT}(?:{_WORDS})?"
)
_COUNTED = _any(
    # In brackets after the last sentence, or on a line of its own.
    rf"(?:^|(?<=[.!?…。！？」』”\"*）)]))[ \t]*[*_]{{0,3}}[(（\[【〔][*_]{{0,2}}(?:{_NAMED_COUNT}"
    rf"|(?:全文|本文|本节|正文|共|合計)?{_ABOUT}{_COUNT}{_WORDS})[左右程度]{{0,2}}"
    r"[*_]{0,2}[)）\]】〕][*_]{0,3}\s*\Z",
    rf"^[*_]{{0,3}}{_NAMED_COUNT}[*_.。]{{0,3}}\s*\Z",
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
_RULE = re.compile(rf"(?:\A|\n){_RULE_LINE}\s*\Z")
_LIKE = r"if you(?:['’]d| would)? (?:like|want|need|wish|prefer)"
# A last line that speaks to whoever ordered the text.
_OFFER = re.compile(
    r"[*_(\[]{0,3}(?:(?:Please |Just )?let me know (?:if|whether|how|what)\b[^\n]{0,240}"
    r"|(?:Would|Do) you (?:like|want)(?: for)? me to\b[^\n]{0,200}\?"
    r"|(?:Shall|Should) I (?:continue|go on|proceed)\b[^\n]{0,120}\?"
    r"|I hope (?:this|that) (?:section|text|draft|version|helps|meets|works for you)[^\n]{0,160}"
    r"|Feel free to (?:let me know|ask|tell me|reach out|request)\b[^\n]{0,160}"
    rf"|{_LIKE}[^\n]{{0,160}}\b(?:let me know|just ask|tell me|I can|I['’]d be)\b[^\n]{{0,120}}"
    rf"|I can (?:also )?(?:expand|revise|adjust|continue|add|write)\b[^\n]{{0,120}}{_LIKE}"
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


MOST = 20
"""What is taken off one reply at a time: more is no reply, and each costs a look at the whole."""


def without_opening(text: str, *, labels: bool = True) -> tuple[str, list[str]]:
    """Take labels, announcements and rules off the beginning of a reply.

    Args:
        text: The reply.
        labels: Whether numbered labels go, too; not where the reply is a whole document.

    Returns:
        What remains, and a note for each thing that went.
    """
    notes: list[str] = []
    while len(notes) < MOST and (found := _opening(text, labels)) is not None:
        text, note = found
        notes.append(note)
        text = text.lstrip(" \t\n")
    return text, notes


def _opening(text: str, labels: bool) -> tuple[str, str] | None:
    if found := _ANNOUNCEMENT.match(text):
        return text[found.end() :], "announcement removed"
    if found := _LEADING_RULE.match(text):
        return text[found.end() :], "rule removed"
    if labels and (found := _PLAN_LINE.match(text) or _CHAPTER_ALONE.match(text)):
        return text[found.end() :], "label removed"
    if labels and (found := _LABELED.match(text)) and not _goes_on(text, found):
        return _without_label(text, found), "label removed"
    return None


def _goes_on(text: str, label: re.Match[str]) -> bool:
    """Whether the label begins a series: steps that the prose itself counts."""
    if not label["word"]:
        return False
    series = re.compile(rf"^[#*_>\s-]*{label['word']}\s*({_NUMBER})", _FLAGS)
    return any(later[1] != label["number"] for later in series.finditer(text, label.end()))


def _without_label(text: str, label: re.Match[str]) -> str:
    rest = text[label.end() :]
    # `Section 3: The Long Winter` on a line of its own is the section's heading, worded anew.
    if (heading := _HEADING_LINE.match(rest)) and rest[heading.end() :].strip():
        return rest[heading.end() :]
    closed = label["inner"] or label["outer"] or rest[:1] in ("", "\n")
    return rest if closed else (label["markup"] or "") + rest


def without_closing(text: str) -> tuple[str, list[str]]:
    """Take rules, word counts and farewells off the end of a reply.

    Returns:
        What remains, and a note for each thing that went.
    """
    notes = []
    while (found := _closing(text)) is not None:
        end, note = found
        text = text[:end].rstrip(" \t\n")
        notes.append(note)
    return text, notes


def _closing(text: str) -> tuple[int, str] | None:
    near = max(0, len(text) - 200)
    if found := _RULE.search(text, near):
        return found.start(), "rule removed"
    if found := _COUNTED.search(text, near):
        return found.start(), "word count removed"
    line = text.rstrip().rfind("\n") + 1
    if found := _SIGN_OFF.match(text, line) or _OFFER.match(text, line):
        return found.start(), "farewell removed"
    return None


# --- instead of prose --------------------------------------------------------------------------

_CANNOT = r"I(?: can(?:['’]t|not| not)| won['’]t|(?: am|['’]m) (?:unable|not able|not allowed) to)"
_TASK = (
    r"(?:assist|help(?=[.!,]| you| with| write| create)|comply|complete|fulfil|provide|write|create"
    r"|generate|produce|continue|engage|do (?:that|this)|support|participate|discuss|share|answer"
    r"|respond|proceed|access)"
)
_REFUSAL = _any(
    rf"(?:I['’]m|I am)? ?(?:so |very |really )?(?:sorry|afraid)\b[^\n.]{{0,40}}?[ ]"
    rf"{_CANNOT} (?:\w+ )?{_TASK}",
    rf"(?:I apologi[sz]e|My apologies)[^\n]{{0,60}}\b{_CANNOT} (?:\w+ )?{_TASK}",
    rf"(?:Unfortunately, )?{_CANNOT} (?:assist|help (?:you )?with|comply|fulfil|participate in)",
    rf"(?:Unfortunately, )?{_CANNOT} {_TASK}[^\n.]{{0,60}}\b(?:request|content|material)",
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
_ERROR = _any(
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
    """Whether a reply begins as models refuse. Ask of short replies only."""
    return bool(_REFUSAL.match(text))


def is_error(text: str) -> bool:
    """Whether a reply begins as the message of a failed request. Ask of short replies only."""
    return bool(_ERROR.match(text))
