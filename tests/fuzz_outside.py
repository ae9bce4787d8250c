"""What is promised of bytes that came from outside, whatever they are: feeds, lists of feeds, packed answers, documents."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from fuzzing import Target
from letter_samples import letter

from scout import identity, text
from scout.agent import worker
from scout.harvest import paper
from scout.items import OutcomeKind, SourceKind
from scout.net.decoding import Decoder
from scout.net.errors import FetchError
from scout.net.fetch import checked
from scout.references import files, pasted
from scout.references.bibtex import to_bibtex
from scout.references.ris import to_ris
from scout.sources import letters, oai, opml
from scout.sources.newsletters import newsletter
from scout.sources.parse import parse
from scout.sources.parsed import ParsedEntry, Unreadable, as_dict, from_dict
from scout.store.sources import SourceRow

FIXTURES = Path(__file__).parent / "fixtures"
FEEDS = [path.read_bytes() for path in sorted(FIXTURES.glob("*/*")) if path.suffix != ".opml"]
HOME = "https://blog.example/feed.xml"
AT = datetime(2025, 12, 2, tzinfo=UTC)


def storable(words: str) -> None:
    """Text that any table, page and terminal can take: no lone surrogate, nothing unseen."""
    words.encode()
    assert words == text._UNSEEN.sub("", words)


def feed(data: bytes) -> None:
    try:
        found = parse(data, "application/xml; charset=utf-8", HOME, limit=50)
    except Unreadable:
        return
    assert from_dict(json.loads(json.dumps(as_dict(found)))) == found
    assert len(found.entries) <= 50
    for entry in found.entries:
        _entry(entry)


def _entry(entry: ParsedEntry) -> None:
    for words in (entry.title, entry.text, *entry.authors, *entry.tags):
        storable(words)
    assert 0 < len(entry.title) <= 500
    assert "\n" not in entry.title
    assert len(entry.text) <= 20_000
    assert all(when is None or when.utcoffset() is not None for when in (entry.published, entry.updated))
    if entry.link is not None:
        assert entry.link.startswith(("http://", "https://"))
        assert entry.link.isprintable()
    id, aliases = identity.post_id(
        source="s", guid=entry.guid, link=entry.link, title=entry.title, text=entry.text, guid_is_unique=True,
        link_is_unique=True,
    )  # fmt: skip
    assert all(name.partition(":")[2] and len(name) < 5_000 for name in (id, *aliases))
    storable(id)


def mail(data: bytes) -> None:
    """Whatever lies in a mailbox: a letter that survives the way between processes, and an item of it that can be stored."""
    try:
        found = letters.read(data)
    except Unreadable as err:
        storable(str(err))
        return
    assert letters.from_dict(json.loads(json.dumps(letters.as_dict(found)))) == found
    for words in (found.title, found.text, found.list_name, found.message_id, found.archived):
        storable(words)
    assert "\n" not in found.title
    assert len(found.text) <= 20_000
    item = newsletter(found, "s", now=AT)
    assert (item is not None) == found.to_list
    if item is not None:
        assert item.title
        assert not item.url or item.url.startswith(("http://", "https://"))
        assert item.published is None or item.published <= AT
        storable(item.id)


def records(data: bytes) -> None:
    """Whatever stands in for a page of arXiv's records: papers that can be stored, under arXiv's ids alone."""
    try:
        found = oai.read(data)
    except Unreadable as err:
        storable(str(err))
        return
    assert oai.from_dict(json.loads(json.dumps(oai.as_dict(found)))) == found
    for record in found.records:
        item = paper(record, "https://arxiv.org")
        assert identity.arxiv_id(record.name) == (record.name, None)
        assert item.title
        for words in (item.id, item.title, item.text, item.comment, *item.authors, *item.categories, *item.aliases):
            storable(words)
        assert item.backlog


def library(data: bytes) -> None:
    """Any file that a reader takes for a library: references whose papers can be stored, or an error in words."""
    try:
        found = files.read(data)
    except files.BadLibrary as err:
        storable(str(err))
        return
    for where, why in found.unread:
        assert where > 0
        storable(why)
    for reference in found.references:
        assert reference.line > 0
        storable(reference.key)
        item = pasted.paper(reference.fields)
        if item is None:
            continue
        assert item.id.startswith(("arxiv:", "doi:", "url:", "guid:"))
        assert not item.url or item.url.startswith(("http://", "https://"))
        for words in (item.id, item.title, item.text, item.url, *item.authors):
            storable(words)
        if item.title:
            assert len(files.read(to_ris([item]).encode()).references) == 1
    to_bibtex([item for each in found.references if (item := pasted.paper(each.fields))])


def feed_list(data: bytes) -> None:
    try:
        found = opml.read(data)
    except opml.OpmlError:
        return
    for title, url in found.feeds:
        checked(url)
        storable(title)
    rows = [_row(title, url) for title, url in found.feeds]
    again = opml.read(opml.export(rows))
    assert [url for _, url in again.feeds] == [url for _, url in found.feeds]


def _row(title: str, url: str) -> SourceRow:
    return SourceRow(id=url, kind=SourceKind.FEED, url=url, title=title, origin="opml", added_at=AT)


def packed(data: bytes) -> None:
    """The first byte picks the packing, the second how it comes in pieces; no more than the limit is ever held."""
    if len(data) < 2:
        return
    names = ("gzip", "deflate", "x-gzip", "identity", "", "br", "zstd", "gzip, gzip", "GZIP ")
    step, limit = 1 + data[1], 10_000
    kind = OutcomeKind.UNREADABLE
    try:
        decoder = Decoder(names[data[0] % len(names)], limit)
        for start in range(2, len(data), step):
            decoder.feed(data[start : start + step])
            assert decoder._size <= limit
        assert len(decoder.finish()) <= limit
    except FetchError as err:
        kind = err.kind
    assert kind in (OutcomeKind.UNREADABLE, OutcomeKind.TOO_LARGE, OutcomeKind.UNREACHABLE)


def document(data: bytes) -> None:
    """The first byte picks the reader; its answer is one of three, and JSON."""
    kind = sorted(worker.READERS)[data[0] % len(worker.READERS)] if data else "page"
    answer = worker.answer(kind, data[1:])
    assert set(answer) <= {"read", "unreadable", "too_large"}
    json.dumps(answer).encode()
    if isinstance(read := answer.get("read"), str):
        assert len(read) <= 400_000
    elif read:
        for path, size, words in read["files"]:
            assert not path.startswith("/")
            assert ".." not in path.split("/")
            assert words is None or len(words) <= size


def _archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in (("r-1/README.md", b"# r"), ("r-1/src/a.py", b"print(1)\n" * 20), ("r-1/../../x", b"x")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("r-1/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return made.getvalue()


def _pdf() -> bytes:
    import pypdf

    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(200, 200)
    content = pypdf.generic.DecodedStreamObject()
    content.set_data(b"BT /F1 12 Tf 10 100 Td (A sentence that is long enough to be kept as the text of a page.) Tj ET")
    page[pypdf.generic.NameObject("/Contents")] = writer._add_object(content)
    made = io.BytesIO()
    with suppress(Exception):
        writer.write(made)
    return made.getvalue()


_HTML = (
    b"<html><head><title>t</title></head><body><article class='ltx_document'><h1>On it</h1><p>A sentence with a formula "
    b"<math alttext='x^2'>x</math> and <a href='https://github.com/a/b'>code</a> in it.</p><p>Another one follows it here.</p>"
    b"</article></body></html>"
)
_KINDS = sorted(worker.READERS)
_WORDS_XML = (
    b"<item>", b"</item>", b"<entry>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;",
    b"<link>javascript:alert(1)</link>", b"<link href='data:text/html,x'/>", b"<title type='html'>&lt;script&gt;</title>",
    b"<pubDate>Tue, 99 Foo 99999 99:99:99 +9999</pubDate>", b"<guid isPermaLink='true'>x</guid>", b"xmlns:x='y'", b"<?xml",
    b"encoding='utf-7'", b"encoding='utf-16'", b"<content:encoded>", b"<rss>", b"</channel>", b"<ttl>99999999</ttl>", b"&#x110000;",
    b"&#xD800;", b'"items":[', b'"id":1e99', b'"version":"https://jsonfeed.org/version/1.1"', b"http://[::1]/", b"http://u:p@h/",
)  # fmt: skip
_WORDS_OPML = (
    b"<outline", b"xmlUrl='http://a.example/'", b"xmlUrl='file:///etc/passwd'", b"XMLURL='http://[::1'", b"<opml>", b"</opml>",
    b"<!DOCTYPE o [<!ENTITY a 'b'>]>", b"&a;", b"text='&#0;'", b"xmlUrl='http://a.example/&#10;x'", b"<body>", b"\xef\xbb\xbf",
    b"xmlUrl='http://u:p@h/'", b"encoding='utf-16'", b"xmlUrl='http://a.example/%zz?a=&amp;b#c'",
)  # fmt: skip
_WORDS_MAIL = (
    b"List-Id: ", b"List-Unsubscribe: <mailto:x@y>\r\n", b"Subject: =?utf-8?B?", b"?=", b"=?utf-7?Q?+ADw-?=", b"=?x?Q?", b"\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n", b"--b--", b"Content-Type: text/html; charset=", b"utf-16", b"idna",
    b"Content-Transfer-Encoding: base64\r\n", b"quoted-printable", b"Date: Mon, 99 Foo 99999 99:99 +9999\r\n", b"(((((((((", b"\"<>@,;:",
    b"Date: Mon, 31 Dec 9999 23:59:59 -1200\r\n", b"Archived-At: <http://[::1]/>\r\n", b"From: =?utf-8?q?=00?= <", b"Message-ID: <",
    b"Content-Type: message/rfc822\r\n", b"charset*=utf-8''%ff", b"; name*0*=", b"\r\n ", b"MIME-Version: 1.0\r\n", b"rot13",
)  # fmt: skip
_WORDS_OAI = (
    b"<record>", b"</record>", b"<header status='deleted'>", b"</header>", b"<id>2511.99999v3</id>", b"<identifier>oai:arXiv.org:",
    b"<error code='badArgument'>", b"<resumptionToken completeListSize='99999999999999'>", b"<authors><author><keyname>", b"<title>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"&#xFFFF;", b"<![CDATA[", b"]]>", b"<created>9999-99-99</created>", b"<doi>10.1/",
    b"xmlns='x'", b"<abstract>", b"encoding='utf-16'", b"<OAI-PMH>", b"<!--", b"-->", b"<?x ?>",
)  # fmt: skip
_BIB = b'@article{a, title={A {B} C}, author={Doe, Ada and {\\\'E}mile Roe}, eprint={2511.21735}, doi = "10.1000/x", url={https://a.example/b}}\n'
_RIS = b"TY  - JOUR\nID  - a\nTI  - A title\n  of two lines\nAU  - Doe, Ada\nDO  - 10.1000/x\nUR  - https://a.example/b\nER  - \n"
_CSL = b'[{"id": "a", "title": "A title", "DOI": "10.1000/x", "author": [{"family": "Doe", "given": "Ada"}], "number": "arXiv:2511.21735"}]'
_WORDS_LIBRARY = (
    b"@article{", b"@comment{", b"@string{x = ", b"@preamble{", b"}", b"}}", b"# x #", b" and ", b"title = ", b"eprint={2511.21735}",
    b"\\'{\\i}", b"{\\", b"TY  - ", b"ER  - ", b"\nTI  - ", b"\nAU  - ", b"  - ", b'"author":', b'"title": null', b"[{}]", b'{"items": 1}',
    b"url={javascript:alert(1)}", b"\r", b"doi={10.", b"1e999", b'"DOI": ["x"]', b"arXiv:2401.00001 [cs]", b"=",
)  # fmt: skip
_PLAIN_LETTER = (
    b"From: a@b\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nList-Unsubscribe: <https://a.example/u>\r\nDate: 1 Dec 2025 08:00 -0500\r\n"
    b"Archived-At: <https://a.example/1>\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n"
)
_BOMB = gzip.compress(b"\0" * 1_000_000)

TARGETS = (
    Target("feeds", feed, FEEDS, _WORDS_XML),
    Target("mails", mail, [letter(1), letter(2, to_list=False), _PLAIN_LETTER], _WORDS_MAIL),
    Target("arXiv's records", records, [path.read_bytes() for path in sorted((FIXTURES / "oai").iterdir())], _WORDS_OAI),
    Target("libraries", library, [_BIB, _RIS, _CSL], _WORDS_LIBRARY),
    Target("opml", feed_list, [(FIXTURES / "feeds" / "labs.opml").read_bytes()], _WORDS_OPML),
    Target(
        "packed answers", packed,
        [b"\0\x40" + gzip.compress(b"x" * 9_000), b"\1\x07" + zlib.compress(b"x" * 9_000), b"\1\x01" + zlib.compress(b"abc")[2:-4],
         b"\0\xff" + _BOMB, b"\0\x33" + gzip.compress(b"a") + gzip.compress(b"b"), b"\3\x09plain"],
        (b"\x1f\x8b\x08", b"\x78\x9c", _BOMB),
    ),
    Target(
        "documents", document,
        [bytes([_KINDS.index(kind)]) + made for kind, made in
         (("archive", _archive()), ("arxiv-html", _HTML), ("page", _HTML), ("pdf", _pdf()))],
        (b"<math", b"alttext='", b"<a href='", b"<table>", b"<svg>", b"/Contents 1 0 R", b"endobj", b"xref", b"/Filter /FlateDecode",
         b"/Length 99999999", b"/Kids [1 0 R]", b"/Parent 1 0 R", b"%PDF-1.7", b"stream\n", b"ustar"),
    ),
)  # fmt: skip
