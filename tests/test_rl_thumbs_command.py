"""`scout rl thumbs` on a made-up archive and a tiny model: the table it ends in, going on, what it is told reaches the run."""

from __future__ import annotations

import json
from datetime import date

import pytest

pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")
pytest.importorskip("sklearn")

import tiny_model
import triage_samples
from cli_help import scout
from measure_samples import about, archive, write
from thread_samples import NOON

from rl import checkpoints, picks
from rl.guesses import standings
from scout.triage.policy import Thumbed
from scout.triage.prompting import rate_messages, rubric, shown


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, papers = tmp_path_factory.mktemp("thumbs"), archive()
    asked = rubric(picks.profile())
    texts = [
        part.content for item in papers.items for part in rate_messages(asked, shown(item, limit=400), standing=0.5)
    ]
    model = tiny_model.written(folder / "tiny", texts)
    return str(model), *write(folder, papers, about("agents", papers))


def run(files, folder, *more):
    model, papers, named = files
    return scout(
        "rl", "thumbs", model, "--papers", papers, "--picks", named, "--pick", "ada", "--train-until", "2025-11-09",
        "--folder", str(folder), "--labels", "24", "--tests", "12", "--chars", "100", "--epochs", "1", *more,
    )  # fmt: skip


def test_it_ends_in_a_table_of_who_ranks_the_tests_how_well(files, tmp_path) -> None:
    done = run(files, tmp_path / "run", "--cispo", "1", "--estimate", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [each["name"] for each in told["policies"]] == [
        picks.YARDSTICK, picks.DEFAULT_RECIPE, "untrained", "adapter, KTO alone", "adapter, told the estimate",
    ]  # fmt: skip
    assert all(0 <= each["auc"] <= 1 for each in told["policies"])
    assert told["ended"]
    assert told["steps"] == 6
    assert told["processor_seconds"] > 0
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").exists()


def test_a_run_that_was_stopped_says_how_far_it_is_and_goes_on_to_the_end(files, tmp_path) -> None:
    stopped = run(files, tmp_path / "run", "--cispo", "0", "--minutes", "0.0001")
    assert "1 steps" in stopped.out
    assert "the same command goes on" in stopped.out
    ended = run(files, tmp_path / "run", "--cispo", "0")
    assert "3 steps" in ended.out
    assert "KTO alone" not in ended.out
    assert picks.YARDSTICK in ended.out


def test_guesses_are_learned_beside_the_thumbs(files, tmp_path) -> None:
    done = run(files, tmp_path / "run", "--cispo", "0", "--guesses", "20", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["guesses"] == 20
    assert told["steps"] == 5  # 24 thumbs and 20 guesses, ten a step


@pytest.mark.parametrize(("option", "one", "another"), [("--body", "bfloat16", "float32"), ("--dropout", "0.2", "0")])
def test_what_is_asked_for_is_what_trains(files, tmp_path, option, one, another) -> None:
    run(files, tmp_path / "run", "--cispo", "0", option, one, "--minutes", "0.0001")
    assert (tmp_path / "run" / checkpoints.NAME).exists()
    other = run(files, tmp_path / "run", "--cispo", "0", option, another)
    assert other.code != 0
    assert "other settings" in other.err


def test_guesses_are_spread_over_where_papers_stand_and_count_as_much_as_they_are_sure() -> None:
    papers = archive()
    setting = picks.Setting(pick="ada", train_until=date(2025, 11, 9), labels=24, tests=12, watched=10)
    found = picks.drawn(papers, about("agents", papers), setting)
    said = picks.estimates(found, picks.DEFAULT_RECIPE, 0)
    made = picks.guessed(found, picks.DEFAULT_RECIPE, said, 20, seed=0)
    labelled = {thumb.item.id for thumb in (*found.thumbs, *found.watched, *found.tests)}
    assert 0 < len(made) <= 20
    assert not labelled & {item.id for item, _ in made}
    assert {item.id for item, _ in made} <= {item.id for item in found.seen.items}
    assert {label.up for _, label in made} == {True, False}
    assert all(0 <= label.weight <= 1 for _, label in made)
    thought = picks.embedded(picks.DEFAULT_RECIPE, found.seen, found.thumbs, [item for item, _ in made])
    by_chance = sorted(made, key=lambda each: thought[each[0].id])
    towards_yes = [label.sure if label.up else -label.sure for _, label in by_chance]
    assert towards_yes == sorted(towards_yes)
    assert towards_yes[0] < towards_yes[-1]


def test_where_a_paper_stands_is_told_by_order_alone_and_against_the_thumbs() -> None:
    items = [triage_samples.paper(n, "agents") for n in range(6)]
    thumbs = [Thumbed(item, n % 2 == 0, (), NOON) for n, item in enumerate(items[:4])]
    said = dict(zip((item.id for item in items), (0.001, 0.02, 0.02, 0.4, 0.9, 0.0), strict=True))
    found = standings(said, thumbs)
    assert [found[item.id] for item in items] == [0.125, 0.5, 0.5, 0.875, 1.0, 0.0]
    assert standings({name: chance / 3 for name, chance in said.items()}, thumbs) == found
