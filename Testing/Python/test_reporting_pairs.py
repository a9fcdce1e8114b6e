"""How many pairs are enough, in the files of a run."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
from dataclasses import replace

import pytest
from course_builders import ANSWER, with_course
from scene_builders import made_result

from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.listing import possible_names
from ASLDenoiseLib.reporting.pairs_table import pairs_json, pairs_tsv
from ASLDenoiseLib.running.payload import read_payload, write_payload


@pytest.fixture(scope="module")
def result():
    return with_course(made_result())


def test_the_table_has_every_error_with_its_interval_and_what_is_not_known_is_said(result):
    rows = list(csv.DictReader(io.StringIO(pairs_tsv(result)), delimiter="\t"))
    assert [(row["map"], row["pairs"]) for row in rows] == [
        *(("denoised", n) for n in ("2", "5", "20")),
        *(("plain", n) for n in ("2", "5", "20", "40")),
    ]
    first, hidden, whole = rows[0], rows[2], rows[-1]
    assert (float(first["rmse"]), float(first["squared_error_low"]), first["draws"]) == (8.0, 49.0, "4")
    assert (hidden["rmse"], float(hidden["squared_error"])) == ("n/a", -1.0)
    assert (whole["rmse"], float(whole["rmse_by_spread"])) == ("n/a", 5.0)
    assert {row["rmse_by_spread"] for row in rows[:3]} == {"n/a"}


def test_every_column_is_described_with_its_unit_and_the_answer_stands_beside(result):
    told = pairs_json(result)
    columns = pairs_tsv(result).splitlines()[0].split("\t")
    assert set(columns) < set(told)
    assert {name: told[name].get("Units") for name in columns} == {
        **dict.fromkeys(("map", "pairs", "draws")),
        **dict.fromkeys(("squared_error", "squared_error_low", "squared_error_high"), "(ml/100g/min)^2"),
        **dict.fromkeys(("rmse", "rmse_by_spread"), "ml/100g/min"),
    }
    assert (told["PairsNeeded"], told["PairsNeededLow"], told["PairsNeededHigh"]) == (8.6, 6.2, 13.0)
    beyond = pairs_json(replace(result, pairs_needed=replace(ANSWER, needed=math.inf, high=math.inf)))
    assert (beyond["PairsNeeded"], beyond["PairsNeededLow"], beyond["PairsNeededHigh"]) == (None, 6.2, None)
    assert "do not give" in beyond["Summary"]


def test_a_written_result_has_table_answer_and_report(result, tmp_path):
    written = write_result(result, tmp_path)
    names = {path.name for path in written.files if "pairs" in path.name}
    assert names == {"sub-77_desc-pairs_error.tsv", "sub-77_desc-pairs_error.json"}
    assert names <= set(possible_names("sub-77"))
    assert json.loads((tmp_path / "sub-77_desc-pairs_error.json").read_text("utf-8"))["Summary"] == ANSWER.sentence
    assert ANSWER.sentence in written.report.read_text("utf-8")
    assert "*_desc-pairs_error.tsv" in (tmp_path / ".bidsignore").read_text("utf-8")
    assert "desc-pairs_error.json" in (tmp_path / "README.md").read_text("utf-8")
    assert ANSWER.sentence in str(result)


def test_nothing_of_it_is_where_it_was_not_asked(result, tmp_path):
    silent = replace(result, pairs_needed=None)
    assert pairs_tsv(silent) == "" and "How many pairs" not in report_html(silent)
    assert "give what all" in ANSWER.sentence and "give what all" not in str(silent)
    assert not [path for path in write_result(silent, tmp_path).files if "pairs" in path.name]


def test_the_answer_comes_out_of_a_child_process_as_it_went_in(result, tmp_path):
    write_payload(tmp_path / "result", result)
    assert read_payload(tmp_path / "result").pairs_needed == ANSWER
    assert pickle.loads(pickle.dumps(ANSWER)) == ANSWER
