"""`import ASLDenoiseLib as ad`: what it offers, how its nouns show themselves, and what type checkers are told."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from course_builders import with_course
from scene_builders import made_result, made_series

import ASLDenoiseLib as ad
from ASLDenoiseLib.result import Result


@pytest.fixture(scope="module")
def result() -> Result:
    return with_course(made_result())


def test_type_checkers_are_told_the_names_that_are_imported_at_first_use():
    stub = Path(ad.__file__).with_suffix(".pyi").read_text("utf-8")
    told = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(ast.parse(stub))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == ad._PUBLIC
    exported = next(node.value for node in ast.parse(stub).body if isinstance(node, ast.Assign))
    assert sorted(ast.literal_eval(exported)) == sorted(ad.__all__)
    assert Path(ad.__file__).with_name("py.typed").is_file()


@pytest.mark.parametrize("name", [name for name in ad.__all__ if not name.startswith("__")])
def test_every_public_name_is_documented_and_every_function_typed(name):
    thing = getattr(ad, name)
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        signature = inspect.signature(thing)
        assert signature.return_annotation is not inspect.Signature.empty
        untyped = [p.name for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
        assert untyped == []


def test_what_a_console_prints_of_a_series_a_map_and_a_result_is_one_line_with_units_and_no_numbers_of_voxels(result):
    series = made_series()
    assert repr(series).startswith("<ASLSeries ") and "voxels of" in repr(series)
    assert str(series.geometry) in str(series)
    cbf = result.maps["desc-mean_cbf"]
    assert repr(cbf).endswith("ml/100g/min>")
    for thing in (series, cbf, result):
        assert "\n" not in repr(thing) and "array" not in repr(thing)
    assert all(key in repr(result) for key in result.maps)


def test_printing_a_result_gives_the_table_of_the_shell_with_its_findings(result):
    lines = str(result).splitlines()
    assert lines[0].split("  ")[0] == "Readout"
    assert any("GM mean" in line and "ml/100g/min" in line for line in lines)


def test_values_are_those_of_the_map_the_run_was_for_unless_another_is_named(result):
    assert result.values() == {r.name: r.value for r in result.readouts[result.processed]}
    assert result.values("desc-mean_cbf") == {r.name: r.value for r in result.readouts["desc-mean_cbf"]}
    with pytest.raises(KeyError):
        result.values("desc-no_such_cbf")


def test_a_notebook_shows_a_result_with_picture_units_raw_beside_processed_and_its_purpose(result):
    page = result._repr_html_()
    for needed in ("data:image/png;base64,", "ml/100g/min", "Raw mean", "Denoised", "research use only"):
        assert needed in page
    assert "<script" not in page and "http" not in page


def test_a_notebook_shows_a_series_with_where_every_value_came_from():
    page = made_series()._repr_html_()
    assert "post_labeling_delay" in page and ">s</td>" in page


def test_a_notebook_shows_a_map_with_its_unit_and_one_of_nothing_in_words(result):
    cbf = result.maps["desc-mean_cbf"]
    assert "0 to 90 ml/100g/min" in cbf._repr_html_()
    assert "(no unit)" in cbf.with_array(cbf.array, unit="")._repr_html_()
    nothing = cbf.with_array(np.full(cbf.array.shape, np.nan))
    assert "no voxel was measured" in nothing._repr_html_()


def test_names_from_files_cannot_bring_markup_into_a_notebook(result):
    from dataclasses import replace

    series = replace(made_series(), name="<img src=x>")
    assert "<img src=x>" not in series._repr_html_()
    assert "<img src=x>" not in replace(result, series=series)._repr_html_()
