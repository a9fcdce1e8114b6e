import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ASLDenoiseLib.learning.anatomy import Anatomy, TissueClass, read_anatomy  # noqa: E402
from ASLDenoiseLib.learning.noise import NoiseSettings, draw_noise, draw_noise_parameters  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom  # noqa: E402
from ASLDenoiseLib.learning.simulate import ScanSettings, simulate_head, simulate_scan  # noqa: E402
from ASLDenoiseLib.preparing.averaging import mean_difference  # noqa: E402
from ASLDenoiseLib.preparing.pairs import difference_volumes  # noqa: E402
from ASLDenoiseLib.quantifying.calibration import calibrate  # noqa: E402
from ASLDenoiseLib.quantifying.cbf import quantification  # noqa: E402

SMALL = PhantomSettings(size=(28, 28, 12), warp=1.0)
SPACING = (6.0, 6.0, 9.0)


def ball_head() -> Anatomy:
    """A 120 mm ball of WM in a GM shell in CSF in soft tissue."""
    z, y, x = np.mgrid[-79:80, -79:80, -79:80]
    radius = np.sqrt(x**2 + y**2 + z**2)
    classes = np.full(radius.shape, TissueClass.BACKGROUND, np.uint8)
    shells = [
        (76, TissueClass.SOFT_TISSUE),
        (70, TissueClass.BONE),
        (66, TissueClass.CSF),
        (62, TissueClass.CORTEX),
        (44, TissueClass.WM),
    ]
    for limit, tissue in shells:
        classes[radius < limit] = tissue
    return Anatomy(classes, "ball")


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(ball_head(), SMALL, seed=3, spacing=SPACING)


def test_the_same_seed_draws_the_same_phantom_and_another_seed_another(phantom):
    again = draw_phantom(ball_head(), SMALL, seed=3, spacing=SPACING)
    other = draw_phantom(ball_head(), SMALL, seed=4, spacing=SPACING)
    assert torch.equal(phantom.perfusion, again.perfusion)
    assert not torch.equal(phantom.perfusion, other.perfusion)


def test_partial_volumes_are_fractions_of_one_voxel(phantom):
    total = phantom.gm + phantom.wm + phantom.csf
    assert float(total.max()) <= 1 + 1e-5
    mixed = (phantom.gm > 0.1) & (phantom.gm < 0.9)
    assert int(mixed.sum()) > 100


def test_perfusion_lies_in_tissue_alone_and_grey_matter_has_more_of_it(phantom):
    plain = draw_phantom(ball_head(), PhantomSettings((28, 28, 12), lesions=0, vessels=0.0, blur=(0, 0)), seed=3)
    assert float(plain.perfusion[(plain.gm + plain.wm) == 0].abs().max()) == 0
    assert float(plain.cbf[plain.gm > 0.9].mean()) > 1.4 * float(plain.cbf[plain.wm > 0.9].mean())


def test_a_noise_free_scan_quantifies_to_the_true_cbf(phantom):
    scan = simulate_scan(phantom, ScanSettings(pairs=2, gm_snr=1e4, physiological=0.0), seed=1)
    series = scan.series
    factor = quantification(series.acquisition, calibrate(series), scan.tissue.brain)
    cbf = factor.cbf(mean_difference(difference_volumes(series))).array
    inside = np.isfinite(cbf) & (phantom.m0.numpy() > 0.3)
    np.testing.assert_allclose(cbf[inside], scan.cbf.array[inside], rtol=0.02, atol=0.3)


def test_a_scan_has_the_signal_to_noise_ratio_it_was_asked_for(phantom):
    scan = simulate_scan(phantom, ScanSettings(pairs=24, gm_snr=1.5, physiological=0.0), seed=1)
    pairs = difference_volumes(scan.series).array
    gm = scan.tissue.gm.array > 0.7
    snr = pairs[:, gm].mean() / np.median(pairs[:, gm].std(axis=0, ddof=1))
    assert snr == pytest.approx(1.5, rel=0.1)


def test_noise_neighbours_correlate_as_asked(phantom):
    scan = simulate_scan(phantom, ScanSettings(pairs=24, gm_snr=1.0, correlation=0.6, physiological=0.0), seed=1)
    pairs = difference_volumes(scan.series).array
    noise = pairs - pairs.mean(axis=0)
    inside = noise[:, 4:8, 8:20, 8:20]
    r = np.corrcoef(inside[..., 1:].ravel(), inside[..., :-1].ravel())[0, 1]
    assert 0.3 < r < 0.6


def test_the_two_noises_of_a_training_pair_are_independent_and_equally_strong():
    generator = torch.Generator().manual_seed(0)
    brain = torch.ones(8, 1, 32, 32)
    draw = draw_noise_parameters(torch.ones(8), (32, 32), NoiseSettings(gm_snr=(2.0, 2.0), spikes=0.0), generator)
    first, second = (draw_noise(draw, brain, generator) for _ in range(2))
    r = float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])
    assert abs(r) < 0.1
    assert float(first.std() / second.std()) == pytest.approx(1, abs=0.1)
    assert float(first.std()) == pytest.approx(0.5, rel=0.25)


def test_the_t1_of_a_head_shows_the_anatomy_of_its_scan_after_the_stated_motion():
    head = simulate_head(
        ball_head(), phantom=SMALL, spacing=SPACING, scan=ScanSettings(pairs=1), seed=3, t1_spacing=3.0
    )
    bright = np.argwhere(head.t1.array > 800)[:, ::-1]  # white matter, as (i, j, k)
    centre_t1 = head.t1.geometry.affine_lps @ np.append(bright.mean(axis=0), 1)
    white = head.scan.tissue.wm
    where = np.argwhere(white.array > 0.5)[:, ::-1]
    centre_asl = white.geometry.affine_lps @ np.append(where.mean(axis=0), 1)
    np.testing.assert_allclose(head.t1_to_asl @ centre_t1, centre_asl, atol=2.5)


@pytest.mark.shared
def test_a_real_anatomy_is_read_upright_with_grey_and_white_matter(shared_data):
    anatomy = read_anatomy(shared_data / "anatomy" / "brain-01_labels.nii.gz")
    assert anatomy.name == "brain-01"
    stem = np.argwhere(anatomy.classes == TissueClass.BRAIN_STEM)[:, 0].mean()
    cortex = np.argwhere(anatomy.classes == TissueClass.CORTEX)[:, 0].mean()
    assert stem < cortex  # K runs towards superior
    cerebellum = np.argwhere(anatomy.classes == TissueClass.CEREBELLAR_GM)[:, 1].mean()
    assert cerebellum > np.argwhere(anatomy.classes == TissueClass.CORTEX)[:, 1].mean()  # J towards posterior
