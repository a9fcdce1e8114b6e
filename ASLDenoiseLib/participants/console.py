"""A cohort as one call, for consoles and scripts: every argument is a field of the `CohortRequest` that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..given import fitted
from ..pipeline.atlases import atlas_asked
from ..pipeline.request import Atlas, Request
from ..progress import Progress, silent
from ..series import Volume
from .clusters import Workers
from .cohort import LEVELS, Cohort, CohortRequest, run_cohort
from .plan import Watch
from .pool import PoolEvent, PoolState, TaskEnded
from .template import Template, read_template, template_of


@fitted
def cohort(
    bids: Path,
    out: Path,
    *,
    levels: Sequence[str] = LEVELS,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    request: Request | Path | None = None,
    atlas: Atlas | Volume | Path | None = None,
    labels_from: Path | None = None,
    workers: int | None = None,
    threads: int = 1,
    scheduler: str = "",
    cluster: Path | None = None,
    progress: Progress = silent,
) -> Cohort:
    """Run every scan of a BIDS data set, and bring them together; what is finished is not done again.

    In a script it stands below ``if __name__ == "__main__":``, since its workers load the script, too.

    Args:
        bids: the root of the data set.
        out: a folder for the results.
        levels: ``participant`` runs the scans, ``group`` makes tables, figures and a page of all that are done.
        participants, sessions: labels, with or without ``sub-`` and ``ses-``; none: all.
        request: what is done with each scan, its series, T1 and places replaced (`template.Template`); None: denoise
            with the default model, MNI space, a scene.
        atlas: in MNI space, each label a region: a label image, or the name of one that nilearn fetches.
        labels_from: label maps in the space of the T1s (`reading.segmentations`).
        workers, threads, scheduler, cluster: where it runs (`clusters.Workers`); `cluster` is a file of a queue.
        progress: told how many scans are over.

    Returns:
        The `Cohort`: `scans` and `regions` as tables of pandas, `failed` with the reason of each, `folder`.

    Raises:
        InputError: data set, OUT, request or workers cannot be used; what is done is kept.

    >>> import ASLDenoiseLib as ad
    >>> study = ad.cohort("study", "study/derivatives/ASLDenoise", workers=2)  # doctest: +SKIP
    >>> study.scans[["scan", "raw_gm_mean", "processed_gm_mean"]]              # doctest: +SKIP
    """
    if isinstance(request, Request):
        template = template_of(request)
    else:
        template = Template() if request is None else read_template(request)
    if atlas is not None:
        atlases = (*template.outputs.atlases, atlas_asked(atlas, usual="mni"))
        template = replace(template, outputs=replace(template.outputs, atlases=atlases))
    asked = CohortRequest(bids, out, tuple(levels), tuple(participants), tuple(sessions), template, labels_from)
    where = Workers(workers, threads, scheduler, cluster)
    return run_cohort(asked, workers=where, watch=Watch(scans=Counting(progress)))


class Counting:
    """A listener of the pool that tells a `Progress` how many scans are over, by a text of its own or of each."""

    def __init__(self, progress: Progress, text: str = "") -> None:
        self._progress, self._text, self._total, self._ended = progress, text, 0, 0

    def __call__(self, event: PoolEvent) -> None:
        """Hear an event."""
        match event:
            case PoolState(total):
                self._total = total
            case TaskEnded(outcome):
                self._ended += 1
                self._progress(self._ended / max(self._total, self._ended), self._text or f"{outcome.key} is over")
