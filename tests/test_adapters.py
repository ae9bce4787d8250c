"""An adapter of the served model: brought in, judged against what reads now, loaded, pointed at, and taken back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import policy_samples
import pytest
from adapter_samples import knows, written
from click.testing import CliRunner, Result
from eval_samples import adds, suite
from policy_samples import READER, copied, two_recipes, weekdays
from scripted_server import Request, ScriptedServer, serving

pytest.importorskip("inspect_ai", reason="the evals extra is not installed")

from evals import trust
from rl import promote, safeguards
from scout import adapter_files, adapters
from scout.adapter_files import BadAdapter
from scout.cli.app import app
from scout.config import Settings, load
from scout.exit_codes import Exit
from scout.policies import NoChange
from scout.reading import enrich
from scout.store import Store
from scout.store.adapters import AdapterRow
from scout.store.promotions import Action

DAYS = weekdays(12)
CUT = DAYS[3].isoformat()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which someone has read for two weeks."""
    folder = tmp_path_factory.mktemp("weeks")
    with policy_samples.weeks(folder, days=12, a_day=60):
        return folder


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as running:
        knows(running)
        running.script = adds
        yield running


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, weeks: Path, server: ScriptedServer) -> Iterator[tuple[Store, Settings]]:
    """That reader, a server, and one suite that is about safety."""
    two_recipes(monkeypatch)
    monkeypatch.setattr(safeguards, "installed", lambda folder: {"sums": replace(suite(), domain="safety")})
    monkeypatch.setattr(trust, "vet", lambda suite: "")

    async def fine(*_: object, **__: object) -> tuple[str, dict[str, Any]]:
        return "", {}

    monkeypatch.setattr(trust, "label", fine)
    values = {"TODAY": DAYS[-1].isoformat(), "MODEL__BASE_URLS": json.dumps([server.base_url])}
    with copied(monkeypatch, weeks, **values, TRAIN__SUITES='["sums"]') as own:
        yield own


def brought(here: tuple[Store, Settings], source: Path, **facts: Any) -> AdapterRow:
    told = {"held_out_since": CUT, "parity": {"verdict": ""}, **facts}
    return adapters.adopt(*here, READER, source, base="scripted", facts=told)


def scout(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


# --- files


def test_what_is_brought_in_is_copied_and_looked_at_before_it_is_used(
    here: tuple[Store, Settings], tmp_path: Path
) -> None:
    source = written(tmp_path / "mine")
    row = brought(here, source)
    shutil.rmtree(source)
    place = adapter_files.verify(here[1], row.name, row.checksum)
    assert place.parent == here[1].data_dir / "adapters"
    assert sorted(path.name for path in place.iterdir()) == sorted(adapter_files.FILES)
    written(place, weight=2)
    with pytest.raises(BadAdapter, match="checksum differs"):
        adapter_files.verify(here[1], row.name, row.checksum)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "a/b", "..", "", "A", "x" * 200, "a\n"], ids=range(8))
def test_a_name_that_leads_elsewhere_is_refused(here: tuple[Store, Settings], name: str) -> None:
    with pytest.raises(BadAdapter, match="names no adapter"):
        adapter_files.folder(here[1], name)


def test_a_link_in_the_place_of_a_folder_is_refused(here: tuple[Store, Settings], tmp_path: Path) -> None:
    row = brought(here, written(tmp_path / "mine"))
    place = adapter_files.home(here[1]) / row.name
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    with pytest.raises(BadAdapter, match="leads elsewhere"):
        adapter_files.verify(here[1], row.name, row.checksum)


def test_a_folder_that_is_no_adapter_is_refused_and_leaves_nothing(
    here: tuple[Store, Settings], tmp_path: Path
) -> None:
    pickled = written(tmp_path / "pickled")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    cut = written(tmp_path / "cut")
    whole = (cut / "adapter_model.safetensors").read_bytes()
    (cut / "adapter_model.safetensors").write_bytes(whole[:-1])
    for source, why in (
        (pickled, "holds no adapter_model.safetensors"), (cut, "cut off"), (tmp_path / "none", "holds no adapter_config"),
        (written(tmp_path / "other", kind="IA3"), "only LoRA"),
    ):  # fmt: skip
        with pytest.raises(BadAdapter, match=why):
            brought(here, source)
    assert not adapter_files.home(here[1]).exists()
    assert here[0].adapters.listing(READER) == []


# --- who reads


def test_an_adapter_is_loaded_under_its_own_path_then_reads_and_is_dropped_when_rolled_back(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    store, settings = here
    one, two = (brought(here, written(tmp_path / str(n), weight=n)) for n in (1, 2))
    adapters.promote(store, settings, READER, one.name, by="cli", forced=True)
    assert server.adapters == {one.name: str(adapter_files.folder(settings, one.name).resolve())}
    assert adapters.asked(store, settings, READER).name == one.name
    assert adapters.asked(store, settings, "somebody else").name == ""

    adapters.promote(store, settings, READER, two.name, by="cli", forced=True)
    assert list(server.adapters) == [two.name], "the one before serves nobody any more"
    back = adapters.rollback(store, settings, READER, by="cli", why="worse")
    assert (back.recipe, back.action, list(server.adapters)) == (f"adapter:{one.name}", Action.ROLLBACK, [one.name])
    adapters.rollback(store, settings, READER, by="cli")
    assert (store.adapters.serving(READER), server.adapters) == ("", {})
    again = adapters.restore(store, settings, READER, by="cli")
    assert (again.recipe, list(server.adapters)) == (f"adapter:{one.name}", [one.name])


def test_an_adapter_that_another_reader_reads_with_stays_loaded(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    store, settings = here
    row = brought(here, written(tmp_path / "mine"))
    adapters.promote(store, settings, READER, row.name, by="cli", forced=True)
    store.adapters.crown("ada", row.name, row.made_at, reason="shared")
    adapters.rollback(store, settings, READER, by="cli")
    assert list(server.adapters) == [row.name]


@pytest.mark.parametrize("fault", ["away", "refused", "other model", "changed files"])
def test_where_the_server_will_not_have_it_nothing_changes(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path, fault: str
) -> None:
    store, settings = here
    row = brought(here, written(tmp_path / "mine"))
    if fault == "away":
        server.stop()
    elif fault == "refused":
        server.takes_adapters = False
    elif fault == "other model":
        server.model = "another"
    else:
        written(adapter_files.home(settings) / row.name, weight=9)
    done = scout("policy", "promote", row.name, "--force", "--why", "try")
    assert done.exit_code == (Exit.LATER if fault == "away" else 1), done.output
    assert "nothing was changed" in done.output
    assert store.adapters.serving(READER) == ""
    assert store.promotions.listing(READER) == []
    assert server.adapters == {}


def test_back_to_the_model_itself_needs_no_server_and_back_to_an_adapter_does(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    store, settings = here
    one, two = (brought(here, written(tmp_path / str(n), weight=n)) for n in (1, 2))
    for row in (one, two):
        adapters.promote(store, settings, READER, row.name, by="cli", forced=True)
    server.stop()
    with pytest.raises(adapters.ServerTrouble, match="nothing was changed"):
        adapters.rollback(store, settings, READER, by="cli")
    assert store.adapters.serving(READER) == two.name
    server.start()
    adapters.rollback(store, settings, READER, by="cli")
    server.stop()
    adapters.rollback(store, settings, READER, by="cli")
    assert store.adapters.serving(READER) == ""


def test_a_server_that_was_started_again_gets_the_adapter_before_anything_is_read(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    store, settings = here
    row = brought(here, written(tmp_path / "mine"))
    adapters.promote(store, settings, READER, row.name, by="cli", forced=True)
    server.adapters.clear()
    server.requests.clear()
    report = enrich.enrich(
        store, settings.model_copy(update={"model": settings.model.model_copy(update={"items_per_run": 2})}), READER
    )
    assert report.done == 2
    assert report.model == row.name
    rated = {chat.body["model"] for chat in server.chats if "from 1 to 5" in chat.last}
    others = {chat.body["model"] for chat in server.chats if "from 1 to 5" not in chat.last}
    assert (rated, others) == ({row.name}, {row.base})  # what it was not trained to do is left to the model beneath it


def test_an_adapter_whose_files_are_gone_stops_reading_and_says_what_to_do(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    store, settings = here
    row = brought(here, written(tmp_path / "mine"))
    adapters.promote(store, settings, READER, row.name, by="cli", forced=True)
    server.adapters.clear()
    shutil.rmtree(adapter_files.home(settings) / row.name)
    report = enrich.enrich(store, settings, READER)
    assert report.done == 0
    assert report.misconfigured
    assert "scout policy rollback" in report.message


def test_a_recipe_and_an_adapter_are_taken_back_in_the_order_in_which_they_came(
    here: tuple[Store, Settings], tmp_path: Path
) -> None:
    store, _ = here
    row = brought(here, written(tmp_path / "mine"))
    assert scout("policy", "promote", "keen-1", "--force", "--why", "x").exit_code == 0
    assert scout("policy", "promote", row.name, "--force", "--why", "x").exit_code == 0
    told = json.loads(scout("policy", "list", "--json").stdout)
    assert {each["recipe"] for each in told if each["serves"]} == {"keen-1", f"adapter:{row.name}"}
    assert f"adapter:none serves {READER} again" in scout("policy", "rollback").output
    assert store.policies.champion(READER).recipe == "keen-1"  # type: ignore[union-attr]
    assert "dull-1 serves" in scout("policy", "rollback").output


def test_a_path_is_not_promoted_and_it_is_said_how_one_is_brought_in(
    here: tuple[Store, Settings], tmp_path: Path
) -> None:
    written(tmp_path / "mine")
    done = scout("policy", "promote", str(tmp_path / "mine"), "--force", "--why", "x")
    assert done.exit_code == 1
    assert "scout policy adopt" in done.output
    made = scout("policy", "adopt", str(tmp_path / "mine"), "--seen-until", CUT, "--json")
    assert made.exit_code == 0, made.output
    name = json.loads(made.stdout)["adapter"]
    assert here[0].adapters.get(name).facts["held_out_since"] == CUT  # type: ignore[union-attr]


# --- the gate


def challenged(here: tuple[Store, Settings], row: AdapterRow) -> Any:
    return promote.challenge(*here, READER, row.name, by="test")


def test_one_that_knows_the_reader_and_loses_nothing_passes_and_is_promoted(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    store, _ = here
    row = brought(here, written(tmp_path / "mine"))
    met = challenged(here, row)
    assert met.passed, met.evidence["reason"]
    assert met.evidence["auc"]["challenger"] > met.evidence["auc"]["champion"] + 0.2
    assert [(each["suite"], each["result"]) for each in met.evidence["evals"]["rows"]] == [("sums", "tie")]
    assert store.adapters.serving(READER) == "", "a challenge changes nothing about who serves"
    done = scout("policy", "promote", row.name)
    assert done.exit_code == 0, done.output
    assert store.adapters.serving(READER) == row.name
    (change,) = store.promotions.listing(READER)
    assert not change.forced
    assert change.evidence["passed"]


def test_a_loss_on_a_suite_about_safety_is_too_much_however_well_it_knows_the_reader(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    row = brought(here, written(tmp_path / "mine"))

    def forgets(request: Request) -> str:
        return "no idea" if request.body.get("model") == row.name else adds(request)

    server.script = forgets
    met = challenged(here, row)
    assert not met.passed
    assert "foresees these thumbs better" in met.evidence["reason"]
    assert "sums fell from 100.0% to 0.0%" in met.evidence["reason"]
    assert server.adapters == {}, "one that did not pass is dropped again"
    refused = scout("policy", "promote", row.name)
    assert refused.exit_code == 1
    assert "sums fell" in refused.output


def test_one_that_says_the_same_as_the_model_is_not_promoted(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    row = brought(here, written(tmp_path / "mine"))
    server.labelling = lambda request, tokens: dict.fromkeys(tokens, 1.0)
    met = challenged(here, row)
    assert not met.passed
    assert met.evidence["evals"]["rows"] == [], "the suites are not asked where the thumbs have decided"


@pytest.mark.parametrize(
    ("facts", "suites", "why"),
    [
        ({"parity": None}, '["sums"]', "not shown: that trainer and server computed one function"),
        ({"parity": {"verdict": "layer 3: off"}}, '["sums"]', "trainer and server differ: layer 3"),
        ({}, '["gone"]', "no suite is called gone"),
        ({}, "[]", "no suite of train.suites is about safety"),
    ],
    ids=["no parity", "parity fault", "suite gone", "no safety"],
)
def test_evidence_that_is_missing_is_a_reason_not_to_promote(
    here: tuple[Store, Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    facts: dict[str, Any],
    suites: str,
    why: str,
) -> None:
    monkeypatch.setenv("SCOUT_TRAIN__SUITES", suites)
    row = brought(here, written(tmp_path / "mine"), **facts)
    met = promote.challenge(here[0], load(), READER, row.name, by="test")
    assert not met.passed
    assert why in met.evidence["reason"]


def test_with_too_few_thumbs_held_out_nothing_is_asked_of_the_server(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    row = brought(here, written(tmp_path / "mine"), held_out_since=DAYS[-1].isoformat())
    met = challenged(here, row)
    assert not met.passed
    assert not met.evidence["decided"]
    assert server.requests == []


def test_one_that_does_not_say_what_it_has_seen_cannot_be_judged(here: tuple[Store, Settings], tmp_path: Path) -> None:
    row = brought(here, written(tmp_path / "mine"), held_out_since="")
    with pytest.raises(NoChange, match="--seen-until"):
        challenged(here, row)


def test_a_server_that_goes_away_while_judging_leaves_no_verdict(
    here: tuple[Store, Settings], server: ScriptedServer, tmp_path: Path
) -> None:
    row = brought(here, written(tmp_path / "mine"))
    server.stop()
    done = scout("policy", "challenge", row.name)
    assert done.exit_code == Exit.LATER, done.output
    assert here[0].promotions.challenges(READER) == []
