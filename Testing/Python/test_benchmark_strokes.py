"""What the safety figures make of real stroke shapes, for denoisers whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from phantom_builders import ball_head

from ASLDenoiseLib.denoising.inference import DenoisingResult
from ASLDenoiseLib.learning.mni import mni_affine
from ASLDenoiseLib.learning.phantom import PhantomSettings
from ASLDenoiseLib.learning.simulate import ScanSettings, simulate_head
from ASLDenoiseLib.learning.stroke_masks import StrokeMask
from Testing.Benchmarks.library.cases import Case, guides_in_place, phantom_case
from Testing.Benchmarks.library.safety_figures import Way, moved_by_strokes, strokes_kept
from Testing.Benchmarks.library.strokes import ACUTE, OLD, strike

SETTINGS = PhantomSettings(size=(28, 28, 12), warp=1.0, lesions=0, vessels=0.0)


def mask(*size: int) -> StrokeMask:
    """A box in the right hemisphere, mm."""
    voxels = torch.nn.functional.pad(torch.ones(size), (1,) * 6).bool()
    return StrokeMask(71, voxels, torch.tensor([9.0, -51.0, -1.0]), torch.ones(3))


@pytest.fixture(scope="module")
def scans():
    """A head scanned at two noise levels."""
    found = []
    for snr in (1.0, 4.0):
        scan = ScanSettings(pairs=2, gm_snr=snr)
        head = simulate_head(ball_head(), phantom=SETTINGS, spacing=(6.0, 6.0, 9.0), scan=scan, seed=3, t1_spacing=4.0)
        found.append((head, phantom_case(head, f"SNR {snr}", guides=guides_in_place(head))))
    return found


@pytest.fixture(scope="module")
def strokes(scans):
    return list(strike([mask(40, 70, 50)], [scans]))


def answering(answer) -> Way:
    return Way("by hand", "T1+M0", lambda case: DenoisingResult(case.raw.with_array(answer(case)), "cpu", ()))


def test_a_stroke_fills_its_volume_in_each_scan_of_the_head(strokes):
    first, second = strokes
    assert np.array_equal(first.share, second.share) and first.case is not second.case
    phantom = first.head.phantom
    matrix = np.linalg.det(phantom.shape.deformation.matrix.numpy())
    scale = abs(matrix * np.linalg.det(mni_affine(ball_head())[:, :3]))
    expected = 40 * 70 * 50 / scale
    assert first.share.sum() * 6 * 6 * 9 == pytest.approx(expected, rel=0.1)
    assert 0.9 < first.share.max() <= 1


def test_what_is_put_in_is_told_to_come_out_as_far_as_it_does(strokes):
    whole, half = answering(lambda case: case.raw.array), answering(lambda case: 0.5 * case.raw.array)
    for factor in (0.3, 1.6):
        assert strokes_kept(whole, strokes, factor).each == pytest.approx((1.0, 1.0), abs=1e-3)
        assert strokes_kept(half, strokes, factor).passed_on == pytest.approx(0.5, abs=1e-3)
    assert strokes_kept(whole, strokes, 0.3, ACUTE).worst == pytest.approx(1.0, abs=1e-3)
    quiet = strokes[1:]
    assert strokes_kept(whole, quiet, 0.3).contrast == pytest.approx(1.0, abs=0.25)  # with the scan's noise
    assert strokes_kept(half, quiet, 0.3).contrast == pytest.approx(0.5, abs=0.15)


def test_a_denoiser_that_follows_the_guides_is_told_by_how_much_it_moves(strokes):
    blind = answering(lambda case: case.raw.array)
    led = answering(lambda case: case.m0.array)
    for structure in (ACUTE, OLD):
        assert all(np.allclose(c, 0) for c in moved_by_strokes(blind, strokes, structure).values())
        for changes in moved_by_strokes(led, strokes, structure).values():
            # voxels of the rim are in it by half at least
            assert all(50 * (structure.m0 - 1) < c <= 100 * (structure.m0 - 1) + 1e-3 for c in changes)


def test_an_old_stroke_turns_the_t1_of_its_tissue_into_that_of_csf_and_leaves_perfusion(strokes):
    stroke = strokes[0]
    ill = stroke.structural(OLD)
    dark, _, bright = (guide.array for guide in ill.guides)
    deep = (stroke.share > 0.99) & stroke.inside
    assert deep.sum() > 20
    assert dark[deep].mean() > 0.9 and bright[deep].mean() < 0.05
    far = (stroke.share == 0) & (stroke.case.tissue.wm.array > 0.95)
    before = stroke.case.guides[2].array
    assert bright[far].mean() == pytest.approx(before[far].mean(), abs=0.1)
    assert ill.pairs is stroke.case.pairs and ill.quantification is stroke.case.quantification
    assert strokes[1].drawn is stroke.drawn  # the T1 is drawn once a head


def test_a_mask_of_too_few_voxels_is_left_out(scans):
    assert list(strike([mask(3, 3, 3)], [scans])) == []


def test_a_way_answers_the_same_case_once_and_a_changed_one_anew(scans):
    calls = []

    def run(case: Case) -> DenoisingResult:
        calls.append(case)
        return DenoisingResult(case.raw, "cpu", ())

    way, case = Way("counted", "none", run), scans[0][1]
    way(case), way(replace(case, label="another name"))
    assert len(calls) == 1
    way(replace(case, m0=case.m0.with_array(1.01 * case.m0.array)))
    way(replace(case, pairs=replace(case.pairs, array=case.pairs.array + 1)))
    assert len(calls) == 3
