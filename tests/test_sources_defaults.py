"""The list that ships: whole, without repeats, and switched by the settings."""

from __future__ import annotations

from scout.config import Settings
from scout.config.mail import Mail
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
    assert {source.kind for source in everything} == set(SourceKind) - {SourceKind.MAILDIR}, "newsletters need a folder"
    assert {source.kind for source in wanted(Settings(mail=Mail(maildir="~/Mail")))} == set(SourceKind)
    nothing = Settings(
        **{"arxiv": {"enabled": False}, "huggingface": {"enabled": False}, "sources": {"defaults": False}}
    )
    assert wanted(nothing) == []


def test_arxivs_address_names_the_categories() -> None:
    settings = Settings(**{"arxiv": {"rss_url": "http://127.0.0.1:1/rss/", "categories": ["cs.LG", "stat.ML"]}})
    assert wanted(settings)[0].url == "http://127.0.0.1:1/rss/cs.LG+stat.ML"
