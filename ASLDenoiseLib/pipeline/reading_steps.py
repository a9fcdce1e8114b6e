"""The first step: what the request names by path is read, and brought onto the grid of the series."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..progress import Progress
from ..reading.images import image_of, image_stem, is_image_name, is_single_volume, read_image
from ..reading.read import read_cbf_map, read_series, swapped
from ..reading.study import read_t1
from ..series import ASLSeries, Geometry, Tissue, Volume
from .arrival_files import read_arrival
from .region_steps import read_regions
from .request import Head, Image, Matrix, SeriesFile
from .state import RunState


def read(run: RunState, progress: Progress) -> None:
    """The series, its T1 and transform, tissue, regions, and the grid a finer map is to have.

    Raises:
        InputError: a file cannot be read, or does not fit the series; or the folder for the results holds files of
            somebody's own under their names.
    """
    request, head = run.request, run.request.head
    with ThreadPoolExecutor(1) as beside:  # to unpack a file leaves Python to the other
        t1 = beside.submit(t1_of, head.t1) if _is_image_file(head.t1) else None
        series = series_of(request.series, maps=request.superresolution is not None)
    run.series = replace(series, name=request.outputs.name) if request.outputs.name else series
    if request.outputs.folder is not None:
        from ..reporting.derivatives import check_destination
        from ..scene.attachments import PICTURE, SCENE

        more = (SCENE, PICTURE) if request.outputs.scene else ()
        place = {"series": run.series, "attachments": more, "dataset_root": request.outputs.dataset}
        check_destination(request.outputs.folder, **place)
    if request.arrival is not None:
        run.arrival_images = read_arrival(request.arrival, run.series)
    progress(0.5, "reading images of the head")
    grid = run.series.geometry
    number = request.series.series if isinstance(request.series, SeriesFile) else None
    run.t1 = t1_of(head.t1, series=run.series, number=number) if t1 is None else t1.result()
    if head.tissue_space == "t1":
        run.tissue_on_t1 = tissue_of(head)
    else:
        run.tissue = tissue_of(head, grid)
    read_regions(run)
    run.t1_to_asl, run.t1_start = _matrix_of(head.t1_to_asl), _matrix_of(head.t1_start)
    like = None if request.superresolution is None else request.superresolution.like
    run.like = read_image(like).geometry if isinstance(like, Path) else like


def series_of(given: SeriesFile | ASLSeries, *, maps: bool = False) -> ASLSeries:
    """The series, swapped and fixed as asked.

    Args:
        given: on disk or in memory.
        maps: an image of one volume is a CBF map unless its name ends in ``_asl`` or its context is given.

    Raises:
        InputError: as `reading.read.read_series` and `inspecting.fixes.apply_fix`.
    """
    from ..inspecting.fixes import apply_fix

    if isinstance(given, ASLSeries):
        return given
    path = Path(given.path)
    untold = os.path.isfile(path) and given.context is None and not image_stem(path).endswith("_asl")
    if maps and untold and is_single_volume(path):
        series = read_cbf_map(path)
    else:
        series = read_series(path, m0=given.m0, context=given.context, values=given.values, series=given.series)
    series = swapped(series) if given.swap else series
    for name in given.fixes:
        series = apply_fix(series, name)
    return series


def tissue_of(head: Head, onto: Geometry | None = None) -> Tissue | None:
    """The tissue that was given, on a grid (without one, on its own); None where it is to be found."""
    from ..preparing.tissue import tissue_from_labels, tissue_from_masks

    if head.gm is not None:
        gm = image_of(head.gm)
        return tissue_from_masks(gm, image_of(head.wm), onto or gm.geometry)
    if head.labels is None:
        return head.tissue
    labels = image_of(head.labels)
    return tissue_from_labels(labels, onto or labels.geometry)


def t1_of(given: Image | None, *, series: ASLSeries | None = None, number: int | None = None) -> Volume | None:
    """The T1, read where it is a path; of a folder of several subjects that of the series', which has that number.

    Raises:
        InputError: as `preparing.t1_image.require_image`: a mask or a label map is no T1.
    """
    from ..preparing.t1_image import require_image

    if isinstance(given, (str, Path)):
        given = read_t1(given, series=None if series is None else series.source, number=number)
    return None if given is None else require_image(given)


def _is_image_file(given: Image | None) -> bool:
    """Whether a T1 is a file of its own: which one of a folder is meant, the series must tell."""
    return isinstance(given, (str, Path)) and is_image_name(Path(given)) and os.path.isfile(given)


def _matrix_of(given: Matrix | None) -> np.ndarray | None:
    from ..reading.transforms import read_transform

    return read_transform(given) if isinstance(given, (str, Path)) else given
