"""BIDS data sets of small scans, for the tests that find, check and run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from reading_builders import head, save, write_series


def data_set(root: Path, *places: str, **how: object) -> Path:
    """A BIDS data set with a series in each of ``sub-01/ses-1`` ...; returns its root.

    `how` is as `reading_builders.write_series` takes it; each series has noise of its own.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset_description.json").write_text('{"Name": "made", "BIDSVersion": "1.9.0"}')
    for number, place in enumerate(places):
        write_series(root / place / "perf", stem=place.replace("/", "_"), **{"seed": number, **how})
    return root


def t1(root: Path, place: str, *, more: str = "", level: float = 1.0) -> Path:
    """A T1 in ``sub-01/ses-1``; its brightest voxel is `level`."""
    array = head() * np.random.default_rng(0).uniform(0.5, 1, head().shape)
    return save(root / place / "anat" / f"{place.replace('/', '_')}{more}_T1w.nii.gz", level * array / array.max())


def participants_tsv(root: Path, names: Sequence[str]) -> Path:
    """``participants.tsv`` with a line for each of ``sub-01`` ..."""
    path = root / "participants.tsv"
    path.write_text("\n".join(["participant_id\tage", *(f"{name}\t40" for name in names)]) + "\n", encoding="utf-8")
    return path
