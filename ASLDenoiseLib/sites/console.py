"""Adapting as one call, for consoles and scripts: every argument is a field of the `AdaptRequest` that it makes."""

from __future__ import annotations

from pathlib import Path

from ..denoising.catalogue import DEFAULT_MODEL
from ..pipeline.request import Request, SeriesFile
from ..progress import Progress, silent
from .adapt import AdaptRequest, SiteAdaptation, run_adaptation


def adapt(
    *scans: Path | SeriesFile | Request,
    name: str,
    start: str = DEFAULT_MODEL,
    max_minutes: float = 20.0,
    device: str = "auto",
    seed: int = 0,
    progress: Progress = silent,
) -> SiteAdaptation:
    """Adapt a model to scans of one site by learning from their noise; it is kept only if it earns its place.

    Args:
        scans: three or more of eight pairs or more: series, folders of them, or ``*_request.json`` of results, whose
            T1, fixes and pairs are taken. The last scan judges and teaches nothing.
        name: of the new model, by which it is asked for from then on.
        start: the model to start from.
        max_minutes: of learning and judging at the most; preparing takes about a minute a scan besides.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        seed: of what is drawn.
        progress: told how far it is.

    Returns:
        A `SiteAdaptation`: printed, the table of figures before and after; `card_folder` is its bundle, None where it
        was refused and nothing was written.

    Raises:
        InputError: a scan or the name cannot be used; nothing was written.

    >>> import ASLDenoiseLib as ad
    >>> print(ad.adapt("study", name="mysite"))                                                  # doctest: +SKIP
    >>> ad.denoise("sub-09_asl.nii.gz", t1="sub-09_T1w.nii.gz", model="mysite")                  # doctest: +SKIP
    """
    return run_adaptation(AdaptRequest(scans, name, start, max_minutes, device, seed), progress)
