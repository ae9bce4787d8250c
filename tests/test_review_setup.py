"""What a new user met while setting up: folders that cannot be used, keys that do not fit, sources that come back."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_help import scout

from scout.config import ConfigError, Settings, load
from scout.exit_codes import Exit
from scout.identity import canonical_url, url_id
from scout.items import Item, ItemKind, SourceKind
from scout.locks import unusable
from scout.readers import find
from scout.source_list import add_feed
from scout.store import Store, StoreError

NOW = datetime(2025, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("command", [["run"], ["ingest"], ["sources", "list"]])
def test_a_data_folder_that_is_a_file_is_a_matter_of_configuration(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "file"))
    result = scout(*command)
    assert result.code == Exit.CONFIG
    assert "data_dir" in result.err
    assert "bug" not in result.err


def test_a_full_disk_is_told_from_a_folder_that_may_not_be_written() -> None:
    assert isinstance(unusable(Settings(), OSError(errno.ENOSPC, "No space left on device")), StoreError)
    assert isinstance(unusable(Settings(), OSError(errno.EROFS, "Read-only file system")), ConfigError)


@pytest.mark.parametrize("written", ["cs.LG", '["cs.LG"'])
def test_a_list_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("SCOUT_READER", "ada")
    monkeypatch.setenv("SCOUT_ARXIV__CATEGORIES", written)
    with pytest.raises(ConfigError, match=r"SCOUT_ARXIV__CATEGORIES: .*JSON") as told:
        load()
    assert "SCOUT_READER" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[arxiv]\ncategories = "cs.LG"\n', "must be a list"),
        ("[arxiv]\ncategories = []\n", "arxiv.categories in"),
        ('[arxiv]\ncategories = ["cs.LG/../x"]\n', "arxiv.categories.0 in"),
        ('[[subjects]]\nname = "x"\n', "scout.toml: is missing"),
        ('reader = "  "\n', "reader in"),
        ('data_dir = ""\n', "data_dir in"),
    ],
)
def test_a_key_that_does_not_fit_is_named_with_its_file(text: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCOUT_DATA_DIR")
    Path(os.environ["SCOUT_CONFIG"]).write_text(text)
    with pytest.raises(ConfigError) as told:
        load()
    assert words in str(told.value)


def test_a_tilde_in_the_data_folder_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCOUT_DATA_DIR", "~/papers")
    assert load().data_dir == tmp_path / "papers"


def test_old_archives_are_categories_too() -> None:
    Path(os.environ["SCOUT_CONFIG"]).write_text(
        '[arxiv]\ncategories = ["cond-mat.dis-nn", "hep-th", "q-bio.NC", "cs"]\n'
    )
    assert len(load().arxiv.categories) == 4


def test_arxiv_removed_and_added_again_is_arxiv(tmp_path: Path) -> None:
    url = "https://rss.arxiv.org/rss/cs.LG"
    with Store(tmp_path / "scout.db") as store:
        store.sources.add("arxiv", SourceKind.ARXIV, url, title="arXiv", origin="default", at=NOW)
        store.sources.remove("arxiv")
        assert add_feed(store, title="", url=url, at=NOW) == ("arxiv", True)
        [row] = store.sources.all()
        assert (row.kind, row.title) == (SourceKind.ARXIV, "arXiv")


def test_a_source_that_is_no_feed_comes_back_unasked() -> None:
    scout("sources", "list")
    [url] = [row["url"] for row in scout("sources", "list", "--json").json if row["id"] == "hf-daily"]
    scout("sources", "remove", "hf-daily")
    added = scout("sources", "add", url)
    assert added.code == Exit.DONE, added.err
    kinds = {row["id"]: row["kind"] for row in scout("sources", "list", "--json").json}
    assert kinds["hf-daily"] == "hf-daily"


def test_an_item_goes_by_the_address_at_which_it_is_shown(tmp_path: Path) -> None:
    shown = "http://mirror.example/arxiv/abs/2511.22891"
    paper = Item(
        id="arxiv:2511.22891", kind=ItemKind.PAPER, title="T", url=shown, text="Text.", source="arxiv", published=NOW
    )
    with Store(tmp_path / "scout.db") as store:
        store.items.add([paper], NOW)
        assert find(store, shown).id == paper.id


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://hamel.dev/./blog/x", "https://hamel.dev/blog/x"),
        ("https://a.example/x/../y/", "https://a.example/y"),
        ("https://a.example/x/%2e%2E/../y", "https://a.example/y"),
        ("https://a.example/..", "https://a.example"),
    ],
)
def test_dots_in_a_path_lead_to_the_same_post(written: str, meant: str) -> None:
    assert canonical_url(written) == meant
    assert url_id(written) == url_id(meant)


def test_three_dots_are_a_name() -> None:
    assert canonical_url("https://a.example/x/.../y") == "https://a.example/x/.../y"
