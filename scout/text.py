"""Text as people read it: HTML to plain text, TeX to Unicode, plain text to sentences.

Everything here is pure and safe to call on hostile input. Nothing here shows text; the faces escape what they show.
"""

from __future__ import annotations

import html as html_entities
import re
from functools import cache, lru_cache
from typing import Any

import nh3

_BLOCKS = frozenset(
    "address article aside blockquote br caption dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header "
    "hr li main nav ol p pre section summary table td th tr ul".split()
)
_SILENT = frozenset("script style noscript template iframe object svg head title textarea select button".split())
_TAG = re.compile(r"<(/?)([a-z0-9]+)[^>]*>")
_DEEPEST = 2_000
"""So many more tags opened than closed are an attack: a tree parser takes quadratic time, so they are cut out one by one."""
_UNCLOSED = re.compile(r"<(?:script|style)[^<>]*>[^<]*|<[^<>]*>?")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control characters, bidirectional overrides, zero-width fillers, lone surrogates and the invisible tag characters."""
_SPACE = re.compile(r"\s+")
_ODD_SPACE = re.compile(r"\n|  |[^\S ]")


def plain(html: str, *, limit: int = 100_000) -> str:
    """The text of `html` without its markup, at most `limit` characters: paragraphs apart by an empty line, else one space.

    Scripts, styles and the like go with their content. Text that has no markup comes back tidied.
    """
    source = html[: 4 * limit]
    if source.count("<") - 2 * source.count("</") > _DEEPEST:
        source = _UNCLOSED.sub("\n\n", source)
    elif "<" in source:
        kept = nh3.clean(source, tags=set(_BLOCKS), attributes={}, clean_content_tags=set(_SILENT), strip_comments=True)
        source = _TAG.sub(lambda tag: "\n" if tag[2] == "br" else "\n\n", kept)
    if "&" in source:
        source = html_entities.unescape(source)
    return tidy(source, limit=limit)


def tidy(text: str, *, limit: int = 100_000) -> str:
    """Plain text with characters nobody sees removed and white space folded; empty lines keep paragraphs apart."""
    shown = _UNSEEN.sub("", text[: 4 * limit])
    if _ODD_SPACE.search(shown):
        shown = _SPACE.sub(lambda run: "\n\n" if run[0].count("\n") > 1 else " ", shown)
    return shown.strip()[:limit].rstrip()


def line(text: str, *, limit: int = 1_000) -> str:
    """`text` on one line: for titles and names."""
    return " ".join(_UNSEEN.sub("", text[: 4 * limit]).split())[:limit].rstrip()


def verbatim(text: str, *, limit: int = 20_000) -> str:
    """`text` with its lines and indentation, without characters nobody sees; for answers and code."""
    shown = _UNSEEN.sub("", text[: 2 * limit].replace("\r\n", "\n"))
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


# --- sentences

_END = re.compile(r"""[.!?…\n。！？](?:(?<=[.!?…])["'”’)\]]*\s+(?=[^\sa-z,;:)\]])|(?<=\n)\s*\n\s*|(?<=[。！？]))""")
_NEVER_LAST = frozenset(
    "e.g i.e et. al cf vs viz resp approx ca fig figs eq eqs sec secs ref refs tab thm prop lem def alg app ch vol pp ed eds "
    "dr mr mrs ms prof st w.r.t a.k.a i.i.d s.t dept univ".split()
)
_NEVER_BEFORE_DIGIT = frozenset("no nos p art n nr step".split())


def sentences(text: str) -> list[str]:
    """The sentences of plain text, in order, without the white space between them. The same text gives the same list.

    Abbreviations ("et al.", "Fig. 3"), initials and decimals end no sentence; an empty line does.
    """
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        stop = end.end()
        if text[end.start()] == "." and _goes_on(text, end.start(), stop):
            continue
        if piece := text[start:stop].strip():
            found.append(piece)
        start = stop
    if piece := text[start:].strip():
        found.append(piece)
    return found


def _goes_on(text: str, dot: int, following: int) -> bool:
    """Whether the full stop at `dot` belongs to an abbreviation, so that the sentence goes on at `following`."""
    space = text.rfind(" ", max(0, dot - 12), dot)
    if space < 0 and dot > 12:
        return False
    word = text[space + 1 : dot].rpartition("\n")[2].lstrip("(\"'“‘[")
    if len(word) == 1:
        return word.isupper() and word != "I" and text[following].isalpha()
    lowered = word.lower()
    if lowered in _NEVER_LAST:
        return True
    if lowered in _NEVER_BEFORE_DIGIT:
        return text[following].isdigit()
    # U.S. or Ph.D.: stops between single letters.
    return "." in word and len(word) <= 5 and all(len(part) <= 2 and part.isalpha() for part in word.split("."))


# --- TeX

_MATH = re.compile(r"(?<!\\)\$\$(.+?)\$\$|(?<!\\)\$(?=[^\s$])((?:[^$\\]|\\.)*?)(?<=[^\s])\$(?!\d)", re.DOTALL)
_SPECIAL = re.compile(r"(?<!\\)([%#&$_^])")
_TILDE = re.compile(r"(?<!\S)~")
_TEX_LIMIT = 20_000


@lru_cache(maxsize=4096)
def tex_to_plain(text: str) -> str:
    """TeX as it stands in titles and abstracts, as readable Unicode: `$\\alpha$-divergence` gives "α-divergence".

    Never raises: what cannot be read as TeX stays as it is. Only what looks like a formula is one ("costs $5 to $10" is
    none), and outside formulas `%`, `&`, `_` and a leading `~` are characters, as arXiv shows them.
    """
    if ("$" not in text and "\\" not in text) or len(text) > _TEX_LIMIT:
        return text
    parts: list[str] = []
    start = 0
    for math in _MATH.finditer(text):
        parts += [_prose(text[start : math.start()]), _formula(math[1] or math[2] or "")]
        start = math.end()
    parts.append(_prose(text[start:]))
    return "".join(parts)


def _prose(text: str) -> str:
    if "\\" not in text:
        return text
    shown = _render(_TILDE.sub(r"\\textasciitilde{}", _SPECIAL.sub(r"\\\1", text)), text)
    return _SCRIPT.sub(lambda match: _script(match) if match[1] == "^" else match[0], shown)


def _formula(body: str) -> str:
    return _SCRIPT.sub(_script, _render(f"${body}$", body))


def _render(tex: str, otherwise: str) -> str:
    from pylatexenc.latexwalker import LatexWalker

    try:
        nodes, _, _ = LatexWalker(tex, latex_context=_walker_context(), tolerant_parsing=True).get_latex_nodes()
        shown = str(_renderer().nodelist_to_text(nodes))
    except Exception:  # a parser for arbitrary input: whatever it trips over, the reader sees the source
        return otherwise
    if not shown.strip() and otherwise.strip():
        return otherwise
    return shown.replace("\xa0", " ")


_SCRIPT = re.compile(r"([\^_])([+-]?\d{1,3})(?![\d.])")
_SUPER = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_SUB = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")


def _script(match: re.Match[str]) -> str:
    return match[2].translate(_SUPER if match[1] == "^" else _SUB)


@cache
def _walker_context() -> Any:
    from pylatexenc.latexwalker import get_default_latex_context_db
    from pylatexenc.macrospec import std_macro

    context = get_default_latex_context_db()
    known = [std_macro(name, arguments) for name, arguments in _ARGUMENTS.items()]
    context.add_context_category("scout", macros=known, prepend=True)
    return context


@cache
def _renderer() -> Any:
    """One renderer for all texts: building its tables takes longer than using them."""
    from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

    context = get_default_latex_context_db()
    known = [MacroTextSpec(name, simplify_repl=shown) for name, shown in _SHOWN.items()]
    context.add_context_category("scout", macros=known, prepend=True)
    context.set_unknown_macro_spec(MacroTextSpec("", simplify_repl=_macro_by_name))
    return LatexNodes2Text(latex_context=context, math_mode="text", strict_latex_spaces=True, keep_comments=True)


_ARGUMENTS = {
    "href": "{{",
    "url": "{",
    "cite": "[{",
    "citep": "[[{",
    "citet": "[[{",
    "textsuperscript": "{",
    "textcolor": "{{",
}
_SHOWN = {
    "href": "%(2)s", "url": "%(1)s", "cite": "[%(2)s]", "citep": "[%(3)s]", "citet": "[%(3)s]",
    "textsuperscript": "^%(1)s", "textcolor": "%(2)s", "xspace": "", "bf": "", "it": "", "rm": "", "sf": "", "tt": "",
    "em": "", "sc": "", "cal": "", "bfseries": "", "itshape": "", "displaystyle": "", "limits": "", "left": "", "right": "",
}  # fmt: skip


def _macro_by_name(node: Any) -> str:
    """An unknown macro is shown by its name: `\\method{}` reads "method"."""
    return str(node.macroname) + str(node.macro_post_space)
