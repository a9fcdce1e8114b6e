"""The figures of a study: what is drawn, of whom, and the words beneath."""

from __future__ import annotations

import cohort_builders as study
import matplotlib.figure
import numpy as np
import pytest

from ASLDenoiseLib.group import figures, session_figures
from ASLDenoiseLib.group.figures import AgreementPanel, agreement_png, box_png, notch
from ASLDenoiseLib.group.repeatability import raw_and_processed, repeats
from ASLDenoiseLib.group.session_figures import Spread, sessions_png, spreads_png, strips_png
from ASLDenoiseLib.group.statistics import compare_readouts
from ASLDenoiseLib.group.tables import scans_table

PNG = b"\x89PNG"


@pytest.fixture
def drawn(monkeypatch) -> list[matplotlib.figure.Figure]:
    """The figures that were drawn, before they became pictures."""
    kept: list[matplotlib.figure.Figure] = []
    to_png = figures.png_of
    for module in (figures, session_figures):
        monkeypatch.setattr(module, "png_of", lambda figure: kept.append(figure) or to_png(figure))
    return kept


@pytest.fixture(scope="module")
def table():
    return scans_table(study.study_of())


def boxes(axis) -> list:
    """The boxes of an axis: what is filled."""
    return [patch for patch in axis.patches if patch.get_facecolor()[3] < 1]


def steps(lines) -> set[tuple[float, float]]:
    """From where to where lines go, step by step."""
    return {step for line in lines for step in zip(line.get_ydata(), line.get_ydata()[1:], strict=False)}


def test_a_notch_is_mcgills():
    """Median -+ 1.57 IQR / sqrt(n): of 1..9, 5 -+ 1.57 * 4 / 3."""
    low, high = notch(np.arange(1.0, 10.0))
    assert (low, high) == pytest.approx((5 - 1.57 * 4 / 3, 5 + 1.57 * 4 / 3))


def test_boxes_are_raw_beside_processed_with_a_line_a_participant_and_both_tests(drawn, table):
    compared = compare_readouts(table, ["snr", "gm_wm_contrast"])
    assert box_png(compared, units={}, processed="denoised").startswith(PNG)
    snr, contrast = drawn[0].axes
    assert (snr.get_title(), contrast.get_title()) == ("SNR", "GM/WM contrast")
    assert [label.get_text() for label in snr.get_xticklabels()] == ["raw", "denoised"]
    assert len(boxes(snr)) == 2
    expected = set(zip(compared[0].raw, compared[0].processed, strict=True))
    assert expected <= {
        pair for line in snr.lines for pair in zip(line.get_ydata(), line.get_ydata()[1:], strict=False)
    }
    beneath = snr.get_xlabel()
    assert "n = 12 participants" in beneath and "t(11) = " in beneath and "dz = " in beneath
    assert "Wilcoxon W = " in beneath and "r = +1.00" in beneath


def test_the_notch_of_a_box_is_drawn_where_it_is(drawn, table):
    (snr,) = compare_readouts(table, ["snr"])
    box_png([snr], units={})
    (axis,) = drawn[0].axes
    corners = boxes(axis)[0].get_path().vertices[:, 1]
    for end in notch(snr.raw):
        assert np.isclose(corners, end).any()


def test_few_participants_are_points_without_boxes_and_it_says_so(drawn, table):
    few = compare_readouts(table[table["participant"] < "05"], ["snr"])
    box_png(few, units={})
    (axis,) = drawn[0].axes
    assert boxes(axis) == [] and "too few for boxes" in axis.get_xlabel()
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in points) == 2 * 4


def test_participants_with_a_scan_set_apart_are_red_and_tests_without_it_are_told(drawn, table):
    every = compare_readouts(table, ["snr"])
    without = compare_readouts(table[table["scan"] != "sub-07_ses-1"], ["snr"])
    box_png(every, units={}, apart={"07"}, without=without)
    (axis,) = drawn[0].axes
    red = [line for line in axis.lines if line.get_color() == figures.APART_COLOUR]
    for line in red:
        assert tuple(line.get_ydata()[:2]) == (every[0].raw[6], every[0].processed[6])
    assert "without scans set apart, n = 12:" in axis.get_xlabel()


def test_agreement_has_bias_limits_and_concordance_with_units(drawn, table):
    found = raw_and_processed(table, "gm_mean")
    panel = AgreementPanel("GM mean", found, "ml/100g/min", "raw", "denoised")
    assert agreement_png([panel, panel, panel]).startswith(PNG)
    axis = drawn[0].axes[0]
    assert axis.get_ylabel() == "denoised minus raw (ml/100g/min)"
    heights = [line.get_ydata()[0] for line in axis.lines if len(set(line.get_ydata())) == 1]
    for value in (found.agreement.bias, *found.agreement.limits):
        assert np.isclose(heights, value).any()
    assert axis.get_legend().get_title().get_text() == f"CCC {found.ccc:.3f}, n = 24"
    assert [axis.get_visible() for axis in drawn[0].axes] == [True, True, True, False]


def test_sessions_of_a_participant_are_joined_and_participants_go_by_their_mean(drawn, table):
    raw = table["raw_gm_mean"].to_numpy()
    png = sessions_png(
        table["participant"].tolist(),
        {"raw": raw, "denoised": raw},
        title="GM mean (ml/100g/min)",
        apart={("07", "1")},
        sessions=table["session"].tolist(),
    )
    assert png.startswith(PNG)
    first = drawn[0].axes[0]
    assert first.get_ylabel() == "GM mean (ml/100g/min)"
    order = [label.get_text() for label in first.get_xticklabels()]
    means = table.groupby("participant")["raw_gm_mean"].mean()
    assert order == sorted(order, key=lambda who: means[who]) and len(order) == 12
    (red,) = [line for line in first.lines if line.get_color() == figures.APART_COLOUR]
    assert red.get_ydata().tolist() == [0.4]  # the scan without label
    lines = [line for line in first.lines if line.get_linestyle() == "-"]
    assert {tuple(of["raw_gm_mean"]) for _, of in table.groupby("participant")} <= steps(lines)


def test_spread_within_stands_beside_spread_between_in_per_cent(drawn, table):
    raw, processed = repeats(table, "raw_gm_mean"), repeats(table, "processed_gm_mean")
    assert spreads_png([Spread("GM mean", raw, processed), Spread("WM mean", raw, None)]).startswith(PNG)
    (axis,) = drawn[0].axes
    points = {float(line.get_xdata()[0]) for line in axis.lines if len(line.get_xdata()) == 1}
    assert {raw.within_cv, raw.between_cv, processed.within_cv, processed.between_cv} <= points
    assert axis.get_xlabel() == "SD, % of the mean"
    assert f"ICC {raw.icc:.2f}" in [text.get_text() for text in axis.texts]


def test_every_scan_is_a_point_over_its_scanner(drawn, table):
    groups = table["manufacturer"].tolist()
    snr = [table[f"{end}_snr"].to_numpy() for end in ("raw", "processed")]
    motion = [np.full(len(table), np.nan)]  # not known of any: no median, no warning
    apart = (table["scan"] == "sub-07_ses-1").to_numpy()
    assert strips_png(groups, {"SNR": snr, "Motion (mm)": motion}, apart=apart).startswith(PNG)
    axis = drawn[0].axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["GE", "Siemens"]
    shown = np.concatenate([line.get_ydata() for line in axis.lines if line.get_marker() == "o"])
    assert sorted(shown) == pytest.approx(sorted(np.concatenate(snr)))
