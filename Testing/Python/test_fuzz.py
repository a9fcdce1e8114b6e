"""Bent inputs: never a traceback, a refusal in one sentence that leaves nothing behind, no wrong number in silence.

A hundred cases here, spread over all bends; two thousand with ``-m nightly``, or ``python -m Testing.Benchmarks.fuzz``.
"""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from fuzz_speed import pictures

from Testing.Benchmarks.library.field_phantom import Protocol, made
from Testing.Benchmarks.library.shell_runs import Told
from Testing.Python import fuzz_cases
from Testing.Python.fuzz_bends import Bend
from Testing.Python.fuzz_cases import BENDS, Case, Verdict, judge, make_case, run_case

pytestmark = pytest.mark.usefixtures("worked_out")

SEED, COUNT, NIGHTLY = 7, 100, 2000
# By number: why a case does not come out right yet.
UNMENDED: dict[int, str] = {}
STEP = len(BENDS) / COUNT


def _spread() -> list[int]:
    """Numbers of cases whose first bends are spread evenly over all."""
    return [round(k * STEP) for k in range(COUNT)]


def _marks(number: int):
    return [pytest.mark.xfail(strict=True, reason=UNMENDED[number])] if number in UNMENDED else []


@pytest.mark.parametrize("number", [pytest.param(n, marks=_marks(n)) for n in _spread()])
def test_a_bent_input_is_refused_in_one_sentence_or_its_number_is_right_or_doubted(number, tmp_path):
    verdict = run_case(SEED, number, tmp_path)
    assert not verdict.faults, f"{verdict.done}: {verdict.faults}"


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(0, NIGHTLY, 100))
def test_two_thousand_bent_inputs(first, tmp_path):
    verdicts = (run_case(SEED + 1, number, tmp_path) for number in range(first, first + 100))
    assert not [f"{verdict.number} {verdict.done}: {verdict.faults}" for verdict in verdicts if verdict.faults]


def test_a_case_is_the_same_whenever_it_is_made():
    for number in (5, 83, 160):
        one, other = make_case(SEED, number), make_case(SEED, number)
        assert one.done == other.done and one.scan.keys == other.scan.keys and one.scan.options == other.scan.options
        np.testing.assert_array_equal(one.scan.volumes, other.scan.volumes)


def test_every_bend_has_a_name_of_its_own_and_can_be_applied_and_changes_something():
    assert max(Counter(bend.name for bend in BENDS).values()) == 1
    for number, bend in enumerate(BENDS):
        assert make_case(3, number).bends[0] is bend


def _judged(monkeypatch, tmp_path, *, ran: Told, named=(), looked: Told | None = None):
    """The verdict on a run that ended as given."""
    ends = {"inspect": looked or Told(0, "", "", (), 0.0), "quantify": ran}
    monkeypatch.setattr(fuzz_cases, "shell", lambda command, *given: ends[command])
    bend = Bend("made up", "image", lambda scan, random: None, named)
    return judge(Case(0, 0, made(), (bend,), ("made up",)), tmp_path / "case").faults


@pytest.mark.parametrize(
    ("ran", "sort"),
    [
        (Told(None, "", "", ("Traceback (most recent call last)",), 0.0), "traceback"),
        (Told(2, "", "It is wrong.", ("RuntimeWarning: divide by zero",), 0.0), "warning"),
        (Told(3, "", "It is wrong.", (), 0.0), "status"),
        (Told(2, "", "It is wrong. Mend it.", (), 0.0), "sentence"),
        (Told(2, "", "", (), 0.0), "sentence"),
        (Told(0, "", "", (), 0.0), "left behind"),
    ],
)
def test_the_judge_sees_each_sort_of_fault(ran, sort, monkeypatch, tmp_path):
    assert [fault.split(":")[0].split(" (")[0] for fault in _judged(monkeypatch, tmp_path, ran=ran)] == [sort]


def test_the_judge_is_content_with_one_sentence(monkeypatch, tmp_path):
    assert not _judged(
        monkeypatch, tmp_path, ran=Told(2, "", "The delay of sub-01_asl.nii.gz is 0 s; give it.", (), 0.0)
    )


def test_a_wrong_number_needs_a_finding_that_names_the_cause(tmp_path):
    def halved(scan, random):
        scan.m0 = scan.m0 * 2

    def verdict(named):
        scan = made(Protocol(pairs=2))
        scan.run_options = [
            "--no-motion",
            "--outliers",
            "none",
            "--nuisance",
            "none",
            "--no-scene",
            "--progress",
            "none",
        ]
        halved(scan, None)
        with pictures(drawn=False):
            return judge(
                Case(0, 0, scan, (Bend("halved", "m0", halved, named),), ("halved",)), tmp_path / str(len(named))
            )

    silent = verdict(())
    assert silent.quantify == 0 and silent.gm == pytest.approx(30, rel=0.02)
    assert [fault.split(":")[0] for fault in silent.faults] == ["silent"]
    assert not verdict(("few-pairs",)).faults  # which it does have, with two pairs


def test_a_campaign_goes_on_where_it_was_and_a_fault_can_be_reproduced(monkeypatch, tmp_path):
    from Testing.Benchmarks import fuzz

    def verdict(seed, number, folder):
        ran.append(number)
        faults = ("silent: GM 6.0 for 60",) if number == 3 else ()
        return Verdict(number, "PCASL", ("M0 gone",), ("gone",), 2, 2, float("nan"), (), "No M0.", faults, 0.1)

    ran: list[int] = []
    monkeypatch.setattr(fuzz_cases, "run_case", verdict)
    monkeypatch.setattr("Testing.Python.fuzz_speed.find_brains_once", lambda folder: None)
    fuzz.campaign(5, range(0, 4, 2), tmp_path)
    done = fuzz.campaign(5, range(5), tmp_path)
    assert ran == [0, 2, 1, 3, 4] and [each.number for each in done] == [0, 1, 2, 3, 4]
    failures = {path.name: json.loads(path.read_text("utf-8")) for path in (tmp_path / "failures").iterdir()}
    assert list(failures) == ["5-3.json"]
    assert failures["5-3.json"]["reproduce"] == "python -m Testing.Benchmarks.fuzz --seed 5 --case 3"
    page = {row[0]: row[2:] for row in fuzz.rows(done)}
    assert page["**all**"] == page["M0 gone"] == ("5", "0", "5", "1", "0", "0")
    assert page["flipped"] == ("0",) * 6
