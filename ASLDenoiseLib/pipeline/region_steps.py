"""Regions on their way through a run: read, laid on the series by the image they were drawn on, and how well known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..measuring.readouts import region_key
from ..preparing.midline import mirror_of
from ..preparing.template_space import to_template
from ..progress import Progress
from ..reading.atlas import atlas_names
from ..reading.images import image_of
from ..result import PREPARED_PAIRS, RAW_PAIRS
from ..result.pair_errors import PairErrors, box_of, moves_of_mean
from ..series import Geometry, Origin, Parameter
from ..spatial.masks import depth
from ..spatial.regions import Drawing, PlacedRegion, drawings_of_labels, place, regions_on
from .atlases import atlas_title, template_finding
from .request import Atlas, Region
from .state import RunState

_MARGIN = 8.0  # mm beyond the brain within which it is kept how well means are known


def read_regions(run: RunState) -> None:
    """Read the regions, and lay those that were drawn on the series there.

    Raises:
        InputError: a file cannot be read, a region is empty or outside, or two have one name.
    """
    outputs = run.request.outputs
    run.drawings, run.regions = {}, {}
    # those in MNI space are warped as images, once the way there is known
    atlases = [atlas for atlas in outputs.atlases if atlas.space != "mni"]
    run.given_regions, run.atlas_names = _drawn(outputs.regions, atlases)
    _place(run, {name: drawing for name, (space, drawing) in run.given_regions.items() if space == "asl"})


def place_on_t1(run: RunState) -> None:
    """Lay the regions that were drawn on the T1 where the T1 has come to lie. `InputError` as `read_regions`."""
    drawn = {name: drawing for name, (space, drawing) in run.given_regions.items() if space == "t1"}
    _place(run, {name: drawing.moved(run.t1_to_asl) for name, drawing in drawn.items()})


def find_template_space(run: RunState, progress: Progress) -> None:
    """How the T1 lies in MNI space; and the regions of atlases in that space.

    Raises:
        InputError: a region lies outside the series, or two have one name.
    """
    if run.template is None and run.heads is not None:
        run.template = run.heads.template_space(run.t1)
    if run.template is None:  # else it was kept by a run before
        run.template = to_template(run.t1, run.t1_tissue, progress)
        if run.heads is not None:
            run.heads.keep_template_space(run.t1, run.template)
    for atlas in run.request.outputs.atlases:
        if atlas.space == "mni":
            labels = run.template.from_template(image_of(atlas.labels), run.t1.geometry)
            drawings = drawings_of_labels(labels, _names(atlas))
            drawings = _add_labels(run.given_regions, run.atlas_names, drawings, atlas)
            _place(run, {name: each.moved(run.t1_to_asl) for name, each in drawings.items()})
            told = template_finding(atlas, atlas_title(atlas))
            run.findings += [] if told is None else [told]


def find_midline(run: RunState, progress: Progress) -> None:
    """The plane that mirrors one half of the brain onto the other, on the series."""
    if run.even_t1 is not None:
        brain = run.t1_tissue.brain
        found = mirror_of(run.even_t1, brain)
        to_asl = run.t1_to_asl
        matrix = to_asl @ found.matrix @ np.linalg.inv(to_asl)
    else:
        image = run.m0 if run.m0 is not None else run.raw
        found = mirror_of(image, run.brain)
        matrix = found.matrix
    run.mirror = matrix if found.agreement > 0 else None
    note = "correlation of the brain with its mirror image, 0 to 1"
    run.parameters.append(Parameter("mirror_agreement", round(found.agreement, 3), "", Origin.IMAGE, note))


def pair_errors(run: RunState) -> dict[str, PairErrors]:
    """What each pair moves the raw mean by, and the prepared one where it is another, in the unit of the maps."""
    inside = run.brain.array > 0.5
    within = depth(~inside, run.brain.geometry) <= _MARGIN
    if run.fits is not None:
        return _errors_of_fits(run, within)
    factor = run.quantification.factor.array
    found = {RAW_PAIRS: PairErrors.of(run.acquired.array * factor, None, within)}
    if run.cleaned is not run.raw:
        found[PREPARED_PAIRS] = PairErrors.of(run.pairs.array * factor, run.weights, within)
    return {name: errors for name, errors in found.items() if errors is not None}


def _errors_of_fits(run: RunState, within: np.ndarray) -> dict[str, PairErrors]:
    """The same of several delays: a pair moves the CBF that is fitted by its share in the mean of its delay."""
    box, count = box_of(within), sum(len(one.delay.pairs) for one in run.delays)
    fits = {RAW_PAIRS: (run.fits.raw, False)}
    if run.fits.prepared is not run.fits.raw:
        fits[PREPARED_PAIRS] = (run.fits.prepared, True)
    found = {}
    for name, (fitted, prepared) in fits.items():
        moved = np.empty((count, *within[box].shape))
        for one, gain in zip(run.delays, fitted.gain, strict=True):
            pairs = one.pairs.array if prepared else one.acquired.array
            weights = one.weights if prepared and one.weights is not None else np.ones((len(pairs), 1, 1, 1))
            scale = (gain * one.quantification.factor.array)[box]
            moved[list(one.delay.pairs)] = moves_of_mean(pairs, weights, box) * scale
        found[name] = PairErrors.of_moves(moved, within)
    return {name: errors for name, errors in found.items() if errors is not None}


def regions_of_map(
    regions: Sequence[Region], atlases: Sequence[Atlas], onto: Geometry, *, t1_to_map: np.ndarray | None
) -> dict[str, PlacedRegion]:
    """Regions on a map that stands alone; `t1_to_map` as of `console.measure_map`.

    Raises:
        InputError: as `read_regions`, or one is in a space from which there is no way to the map.
    """
    given, of_atlas = _drawn(regions, atlases)
    placed = {}
    for name, (space, drawing) in given.items():
        if space == "mni" or (space == "t1" and t1_to_map is None):
            raise InputError(f"The region '{name}' does not lie on the map; give its T1, or run the series itself.")
        moved = drawing.moved(t1_to_map) if space == "t1" else drawing
        try:
            placed |= regions_on(onto, {name: moved})
        except InputError:
            if name not in of_atlas:
                raise
    return placed


def regions_on_grid(run: RunState, onto: Geometry, *, transform: np.ndarray) -> dict[str, PlacedRegion]:
    """The regions on another grid, which need not reach them all; `transform` is 4x4, LPS mm, from points of the series
    to points of `onto`."""
    return {name: place(drawing, onto, transform=transform) for name, drawing in run.drawings.items()}


def _drawn(
    regions: Sequence[Region], atlases: Sequence[Atlas]
) -> tuple[dict[str, tuple[str, Drawing]], dict[str, str]]:
    """By name, the space of each region and what was drawn; and of those that are labels of an atlas, which one."""
    given, of_atlas = {}, {}
    for region in regions:
        _add(given, {region.name: Drawing.of(image_of(region.mask))}, region.space)
    for atlas in atlases:
        drawings = drawings_of_labels(image_of(atlas.labels), _names(atlas))
        _add_labels(given, of_atlas, drawings, atlas)
    return given, of_atlas


def _add(given: dict[str, tuple[str, Drawing]], drawings: Mapping[str, Drawing], space: str) -> None:
    for name, drawing in drawings.items():
        if name in given:
            raise InputError(f"Two regions are named '{name}'; rename one.")
        given[name] = (space, drawing)


def _add_labels(
    given: dict[str, tuple[str, Drawing]], of_atlas: dict[str, str], drawings: Mapping[str, Drawing], atlas: Atlas
) -> dict[str, Drawing]:
    """Add the labels of an atlas, and return them; one that another atlas (or label) has under that name, as readouts
    have names, is told apart by its atlas."""
    title = atlas_title(atlas)
    taken, own = {region_key(name) for name in of_atlas}, {}
    for name, drawing in drawings.items():
        told = name if region_key(name) not in taken else f"{name}, {title}"
        number = 2
        while region_key(told) in taken:
            told, number = f"{name}, {title} {number}", number + 1
        taken.add(region_key(told))
        own[told] = drawing
    _add(given, own, atlas.space)
    of_atlas |= dict.fromkeys(own, title)
    return own


def _place(run: RunState, drawings: Mapping[str, Drawing]) -> None:
    """Lay drawings, now where the series lies, on its grid; labels of an atlas that it does not reach are left out."""
    for name, drawing in drawings.items():
        try:
            placed = regions_on(run.series.geometry, {name: drawing})
        except InputError:
            if name not in run.atlas_names:
                raise
            continue
        run.drawings = {**run.drawings, name: drawing}
        run.regions = {**run.regions, **placed}


def _names(atlas: Atlas) -> dict[int, str]:
    if isinstance(atlas.names, Path):
        return atlas_names(atlas.names)
    return {int(number): str(name) for number, name in (atlas.names or {}).items()}
