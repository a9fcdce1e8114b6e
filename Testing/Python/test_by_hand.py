"""Pairs, and slices of pairs, taken out of the mean or put back by the user: the words, the mean, and who it was."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from outlier_builders import context_of, spiked

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.outliers import decide_by_hand, find_outliers
from ASLDenoiseLib.preparing.pairs import chosen_numbers
from ASLDenoiseLib.preparing.places import flags_at, places_of, words_of
from ASLDenoiseLib.preparing.rescue import rescue_members
from ASLDenoiseLib.preparing.warnings import by_hand_findings
from ASLDenoiseLib.series import ASLSeries

NUMBERS = tuple(range(1, 21))
KNOWN = {"numbers": NUMBERS, "total": 20}


@pytest.mark.parametrize(
    ("words", "said"), [("3", "3"), (" 3 , 7-9 ", "3,7-9"), ("12/5-6,12/8", "12/5-6,12/8"), ("1-2/4", "1/4,2/4")]
)
def test_places_read_back_as_they_were_written(words, said):
    flags = flags_at(words, **KNOWN, slices=8, setting="take-out")
    assert words_of(flags, NUMBERS) == said
    np.testing.assert_array_equal(flags_at(said, **KNOWN, slices=8, setting="take-out"), flags)


def test_pairs_are_counted_as_in_the_series_whatever_choice_of_them_is_averaged():
    flags = flags_at("11,13/2", numbers=(11, 12, 13), total=20, slices=3, setting="take-out")
    assert np.argwhere(flags).tolist() == [[0, 0], [0, 1], [0, 2], [2, 1]]
    assert not flags_at("4", numbers=(11, 12, 13), total=20, slices=3, setting="take-out").any()
    series = ASLSeries(
        np.zeros((8, *context_of(1).pairs.geometry.shape)), context_of(1).pairs.geometry, ("deltam",) * 8
    )
    assert chosen_numbers(series, "7-8,2") == (2, 7, 8)


@pytest.mark.parametrize("words", ["3;4", "0", "4-2", "3/", "3/0", "x", "3//2"])
def test_what_cannot_be_read_is_refused_with_how_to_write_it(words):
    with pytest.raises(InputError, match=r"12/5 or 12/5-8.*--put-back"):
        places_of(words, setting="put-back")
    with pytest.raises(InputError, match="not understood"):
        Preparation(taken_out=words)


@pytest.mark.parametrize(("words", "said"), [("21", "pair 21.*pairs 1 to 20"), ("2/9", "slice 9.*slices 1 to 8")])
def test_places_that_are_not_there_are_refused(words, said):
    with pytest.raises(InputError, match=said):
        flags_at(words, **KNOWN, slices=8, setting="take-out")


@pytest.mark.parametrize("method", ["none", "zscore", "huber"])
def test_what_is_taken_out_is_not_in_the_mean_and_is_said_to_be_the_users_doing(method):
    context = context_of()
    report = decide_by_hand(find_outliers(method, context), context, **KNOWN, taken_out="4,6/2-3")
    assert not report.weights[3].any() and not report.weights[5, 1:3].any() and report.weights[5, 0].any()
    assert [str(r) for r in report.by_user] == [
        "pair 4: taken out by the user",
        "pair 6, slice 2: taken out by the user",
        "pair 6, slice 3: taken out by the user",
    ]
    if method == "none":
        rest = np.delete(context.pairs.array, 3, axis=0)[:, 0].mean(axis=0)
        np.testing.assert_allclose(report.mean.array[0], rest, rtol=1e-5, atol=1e-4)
        np.testing.assert_array_equal(report.mean.array, mean_difference(context.pairs, report.weights).array)
        assert report.kept.tolist() == [19, 18, 18, 19, 19, 19, 19, 19]


def test_what_the_method_rejected_and_the_user_put_back_is_in_the_mean_and_on_record():
    context = spiked(context_of(), 6, slice(2, 4))
    found = find_outliers("zscore", context)
    assert found.flags[6, 2:4].all()
    report = decide_by_hand(found, context, **KNOWN, put_back="7/3")
    assert report.weights[6, 2].all() and not report.weights[6, 3].any()
    assert [(r.called, r.slice + 1) for r in report.put_back] == [(7, 3)]
    assert not report.by_user and found.rejections[0].reason in report.put_back[0].reason


def test_the_method_s_verdict_on_other_pairs_does_not_change():
    context = spiked(context_of(), 6)
    before = find_outliers("zscore", context).flags
    after = decide_by_hand(find_outliers("zscore", context), context, **KNOWN, taken_out="1,2,3").flags
    np.testing.assert_array_equal(before[3:], after[3:])


def test_what_was_not_measured_cannot_be_put_back_and_a_note_says_so():
    context = context_of()
    array = context.pairs.array.copy()
    array[2, 5] = np.nan
    context = replace(context, pairs=replace(context.pairs, array=array))
    report = decide_by_hand(find_outliers("none", context), context, **KNOWN, put_back="3/6")
    assert not report.weights[2, 5].any() and not report.put_back
    assert "3/6 cannot be put back" in report.notes[-1]


def test_one_place_cannot_be_taken_out_and_put_back_and_a_slice_keeps_a_pair():
    context = context_of()
    found = find_outliers("none", context)
    with pytest.raises(InputError, match=r"3/2 are taken out and put back at once.*--take-out or --put-back"):
        decide_by_hand(found, context, **KNOWN, taken_out="3", put_back="3/2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="No pair is left in 1 slices of the brain, of which 4"):
            decide_by_hand(found, context, **KNOWN, taken_out="1-20/4")


def test_a_finding_says_what_was_done_by_hand_and_warns_where_few_pairs_are_left():
    context = context_of()
    found = find_outliers("none", context)
    assert not [*by_hand_findings(decide_by_hand(found, context, **KNOWN), context)]
    (note,) = by_hand_findings(decide_by_hand(found, context, **KNOWN, taken_out="4,6/2"), context)
    assert note.code == "pairs-by-hand" and note.severity.value == "note"
    assert "The user took 9 slices in 2 of 20 pairs out" in note.what and "pair 4: taken out by the user" in note.why
    (warning,) = by_hand_findings(decide_by_hand(found, context, **KNOWN, taken_out="1-11/2"), context)
    assert warning.severity.value == "warning"


def test_no_member_of_a_pair_that_the_user_took_out_is_brought_back_by_the_rescue_of_members():
    """A pair of which one member is sound is kept at half its weight, but not against the user's will."""
    context = context_of(noise=3.0)
    rng = np.random.default_rng(1)
    controls = 1000 + rng.normal(0, 10, context.pairs.array.shape).astype(np.float32)
    labels = controls - context.pairs.array
    labels[6] += 500 * np.cos(0.9 * np.arange(24))
    array = np.stack([controls, labels], axis=1).reshape(-1, *controls.shape[1:])
    series = ASLSeries(array, context.pairs.geometry, ("control", "label") * 20)
    context = replace(context, pairs=replace(context.pairs, array=controls - labels))
    found = find_outliers("zscore", context)
    assert found.flags[6].any() and rescue_members(series, found, context.inside).count > 0
    report = decide_by_hand(found, context, **KNOWN, taken_out="7")
    rescued = rescue_members(series, report, context.inside)
    assert rescued.count == 0 and not rescued.weights[6].any()
