"""Delays and label durations in every form that files, converters and users state them in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from reading_builders import refusal, write_series

from ASLDenoiseLib.inspecting.delay_checks import fitted_delays
from ASLDenoiseLib.preparing.delays import delays_of
from ASLDenoiseLib.preparing.pairs import pair_members
from ASLDenoiseLib.reading.anyway import read_anyway, with_lacking
from ASLDenoiseLib.reading.delay_lists import spread, spread_where_clear
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Acquisition, DelayOrder, VolumeType

PAIRS = ("control", "label") * 6
CONTEXT = tuple(map(VolumeType, PAIRS))
ONE_A_PAIR = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)


def _doubled(values):
    return tuple(v for v in values for _ in range(2))


def _of(series):
    """The delay of every pair in their order."""
    return [series.timing(members[0])[0] for members in pair_members(series)]


@pytest.mark.parametrize(
    ("stated", "order", "expected"),
    [
        (_doubled(ONE_A_PAIR), None, _doubled(ONE_A_PAIR)),
        (ONE_A_PAIR, None, _doubled(ONE_A_PAIR)),
        ((0.5, 1.0, 1.5), "turns", _doubled((0.5, 1.0, 1.5) * 2)),
        ((0.5, 1.0, 1.5), "blocks", _doubled((0.5, 0.5, 1.0, 1.0, 1.5, 1.5))),
        ((0.5, 0.5, 1.0, 1.0), "turns", _doubled((0.5, 1.0) * 3)),
        ((1.8, 1.8), None, (1.8,) * 12),
        ((1.8, 1.8, 1.8), None, (1.8,) * 12),
    ],
    ids=[
        "a volume",
        "a pair",
        "turns",
        "blocks",
        "each twice, for control and label",
        "twice the same",
        "all the same",
    ],
)
def test_a_list_becomes_one_a_volume(stated, order, expected):
    order = None if order is None else DelayOrder(order)
    assert spread("post_labeling_delay", stated, CONTEXT, order) == expected


def test_a_list_leaves_out_the_m0_and_follows_controls_that_stand_before_labels():
    context = tuple(map(VolumeType, ("m0scan", "n/a", *("control",) * 3, *("label",) * 3)))
    assert spread("post_labeling_delay", (1, 2, 3), context, None) == (0, 0, 1, 2, 3, 1, 2, 3)
    assert spread("post_labeling_delay", (1, 2, 3, 4, 5, 6), context, None) == (0, 0, 1, 2, 3, 4, 5, 6)


def test_a_list_whose_order_is_not_stated_is_refused_with_both_orders(tmp_path):
    path = write_series(tmp_path, words=PAIRS, sidecar={"PostLabelingDelay": [0.5, 1.0, 1.5]})
    sentence = refusal(read_series, path, mentions=("3 values for 6 pairs", "take turns (0.5, 1", "blocks (0.5, 0.5"))
    assert "--pld-order turns" in sentence and "--pld-order blocks" in sentence
    turns, blocks = (read_series(path, values={"delay_order": order}) for order in ("turns", "blocks"))
    assert _of(turns) == [0.5, 1.0, 1.5] * 2 and _of(blocks) == [0.5, 0.5, 1.0, 1.0, 1.5, 1.5]
    assert len(fitted_delays(turns)) == 3


@pytest.mark.parametrize("values", [[0.5, 1.0, 1.5, 2.0], [0.5] * 5, [1.0] * 13])
def test_a_list_that_fits_in_no_way_is_refused_in_one_sentence(tmp_path, values):
    path = write_series(tmp_path, words=PAIRS, sidecar={"PostLabelingDelay": values})
    said = (f"{len(values)} values", "12 volumes with 6 pairs", "one a delay or one a volume")
    refusal(read_series, path, values={"delay_order": "turns"}, mentions=said)


def test_an_order_that_is_no_word_is_refused(tmp_path):
    path = write_series(tmp_path, words=PAIRS)
    refusal(read_series, path, values={"delay_order": "mixed"}, mentions=("mixed", "turns, blocks"))


def test_delays_and_durations_that_are_given_go_together(tmp_path):
    path = write_series(tmp_path, words=("deltam",) * 6 + ("m0scan",), sidecar={"M0Type": "Included"}, m0=None)
    values = {"post_labeling_delay": (0.0, 0.5, 1.0), "label_duration": (0.4, 0.9, 1.4), "delay_order": "blocks"}
    series = read_series(path, values=values)
    assert series.acquisition.post_labeling_delay == (0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 0.0)
    found = [(each.delay, each.duration, each.pairs) for each in delays_of(series)]
    assert found == [(0.0, 0.4, (0, 1)), (0.5, 0.9, (2, 3)), (1.0, 1.4, (4, 5))]


@pytest.mark.parametrize("gap", [0, "n/a", None])
def test_the_m0_among_volumes_may_have_no_delay_in_a_bids_array(tmp_path, gap):
    keys = {
        "PostLabelingDelay": [gap, *_doubled(ONE_A_PAIR)],
        "LabelingDuration": [gap, *[1.8] * 12],
        "M0Type": "Included",
    }
    path = write_series(tmp_path, words=("m0scan", *PAIRS), sidecar=keys, m0=None)
    for series in (read_series(path), read_anyway(path)):
        assert series.acquisition.post_labeling_delay == (0.0, *_doubled(ONE_A_PAIR))
        assert series.acquisition.label_duration == 1.8
        assert len(fitted_delays(series)) == 6


def test_a_control_without_a_delay_is_refused(tmp_path):
    path = write_series(tmp_path, words=PAIRS, sidecar={"PostLabelingDelay": ["n/a", *_doubled(ONE_A_PAIR)[1:]]})
    refusal(read_series, path, mentions=("PostLabelingDelay", "plain number"))


def test_repeats_in_any_order_keep_their_partners(tmp_path):
    rng = np.random.default_rng(1)
    delays = rng.permutation(ONE_A_PAIR * 2)
    words = [word for n in range(12) for word in (("control", "label") if n % 3 else ("label", "control"))]
    path = write_series(tmp_path, words=words, sidecar={"PostLabelingDelay": list(_doubled(delays))})
    series = read_series(path)
    assert {each.delay: len(each.pairs) for each in delays_of(series)} == dict.fromkeys(ONE_A_PAIR, 2)
    assert all(len({series.timing(t) for t in members}) == 1 for members in pair_members(series))


@pytest.mark.parametrize("name", ["InitialPostLabelDelay", "PostLabelDelay"])
def test_the_delays_that_dcm2niix_lists_are_read_by_its_names(tmp_path, name):
    """jw_tgse_VEPCASL has one a delay as InitialPostLabelDelay; before 2023 PostLabelDelay was the name of one."""
    keys = {"PostLabelingDelay": None, name: [0.25, 0.5, 0.75], "LabelingDuration": None, "TagDuration": 1.4}
    path = write_series(tmp_path, words=PAIRS, sidecar=keys)
    series = read_series(path, values={"delay_order": "turns"})
    assert _of(series) == [0.25, 0.5, 0.75] * 2 and series.acquisition.label_duration == 1.4


def test_delays_typed_before_loading_are_spread_or_stay_as_typed(tmp_path):
    path = write_series(tmp_path, words=PAIRS, sidecar={"PostLabelingDelay": None})
    values = {"post_labeling_delay": (0.5, 1.0, 1.5), "delay_order": "turns"}
    assert _of(read_anyway(path, values=values)) == [0.5, 1.0, 1.5] * 2
    unclear = with_lacking(read_anyway(path), values={"post_labeling_delay": (0.5, 1.0, 1.5)})
    assert unclear.acquisition.post_labeling_delay == (0.5, 1.0, 1.5), "inspection says it"
    ordered = unclear.acquisition.with_values("user", delay_order="blocks")
    assert spread_where_clear(ordered, unclear.context).post_labeling_delay == _doubled((0.5, 0.5, 1, 1, 1.5, 1.5))


def test_a_flip_angle_is_that_of_a_look_locker_readout_alone(tmp_path):
    for n, (keys, expected) in enumerate(
        [
            ({"FlipAngle": 90}, None),
            ({"LookLocker": True, "FlipAngle": 25}, 25.0),
            ({"LookLocker": True, "FlipAngle": [25] * 12}, 25.0),
            ({"LookLocker": True, "FlipAngle": [25, 30] * 6}, None),
        ]
    ):
        series = read_series(write_series(tmp_path / str(n), words=PAIRS, sidecar=keys))
        assert series.acquisition.flip_angle == expected


def test_lists_of_the_shell_are_those_of_the_series(tmp_path, capsys):
    from ASLDenoiseLib.__main__ import main

    path = write_series(tmp_path, words=PAIRS, sidecar={"PostLabelingDelay": None, "LabelingDuration": None})
    times = ["--pld", "0,0.5,1", "--label-duration", "0.8,1.3,1.8", "--pld-order", "turns"]
    assert main(["inspect", str(path), *times]) == 0
    assert "3 delays, 0, 0.5, 1 s" in capsys.readouterr().out
    assert main(["inspect", str(path), *times[:4]]) == 2
    assert "--pld-order blocks" in capsys.readouterr().err


def test_an_acquisition_with_an_order_goes_through_json():
    from ASLDenoiseLib.series_json import acquisition_from_plain, acquisition_to_plain

    stated = Acquisition(post_labeling_delay=(0.5, 1.0), delay_order=DelayOrder.BLOCKS)
    assert acquisition_from_plain(json.loads(json.dumps(acquisition_to_plain(stated)))) == stated
