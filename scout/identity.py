"""When two records are one item. Pure: no I/O, no clock.

A paper is its arXiv id without the version, else its DOI; a post is its canonical address. The rule throughout: a false
merge is worse than a repeat, so what is dropped from an address is only what is known to change nothing.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import idna

from scout.items import Item, ItemId

# --- addresses

_LONGEST_URL = 4_000
_TRACKING = re.compile(
    r"utm_\w+|mtm_\w+|pk_(?:campaign|kwd|source|medium|content)|piwik_\w+|matomo_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid"
    r"|msclkid|yclid|ttclid|twclid|li_fat_id|igshid|igsh|mc_[ce]id|_hsenc|_hsmi|__hs(?:tc|sc|fp)|hsctatracking|hss_channel"
    r"|mkt_tok|vero_id|vero_conv|oly_(?:enc|anon)_id|_ga|_gl|epik|srsltid|rb_clickid|s_cid|wt_mc|ncid|cmpid|trk|trkcampaign"
    r"|ref_src|ref_url|soc_(?:src|trk)|guccounter|guce_referrer\w*|fb_(?:action_ids|action_types|source|ref)|ns_(?:mchannel|source"
    r"|campaign|linkname|fee)|spm|amp|__twitter_impression",
    re.IGNORECASE,
)
"""Query parameters that say where a click came from, never what is shown."""
_DEFAULT_PORT = {"http": 80, "https": 443}
_PATH_SAFE = "/%:@!$&'()*+,;=~"
_INDEX = re.compile(r"/index\.html?$", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


def canonical_url(url: str) -> str | None:
    """The one form of an http(s) address, or None where it is no such address or carries credentials.

    Host in lower case and ASCII without `www.`, no default port, no fragment, no tracking parameters, the others sorted, no
    `index.html`, no trailing slash. The path keeps its case. Applying it again changes nothing.
    """
    text = url.strip()
    if not text or len(text) > _LONGEST_URL or any(ch.isspace() or ord(ch) < 32 for ch in text):
        return None
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = _ascii_host(parts.hostname or "")
        if scheme not in _DEFAULT_PORT or host is None or "@" in parts.netloc:
            return None
        netloc = host if port in (None, _DEFAULT_PORT[scheme]) else f"{host}:{port}"
        made = f"{scheme}://{netloc}{_path(parts.path)}{_query(parts.query)}"
        return made if len(made) <= _LONGEST_URL else None  # escapes make it longer
    except ValueError:  # no such port, host or encoding
        return None


def web_address(url: str) -> str:
    """`url` as it may be shown and linked, its scheme in lower case; empty where it is no http or https address."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme.lower()}{mark}{rest}" if canonical_url(url) else ""


def _ascii_host(host: str) -> str | None:
    name = host.lower().rstrip(".")
    if ":" in name:
        name = f"[{name}]"
    elif not name.isascii():
        name = idna.encode(name, uts46=True).decode("ascii")
    while name.startswith("www.") and name.count(".") > 1:
        name = name[4:]
    return name if _HOST.fullmatch(name) and ".." not in name else None


def _path(path: str) -> str:
    """The path with its escapes in one form: characters that need none written out, the others as upper-case %XX."""
    kept = _without_dots(re.sub(r"%[0-9A-Fa-f]{2}", _escape, quote(path, safe=_PATH_SAFE)))
    shorter = _INDEX.sub("", kept).rstrip("/")
    while shorter != kept:
        kept, shorter = shorter, _INDEX.sub("", shorter).rstrip("/")
    return kept


def _without_dots(path: str) -> str:
    """The path without the `.` and `..` in it, as RFC 3986 section 5.2.4 resolves them."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[max(1, len(kept) - 1) :]  # what stands before the first slash stays
        elif part != ".":
            kept.append(part)
    return "/".join(kept)


def _escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character.isascii() and (character.isalnum() or character in "-._~") else match[0].upper()


def _query(query: str) -> str:
    # Bytes that are no UTF-8 go through unchanged, so that two of them stay two.
    found = parse_qsl(query, keep_blank_values=True, max_num_fields=200, errors="surrogateescape")
    pairs = sorted(pair for pair in found if not _is_tracking(*pair))
    return "?" + urlencode(pairs, quote_via=quote, errors="surrogateescape") if pairs else ""


def _is_tracking(name: str, value: str) -> bool:
    if name.lower() == "source":
        return value.startswith("rss-")  # Medium names the feed a click came from
    if name.lower() == "outputtype":
        return value.lower() == "amp"
    return _TRACKING.fullmatch(name) is not None


# --- papers

_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|funct-an"
    "|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|q-alg|q-bio"
    "|quant-ph|solv-int|supr-con"
)
_MONTH = r"(?:0[1-9]|1[0-2])"
_ARXIV = re.compile(
    rf"(?:(?P<new>(?:0[7-9]|1[0-4]){_MONTH}\.\d{{4}}|(?:1[5-9]|[2-8]\d){_MONTH}\.\d{{5}})"
    rf"|(?P<archive>{_ARCHIVES})(?:\.[a-z]{{2}})?/(?P<number>(?:9[1-9]|0[0-7]){_MONTH}\d{{3}}))(?:v(?P<version>[1-9]\d?))?",
    re.IGNORECASE,
)
"""Four digits after the point until 2014, five since; an archive and seven digits until March 2007."""
_ARXIV_PREFIX = re.compile(r"(?:oai:arxiv\.org:|arxiv:\s*|(?:doi:\s*)?10\.48550/arxiv\.)", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+")
_PAPER_PATHS = {
    "arxiv.org": r"/(?:abs|pdf|html|format|ps|e-print|src|tex)/(?P<id>.+)",
    "ar5iv.org": r"/(?:abs|pdf|html)/(?P<id>.+)",
    "alphaxiv.org": r"/(?:abs|pdf|html|overview)/(?P<id>.+)",
    "huggingface.co": r"/papers/(?P<id>.+)",
    "hf.co": r"/papers/(?P<id>.+)",
    "arxiv-vanity.com": r"/papers/(?P<id>.+)",
    "papers.cool": r"/arxiv/(?P<id>.+)",
}
_PAPER_HOSTS = {
    "export.arxiv.org": "arxiv.org", "browse.arxiv.org": "arxiv.org", "de.arxiv.org": "arxiv.org",
    "cn.arxiv.org": "arxiv.org", "ar5iv.labs.arxiv.org": "ar5iv.org",
}  # fmt: skip
_DOI_HOSTS = ("doi.org", "dx.doi.org")


def arxiv_id(text: str) -> tuple[str, int | None] | None:
    """The arXiv id and, where given, the version that `text` names; None where it is something else.

    `text` as a whole must be the id, with `arXiv:` or its DOI's prefix before it, or an address of the paper.
    """
    name = text.strip()
    if "://" in name:
        name = _paper_in_url(name)
    name = name[prefix.end() :] if (prefix := _ARXIV_PREFIX.match(name)) else name
    match = _ARXIV.fullmatch(name.removesuffix(".pdf"))
    if not match:
        return None
    version = int(match["version"]) if match["version"] else None
    return match["new"] or f"{match['archive'].lower()}/{match['number']}", version


def _paper_in_url(url: str) -> str:
    """What stands where the address of a paper holds its arXiv id or DOI; empty for every other address."""
    canonical = canonical_url(url)
    if canonical is None:
        return ""
    parts = urlsplit(canonical)
    host = _PAPER_HOSTS.get(parts.netloc, parts.netloc)
    if host in _DOI_HOSTS:
        return unquote(parts.path.lstrip("/"))
    match = re.fullmatch(_PAPER_PATHS[host], parts.path) if host in _PAPER_PATHS else None
    return match["id"] if match else ""


def _doi(text: str) -> ItemId | None:
    """The id of a DOI, whose letter case says nothing."""
    name = re.sub(r"^doi:\s*", "", text.strip(), flags=re.IGNORECASE)
    return f"doi:{name.lower()}" if _DOI.fullmatch(name) else None


def url_id(url: str) -> ItemId | None:
    """The id of what an address shows: `arxiv:` or `doi:` for a paper, a mirror's address included, else `url:`."""
    if "://" not in url:
        return None
    if found := arxiv_id(url):
        return f"arxiv:{found[0]}"
    if doi := _doi(_paper_in_url(url)):
        return doi
    canonical = canonical_url(url)
    return f"url:{canonical.partition('://')[2]}" if canonical else None


def parse_ref(text: str) -> ItemId | None:
    """The id a person means: an id as shown, an arXiv id, a DOI, or an address with or without `https://`."""
    ref = text.strip()
    if ref.startswith(("guid:", "url:")):
        return ref if len(ref) > len("guid:") else None
    if found := arxiv_id(ref):
        return f"arxiv:{found[0]}"
    if doi := _doi(ref):
        return doi
    if "://" in ref:
        return url_id(ref)
    host, slash, _ = ref.partition("/")
    return url_id(f"https://{ref}") if slash and "." in host else None


# --- posts


def post_id(
    *,
    source: str,
    guid: str | None,
    link: str | None,
    title: str,
    text: str,
    guid_is_unique: bool,
    link_is_unique: bool = True,
) -> tuple[ItemId, tuple[ItemId, ...]]:
    """The id of a feed's entry, and the other ids under which it is known.

    Its address makes the id; a GUID that only this entry of the feed has is remembered as an alias, so that a post that
    moves stays one item. Without an address of its own the GUID makes the id, and without either its title and text do.
    """
    own_guid = f"guid:{source}:{_short_hash(guid.strip())}" if guid and guid.strip() and guid_is_unique else None
    address = url_id(link) if link and link_is_unique else None
    if address:
        return address, (own_guid,) if own_guid else ()
    if own_guid:
        return own_guid, ()
    return f"guid:{source}:{_short_hash(_folded(title) + chr(0) + _folded(text))}", ()


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


# --- versions


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def changed(old: Item, new: Item) -> bool:
    """Whether `new` differs from `old` in a way worth recording. White space and letter case are none, nor is silence."""
    if new.version > old.version:
        return True
    if any(after and _folded(before) != _folded(after) for before, after in _texts(old, new)):
        return True
    return bool(new.authors) and [_folded(name) for name in old.authors] != [_folded(name) for name in new.authors]


def _texts(old: Item, new: Item) -> tuple[tuple[str, str], ...]:
    return (old.title, new.title), (old.text, new.text), (old.comment, new.comment)
