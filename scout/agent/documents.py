"""Documents as plain text: arXiv's HTML, a web page's main text, a PDF. Runs in the process of `worker` and nowhere else.

Pure: bytes in, text out. A parser may do anything on hostile bytes; the limits that make this safe are `outside`'s. Links to
code keep their address in the text, since a repository is only ever read where the text of an item names it.
"""

from __future__ import annotations

import io
import re

from scout.text import plain, tidy

LONGEST = 400_000
"""Characters of a document that are kept."""
MAX_PAGES = 80
_CODE = re.compile(r"https?://(?:www\.)?github\.com/\S+", re.I)
_HYPHEN = re.compile(r"(?<=[a-z])-\n(?=[a-z])")


class Unreadable(Exception):
    """Bytes that are not the document they were said to be; the message says why."""


def arxiv_html(data: bytes) -> str:
    """The article of an arXiv HTML page; formulas as their TeX between dollars."""
    import lxml.html

    tree = lxml.html.document_fromstring(data, parser=lxml.html.HTMLParser(encoding="utf-8", remove_comments=True))
    found = tree.xpath("//article[contains(concat(' ', normalize-space(@class), ' '), ' ltx_document ')]")
    if not found:
        raise Unreadable("the page has no article in arXiv's HTML layout")
    article = found[0]
    for element in article.xpath(".//nav | .//footer | .//script | .//style | .//button"):
        element.drop_tree()
    for element in article.xpath(".//math"):
        element.tail = (
            f"${element.get('alttext') or ''}$ {element.tail or ''}" if element.get("alttext") else element.tail
        )
        element.drop_tree()
    for link in article.xpath(".//a[@href]"):
        address = link.get("href")
        if _CODE.fullmatch(address) and address not in (link.text_content() or ""):
            link.tail = f" ({address}) {link.tail or ''}"
    return _enough(plain(lxml.html.tostring(article, encoding="unicode"), limit=LONGEST))


def page(data: bytes) -> str:
    """The main text of a web page: no navigation, no comments."""
    import trafilatura

    text = trafilatura.extract(
        data, output_format="txt", include_links=True, include_comments=False, include_tables=True, deduplicate=False
    )
    # trafilatura ends paragraphs with one line feed
    return _enough(tidy((text or "").replace("\n", "\n\n"), limit=LONGEST))


def pdf(data: bytes) -> str:
    """The text of a PDF, page by page, with the addresses of code that it links to."""
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF is locked with a password")
        parts: list[str] = []
        for number, sheet in enumerate(reader.pages):
            if number >= MAX_PAGES or sum(map(len, parts)) > LONGEST:
                break
            parts.append(_HYPHEN.sub("", sheet.extract_text() or "").replace("\n", " "))
            parts += [address for address in _links(sheet) if address not in parts]
    except PyPdfError as err:
        raise Unreadable(f"the PDF cannot be read: {str(err)[:200]}") from err
    return _enough(tidy("\n\n".join(parts), limit=LONGEST))


def _links(sheet: object) -> list[str]:
    """Addresses of code that a PDF page links to."""
    found: list[str] = []
    for reference in sheet.get("/Annots") or ():  # type: ignore[attr-defined]
        annotation = reference.get_object()
        action = annotation.get("/A") if hasattr(annotation, "get") else None
        address = str(action.get_object().get("/URI", "")) if action is not None else ""
        if _CODE.fullmatch(address) and address not in found:
            found.append(address)
    return found


def _enough(text: str) -> str:
    if len(text) < 40:
        raise Unreadable("there is hardly any text in it")
    return text
