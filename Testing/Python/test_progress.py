"""Progress: what a listener sees, and that a child's lines can be read back."""

from __future__ import annotations

import io
import json

import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.progress import JsonLines, ProgressBar, make_progress, parse_line, silent, span


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_span_maps_a_stage_into_its_part_of_the_whole_and_nests():
    seen: list[tuple[float, str]] = []
    whole = span(lambda fraction, text: seen.append((fraction, text)), 0.2, 0.6)
    span(whole, 0.5, 1.0)(0.5, "inner")
    assert seen == [(pytest.approx(0.5), "inner")]


def test_span_never_leaves_its_part_when_a_stage_overshoots():
    seen: list[float] = []
    stage = span(lambda fraction, text: seen.append(fraction), 0.2, 0.6)
    stage(1.7, "")
    stage(-3, "")
    assert seen == [pytest.approx(0.6), pytest.approx(0.2)]


def test_json_lines_are_one_object_a_line_and_read_back():
    stream = io.StringIO()
    progress = JsonLines(stream)
    progress(0.25, "line\nbreak")
    progress(1.0, "done")
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["fraction"] for line in lines] == [0.25, 1.0]
    assert set(json.loads(lines[0])) == {"fraction", "text", "elapsed_s"}
    read = parse_line(lines[0])
    assert read is not None
    assert read.text == "line\nbreak"
    assert read.elapsed_s >= 0


@pytest.mark.parametrize("line", ["", "UserWarning: something", "[1, 2]", "3", '{"fraction": 0.5}', "{"])
def test_a_line_that_is_not_progress_is_passed_over(line):
    assert parse_line(line) is None


def test_without_a_terminal_the_bar_writes_plain_lines_and_only_when_something_changed():
    stream = io.StringIO()
    progress = ProgressBar(stream)
    for step in range(100):
        progress(0.3 + step * 0.0005, "denoise")
    progress(1.0, "done")
    lines = stream.getvalue().splitlines()
    assert lines == ["[ 30 %] denoise", "[100 %] done"]


def test_on_a_terminal_the_bar_shows_fraction_and_text_and_ends_its_line():
    stream = Terminal()
    progress = make_progress("bar", stream=stream)
    progress(0.5, "denoise")
    assert "50 %" in stream.getvalue()
    assert "denoise" in stream.getvalue()
    progress(1.0, "done")
    assert stream.getvalue().endswith("\n")


def test_the_kinds_have_their_listeners_and_another_is_refused():
    assert make_progress("none") is silent
    assert isinstance(make_progress("json", stream=io.StringIO()), JsonLines)
    assert isinstance(make_progress("auto", stream=io.StringIO()), ProgressBar)
    with pytest.raises(InputError, match="choose one of auto, json, bar, none"):
        make_progress("loud")
