"""Identity: what is one item, and, more important, what is two."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scout.identity import arxiv_id, canonical_url, changed, parse_ref, post_id, url_id
from scout.items import Item, ItemKind

SLUG = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_~.%äß", min_size=1, max_size=12)
PATHS = st.lists(SLUG, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts))
HOSTS = st.sampled_from(
    ["example.org", "www.example.org", "Blog.Example.ORG", "bücher.example", "127.0.0.1", "[::1]", "a.b.c.example"]
)
PARAMETERS = st.lists(st.tuples(SLUG, SLUG), max_size=3).map(
    lambda pairs: "&".join(f"{key}={value}" for key, value in pairs)
)
URLS = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{host}{port}{path}{'?' if query else ''}{query}",
    st.sampled_from(["http", "https", "HTTPS"]),
    HOSTS,
    st.sampled_from(["", ":80", ":443", ":8080"]),
    PATHS,
    PARAMETERS,
)
TRACKING = st.sampled_from(
    ["utm_source=rss", "UTM_Medium=x", "fbclid=1", "gclid=2", "mc_cid=3", "source=rss----7219-4", "_hsenc=p2"]
)
NEW_IDS = st.builds(
    lambda year, month, number: f"{year:02d}{month:02d}.{number:0{4 if year < 15 else 5}d}",
    st.integers(8, 29), st.integers(1, 12), st.integers(1, 9999),
)  # fmt: skip
OLD_IDS = st.builds(
    lambda archive, year, month, number: f"{archive}/{year:02d}{month:02d}{number:03d}",
    st.sampled_from(["cs", "math", "hep-th", "cond-mat", "astro-ph"]), st.integers(92, 99), st.integers(1, 12), st.integers(1, 999),
)  # fmt: skip
PAPER_FORMS = [
    "{id}", "{id}v2", "arXiv:{id}", "arxiv:{id}v13", "oai:arXiv.org:{id}v1", "10.48550/arXiv.{id}", "doi:10.48550/arxiv.{id}",
    "https://arxiv.org/abs/{id}", "http://www.arxiv.org/abs/{id}v1", "https://arxiv.org/pdf/{id}", "https://arxiv.org/pdf/{id}v2.pdf",
    "https://arxiv.org/html/{id}v1#S3", "https://export.arxiv.org/abs/{id}?utm_source=x", "https://ar5iv.labs.arxiv.org/html/{id}",
    "https://ar5iv.org/abs/{id}", "https://www.alphaxiv.org/abs/{id}v1", "https://www.alphaxiv.org/overview/{id}",
    "https://huggingface.co/papers/{id}", "https://doi.org/10.48550/arXiv.{id}", "https://dx.doi.org/10.48550/ARXIV.{id}",
]  # fmt: skip


@given(URLS)
def test_the_canonical_form_of_a_canonical_form_is_itself(url):
    once = canonical_url(url)
    assume(once is not None)
    assert canonical_url(once) == once


@given(URLS, TRACKING, st.sampled_from(["", "#top", "#atom-everything"]))
def test_tracking_parameters_and_fragments_never_change_an_id(url, tracking, fragment):
    assert url_id(f"{url}{'&' if '?' in url else '?'}{tracking}{fragment}") == url_id(url)


@given(PATHS, PATHS)
def test_two_different_paths_never_merge(one, two):
    def plainest(path):
        ascii_path = urlsplit(canonical_url("https://example.org/x" + path) or "").path
        return ascii_path.removeprefix("/x")

    assume(not any(part.lower() in ("index.html", "index.htm") for part in (one + two).split("/")))
    assume("%" not in one + two)
    different = one != two
    assert (url_id("https://example.org/x" + one) != url_id("https://example.org/x" + two)) == different
    assert (plainest(one) != plainest(two)) == different


@given(st.text(max_size=60))
def test_no_text_makes_it_raise(text):
    for address in (text, f"https://{text}", f"https://example.org/{text}", f"https://example.org/?{text}"):
        canonical = canonical_url(address)
        assert canonical is None or canonical.startswith(("http://", "https://"))
        for found in (url_id(address), parse_ref(address)):
            assert found is None or found.startswith(("arxiv:", "doi:", "url:", "guid:"))
        assert arxiv_id(address) is None or url_id(address) is None or url_id(address).startswith("arxiv:")


@given(st.one_of(NEW_IDS, OLD_IDS), st.sampled_from(PAPER_FORMS))
def test_every_form_of_a_paper_has_one_id(paper, form):
    assert parse_ref(form.format(id=paper)) == f"arxiv:{paper}"


@given(NEW_IDS, NEW_IDS, st.sampled_from(PAPER_FORMS), st.sampled_from(PAPER_FORMS))
def test_two_papers_never_merge(one, two, form, other):
    assume(one != two)
    assert parse_ref(form.format(id=one)) != parse_ref(other.format(id=two))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2511.21735v2", ("2511.21735", 2)),
        ("https://arxiv.org/pdf/cs/0112017v1.pdf", ("cs/0112017", 1)),
        ("math.GT/0309136", ("math/0309136", None)),
        ("0704.0001", ("0704.0001", None)),
        ("2511.2173", None),
        ("1301.12345", None),
        ("2513.21735", None),
        ("2511.21735v0", None),
        ("see arXiv:2511.21735", None),
        ("https://example.org/abs/2511.21735", None),
        ("https://notarxiv.org/abs/2511.21735", None),
        ("https://arxiv.org/list/cs.LG/2511.21735", None),
        ("https://huggingface.co/papers/trending", None),
    ],
)
def test_arxiv_ids_are_read_strictly(text, expected):
    assert arxiv_id(text) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://WWW.Example.ORG:443/A%7eb/?b=2&a=1&utm_source=z#top", "https://example.org/A~b?a=1&b=2"),
        ("http://example.org:80/index.html", "http://example.org"),
        ("http://example.org:8080/a/", "http://example.org:8080/a"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://faß.example/", "https://xn--fa-hia.example"),
        ("https://example.org/p?amp=1&id=3", "https://example.org/p?id=3"),
        ("https://example.org/docs/amp", "https://example.org/docs/amp"),
        ("https://example.org/a%2Fb", "https://example.org/a%2Fb"),
        ("https://example.org/?q=%FF", "https://example.org?q=%FF"),
        ("https://user:secret@example.org/", None),
        ("ftp://example.org/x", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://example.org:99999/", None),
        ("https:///nohost", None),
        ("https://exa mple.org/", None),
        ("//example.org/x", None),
        ("", None),
    ],
)
def test_canonical_forms(url, expected):
    assert canonical_url(url) == expected


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("10.1145/3292500.3330701", "doi:10.1145/3292500.3330701"),
        ("https://doi.org/10.1000/ABC", "doi:10.1000/abc"),
        ("doi:10.1000/abc", "doi:10.1000/abc"),
        ("example.org/post/", "url:example.org/post"),
        ("url:example.org/post", "url:example.org/post"),
        ("guid:lab:0123", "guid:lab:0123"),
        ("just words", None),
        ("", None),
    ],
)
def test_what_a_person_types(ref, expected):
    assert parse_ref(ref) == expected


def entry(**fields):
    return post_id(
        **{"source": "lab", "guid": None, "link": None, "title": "T", "text": "x", "guid_is_unique": True, **fields}
    )


def test_a_post_is_its_address_and_its_guid_an_alias():
    id, aliases = entry(guid="tag:1", link="https://www.example.org/p/?utm_source=rss")
    assert id == "url:example.org/p"
    assert aliases == entry(guid=" tag:1 ")[:1]


def test_a_guid_that_all_entries_share_identifies_none():
    assert entry(guid="same", link="https://example.org/1", guid_is_unique=False) == ("url:example.org/1", ())
    assert (
        entry(guid="same", title="A", guid_is_unique=False)[0] != entry(guid="same", title="B", guid_is_unique=False)[0]
    )


def test_a_link_that_all_entries_share_identifies_none():
    one, two = (entry(guid=guid, link="https://example.org/log", link_is_unique=False) for guid in ("1", "2"))
    assert one != two


def test_without_guid_and_link_title_and_text_identify_and_white_space_does_not():
    assert entry(title="Weekly  links", text="a") == entry(title="weekly links", text="a ")
    assert entry(title="Weekly links", text="a") != entry(title="Weekly links", text="b")


def test_the_same_guid_in_two_sources_is_two_posts():
    assert entry(guid="1") != entry(guid="1", source="other")


def test_a_link_of_another_scheme_is_none():
    assert entry(link="javascript:alert(1)", guid="j")[0].startswith("guid:lab:")


def test_an_entry_that_links_to_a_paper_is_the_paper():
    assert entry(link="https://arxiv.org/abs/2511.21735v2")[0] == "arxiv:2511.21735"


ITEM = Item(
    "arxiv:2511.21735", ItemKind.PAPER, "A title", "", "Its text.", "arxiv", authors=("Ada Doe",), comment="8 pages"
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"title": " a  TITLE"}, False),
        ({"text": "Its\n\ntext."}, False),
        ({"comment": "", "authors": (), "text": ""}, False),
        ({"source": "hf-daily", "url": "https://example.org"}, False),
        ({"title": "Another title"}, True),
        ({"text": "Its text, corrected."}, True),
        ({"version": 2}, True),
        ({"authors": ("Ada Doe", "Bo Roe")}, True),
        ({"comment": "accepted"}, True),
    ],
)
def test_what_counts_as_a_change(fields, expected):
    assert changed(ITEM, replace(ITEM, **fields)) is expected
