"""The list that ships: whole, without repeats, and switched by the settings."""

from __future__ import annotations

from scout.config import Settings
from scout.config.mail import Imap, Mail
from scout.identity import canonical_url
from scout.items import SourceKind
from scout.sources.defaults import blogs, wanted


def test_every_blog_has_an_id_a_title_and_a_secure_address_of_its_own() -> None:
    assert len(blogs()) >= 20
    assert all(blog.url.startswith("https://") and canonical_url(blog.url) and blog.title for blog in blogs())
    for names in ([blog.id for blog in blogs()], [canonical_url(blog.url) for blog in blogs()]):
        assert len(set(names)) == len(names)


def test_settings_switch_what_ships() -> None:
    everything = wanted(Settings())
    mail = {SourceKind.MAILDIR, SourceKind.IMAP}
    assert {source.kind for source in everything} == set(SourceKind) - mail, "newsletters need a folder or a server"
    both = wanted(Settings(mail=Mail(maildir="~/Mail", imap=Imap(host="mail.example.org", user="ada"))))
    assert {source.kind for source in both} == set(SourceKind)
    assert "imaps://mail.example.org:993/INBOX" in [source.url for source in both]  # and not whose it is
    nothing = Settings(
        **{"arxiv": {"enabled": False}, "huggingface": {"enabled": False}, "sources": {"defaults": False}}
    )
    assert wanted(nothing) == []


def test_arxivs_address_names_the_categories() -> None:
    settings = Settings(**{"arxiv": {"rss_url": "http://127.0.0.1:1/rss/", "categories": ["cs.LG", "stat.ML"]}})
    assert wanted(settings)[0].url == "http://127.0.0.1:1/rss/cs.LG+stat.ML"
