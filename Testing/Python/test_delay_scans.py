"""Simulated scans of several delays: one head, its curve at each delay, and the truth beside them."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from delay_builders import M0, difference_of  # noqa: E402
from phantom_builders import ball_head  # noqa: E402

from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.delay_order import ORDERS, acquired_order  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom  # noqa: E402
from ASLDenoiseLib.learning.simulate import (  # noqa: E402
    PROTOCOL,
    ScanSettings,
    make_protocol,
    simulate_head,
    simulate_scan,
)
from ASLDenoiseLib.learning.simulated_dataset import write_simulated  # noqa: E402
from ASLDenoiseLib.preparing.averaging import mean_difference  # noqa: E402
from ASLDenoiseLib.preparing.delays import delays_of, series_of_delay  # noqa: E402
from ASLDenoiseLib.preparing.pairs import difference_volumes  # noqa: E402
from ASLDenoiseLib.quantifying.calibration import calibrate  # noqa: E402
from ASLDenoiseLib.quantifying.cbf import quantification  # noqa: E402
from ASLDenoiseLib.reading.read import read_series  # noqa: E402
from ASLDenoiseLib.series import Labeling  # noqa: E402

SMALL = PhantomSettings(size=(28, 28, 12), warp=1.0, lesions=0, vessels=0.0, blur=(0.0, 0.0), blur_z=(0.0, 0.0))
SPACING = (6.0, 6.0, 9.0)
DELAYS = (0.0, 0.5, 1.0, 1.5, 2.5)
QUIET = ScanSettings(pairs=2, gm_snr=1e4, physiological=0.0)


def scan(settings=SMALL, *, protocol=None, seed=3, **further):
    """The phantom and a quiet scan of it."""
    protocol = protocol or make_protocol(Labeling.PCASL, delays=DELAYS)
    head = draw_phantom(ball_head(), settings, seed=seed, spacing=SPACING, acquisition=protocol)
    return head, simulate_scan(head, replace(QUIET, acquisition=protocol, **further), seed=1)


def apparent_cbf(made) -> np.ndarray:
    """CBF by the formula of each delay alone (D, K, J, I)."""
    series = [series_of_delay(made.series, delay) for delay in delays_of(made.series)]
    factors = [quantification(s.acquisition, calibrate(s), made.tissue.brain) for s in series]
    return np.stack([f.cbf(mean_difference(difference_volumes(s))).array for f, s in zip(factors, series, strict=True)])


@pytest.mark.parametrize(
    "protocol",
    [
        make_protocol(Labeling.PCASL, delays=DELAYS),
        make_protocol(Labeling.PASL, delays=(0.4, 0.8, 1.2, 1.6, 2.4)),
        make_protocol(Labeling.PCASL, delays=DELAYS, durations=(0.6, 1.0, 1.4, 1.8, 1.8)),
        make_protocol(Labeling.PCASL, readout="2D", slices=12, delays=DELAYS),
    ],
    ids=["pcasl", "pasl", "durations", "2d"],
)
def test_grey_matter_follows_the_curve_of_its_own_cbf_and_arrival(protocol):
    head, made = scan(protocol=protocol)
    pure = (head.gm.numpy() > 0.999) & (head.m0.numpy() > 0.3)
    cbf, att = made.cbf.array[pure], made.att.array[pure]
    slices = np.nonzero(pure)[0] * (0.04 if protocol.readout == "2D" else 0.0)
    for found, delay in zip(apparent_cbf(made), delays_of(made.series), strict=True):
        duration = delay.duration or protocol.bolus_duration
        timing = {"delay": delay.delay + slices, "duration": duration, "labeling": protocol.labeling}
        late = difference_of(cbf, np.zeros_like(att), **timing | {"delay": 5.0 + slices})
        full = late * np.exp((5.0 - delay.delay) / 1.65)  # all of the label, at that delay
        share = difference_of(cbf, att, **timing) / full
        np.testing.assert_allclose(found[pure], cbf * share, rtol=0.03, atol=0.6)
    assert np.ptp(att) > 0.1


def test_the_head_is_the_same_at_one_delay_and_at_several():
    several, one = scan()[0], scan(protocol=PROTOCOL)[0]
    for name in ("m0", "gm", "t1w", "att"):
        assert torch.equal(getattr(several, name), getattr(one, name))
    everything_arrives = replace(PROTOCOL, post_labeling_delay=5.0)
    late = draw_phantom(ball_head(), SMALL, seed=3, spacing=SPACING, acquisition=everything_arrives)
    torch.testing.assert_close(several.cbf, late.cbf)


def test_the_arrival_time_of_a_mixed_voxel_is_that_of_its_flow():
    head, made = scan()
    grey, white = head.flow.image(*head.flow.times)
    mixed = ((head.gm > 0.3) & (head.gm < 0.7) & (head.wm > 0.25)).numpy()
    att, low, high = (a[mixed] for a in (made.att.array, grey.numpy(), white.numpy()))
    assert mixed.sum() > 50
    assert ((att > low) & (att < high)).all()
    assert np.mean((att - low) / (high - low)) < 0.5  # grey matter carries more


def test_a_stenosis_slows_the_left_and_leaves_the_right():
    usual, slow = scan()[1], scan(replace(SMALL, stenosis=2.6))[1]
    inside = usual.tissue.gm.array > 0.9
    left = np.zeros_like(inside)
    left[..., 18:] = True  # LPS: i grows to the left
    right = np.zeros_like(inside)
    right[..., :9] = True
    difference = slow.att.array - usual.att.array
    assert np.percentile(slow.att.array[inside & left], 75) > 2.4
    assert slow.att.array.max() <= 3.0 + 1e-5
    assert np.abs(difference[inside & right]).mean() < 0.02
    np.testing.assert_array_equal(slow.cbf.array, usual.cbf.array)


def test_arteries_are_bright_while_label_passes_and_gone_after():
    protocol = make_protocol(Labeling.PCASL, delays=(0.2, 0.6, 3.0))
    settings = replace(SMALL, vessels=1.0)
    (head, made), still = scan(settings, protocol=protocol, seed=8), scan(protocol=protocol, seed=8)[1]
    where = (made.arteries.array > 12) & (head.m0.numpy() > 0.3)
    assert where.sum() > 5
    early, later, last = apparent_cbf(made)[:, where].mean(axis=1) - apparent_cbf(still)[:, where].mean(axis=1)
    assert early > 6
    assert abs(last) < 0.05 * early
    assert later < 1.5 * early
    assert still.arteries.array.max() == 0
    np.testing.assert_allclose(made.cbf.array, still.cbf.array)  # arteries are no perfusion of tissue


@pytest.mark.parametrize("order", ORDERS)
def test_every_delay_has_as_many_pairs_in_any_order(order):
    made = scan(order=order)[1]
    assert [(d.delay, len(d.pairs)) for d in delays_of(made.series)] == [(d, 2) for d in DELAYS]
    assert acquired_order(3, 2, order="turns", seed=0) == (0, 1, 2, 0, 1, 2)
    assert acquired_order(3, 2, order="blocks", seed=0) == (0, 0, 1, 1, 2, 2)
    stated = made.series.acquisition.post_labeling_delay
    assert stated[0::2] == stated[1::2]  # a label and its control are of one delay
    assert (stated == tuple(sorted(stated))) == (order == "blocks")
    assert made.series.acquisition.repetition_time > max(stated) + 1.8


def test_the_snr_asked_for_is_that_of_the_delay_that_shows_most():
    head, made = scan(protocol=make_protocol(Labeling.PCASL, delays=(0.3, 1.4)), pairs=24, gm_snr=1.5)
    gm, snrs = head.gm.numpy() > 0.7, []
    for delay in delays_of(made.series):
        pairs = difference_volumes(series_of_delay(made.series, delay)).array[:, gm]
        snrs.append(pairs.mean() / np.sqrt(np.mean(pairs.var(axis=0, ddof=1))))
    assert max(snrs) == pytest.approx(1.5, rel=0.1)
    assert min(snrs) < 0.8 * max(snrs)


def test_a_head_that_moves_is_seen_at_its_delay():
    still, moving = (scan(motion=sd)[1].series for sd in (0.0, 0.05))
    inside = still.m0.array > 0.3 * M0
    one, other = (difference_volumes(s).array[:, inside].mean(axis=1) for s in (still, moving))
    np.testing.assert_allclose(other, one, rtol=0.15, atol=0.1 * one.max())


def test_what_is_written_reads_back_with_its_delays_and_the_true_arrival(tmp_path):
    protocol = make_protocol(Labeling.PCASL, delays=(0.0, 1.0, 2.0), durations=(0.8, 1.4, 1.8))
    settings = replace(QUIET, acquisition=protocol)
    head = simulate_head(ball_head(), phantom=SMALL, spacing=SPACING, scan=settings, seed=3, t1_spacing=6.0)
    written = write_simulated(head, tmp_path)
    assert written[-1].name == "sub-phantom_desc-truth_att.nii.gz"
    assert '"Units": "s"' in written[-1].with_name("sub-phantom_desc-truth_att.json").read_text("utf-8")
    read = read_series(written[0])
    assert [(d.delay, d.duration, len(d.pairs)) for d in delays_of(read)] == [
        (0.0, 0.8, 2),
        (1.0, 1.4, 2),
        (2.0, 1.8, 2),
    ]


@pytest.mark.parametrize(
    ("labeling", "timing", "said"),
    [
        ("PCASL", {"delays": (1.0, 1.0)}, "there once"),
        ("PCASL", {"delays": (-1.0, 1.0)}, "0 s or more"),
        ("PCASL", {"delays": (0.5, 1.0), "durations": (1.8,)}, "1 label durations of 2 delays"),
        ("PASL", {"delays": (0.5, 1.0), "durations": (1.8, 1.8)}, "one bolus duration"),
    ],
)
def test_delays_that_cannot_be_are_refused_in_one_sentence(labeling, timing, said):
    with pytest.raises(InputError, match=said):
        make_protocol(Labeling(labeling), **timing)
    with pytest.raises(InputError, match="no order"):
        ScanSettings(order="backwards")
