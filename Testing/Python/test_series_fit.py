"""Whether a T1 belongs to a series: the check by the T1's own mirror image, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ASLDenoiseLib.preparing.registration import RigidRegistration, judge_alignment, register_rigid
from ASLDenoiseLib.preparing.series_fit import Light, SeriesFit, fit_findings, series_fit
from ASLDenoiseLib.preparing.template import icbm_template
from ASLDenoiseLib.preparing.tissue import tissue_on
from ASLDenoiseLib.series import Geometry, Tissue, Volume
from ASLDenoiseLib.spatial.local_fit import cubes, unexplained
from ASLDenoiseLib.spatial.resampling import average_onto, with_spacing

GRID = Geometry((48, 48, 40), (3.0, 3.0, 3.0), (-70.5, -70.5, -58.5))
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


def head(seed: int) -> Tissue:
    """A ball of brain with folds of its own."""
    rng = np.random.default_rng(seed)
    k, j, i = (np.arange(n) - (n - 1) / 2 for n in GRID.shape)
    radius = np.sqrt((k[:, None, None] * 3 / 55) ** 2 + (j[:, None] * 3 / 65) ** 2 + (i * 3 / 62) ** 2)
    folds = gaussian_filter(rng.normal(size=GRID.shape), 2.0)
    folds /= folds.std()
    inside = radius < 1
    wm, csf = inside & (folds > 0.4), inside & (folds < -1.2)
    arrays = (inside & ~wm & ~csf, wm, csf, inside)
    return Tissue(*(Volume(array, GRID) for array in arrays), source="made")


def scan(tissue: Tissue, values=(0.8, 0.7, 1.0), noise=0.1, seed=0) -> Volume:
    """An image of a head with a smooth bias."""
    rng = np.random.default_rng(seed)
    parts = (tissue.gm, tissue.wm, tissue.csf)
    signal = sum(value * part.array for value, part in zip(values, parts, strict=True))
    bias = np.linspace(0.6, 1.4, GRID.shape[2])
    return Volume(signal * bias + noise * rng.normal(size=GRID.shape), GRID)


def registered(settled=None, mirror=MIRROR) -> RigidRegistration:
    at = np.eye(4) if settled is None else settled
    return RigidRegistration(np.eye(4), 0.4, 0.0, 1.0, settled=at, mirror=mirror)


def test_the_own_t1_explains_the_series_better_than_its_mirror_image():
    own = head(1)
    fit = series_fit(own, registered(), [scan(own)], own.brain)
    assert fit.light is Light.GREEN and fit.share > 0.9 and fit.certainty > 6 and fit.places > 50
    assert fit_findings(fit) == []


def test_tissue_that_was_laid_on_the_series_before_gives_the_same_figures():
    own = head(1)
    laid = tissue_on(GRID, own, transform=np.eye(4))
    images = [scan(own)]
    assert series_fit(own, registered(), images, own.brain, on_series=laid) == series_fit(
        own, registered(), images, own.brain
    )
    other = tissue_on(GRID, head(2), transform=np.eye(4))
    assert series_fit(own, registered(), images, own.brain, on_series=other).certainty < 6


@pytest.mark.parametrize("other", range(2, 8))
def test_another_head_explains_it_no_better_than_its_mirror_image(other):
    own, theirs = head(1), head(other)
    fit = series_fit(theirs, registered(), [scan(own)], own.brain)
    assert fit.light in (Light.RED, Light.AMBER) and abs(fit.share - 0.5) < 0.2
    (finding,) = fit_findings(fit)
    assert finding.code in ("t1-other-head", "t1-fit-doubtful") and f"{fit.share:.0%}" in finding.why


def test_perfusion_alone_tells_it_too_and_bias_and_contrast_do_not_matter():
    own = head(1)
    for values in ((1.0, 0.3, 0.0), (0.1, 0.2, 0.6), (-0.8, -0.7, -1.0)):
        assert series_fit(own, registered(), [scan(own, values, noise=0.4)], own.brain).light is Light.GREEN


def test_a_t1_that_is_its_own_mirror_image_is_not_judged():
    own = head(1)
    both = replace(own, **{name: _symmetric(getattr(own, name)) for name in ("gm", "wm", "csf")})
    fit = series_fit(both, registered(), [scan(own)], own.brain)
    assert fit.light is Light.UNKNOWN and fit_findings(fit) == [] and not fit.parameters()
    assert "cannot be told" in fit.sentence and "nan" not in fit.sentence


def test_too_little_brain_or_no_image_is_not_judged():
    own = head(1)
    little = own.brain.with_array(np.where(np.arange(GRID.shape[0])[:, None, None] == 20, own.brain.array, 0))
    thin = little.with_array(little.array * (np.arange(48) < 20))
    assert series_fit(own, registered(), [scan(own)], thin).light is Light.UNKNOWN
    constant = scan(own).with_array(np.full(GRID.shape, np.nan))
    assert series_fit(own, registered(), [constant], own.brain).light is Light.UNKNOWN
    assert series_fit(own, registered(mirror=None), [scan(own)], own.brain).light is Light.UNKNOWN


def test_voxels_that_were_not_measured_are_left_out():
    own = head(1)
    image = scan(own)
    holes = image.array.copy()
    holes[:, :, :20] = np.nan
    fit = series_fit(own, registered(), [image.with_array(holes)], own.brain)
    whole = series_fit(own, registered(), [image], own.brain)
    assert fit.light is Light.GREEN and fit.places < whole.places


def test_the_figure_goes_through_json_with_what_is_not_known_as_null():
    for fit in (SeriesFit(0.84, 8.25, 200), SeriesFit()):
        plain = fit.to_plain()
        assert plain["light"] == fit.light.value and plain["said"] == fit.sentence
        again = SeriesFit.from_plain(plain)
        assert again == fit or (again.light is fit.light is Light.UNKNOWN and plain["share"] is None)


def test_lights_follow_the_standard_errors():
    lights = [SeriesFit(0.5, certainty, 100).light for certainty in (-3.0, 3.9, 5.0, 6.1)]
    assert lights == [Light.RED, Light.RED, Light.AMBER, Light.GREEN]


def test_what_is_unexplained_is_that_of_a_regression_in_each_cube():
    rng = np.random.default_rng(0)
    inside = np.ones((12, 12, 12), bool)
    cube = cubes(inside, Geometry((12, 12, 12), (10.0, 10.0, 10.0)), 40.0)
    values, feature = rng.normal(size=(2, cube.size))
    left = unexplained(values, [feature], cube)
    for number in np.unique(cube):
        here = cube == number
        assert here.sum() > 7
        design = np.stack([np.ones(here.sum()), feature[here]], axis=1)
        _, rest, *_ = np.linalg.lstsq(design, values[here], rcond=None)
        assert left[number] == pytest.approx(float(rest[0]), rel=1e-3)


@pytest.mark.parametrize(("other", "light"), [(1, Light.GREEN), (5, Light.RED)])
def test_a_run_judges_its_t1_and_names_that_of_another_head(monkeypatch, other, light):
    from ASLDenoiseLib.compute import Compute
    from ASLDenoiseLib.pipeline import preparation_steps
    from ASLDenoiseLib.pipeline.request import Head, Request
    from ASLDenoiseLib.pipeline.state import RunState
    from ASLDenoiseLib.progress import silent
    from ASLDenoiseLib.series import Acquisition, ASLSeries

    own, theirs = head(1), head(other)
    control = 1000 * scan(own).array
    perfusion = 10 * scan(own, (1.0, 0.4, 0.0), noise=0.3).array
    series = ASLSeries(np.stack([control, control - perfusion]), GRID, ("control", "label"), Acquisition())
    state = RunState(Request(series, Head(scan(theirs))), Compute("cpu"), series=series, t1=scan(theirs))
    state.aligned, state.raw, state.brain, state.t1_tissue = series, Volume(perfusion, GRID), own.brain, theirs
    monkeypatch.setattr(preparation_steps, "register_rigid", lambda *images, **how: registered())
    preparation_steps.align_t1(state, silent)
    assert state.fit.light is light
    assert [f.code for f in state.findings] == ([] if light is Light.GREEN else ["t1-other-head"])
    (share, certain) = (p for p in state.parameters if p.name.startswith("t1_fit"))
    assert share.unit == "%" and certain.unit == "standard errors"


def test_shell_report_and_json_say_the_figure():
    from scene_builders import made_result

    from ASLDenoiseLib.reporting.fragments import fit_html
    from ASLDenoiseLib.reporting.provenance import readouts_json

    fit = SeriesFit(0.52, 0.8, 210)
    result = replace(made_result(), fit=fit)
    assert fit.sentence in str(result)
    assert '<li class="red"><strong>Red.</strong>' in fit_html(result) and "52%" in fit_html(result)
    assert readouts_json(result)["fit"]["light"] == "red" and readouts_json(result)["fit"]["certainty"] == 0.8
    assert fit_html(made_result()) == "" and "fit" not in readouts_json(made_result())


def _symmetric(volume: Volume) -> Volume:
    return volume.with_array((volume.array + volume.array[:, :, ::-1]) / 2)


def skewed_template(seed: int) -> tuple[Tissue, Volume]:
    """The template bent so that left and right differ, as in one person, and a T1 of it."""
    template = icbm_template()
    grid = template.t1.geometry
    rng = np.random.default_rng(seed)
    shift = [gaussian_filter(rng.normal(size=grid.shape), 8.0) for _ in range(3)]
    shift = [3.0 * each / each.std() for each in shift]  # voxels

    def bent(array: np.ndarray) -> np.ndarray:
        from scipy.ndimage import map_coordinates

        where = [index + each for index, each in zip(np.indices(grid.shape), shift, strict=True)]
        return map_coordinates(array.astype(np.float32), where, order=1)

    gm, wm = (template.t1.with_array(bent(each.array)) for each in (template.gm, template.wm))
    brain = template.t1.with_array(bent(template.brain.array) > 0.5)
    csf = brain.with_array(np.clip(1 - gm.array - wm.array, 0, 1) * brain.array)
    t1 = template.t1.with_array(1000 * (0.15 * csf.array + 0.55 * gm.array + 0.9 * wm.array) * brain.array)
    return Tissue(gm, wm, csf, brain, source="bent template"), t1


def m0_of(tissue: Tissue, t1: Volume) -> tuple[Volume, Volume]:
    """An M0 of 4 x 4 x 5 mm, and its brain."""
    signal = 0.82 * tissue.gm.array + 0.7 * tissue.wm.array + tissue.csf.array
    coarse = with_spacing(t1.geometry, (4.0, 4.0, 5.0))
    m0 = average_onto(t1.with_array(1000 * signal), coarse, outside=0.0)
    brain = average_onto(tissue.brain, coarse, outside=0.0)
    noise = np.random.default_rng(5).normal(0, 20, m0.array.shape)
    return m0.with_array(np.abs(m0.array + noise)), brain.with_array(brain.array > 0.5)


@pytest.mark.registers
def test_registration_finds_the_mirror_image_too_also_around_a_t1_that_was_laid_wrong():
    tissue, t1 = skewed_template(4)
    m0, brain = m0_of(tissue, t1)
    masks = {"moving_mask": tissue.brain, "fixed_mask": brain}
    found = register_rigid(t1, m0, **masks)
    assert np.linalg.det(found.mirror[:3, :3]) == pytest.approx(-1.0) and found.settled is found.matrix
    assert series_fit(tissue, found, [m0], brain).light is Light.GREEN
    off = np.eye(4)
    off[:3, 3] = (4.0, 4.0, 2.0)
    given = judge_alignment(t1, m0, off, **masks)
    np.testing.assert_array_equal(given.matrix, off)
    assert series_fit(tissue, given, [m0], brain).light is Light.GREEN


@pytest.mark.registers
def test_another_head_is_told_after_it_was_registered():
    m0, brain = m0_of(*skewed_template(4))
    tissue, t1 = skewed_template(9)
    found = register_rigid(t1, m0, moving_mask=tissue.brain, fixed_mask=brain)
    fit = series_fit(tissue, found, [m0], brain)
    assert fit.light is Light.RED and fit_findings(fit)[0].code == "t1-other-head"


def test_the_template_in_place_of_a_t1_is_its_own_mirror_image():
    m0, brain = m0_of(*skewed_template(4))
    template = icbm_template()
    csf = template.t1.with_array(np.clip(template.brain.array - template.gm.array - template.wm.array, 0, 1))
    tissue = Tissue(template.gm, template.wm, csf, template.brain, source="template")
    assert series_fit(tissue, registered(), [m0], brain).light is Light.UNKNOWN
