"""Settings: what is read, what is refused and in which words, and that what is written can be read again."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from scout import config
from scout.config import ConfigError, Settings, load
from scout.config import comments as config_comments
from scout.config import file as config_file
from scout.items import Subject
from scout.subjects import DEFAULT_SUBJECTS

AGENTS = Subject("agents", "Agents", "They act.", ("tool use",), ("cs.AI",), ("arxiv:2511.21735",))
SAFETY = Subject("safety", "Safety")


@pytest.fixture
def path() -> Path:
    return Path(os.environ["SCOUT_CONFIG"])


def test_without_a_file_the_defaults_are_a_whole_configuration(path: Path) -> None:
    settings = load()
    assert not path.exists()
    assert settings.reader == "me"
    assert [subject.slug for subject in settings.subjects] == [entry["slug"] for entry in DEFAULT_SUBJECTS]


def test_the_environment_wins_over_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('reader = "file"\n[arxiv]\ncategories = ["cs.RO"]\nfirst_days = 1\n')
    monkeypatch.setenv("SCOUT_READER", "environment")
    monkeypatch.setenv("SCOUT_ARXIV__CATEGORIES", '["cs.LG", "cs.CL"]')
    settings = load()
    assert settings.reader == "environment"
    assert settings.arxiv.categories == ("cs.LG", "cs.CL")
    assert settings.arxiv.first_days == 1, "a variable of a section must not hide the section's other keys"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[arxiv\n", "not valid TOML"),
        ('[arxiv]\ncategories = "cs.LG', "not valid TOML"),
        ("[arxiv]\nfirst_days = 99\n", "arxiv.first_days"),
        ("[arxiv]\nfirst_day = 1\n", "arxiv.first_day"),
        ('[digest]\ntimezone = "Mars/Olympus"\n', "digest.timezone"),
        ('[arxiv]\nrss_url = "ftp://example.org"\n', "arxiv.rss_url"),
        ('[[subjects]]\nslug = "A b"\nname = "x"\n', "subjects"),
        ('[[subjects]]\nslug = "a"\nname = "x"\n[[subjects]]\nslug = "a"\nname = "y"\n', "'a' is used twice"),
        ('[[subjects]]\nslug = "other"\nname = "x"\n', "'other' is reserved"),
        ('reader = ""\n', "reader"),
        ("\x00", "not valid TOML"),
        pytest.param(f"today = {'9' * 5_000}", "not valid TOML", id="digits"),
        pytest.param(f"today = {'[' * 5_000}", "not valid TOML", id="brackets"),
    ],
)
def test_a_mistake_in_the_file_names_the_file_and_the_key(path: Path, text: str, words: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load()
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


def test_bytes_that_are_no_text_are_no_toml(path: Path) -> None:
    path.write_bytes(b'reader = "\xff\xfe"\n')
    with pytest.raises(ConfigError, match="not valid TOML"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("SCOUT_ARXIV__FIRST_DAYS", "many"), ("SCOUT_TODAY", "yesterday"), ("SCOUT_DIGEST__TIMEZONE", "Nowhere/Land")],
)
def test_a_mistake_in_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load()


def test_a_list_in_the_environment_that_is_no_json_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_ARXIV__CATEGORIES", "cs.LG, cs.CL")
    with pytest.raises(ConfigError, match=r"(?i)arxiv"):
        load()


# ---- the file that `scout init` writes


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from keys(type(default), f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_template_is_the_defaults(path: Path) -> None:
    config_file.write_template(path)
    assert load() == Settings(config=path)


def test_the_template_shows_every_setting_with_a_comment_on_it() -> None:
    shown = config_file.template().splitlines()
    for key in keys(Settings):
        if key in ("config", "today", "subjects"):  # the environment's alone; and what is written out live
            continue
        assert key in config_comments.KEYS, f"{key} has no comment in scout/config/comments.py"
        assert any(line.startswith(f"#{key.rsplit('.', 1)[-1]} = ") for line in shown), f"{key} is not in the template"


def test_the_template_stays_the_defaults_when_every_line_is_made_live(path: Path) -> None:
    live = [
        line[1:] if line[:1] == "#" and line[1:2].isalpha() else line for line in config_file.template().splitlines()
    ]
    path.write_text("\n".join(live))
    assert load().model_dump(exclude={"config", "data_dir"}) == Settings(config=path).model_dump(
        exclude={"config", "data_dir"}
    )


def test_a_file_that_is_there_is_not_replaced_unless_asked(path: Path) -> None:
    path.write_text('reader = "ada"\n')
    with pytest.raises(config_file.Exists):
        config_file.write_template(path)
    assert load().reader == "ada"


# ---- editing the subjects


def test_subjects_that_are_set_are_the_subjects_that_load(path: Path) -> None:
    config_file.set_subjects(path, [AGENTS, SAFETY])
    assert load().subject_list() == (AGENTS, SAFETY)
    config_file.set_subjects(path, [SAFETY])
    assert load().subject_list() == (SAFETY,)


def test_comments_and_other_settings_stay_when_subjects_change(path: Path) -> None:
    path.write_text(
        '# mine\nreader = "ada"  # that is me\n\n[digest]\nper_subject = 3  # few\n\n'
        '# the one I care about\n[[subjects]]\nslug = "agents"\nname = "Agents"  # a name\nkeywords = ["tool use"]\n\n'
        '[[subjects]]\nslug = "old"\nname = "Old"\n\n[net]\nworkers = 2  # slow line\n'
    )
    config_file.set_subjects(path, [SAFETY, Subject("agents", "Agents", keywords=("planning",))])
    text = path.read_text()
    for comment in ("# mine", "# that is me", "# few", "# a name", "# slow line"):
        assert comment in text
    settings = load()
    assert (settings.reader, settings.digest.per_subject, settings.net.workers) == ("ada", 3, 2)
    assert [subject.slug for subject in settings.subjects] == ["safety", "agents"]
    assert settings.subjects[1].keywords == ("planning",)


def test_a_comment_above_a_subject_goes_where_the_subject_goes(path: Path) -> None:
    path.write_text(
        '[[subjects]]\nslug = "a"\nname = "A"\n\n# about b\n[[subjects]]\nslug = "b"\nname = "B"\n#keywords = []\n\n'
        '# about c\n[[subjects]]\nslug = "c"\nname = "C"\n\n# about the net\n[net]\nworkers = 2'
    )
    config_file.set_subjects(path, [Subject("c", "C"), Subject("new", "New"), Subject("b", "B2")])
    assert path.read_text() == (
        '# about c\n[[subjects]]\nslug = "c"\nname = "C"\n\n[[subjects]]\nslug = "new"\nname = "New"\n\n'
        '# about b\n[[subjects]]\nslug = "b"\nname = "B2"\n#keywords = []\n\n# about the net\n[net]\nworkers = 2\n'
    )


def test_setting_the_same_subjects_again_changes_no_byte(path: Path) -> None:
    config_file.write_template(path)
    once = path.read_bytes()
    config_file.set_subjects(path, load().subject_list())
    assert path.read_bytes() == once


def test_subjects_written_inline_are_replaced(path: Path) -> None:
    path.write_text('subjects = [{slug = "a", name = "A"}]\nreader = "ada"\n[net]\nworkers = 3\n')
    config_file.set_subjects(path, [AGENTS])
    settings = load()
    assert (settings.subject_list(), settings.reader, settings.net.workers) == ((AGENTS,), "ada", 3)


def test_a_broken_file_is_not_touched(path: Path) -> None:
    path.write_text("[digest\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        config_file.set_subjects(path, [AGENTS])
    assert path.read_text() == "[digest\n"


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        ([], "at least one"),
        ([AGENTS, AGENTS], "used twice"),
        ([Subject("other", "Other")], "reserved"),
        ([Subject("No Slug", "x")], "slug"),
        ([Subject("fine", "")], "name"),
    ],
)
def test_subjects_that_would_not_load_are_not_written(path: Path, subjects: list[Subject], words: str) -> None:
    config_file.set_subjects(path, [SAFETY])
    with pytest.raises(ConfigError, match=words):
        config_file.set_subjects(path, subjects)
    assert load().subject_list() == (SAFETY,)


def test_subjects_in_the_environment_are_said_to_win(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_SUBJECTS", '[{"slug": "x", "name": "X"}]')
    with pytest.raises(ConfigError, match="SCOUT_SUBJECTS"):
        config_file.set_subjects(path, [AGENTS])


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SUBJECTS = st.lists(
    st.builds(
        Subject,
        slug=st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}", fullmatch=True).filter(lambda slug: slug != "other"),
        name=TEXT.filter(bool),
        description=TEXT,
        keywords=st.lists(TEXT, max_size=3).map(tuple),
        categories=st.lists(TEXT, max_size=2).map(tuple),
        liked=st.lists(TEXT, max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda subject: subject.slug,
)


@given(first=SUBJECTS, second=SUBJECTS)
def test_whatever_subjects_hold_survives_the_file(
    first: list[Subject], second: list[Subject], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("config") / "scout.toml"
    for subjects in (first, second):
        config_file.set_subjects(path, subjects)
        written = tomllib.loads(path.read_text(encoding="utf-8"))["subjects"]
        assert [config.SubjectSettings(**entry).subject() for entry in written] == subjects


def test_a_write_keeps_the_files_mode_and_follows_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text('reader = "ada"\n')
    real.chmod(0o600)
    link.symlink_to(real)
    config_file.set_subjects(link, [AGENTS])
    assert link.is_symlink()
    assert "agents" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == [], "no temporary file is left"


def test_a_write_that_fails_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.set_subjects(path, [SAFETY])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        config_file.set_subjects(path, [AGENTS])
    assert load().subject_list() == (SAFETY,)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name]
