"""What a simulated study's tables show: sessions against people, and against the truth.

The formulas are written out here, apart from those of the group level, so that one checks the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .study_files import TRUTH, TRUTH_TABLE
from .tables import Row

if TYPE_CHECKING:
    import pandas as pd

READOUTS = {"GM mean": "gm_mean", "WM mean": "wm_mean", "GM/WM contrast": "gm_wm_contrast", "SNR": "snr", "QEI": "qei"}
AGREEMENT = ("mean", "within SD", "within CV %", "between SD", "ICC")
_KEY = {"scan": str, "participant": str, "session": str}


def read_table(path: Path) -> pd.DataFrame:
    """A table of scans, indexed by scan; labels stay words."""
    import pandas as pd

    return pd.read_csv(path, sep="\t", dtype=_KEY, na_values="n/a", keep_default_na=False).set_index("scan")


def with_truth(out: Path, study: Path) -> pd.DataFrame:
    """The table of scans of a cohort beside what is true of each, in columns that begin with ``truth_``."""
    truth = read_table(study / TRUTH / TRUTH_TABLE).add_prefix("truth_")
    truth["truth_gm_wm_contrast"] = truth["truth_gm_mean"] / truth["truth_wm_mean"]
    return read_table(out / "group" / "scans.tsv").join(truth, how="left")


def sound(table: pd.DataFrame) -> pd.DataFrame:
    """The scans in which nothing is spoilt, of people all of whose scans are so."""
    spoilt = set(table.loc[table["truth_spoilt"].notna(), "participant"])
    return table[~table["participant"].isin(spoilt) & (table["status"] == "done")]


def agreement(sessions: np.ndarray) -> dict[str, np.ndarray]:
    """Sessions of people (N, K, ...) against each other, for each of the further axes.

    The within-subject SD is the root of the mean variance of the sessions of a person, the between-subject SD that of
    the variance that one-way analysis of variance leaves to people, and ICC(1,1) the share of people in both (Shrout
    and Fleiss 1979). NaN with fewer than two people or sessions.
    """
    people, each = sessions.shape[:2]
    if people < 2 or each < 2:
        return dict.fromkeys(AGREEMENT, np.full(sessions.shape[2:], np.nan))
    within = sessions.var(axis=1, ddof=1).mean(axis=0)
    of_people = each * sessions.mean(axis=1).var(axis=0, ddof=1)
    between, mean = np.maximum(0.0, (of_people - within) / each), sessions.mean(axis=(0, 1))
    icc = (of_people - within) / (of_people + (each - 1) * within)
    return dict(zip(AGREEMENT, (mean, within**0.5, 100 * within**0.5 / mean, between**0.5, icc), strict=True))


def by_session(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column as people by sessions (N, K); people without a value in each session are left out."""
    return table.pivot_table(index="participant", columns="session", values=column).dropna().to_numpy(float)


def repeatability(table: pd.DataFrame) -> dict[str, Row]:
    """`agreement` of each readout, raw, processed and true, by 'readout, which'."""
    rows = {}
    for label, name in READOUTS.items():
        for which in ("raw", "processed", "truth"):
            column = f"{which}_{name}"
            if column in table and table[column].notna().any():
                found = agreement(by_session(table, column))
                rows[f"{label}, {which}"] = {name: float(value) for name, value in found.items()}
    return rows


def errors(table: pd.DataFrame) -> dict[str, Row]:
    """Readouts against the truth, of each scanner and of both, by 'readout, which, scanner'."""
    rows = {}
    scanners = [("both", table), *((name, part) for name, part in table.groupby("truth_scanner"))]
    for label in ("GM mean", "WM mean", "GM/WM contrast"):
        for which in ("raw", "processed"):
            for scanner, part in scanners:
                off = part[f"{which}_{READOUTS[label]}"] / part[f"truth_{READOUTS[label]}"] - 1
                rows[f"{label}, {which}, {scanner}"] = {
                    "scans": float(off.count()),
                    "bias %": 100 * float(off.mean()),
                    "SD of the error %": 100 * float(off.std(ddof=1)),
                }
    return rows


def voxelwise(out: Path, table: pd.DataFrame) -> dict[str, Row]:
    """`agreement` of each voxel of grey matter in MNI space: the medians, raw and processed."""
    import nibabel

    from ASLDenoiseLib.preparing.template import icbm_template

    grey, rows = icbm_template().gm.array > 0.5, {}
    for which in ("raw", "processed"):
        maps = {}
        for name, row in table.iterrows():
            [path] = (out / row["folder"]).glob(f"{name}_space-*_{row[f'{which}_map']}.nii.gz")
            array = np.asarray(nibabel.load(path).dataobj, np.float32).T
            maps.setdefault(row["participant"], []).append(array[grey])
        pairs = np.stack([np.stack(each) for each in maps.values() if len(each) > 1])  # people, sessions, voxels
        pairs = pairs[:, :, np.isfinite(pairs).all(axis=(0, 1))]
        found = agreement(pairs.astype(float))
        rows[f"a voxel of grey matter, {which}"] = {name: float(np.median(value)) for name, value in found.items()}
    return rows
