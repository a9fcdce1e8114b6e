"""What users met with files of real scanners: the right number, one clear sentence, or a finding that names why."""

from __future__ import annotations

import pytest
from fuzz_speed import pictures

from Testing.Benchmarks.library.field_cases import CASES, UNMENDED
from Testing.Benchmarks.library.field_phantom import Protocol, made
from Testing.Benchmarks.library.field_rules import FieldCase, Named, Outcome, Refused, Right
from Testing.Benchmarks.library.shell_runs import Told, Written, shell

pytestmark = pytest.mark.usefixtures("worked_out")


def _marks(case):
    marks = [pytest.mark.runs] if case.prepared or "t1-is" in case.name else []
    if case.name in UNMENDED:
        marks.append(pytest.mark.xfail(strict=True, reason=UNMENDED[case.name]))
    return marks


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=_marks(case)) for case in CASES])
def test_a_file_that_users_met_gives_the_right_number_or_a_reason(case, tmp_path):
    with pictures(drawn=False):
        outcome = case.run(tmp_path)
    seen = f"exit {outcome.ran.status}, {outcome.codes}, {outcome.ran.sentence}, {outcome.trouble}"
    values = f"GM {outcome.result.gm:.1f}, WM {outcome.result.wm:.1f}" if outcome.result else ""
    assert case.judged(outcome), f"right is: {case.right}; came out: {values} {seen}"


def test_names_are_unique_and_what_is_unmended_is_there():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) > 60
    assert not set(UNMENDED) - set(names)


@pytest.mark.parametrize("labeling", ["PCASL", "PASL", "CASL"])
@pytest.mark.parametrize("readout", ["3D", "2D"])
def test_the_phantom_holds_what_the_consensus_formula_gives(labeling, readout):
    """60 ml/100g/min of a difference of a hundredth of M0 at PLD = tau = 1.8 s: 86.3 (Alsop 2015); 102.5 of PASL."""
    delay, duration = (1.8, 0.8) if labeling == "PASL" else (1.8, 1.8)
    scale = Protocol(labeling, delay, duration, pulses=0, readout=readout).cbf_per_fraction
    expected = {"PCASL": 86.2999, "PASL": 102.5235, "CASL": 86.2999 * 0.85 / 0.68}[labeling]
    assert 0.01 * scale[0] == pytest.approx(expected, rel=1e-5)
    assert (scale[-1] > scale[0]) == (readout == "2D")


def test_a_sound_scan_is_inspected_without_a_word(tmp_path):
    told = shell("inspect", made().write(tmp_path))
    assert told.status == 0 and "Nothing wrong was found." in told.out and not told.trouble


def _outcome(status=0, *, gm=60.0, findings=(), err="", trouble=""):
    told = Told(status, "", err, (), 0.0)
    return Outcome(Told(0, "", "", (), 0.0), told, Written(findings, gm, 20.0) if status == 0 else None, trouble)


def test_the_rules_tell_right_from_wrong():
    doubted = (("m0-scale", "warning: The M0 is off (it is 0.1)"),)
    assert Right().holds(_outcome(gm=61.1)) and not Right().holds(_outcome(gm=61.3))
    assert not Right().holds(_outcome(2, err="It is wrong."))
    assert Refused(("delay",)).holds(_outcome(2, err="The delay is 0 s; give it."))
    assert not Refused(("delay",)).holds(_outcome(2, err="The delay is 0 s. Give it."))
    assert not Refused(("duration",)).holds(_outcome(2, err="The delay is 0 s; give it."))
    assert Named("m0-scale").holds(_outcome(gm=600, findings=doubted))
    assert not Named("m0-scale", severity="note").holds(_outcome(gm=600, findings=doubted))
    assert not Named("cbf-unit").holds(_outcome(gm=600, findings=doubted))


def test_a_case_is_not_right_with_a_traceback_or_a_word_that_would_be_wrong():
    case = FieldCase("made-up", "", lambda folder: [], (Right(),), unsaid=("--fix m0-scale",))
    assert case.judged(_outcome())
    assert not case.judged(_outcome(trouble="Traceback"))
    assert not case.judged(_outcome(findings=(("m0-scale", "warning: it is off, --fix m0-scale"),)))
