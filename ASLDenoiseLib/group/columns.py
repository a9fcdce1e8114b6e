"""The columns of the table of scans, ``group/scans.tsv``: what each is, and in which unit.

A readout of `measuring.readouts` has two: ``raw_NAME`` and ``processed_NAME``. What was not measured is ``n/a``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ..series import CBF_UNIT

RAW, PROCESSED = "raw_", "processed_"
_MAPS = {RAW: "the raw map", PROCESSED: "the map that the run was for"}


@dataclass(frozen=True)
class Column:
    """A column of the table of scans.

    Args:
        name: as in the head of the table.
        label: for people.
        description: one sentence.
        unit: empty for words, ratios and counts; that of the maps where it is `PERFUSION`.
        words: it holds words, not numbers.
    """

    name: str
    label: str
    description: str
    unit: str = ""
    words: bool = False


PERFUSION = "perfusion"  # the unit that the column `unit` names
_word = partial(Column, words=True)

SCAN = (  # whose row it is, and how its run ended
    _word("scan", "Scan", "Name of the scan, with which the names of its results begin."),
    _word("participant", "Participant", "Label of the participant without sub-; text, also where it is digits."),
    _word("session", "Session", "Label of the session without ses-; text; n/a where the data set has none."),
    _word("status", "Status", "How the run ended: done or failed."),
    _word("reason", "Reason", "Why it failed, in a sentence."),
    _word("folder", "Folder", "Where the results of the scan lie, from the folder of the study."),
    Column("seconds", "Time", "Time that the run took.", "s"),
    Column("memory_gib", "Memory", "Most memory that the run held.", "GiB"),
    _word("unit", "Unit", "Unit of the perfusion maps: ml/100g/min, or scanner units where no M0 calibrates."),
    _word("raw_map", "Raw map", "Key of the map that columns raw_ are measured in."),
    _word("processed_map", "Processed map", "Key of the map that columns processed_ are measured in."),
)
READOUTS = (  # without raw_ and processed_
    Column("gm_mean", "GM mean", "Mean over grey matter.", PERFUSION),
    Column("gm_sd", "GM SD", "SD over grey matter: noise and true differences together.", PERFUSION),
    Column("gm_median", "GM median", "Median over grey matter.", PERFUSION),
    Column("wm_mean", "WM mean", "Mean over white matter.", PERFUSION),
    Column("wm_sd", "WM SD", "SD over white matter, mostly noise.", PERFUSION),
    Column("snr", "SNR", "GM mean over WM SD; blurring raises it too."),
    Column("gm_wm_contrast", "GM/WM contrast", "GM mean over WM mean."),
    Column("spatial_cov", "Spatial CoV", "GM SD over GM mean; high values speak of late arrival or noise.", "%"),
    Column("tsnr", "tSNR", "Mean over GM of each voxel's mean over SD across pairs; a denoised map has none."),
    Column("negative_gm_fraction", "Negative GM", "Share of grey matter below zero.", "%"),
    Column("qei", "QEI", "Quality evaluation index (Dolui 2024), 0 to 1, higher is better."),
    Column("gm_mean_weighted", "GM mean, weighted", "Mean weighted by the grey matter fraction.", PERFUSION),
    Column("gm_mean_pvc", "GM mean, PVC", "GM mean, partial volume corrected.", PERFUSION),
    Column("wm_mean_pvc", "WM mean, PVC", "WM mean, partial volume corrected.", PERFUSION),
    Column("gm_att", "GM arrival time", "Mean arterial transit time over grey matter.", "s"),
    Column("gm_att_bounds", "GM arrival time not known", "Share of GM whose arrival is at the end of its range.", "%"),
    Column("gm_mean_without_vessels", "GM mean without vessels", "GM mean without voxels of vessels.", PERFUSION),
    Column("gm_curve_cbf", "GM CBF of the mean curve", "Fitted to the mean of GM at every delay.", PERFUSION),
    Column("wm_att", "WM arrival time", "Mean arterial transit time over white matter.", "s"),
    Column("wm_att_bounds", "WM arrival time not known", "Share of WM whose arrival is at the end of its range.", "%"),
    Column("wm_mean_without_vessels", "WM mean without vessels", "WM mean without voxels of vessels.", PERFUSION),
    Column("wm_curve_cbf", "WM CBF of the mean curve", "Fitted to the mean of WM at every delay.", PERFUSION),
    Column("snr_slice50", "SNR, MNI slice 50", "GM mean over WM SD in slice 50 of MNI space at 2 mm."),
    Column("gm_wm_contrast_slice50", "GM/WM contrast, MNI slice 50", "GM mean over WM mean there."),
)
QUALITY = (
    Column("pairs_total", "Pairs acquired", "Control-label pairs, or differences, that the series has."),
    Column("pairs_used", "Pairs used", "Pairs in the mean; a pair counts by the share of its slices that are kept."),
    Column("outlier_percent", "Left out", "Share of slices of pairs left out of the mean as outliers or by hand.", "%"),
    Column("motion_mean_fd_mm", "Motion, mean FD", "Shift between successive volumes, mean over the brain.", "mm"),
    Column("motion_max_fd_mm", "Motion, largest FD", "Largest shift between successive volumes.", "mm"),
    Column("motion_max_mm", "Motion, farthest", "Largest shift from the median pose, mean over the brain.", "mm"),
    _word("fit_light", "T1 belongs", "Whether the T1 is of this head: green, amber, red, unknown."),
    Column("fit_score", "T1 fit", "Standard errors by which the T1 explains the series better than its mirror image."),
    Column("fit_share_percent", "T1 fit, share", "Share of the brain that it explains better than its mirror.", "%"),
    _word("registration", "Registration", "Whether the T1's alignment passed its own checks: passed, doubtful."),
    Column("registration_nats", "T1 and series agree", "Mutual information of the T1 with the series.", "nats"),
    Column("brain_coverage_percent", "Brain measured", "Share of the T1's brain in voxels that the map measured.", "%"),
    Column("mni_gm_overlap", "MNI overlap", "Overlap (Dice) of grey matter with the template's after SyN, 0 to 1."),
    _word("audit", "Audit", "Whether the residual audit kept the tissue means: kept, not kept, untold."),
    Column("audit_moved_percent", "Moved by the network", "Largest change of a tissue mean by the network alone.", "%"),
    Column("findings_unusable", "Unusable, number", "Number of findings that make the result unusable."),
    Column("findings_warning", "Warnings, number", "Number of warnings."),
    Column("findings_note", "Notes, number", "Number of notes."),
    _word("findings", "Findings", "Codes of unusable findings, then of warnings, separated by '; '."),
    _word("notes", "Notes, codes", "Codes of the notes, separated by '; '."),
)
ORIGIN = (  # how it was acquired, and what made the result
    _word("manufacturer", "Manufacturer", "As the sidecar states it."),
    _word("labeling", "Labelling", "PCASL, CASL or PASL."),
    _word("readout", "Readout", "2D or 3D."),
    Column("field_strength_t", "Field strength", "Of the scanner.", "T"),
    Column("delays", "Delays", "Number of distinct post-labelling delays."),
    Column("pld_s", "PLD", "Post-labelling delay, of PASL inversion time; of several the longest.", "s"),
    _word("model", "Model", "What denoised."),
    _word("model_sha256", "Model, SHA-256", "Of its weights."),
    _word("version", "Version", "Of ASLDenoise, which made the result."),
)
_KNOWN = {column.name: column for column in (*SCAN, *QUALITY, *ORIGIN)}
_READOUTS = {column.name: column for column in READOUTS}


def column(name: str) -> Column:
    """The column of a name; of one that is not in the table, a name and little else."""
    if name in _KNOWN:
        return _KNOWN[name]
    for prefix, where in _MAPS.items():
        if name.startswith(prefix):
            return _of_map(name, _READOUTS.get(name.removeprefix(prefix)), where)
    return Column(name, name.replace("_", " "), f"'{name}' of the scan.")


def _of_map(name: str, readout: Column | None, where: str) -> Column:
    which = "raw" if name.startswith(RAW) else "processed"
    if readout is None:
        label = name.partition("_")[2].replace("_", " ")
        return Column(name, f"{label}, {which}", f"Readout of {where}; its readouts.json says how it is computed.")
    return replace(
        readout,
        name=name,
        label=f"{readout.label}, {which}",
        description=f"{readout.description.removesuffix('.')}, of {where}.",
    )


def readout_label(name: str) -> str:
    """What a readout is called, whichever map it is of; `name` is without raw_ and processed_."""
    return _READOUTS[name].label if name in _READOUTS else name.replace("_", " ")


def described(name: str) -> bool:
    """Whether the table of columns has a name."""
    return name in _KNOWN or any(name.removeprefix(prefix) in _READOUTS for prefix in _MAPS if name.startswith(prefix))


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Names in the order of the table: the scan's, raw beside processed a readout, quality, origin, then others."""
    both = [f"{prefix}{readout.name}" for readout in READOUTS for prefix in _MAPS]
    table = [*(c.name for c in SCAN), *both, *(c.name for c in QUALITY), *(c.name for c in ORIGIN)]
    place = {name: n for n, name in enumerate(table)}
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (place.get(name, len(place)), name)))


def number_in(row: Mapping[str, object], name: str) -> float:
    """A number of a row of the table of scans; NaN where it has none."""
    value = row.get(name)
    return float(value) if isinstance(value, (int, float)) else math.nan


def unit_of(name: str, unit: str = CBF_UNIT) -> str:
    """The unit of a column where the perfusion maps have `unit`."""
    own = column(name).unit
    return unit if own == PERFUSION else own
