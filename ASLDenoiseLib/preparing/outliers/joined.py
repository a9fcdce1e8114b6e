"""The outlier reports of several delays as one: each delay's pairs were judged among themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .report import OutlierReport


def join_reports(reports: Sequence[OutlierReport], positions: Sequence[Sequence[int]]) -> OutlierReport:
    """One report of all pairs; its mean and standard error are those of the first, which is of one delay alone.

    Args:
        reports: each of some of the pairs, by one method.
        positions: of the pairs of each, among all.
    """
    count = sum(map(len, positions))
    inner = np.broadcast_shapes(*(report.weights.shape[1:] for report in reports))
    weights = np.empty((count, *inner), np.float32)
    found = np.zeros((count, inner[0]), bool)
    rejections, put_back = [], []
    for report, where in zip(reports, positions, strict=True):
        weights[list(where)] = report.weights
        found[list(where)] = report.flags if report.found is None else report.found
        rejections += [replace(r, pair=where[r.pair]) for r in report.rejections]
        put_back += [replace(r, pair=where[r.pair]) for r in report.put_back]
    return replace(
        reports[0],
        weights=weights,
        rejections=tuple(sorted(rejections, key=lambda r: (r.pair, -1 if r.slice is None else r.slice))),
        notes=tuple(dict.fromkeys(note for report in reports for note in report.notes)),
        kept=np.sum([report.kept for report in reports], axis=0),
        put_back=tuple(sorted(put_back, key=lambda r: r.pair)),
        found=found if any(report.found is not None for report in reports) else None,
    )
