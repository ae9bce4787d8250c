"""A judge's agreement with people, and `scout eval judge`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_help import scout
from jsonschema import validate
from scripted_server import ScriptedServer, serving

from evals import judge
from evals.judge_labels import LABELLED

SetEnv = Callable[[dict[str, str]], None]
ROOT = Path(__file__).resolve().parents[1]
BY_HAND = [each.grade for each in LABELLED]


@pytest.fixture
def server(setenv: SetEnv, tmp_path: Path) -> Iterator[ScriptedServer]:
    with serving() as running:
        setenv({"SCOUT_MODEL__BASE_URLS": json.dumps([running.base_url]), "SCOUT_DATA_DIR": str(tmp_path)})
        yield running


def test_agreement_is_counted_as_by_hand() -> None:
    found = judge.agreement([1, 2, 3, 4], [1, 2, 4, 2])
    assert (found.equal, found.near, found.n) == (0.5, 0.75, 4)
    by_chance = sum((a - b) ** 2 for a in (1, 2, 3, 4) for b in (1, 2, 4, 2)) / 16
    assert found.kappa == pytest.approx(1 - (5 / 4) / by_chance)


def test_kappa_is_one_for_equal_grades_and_nothing_for_one_grade_always() -> None:
    assert judge.agreement(BY_HAND, BY_HAND).kappa == 1
    assert judge.agreement([3] * len(BY_HAND), BY_HAND).kappa <= 0


def test_grades_of_other_reports_are_refused() -> None:
    with pytest.raises(ValueError, match="not 1 and 2"):
        judge.agreement([1], [1, 2])


def test_the_labels_hold_every_grade_for_every_task() -> None:
    assert {grade: BY_HAND.count(grade) for grade in (1, 2, 3, 4)} == {1: 5, 2: 4, 3: 3, 4: 4}
    assert len({each.report for each in LABELLED}) == len(LABELLED)


def test_a_judge_that_says_what_people_say_agrees_wholly(server: ScriptedServer) -> None:
    right = {each.report: str(each.grade) for each in LABELLED}

    def labelling(request: object, labels: object) -> dict[str, float]:
        text = json.dumps(getattr(request, "body", {}), ensure_ascii=False)
        grade = next(grade for report, grade in right.items() if json.dumps(report, ensure_ascii=False)[1:-1] in text)
        return {each: 0.9 if each == grade else 0.03 for each in judge.GRADES}

    server.labelling = labelling
    done = scout("eval", "judge", "--json")
    assert done.code == 0, done.err
    assert (done.json["agreement"]["equal"], done.json["agreement"]["kappa"], done.json["grades"]) == (1, 1, [])
    validate(done.json, json.loads((ROOT / "docs/schemas/eval-judge.schema.json").read_text()))
    assert "same grade as people in 100% of 16 reports" in scout("eval", "judge").out


@pytest.mark.parametrize("run", ["nothing", "../../etc"])
def test_a_run_that_is_not_kept_is_named(server: ScriptedServer, run: str) -> None:
    done = scout("eval", "judge", run)
    assert done.code == 1
    assert f"no run '{run}'" in done.err


def test_without_an_endpoint_there_is_no_judge(tmp_path: Path, setenv: SetEnv) -> None:
    setenv({"SCOUT_DATA_DIR": str(tmp_path)})
    assert scout("eval", "judge").code == 78
