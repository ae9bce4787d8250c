"""What the digest is sorted by. Edited here, kept in scout.toml, its comments untouched; what one follows is one's own."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from textwrap import shorten

import streamlit as st

from dashboard import actions, ui
from dashboard.session import Here
from dashboard.session import here as who_reads
from scout.config import config_path
from scout.config import file as config_file
from scout.items import Subject


def parts(typed: str) -> tuple[str, ...]:
    """What was typed between commas and line ends, each once."""
    return tuple(dict.fromkeys(part for part in (piece.strip() for piece in re.split(r"[,\n]+", typed)) if part))


def references(typed: str) -> tuple[str, ...]:
    """Examples as they were typed: a BibTeX entry is one, however many lines it has; else one a line."""
    entries = re.findall(r"@\w+\s*\{.*?^\s*\}\s*$", typed, re.DOTALL | re.MULTILINE)
    rest = typed
    for entry in entries:
        rest = rest.replace(entry, "\n")
    lines = [line.strip() for line in rest.splitlines() if line.strip()]
    return tuple(dict.fromkeys([*lines, *(entry.strip() for entry in entries)]))


def slug_of(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_name)) or "subject"


def write(here: Here, subjects: list[Subject], done: str) -> None:
    with actions.told():
        actions.need_admin(here)
        config_file.set_subjects(config_path(), subjects)
        st.session_state["subjects-done"] = done


def typed(key: str, slug: str, name: str) -> Subject:
    """A subject as the form `key` holds it."""
    state = st.session_state
    return Subject(
        slug, name, state[f"{key}-description"].strip(), parts(state[f"{key}-keywords"]),
        parts(state[f"{key}-categories"]), references(state[f"{key}-liked"]),
    )  # fmt: skip


def save(here: Here, slug: str) -> None:
    old = list(here.settings.subject_list())
    name = st.session_state[f"{slug}-name"].strip()
    write(here, [typed(slug, slug, name) if one.slug == slug else one for one in old], f"{name} is saved.")


def remove(here: Here, slug: str) -> None:
    before = list(here.settings.subject_list())
    write(here, [one for one in before if one.slug != slug], "It is removed; nothing it sorted is lost.")
    if "subjects-done" in st.session_state:
        st.session_state["subjects-before"] = before


def bring_back(here: Here, before: list[Subject]) -> None:
    """Undo of the removal just made."""
    write(here, before, "It is back.")


def add(here: Here) -> None:
    name = st.session_state["new-name"].strip()
    old = here.settings.subject_list()
    slug, number = slug_of(name), 2
    while slug in {one.slug for one in old} | {"other"}:
        slug, number = f"{slug_of(name)}-{number}", number + 1
    write(here, [*old, replace(typed("new", slug, name), name=name)], f"{name} is added.")


def follow(here: Here) -> None:
    slugs = {one.slug for one in here.settings.subject_list()}
    chosen = set(st.session_state["follow"])
    with actions.told(), here.store() as store:
        store.readers.follow(here.reader, None if chosen >= slugs else chosen)


def fields(key: str, subject: Subject) -> None:
    """The inputs of one subject."""
    st.text_input("Name", subject.name, key=f"{key}-name")
    st.text_area("Description, in a sentence or two", subject.description, key=f"{key}-description", height=80)
    st.text_area("Keywords, separated by commas", ", ".join(subject.keywords), key=f"{key}-keywords", height=80)
    st.text_input(
        "arXiv categories", ", ".join(subject.categories), key=f"{key}-categories", placeholder="cs.CL, cs.LG"
    )
    st.text_area(
        "Papers that belong here: ids, addresses or BibTeX, one a line", "\n".join(subject.liked), key=f"{key}-liked",
        height=100,
    )  # fmt: skip


here = who_reads()
subjects = here.settings.subject_list()
with here.store() as store:
    row = store.readers.get(here.reader)

st.title("Subjects", anchor=False)
if message := actions.trouble():
    ui.trouble(message)
if done := st.session_state.pop("subjects-done", None):
    st.success(f"{ui.md(done)} The next run decides by it.", icon=":material/check:")
    if (before := st.session_state.pop("subjects-before", None)) is not None:
        st.button(
            "Undo", icon=":material/undo:", type="tertiary", on_click=bring_back, args=(here, before), key="undo-remove"
        )

names = {subject.slug: subject.name for subject in subjects}
followed = [slug for slug in names if row is None or row.subjects is None or slug in row.subjects]
st.session_state["follow"] = followed
st.pills(
    "You follow", list(names), selection_mode="multi", key="follow", on_change=follow, args=(here,),
    format_func=lambda slug: ui.md(names[slug]), wrap=True,
)  # fmt: skip
if here.is_admin:
    st.caption(
        f"The subjects are kept in {ui.md(config_path().name)}, for all readers of this installation.",
        help=ui.md(str(config_path().resolve())),
    )
else:
    said = ui.join(ui.html("<p><b>{}</b><br>{}</p>", ui.text(one.name), ui.text(one.description)) for one in subjects)
    ui.show(said)
    st.stop()

for subject in subjects:
    with st.expander(f"**{ui.md(subject.name)}** · {ui.md(shorten(subject.description, 80, placeholder='…'))}"):
        with st.form(f"form-{subject.slug}", border=False):
            fields(subject.slug, subject)
            st.form_submit_button("Save", type="primary", on_click=save, args=(here, subject.slug))
        if len(subjects) > 1:
            st.button(
                "Remove", key=f"remove-{subject.slug}", type="tertiary", icon=":material/delete:", on_click=remove,
                args=(here, subject.slug),
            )  # fmt: skip

with st.expander("Add a subject", icon=":material/add:"), st.form("form-new", border=False, clear_on_submit=True):
    fields("new", Subject("new", ""))
    st.form_submit_button("Add", type="primary", on_click=add, args=(here,))
