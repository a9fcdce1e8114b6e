from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phantom_builders import ball_head  # noqa: E402

from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom  # noqa: E402
from ASLDenoiseLib.learning.scan_noise import Mover, Physiology, coil_gain, coil_noise, draw_motion, spikes  # noqa: E402
from ASLDenoiseLib.learning.simulate import (  # noqa: E402
    PROTOCOL,
    ScanSettings,
    make_protocol,
    simulate_head,
    simulate_scan,
)
from ASLDenoiseLib.learning.simulated_dataset import write_simulated  # noqa: E402
from ASLDenoiseLib.preparing.averaging import mean_difference  # noqa: E402
from ASLDenoiseLib.preparing.pairs import difference_volumes  # noqa: E402
from ASLDenoiseLib.quantifying.calibration import calibrate  # noqa: E402
from ASLDenoiseLib.quantifying.cbf import quantification  # noqa: E402
from ASLDenoiseLib.reading.read import read_series  # noqa: E402
from ASLDenoiseLib.series import Labeling, VolumeType  # noqa: E402

SMALL = PhantomSettings(size=(28, 28, 12), warp=1.0)
SPACING = (6.0, 6.0, 9.0)
QUIET = ScanSettings(pairs=2, gm_snr=1e4, physiological=0.0)


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(ball_head(), SMALL, seed=3, spacing=SPACING, acquisition=PROTOCOL)


@pytest.mark.parametrize(
    "protocol",
    [
        PROTOCOL,
        make_protocol(Labeling.CASL),
        make_protocol(Labeling.PASL),
        make_protocol(Labeling.PCASL, readout="2D", slices=12),
        replace(PROTOCOL, m0_repetition_time=2.0),
    ],
    ids=["pcasl", "casl", "pasl", "2d", "short-m0"],
)
def test_a_noise_free_scan_quantifies_to_the_true_cbf(phantom, protocol):
    scan = simulate_scan(phantom, replace(QUIET, acquisition=protocol), seed=1)
    series = scan.series
    factor = quantification(series.acquisition, calibrate(series), scan.tissue.brain)
    cbf = factor.cbf(mean_difference(difference_volumes(series))).array
    inside = np.isfinite(cbf) & (phantom.m0.numpy() > 0.3)
    np.testing.assert_allclose(cbf[inside], scan.cbf.array[inside], rtol=0.02, atol=0.5)


def test_the_same_seed_gives_the_same_scan(phantom):
    settings = ScanSettings(pairs=1, spikes=0.3, motion=1.0, unevenness=0.5, memory=0.5)
    one, again, other = (simulate_scan(phantom, settings, seed=s).series.array for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0


@pytest.mark.parametrize("unevenness", [0.0, 0.8])
def test_a_scan_has_the_signal_to_noise_ratio_it_was_asked_for(phantom, unevenness):
    settings = ScanSettings(pairs=24, gm_snr=1.5, physiological=0.0, unevenness=unevenness)
    pairs = difference_volumes(simulate_scan(phantom, settings, seed=1).series).array
    gm = phantom.gm.numpy() > 0.7
    snr = pairs[:, gm].mean() / np.sqrt(np.mean(pairs[:, gm].var(axis=0, ddof=1)))
    assert snr == pytest.approx(1.5, rel=0.1)


def test_parallel_imaging_makes_some_places_noisier_and_the_mean_as_asked():
    inside = torch.zeros(8, 16, 16, dtype=torch.bool)
    inside[2:6, 4:12, 4:12] = True
    gain = coil_gain((8, 16, 16), 0.8, inside, torch.Generator().manual_seed(0))
    assert float(gain[inside].mean()) == pytest.approx(1, abs=1e-5)
    assert float(gain.max() / gain.min()) == pytest.approx(1.8, abs=1e-3)


def test_noise_has_unit_sd_and_neighbours_correlate_as_asked_along_each_axis():
    noise = coil_noise((24, 40, 40), (0.0, 0.5, 0.7), torch.Generator().manual_seed(0))[0, :, 5:-5, 5:-5]
    assert float(noise.std()) == pytest.approx(1, abs=0.03)
    found = [
        float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])
        for a, b in (
            (noise[1:], noise[:-1]),
            (noise[:, 1:], noise[:, :-1]),
            (noise[:, :, 1:], noise[:, :, :-1]),
        )
    ]
    assert found == pytest.approx([0, 0.26, 0.58], abs=0.05)  # of a Gaussian sampled at the voxels


def test_physiological_noise_remembers_the_last_volume_and_is_smooth():
    physiology = Physiology((6, 12, 12), 0.01, 0.8, 0.5, torch.Generator().manual_seed(0))
    series = torch.stack([physiology.next() for _ in range(600)]) - 1
    one = series[:, 3, 5, 7]
    assert float(torch.corrcoef(torch.stack([one[1:], one[:-1]]))[0, 1]) == pytest.approx(0.8, abs=0.08)
    assert float(series.std()) == pytest.approx(0.01, rel=0.3)
    beside = torch.corrcoef(torch.stack([series[:, 3, 5, 7], series[:, 3, 5, 8]]))[0, 1]
    far = torch.corrcoef(torch.stack([series[:, 0, 0, 0], series[:, 5, 11, 11]]))[0, 1]
    assert float(beside) > 0.8
    assert 0.15 < float(far) < 0.85  # what is common to all places, no more


def test_spikes_spoil_about_the_share_of_slices_asked_for():
    images = torch.stack([spikes((20, 8, 8), 0.1, torch.Generator().manual_seed(s)) for s in range(30)])
    corrupted = images.abs().amax(dim=(2, 3)) > 0
    assert float(corrupted.float().mean()) == pytest.approx(0.1, abs=0.05)


def test_a_head_that_moves_is_resampled_by_its_pose():
    k, j, i = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in (16, 24, 24)), indexing="ij")

    def bump(kc: float, jc: float, ic: float) -> torch.Tensor:
        return torch.exp(-((2 * (k - kc)) ** 2 + (j - jc) ** 2 + (i - ic) ** 2) / 30)

    spacing = (4.0, 2.0, 2.0)
    mover = Mover(bump(7.5, 11.5, 11.5)[None], spacing)
    moved = mover.at(torch.tensor([2.0, 3.0, -1.0, 0.0, 0.0, 0.0]))[0]
    torch.testing.assert_close(moved[3:-3, 4:-4, 4:-4], bump(8.0, 13.0, 11.0)[3:-3, 4:-4, 4:-4], atol=0.03, rtol=0)
    turned = Mover(bump(7.5, 11.5, 16.5)[None], spacing).at(torch.tensor([0, 0, 0, np.pi / 2, 0, 0]))[0]
    # A quarter turn about k takes i to -j or j: the bump now lies on the j axis.
    place = np.unravel_index(int(turned.argmax()), turned.shape)
    assert abs(place[1] - 11.5) == pytest.approx(5, abs=1) and abs(place[2] - 11.5) < 1.5


def test_motion_has_the_sd_asked_for_and_moves_the_volumes(phantom):
    poses = draw_motion(4000, 0.8, torch.Generator().manual_seed(0))
    assert poses[:, :3].std(dim=0).tolist() == pytest.approx([0.8] * 3, rel=0.15)
    still, moving = (simulate_scan(phantom, replace(QUIET, pairs=4, motion=sd), seed=1) for sd in (0.0, 1.5))
    assert float(np.abs(still.poses).max()) == 0
    change = np.abs(moving.series.array - still.series.array).max(axis=(1, 2, 3))
    assert (change > 20).all()


def test_volumes_come_in_pairs_of_label_and_control_and_none_is_refused(phantom):
    series = simulate_scan(phantom, replace(QUIET, pairs=3), seed=1).series
    assert series.context == (VolumeType.LABEL, VolumeType.CONTROL) * 3
    with pytest.raises(InputError, match="one pair"):
        ScanSettings(pairs=0)
    with pytest.raises(InputError, match="slices"):
        make_protocol(Labeling.PCASL, readout="2D")


def test_the_t1_of_a_head_shows_the_anatomy_of_its_scan_after_the_stated_motion():
    head = simulate_head(
        ball_head(), phantom=SMALL, spacing=SPACING, scan=ScanSettings(pairs=1), seed=3, t1_spacing=3.0
    )
    # The rim of white matter is too thin to be anything else; its middle is that of the ball.
    bright = np.argwhere(head.t1.array > 780)[:, ::-1]
    centre_t1 = head.t1.geometry.affine_lps @ np.append(bright.mean(axis=0), 1)
    white = head.scan.tissue.wm
    where = np.argwhere(white.array > 0.5)[:, ::-1]
    centre_asl = white.geometry.affine_lps @ np.append(where.mean(axis=0), 1)
    np.testing.assert_allclose(head.t1_to_asl @ centre_t1, centre_asl, atol=4)


@pytest.mark.parametrize("labeling", [Labeling.PCASL, Labeling.PASL])
def test_a_written_scan_reads_back_as_it_was(tmp_path, labeling):
    protocol = make_protocol(labeling, readout="2D", slices=12)
    settings = ScanSettings(pairs=2, acquisition=protocol)
    head = simulate_head(ball_head(), phantom=SMALL, spacing=SPACING, scan=settings, seed=3, t1_spacing=6.0)
    asl, *_ = write_simulated(head, tmp_path)
    back, series = read_series(asl), head.scan.series
    assert back.acquisition.labeling is labeling
    assert back.acquisition.delays == series.acquisition.delays
    assert back.acquisition.slice_timing == series.acquisition.slice_timing
    assert back.context == series.context
    np.testing.assert_allclose(back.array, series.array, atol=0.13)
    np.testing.assert_allclose(back.m0.array, series.m0.array, atol=0.13)
