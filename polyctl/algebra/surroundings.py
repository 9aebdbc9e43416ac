"""What stands around a polynomial in pasted text, replaced by blanks: places stay those of the text.

In[1]:= …   (%i1) …   sage: …   >>> …          prompts
\\begin{align} … \\end{align}   \\[ … \\]   $…$  environments, with \\label, \\tag and spaces
`…`   "…"   **…**   * …   a) …                 quotes, emphasis and list items
/* … */   (* … *)   # …   // …                 comments of two words or a longer one
x<sup>2</sup>   &minus;   \\[Alpha]             HTML, and characters as Mathematica spells them
let …   return …   = …                         words and signs that introduce a formula
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from polyctl.algebra.characters import normalise
from polyctl.algebra.names import GREEK_NAMES

_ENVIRONMENT = re.compile(r"\\(?P<which>begin|end)\s*\{\s*(?!\w*matrix|array|cases)[A-Za-z]+\*?\s*\}")
_PROMPT = re.compile(
    r"\s*(?:>>>?|\.\.\.|(?:sage|julia|gap|mathics|maxima|gp\s*)\s*[:>]|(?:In|Out)\s*\[[0-9]*\]\s*:?=|"
    r"\(%[io][0-9]+\)|%[0-9]+\s*=|>)"
)
_EDGES = re.compile(
    r"^(?:```[a-z]+\n|[\s`$]|\\{1,2}\[|\\{1,2}\()+|(?<![\s`$;.,:?])(?:[\s`$;,:?]|\.(?!\.)|\\{1,2}\]|\\{1,2}\)|\\\\){1,60}$"
)
_GROUPS = re.compile(
    r"\\(?:[hv]space\*?|label|tag\*?|[hv]?phantom|color|cite|(?:eq)?ref)\s*\{[^{}]*\}|\\textcolor\s*\{[^{}]*\}|"
    r"\\(?:nonumber|notag|thinspace|limits|nolimits|square|blacksquare|qed|Box)\b|"
    r"\\text\s*\{(?:[^{}A-Za-z0-9]*|\s*\([^{}]*\)\s*)\}"
)
_TAG = re.compile(r"\\eqno\s*\([^()]*\)|\\q?quad\s*\(\s*[0-9.]+[a-z]?\s*\)\s*(?=$|\\\\)")
_COMMENT = re.compile(
    r"/\*.{0,2000}?\*/|\(\*.{0,2000}?\*\)|(?:(?<=\s)|^)(?:#|//|%)\s*(?=[A-Za-z]{3}|[A-Za-z]+\s+[A-Za-z]{2})[^\n]*",
    re.DOTALL,
)
_QUOTED = re.compile(
    r"\s*(?:[rfub](?=[\"']))?(\*\*|[*\"'`“”‘’„«»]+)(.+?)(\*\*|[*\"'`“”‘’„«»]+)[\s;,.]*", re.DOTALL
)
_PAIRS = {"“": "”", "‘": "’", "«": "»", "„": "“"}
_CAPTION = re.compile(r"\s*[A-Za-z]{2,}\.?\s*\(?[0-9.]*\)?\s*:(?!=)\s")
_REQUEST = re.compile(
    r"\s*(?:find|determine|compute|show|prove|solve|factor|simplify|how|what|please)\b"
    r"[A-Za-z ,']{0,80}:(?!=)\s|"
    r"\s*(?:please\s+|how\s+(?:to|(?:do|can|would|should)\s+(?:i|you|we|one))\s+|"
    r"can\s+(?:someone|you|we|one)\s+)+(?=(?:solve|factor|decompose|expand|simplify)\b)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s*(?:\*\s+(?=\S)|[0-9A-Za-z]{1,3}\)\s*(?=[A-Za-z0-9(\[{\\$]))")
_INTRODUCTION = re.compile(
    r"\s*(?:(?:let|where|const|var|poly|return|define|set|consider|given|suppose|solve|factori[sz]e|factor|"
    r"decompose|expand|simplify)\s+|(?:double|float|int|long|auto|val|final)\s+(?=[A-Za-z]\w*\s*=)|\\text\s*\{\s*(?:let|where|and|so|then|set|consider)\b[^{}]*\}\s*)+"
    r"(?=[A-Za-z0-9(\[{\\$-])",
    re.IGNORECASE,
)
_DECLARATION = re.compile(
    r"(?:^|(?<=[;\n]))[ \t]*(?:(?:syms|vars?|symbols|ring|from|import|with|restart|clear|using|declare)\b|"
    r"@\w+\b|[A-Za-z]\w*\.?<|[A-Za-z][\w, ]*:?=\s*(?:[\w.]+\.)?"
    r"(?:symbols|var|PolynomialRing|polygen|QQ|ZZ|Symbol|syms)\b)[^;\n]*[;\n]"
)
_CONTINUED = re.compile(r"\.\.\.(?=[ \t]*\n\s*\S)")
_ESCAPED = re.compile(r"(?<!\\)\\(?=[*^+=-])")
_DOUBLED = re.compile(
    r"(?<!\\)\\\\(?=(?:[dtc]?frac|binom|cdot|times|left|right|begin|end|sqrt|quad|text|math[a-z]+|"
    rf"(?:var)?(?:{'|'.join(GREEK_NAMES)}))(?![A-Za-z]))"
)
_NEWLINE = re.compile(r"(?<!\\)\\n(?![A-Za-z])")
_ESCAPED_INDEX = re.compile(r"(?<=[A-Za-z0-9])\\_([A-Za-z0-9]+)")
_QUOTED_NUMBER = re.compile(r"(?<=\()\s*([\"'])([-+]?[0-9./]+)\1(?=\s*\))")
_BREAK = re.compile(r"&|\\\\(?:\s*\[\s*-?[0-9.]+\s*(?:pt|em|ex|cm|mm|in|\\[a-z]+)\s*\]|\*)?")
_AFTER = re.compile(
    r"\.\s*(?:expand|factor|simplify|decompose|as_expr|roots)\s*\(\s*\)\s*(?:;\s*)?$|"
    r"\s\(?over\s+(?:the\s+)?(?:[QZ]{1,2}|rationals|rational\s+numbers|integers)\)?\s*$"
)
_DOMAIN = re.compile(r",\s*domain\s*=\s*([\"']?)(?:QQ|ZZ|Q|Z)\1(?=\s*[,)])")
_CELL = re.compile(r"\$?([A-Z]{1,2})\$?([0-9]+)")
_TAGS = re.compile(
    r"<(/?)(su[pb])>|</?(?:i|b|em|strong|var|p|code|br|div|span|li|td|tr)\b[^<>]*>", re.IGNORECASE
)
_OPENING = {"sup": "^{", "sub": "_{"}
_ENTITY = re.compile(r"&#?[A-Za-z0-9]+;")
_SPELLED = re.compile(r"\\\[(Capital)?([A-Z][a-z]+)\]")


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with these parts as blanks."""
    characters = list(text)
    for start, end in spans:
        characters[start:end] = " " * (end - start)
    return "".join(characters)


def strip_surroundings(text: str, names: Sequence[str] = ()) -> str:
    """The formula in a text, in characters that look like no others; `names` are no introduction."""
    text = _SPELLED.sub(_command, _in_plain_characters(normalise(text.rstrip())))
    text = _NEWLINE.sub("\n ", _DOUBLED.sub(r" \\", text))
    text = _ESCAPED_INDEX.sub(r"_\1 ", _ESCAPED.sub(" ", text.replace(r"\*\*", "**  ")))
    for pattern in (_CONTINUED, _COMMENT, _DECLARATION, _DOMAIN):
        text = _without(pattern, text)
    text = _ENVIRONMENT.sub(_line, text)
    for pattern in (_GROUPS, _TAG, _EDGES, _AFTER):
        text = _without(pattern, text)
    text = unquoted(_QUOTED_NUMBER.sub(lambda number: number.group(2).center(len(number.group())), text))
    if "\\" in text:
        text = text.replace("~", " ")
    prompt = _PROMPT.match(text)
    if prompt is not None:
        text = blank(text, [prompt.span()])
    caption = _CAPTION.match(text) or _REQUEST.match(text)
    if caption is not None:
        text = blank(text, [caption.span()])
    item = _ITEM.match(text)
    if item is not None and ("*" in item.group() or text.count(")") != text.count("(")):
        text = blank(text, [item.span()])
    introduction = _INTRODUCTION.match(text)
    if introduction is not None and not set(introduction.group().split()) & set(names):
        text = blank(text, [introduction.span()])
    if re.match(r"\s*=(?!=)", text):
        text = _CELL.sub(
            lambda cell: "".join(cell.groups()).ljust(len(cell.group())), text.replace("=", " ", 1)
        )
    return _without(_EDGES, text)


def without_breaks(text: str) -> str:
    """The text with the ends of lines and columns of LaTeX as blanks."""
    return _without(_BREAK, text)


def _without(pattern: re.Pattern[str], text: str) -> str:
    return blank(text, (match.span() for match in pattern.finditer(text)))


def unquoted(text: str) -> str:
    """The text without quotes or emphasis that enclose all of it."""
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return text
    opening, inside, closing = quoted.groups()
    matching = "".join(_PAIRS.get(c, c) for c in reversed(opening)) == closing
    if not matching or any(c in inside for c in opening if c != "*"):
        return text
    return blank(text, [(0, quoted.start(2)), (quoted.end(2), len(text))])


def _in_plain_characters(text: str) -> str:
    """Powers, indices and characters of HTML as text has them."""
    if "<" in text:
        text = _TAGS.sub(_script, text)
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    return text


def _script(tag: re.Match[str]) -> str:
    if tag.group(2) is None:
        return ("\n" if "br" in tag.group().lower() else " ").ljust(len(tag.group()))
    return ("}" if tag.group(1) else _OPENING[tag.group(2).lower()]).ljust(len(tag.group()))


def _entity(match: re.Match[str]) -> str:
    from html import unescape  # a large table that hardly any text needs

    character = unescape(match.group())
    return normalise(character).ljust(len(match.group())) if len(character) == 1 else match.group()


def _line(match: re.Match[str]) -> str:
    """The end of an environment as the end of a line."""
    return ("\\\\" if match["which"] == "end" else "").ljust(len(match.group()))


def _command(match: re.Match[str]) -> str:
    """A Greek letter as LaTeX spells it."""
    name = match.group(2) if match.group(1) else match.group(2).lower()
    known = name in GREEK_NAMES or name == "times"
    return f" \\{name} ".ljust(len(match.group())) if known else match.group()
