"""An image that is not T1-weighted is told by its levels where the template has tissue, which keeps its name."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.denoising.guides import find_guides
from ASLDenoiseLib.preparing.t1_contrast import Levels, contrast_findings, levels_of, ranks_of
from ASLDenoiseLib.preparing.template import icbm_template, template_onto
from ASLDenoiseLib.preparing.tissue_atropos import misnamed
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.masks import depth

# Signal of CSF, grey and white matter.
T1, POOR_T1, T2, FLAIR = (0.2, 0.6, 0.95), (0.2, 0.7, 0.85), (1.0, 0.55, 0.4), (0.1, 0.8, 0.6)
DENSITY, INVERTED, CT, ANGIOGRAM = (0.95, 0.85, 0.72), (0.8, 0.4, 0.05), (0.52, 0.535, 0.53), (0.25, 0.5, 0.51)


def brain_of(signals: tuple[float, float, float], noise: float = 0.03) -> Volume:
    """The template's brain with CSF, grey and white matter of these signals, CSF around it, bone and scalp."""
    template = icbm_template()
    gm, wm, brain = (each.array for each in (template.gm, template.wm, template.brain))
    csf = np.clip(1 - gm - wm, 0, 1)
    array = np.where(brain > 0.5, signals[0] * csf + signals[1] * gm + signals[2] * wm, 0.05)
    away = depth(~(brain > 0.5), template.brain.geometry)
    array[(away > 0) & (away < 4)] = signals[0]
    array[(away > 9) & (away < 14)] = 0.6
    noisy = array + noise * np.random.default_rng(0).normal(size=array.shape)
    return template.brain.with_array(1000 * np.abs(noisy), name="T1w")


def moved(millimetres: float) -> np.ndarray:
    """An alignment that is wrong by a shift along every axis."""
    matrix = np.eye(4)
    matrix[:3, 3] = millimetres
    return matrix


@pytest.mark.parametrize("signals", [T1, POOR_T1])
@pytest.mark.parametrize("millimetres", [0.0, 3.0])
def test_a_t1_is_taken_for_one_also_where_the_template_lies_3_mm_off(signals, millimetres):
    image = brain_of(signals)
    levels = levels_of(image, template_onto(image.geometry, moved(millimetres)))
    assert levels.t1_weighted and levels.ranks == (0, 1, 2) and contrast_findings(levels) == []


@pytest.mark.parametrize(
    ("signals", "ranks", "words"),
    [
        (T2, (2, 1, 0), "as in a T2, a proton density image, a T1 map or an inverted T1"),
        (DENSITY, (2, 1, 0), "CSF is brightest and white matter darkest"),
        (INVERTED, (2, 1, 0), "CSF is brightest and white matter darkest"),
        (FLAIR, (0, 2, 1), "as in a FLAIR"),
        (CT, None, "grey and white matter are alike"),
        (ANGIOGRAM, None, "grey and white matter are alike"),
    ],
)
@pytest.mark.parametrize("millimetres", [0.0, 3.0])
def test_another_contrast_is_a_warning_that_says_what_it_looks_like(signals, ranks, words, millimetres):
    image = brain_of(signals, noise=0.01)
    levels = levels_of(image, template_onto(image.geometry, moved(millimetres)))
    (finding,) = contrast_findings(levels)
    assert finding.code == "t1-contrast" and words in finding.what and "--t1" in finding.remedy
    assert ranks is None or levels.ranks == ranks


def test_nothing_is_said_of_tissue_whose_image_is_not_known():
    assert contrast_findings(None) == [] and ranks_of(None) == (0, 1, 2)


def test_the_guides_of_another_contrast_come_in_the_order_of_a_t1():
    template = icbm_template()
    even, brain = brain_of(T2, noise=0.0), template.brain
    images = {"even_t1": even, "t1_to_asl": np.eye(4), "given": None, "m0": None}
    csf, _, white = find_guides(brain, ranks=Levels(*T2).ranks, **images).maps
    inside = brain.array > 0.5
    assert white.array[inside & (template.wm.array > 0.95)].mean() > 0.9
    assert csf.array[inside & (template.wm.array > 0.95)].mean() < 0.05


def test_grey_matter_found_where_white_lies_is_recognised():
    csf, grey, white = np.zeros((3, 4, 4, 4))
    grey[:2], white[2:] = 0.8, 0.8
    assert not misnamed((csf, grey, white), (csf, grey, white))
    assert misnamed((csf, white, grey), (csf, grey, white))
    assert misnamed((grey, white, csf), (csf, grey, white))


@pytest.mark.segments
@pytest.mark.parametrize("signals", [T2, FLAIR], ids=["T2", "FLAIR"])
def test_grey_and_white_matter_of_another_contrast_are_never_swapped(signals):
    image = brain_of(signals)
    tissue = tissue_from_t1(image)
    there = tissue.gm.geometry
    gm, wm = (template_onto(there, np.eye(4)).gm.array, template_onto(there, np.eye(4)).wm.array)
    for found, truth in ((tissue.gm.array, gm > 0.5), (tissue.wm.array, wm > 0.5)):
        assert 2 * ((found > 0.5) & truth).sum() / ((found > 0.5).sum() + truth.sum()) > 0.75
    assert contrast_findings(tissue.levels)[0].code == "t1-contrast"


def test_an_order_of_no_usual_contrast_is_warned_of_and_classes_keep_that_of_a_t1():
    levels = Levels(645.0, 448.0, 647.0)  # where the template lies wrong on a T1
    assert not levels.t1_weighted and contrast_findings(levels)
    assert levels.ranks == (0, 1, 2)
