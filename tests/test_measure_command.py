"""`scout eval triage|routing|summaries`: what they print, write, keep and say of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cli_help import fill, scout
from measure_samples import A_DAY, about, archive, write

from scout.config import load
from scout.store import Store
from scout.triage.recipes import DEFAULT

pytest.importorskip("sklearn")
pytest.importorskip("rouge_score")

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schemas"
TEXTS = [
    {
        "paper_id": "one", "title": "Folding caches",
        "source": ["Long caches are slow.", "We show that folding the cache of old tokens halves memory.", "Code is at x.org."],
        "target": ["Folding old tokens of a cache halves memory.", "A smaller cache."],
    },
    {
        "paper_id": "two", "title": "", "source": ["We propose a planner that asks for help when unsure."],
        "target": ["A planner asks for help."],
    },
    {"paper_id": "three", "title": "Nothing to read", "source": [], "target": ["Nothing."]},
]  # fmt: skip


@pytest.fixture
def files(tmp_path):
    papers = archive()
    return write(tmp_path, papers, about("agents", papers))


def triage(files, *more: str, pick: str = "ada", until: str = "2025-11-09"):
    return scout(
        "eval", "triage", "--papers", files[0], "--picks", files[1], "--pick", pick, "--train-until", until,
        "--policy", DEFAULT, "--policy", "random", *more,
    )  # fmt: skip


def valid(document: object, name: str) -> None:
    jsonschema.validate(document, json.loads((SCHEMAS / name).read_text(encoding="utf-8")))


def test_json_fits_its_schema_and_predictions_are_a_line_a_paper(files, tmp_path):
    done = triage(files, "--json", "--predictions", str(tmp_path / "out.jsonl"))
    assert done.code == 0, done.err
    valid(done.json, "measure-triage.schema.json")
    (reader,) = done.json["readers"]
    assert (reader["pick"], reader["baseline"]) == ("ada", "random")
    assert reader["policies"][0]["auc"]["value"] > 0.97
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(lines) == 2 * A_DAY
    assert set(lines[0]) == {"id", "day", "probability", "lane"}
    assert not lines[0]["id"].startswith("arxiv:")


def test_a_reader_without_picks_gives_nulls_and_says_so(files):
    done = triage(files, "--json", pick="nobody")
    assert done.code == 0, done.err
    valid(done.json, "measure-triage.schema.json")
    assert done.json["readers"][0]["policies"][0]["auc"]["value"] is None
    assert "No test paper was picked" in " ".join(done.json["readers"][0]["notes"])
    assert "No test paper was picked" in triage(files, pick="nobody").err


def test_the_table_has_a_row_a_policy(files):
    rows = [line.split("\t") for line in triage(files, "--labels", "20", "--draws", "2").out.splitlines()]
    assert [row[0] for row in rows] == [DEFAULT, "random"]
    assert rows[1][5:8] == ["–", "–", "–"]


def test_what_was_measured_is_kept_where_there_is_a_database(files):
    fill()
    assert triage(files).code == 0
    with Store(load().database) as store:
        kept = store.measures.listing("triage")
    assert [(row.name, row.recipe) for row in kept] == [("ada", DEFAULT), ("ada", "random")]
    assert kept[0].figures["auc"] > 0.97
    assert kept[0].about["train_until"] == "2025-11-09"


def test_without_a_database_none_is_made(files):
    assert triage(files).code == 0
    assert not load().database.exists()


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--test-until", "2025-11-09"), 2, "must be after --train-until"),
        (("--test-until", "soon"), 2, "--test-until"),
        (("--policy", "magic"), 2, "known are linear-1"),
        (("--labels", "-1"), 2, "--labels"),
        (("--pick", "nobody", "--predictions", "x.jsonl"), 2, "--predictions takes one --pick"),
        (("--pick", "zoe"), 1, "no picks of 'zoe'; it has those of ada, nobody"),
    ],
    ids=["until", "date", "policy", "labels", "two-picks", "pick"],
)
def test_what_is_wrong_with_the_question_is_said(files, more, code, said):
    done = triage(files, *more)
    assert (done.code, done.out) == (code, "")
    assert said in " ".join(done.err.split())


def test_a_day_beyond_the_file_says_which_days_there_are(files):
    done = triage(files, until="2026-01-01")
    assert done.code == 1
    assert "the papers are from 2025-11-03 to 2025-11-10" in done.err


def test_a_broken_line_is_named(files):
    with Path(files[0]).open("a") as papers:
        papers.write("{broken\n")
    done = triage(files)
    assert done.code == 1
    assert f"papers.jsonl, line {8 * A_DAY + 1}: not JSON" in done.err


def test_without_scikit_learn_peers_are_left_out_and_one_named_says_what_to_install(files, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "sklearn" else real(name, *rest)
    )
    named = triage(files, "--policy", "tfidf-svm")
    assert named.code == 1
    assert "pip install 'scout[evals]'" in named.err
    done = scout(
        "eval", "triage", "--papers", files[0], "--picks", files[1], "--pick", "ada", "--train-until", "2025-11-09"
    )
    assert [row.split("\t")[0] for row in done.out.splitlines()][1:] == ["random"]
    assert "are left out" in done.err


class TestRouting:
    def test_a_paper_comes_under_its_primary_category(self, files, tmp_path):
        done = scout(
            "eval", "routing", "--papers", files[0], "--train-until", "2025-11-09", "--json",
            "--predictions", str(tmp_path / "routed.jsonl"),
        )  # fmt: skip
        assert done.code == 0, done.err
        valid(done.json, "measure-routing.schema.json")
        by_name = {row["policy"]: row for row in done.json["policies"]}
        assert by_name["tfidf-logistic"]["accuracy"]["value"] > 0.95
        assert by_name[DEFAULT]["accuracy"]["value"] > 0.9
        assert by_name["majority"]["accuracy"]["value"] == 0.25
        assert by_name["majority"]["macro_f1"]["value"] == pytest.approx(0.1)
        lines = [json.loads(line) for line in (tmp_path / "routed.jsonl").read_text().splitlines()]
        assert len(lines) == 2 * A_DAY
        assert set(lines[0]) == {"id", "day", "category", "predicted"}

    def test_one_category_is_nothing_to_route_to(self, files):
        text = Path(files[0]).read_text()
        for category in ("cs.CV", "q-bio.BM", "q-fin.PM"):
            text = text.replace(category, "cs.MA")
        Path(files[0]).write_text(text)
        done = scout("eval", "routing", "--papers", files[0], "--train-until", "2025-11-09")
        assert done.code == 1
        assert "nothing to route to" in done.err


class TestSummaries:
    @pytest.fixture
    def data(self, tmp_path):
        (tmp_path / "data.jsonl").write_text("".join(json.dumps(each) + "\n" for each in TEXTS))
        return str(tmp_path / "data.jsonl")

    def test_figures_and_lines(self, data, tmp_path):
        done = scout("eval", "summaries", "--data", data, "--json", "--predictions", str(tmp_path / "out.jsonl"))
        assert done.code == 0, done.err
        valid(done.json, "measure-summaries.schema.json")
        rows = {row["by"]: row for row in done.json["rows"]}
        assert set(rows) == {"extractive", "title", "lead", "lexrank", "random"}
        assert rows["title"]["beyond_title"] == 0
        assert rows["extractive"]["grounded"] == 1
        assert rows["extractive"]["rouge1"]["value"] > rows["lead"]["rouge1"]["value"]
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [line["id"] for line in lines] == ["one", "two", "three"]
        assert lines[0]["summary"].startswith("We show that folding")

    def test_a_model_needs_an_endpoint(self, data):
        done = scout("eval", "summaries", "--data", data, "--by", "model")
        assert done.code == 78
        assert "model.base_urls" in done.err

    @pytest.mark.parametrize(
        ("record", "said"),
        [
            ({"paper_id": "x"}, "`source`"),
            (TEXTS[0] | {"target": [" "]}, "`target`"),
            (TEXTS[0] | {"paper_id": 3}, "`paper_id`"),
        ],
        ids=["no-source", "no-target", "no-id"],
    )
    def test_a_bad_line_is_named(self, data, record, said):
        with Path(data).open("a") as lines:
            lines.write(json.dumps(record) + "\n")
        done = scout("eval", "summaries", "--data", data)
        assert done.code == 1
        assert "data.jsonl, line 4" in done.err
        assert said in done.err

    def test_an_empty_file_says_so(self, tmp_path):
        (tmp_path / "empty.jsonl").write_text("")
        done = scout("eval", "summaries", "--data", str(tmp_path / "empty.jsonl"))
        assert done.code == 1
        assert "no papers to summarize" in done.err
