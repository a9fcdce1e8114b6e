"""A made-up study as a cohort leaves it: the record of every scan, in a folder."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.group.record import ScanRecord, Status, write_record
from ASLDenoiseLib.series import CBF_UNIT

PEOPLE, SESSIONS = 12, 2
SCANNERS = (  # what tells two scanners apart, and what each does to the readouts
    {"manufacturer": "Siemens", "labeling": "PCASL", "readout": "3D", "field_strength_t": 3.0},
    {"manufacturer": "GE", "labeling": "PCASL", "readout": "3D", "field_strength_t": 3.0},
)
RAW, DENOISED = "desc-mean_cbf", "desc-denoised_cbf"
REGIONS = ("Hippocampus left", "Hippocampus right", "Precuneus left", "Precuneus right")
MOVED = {  # heavy motion and spikes
    **{"motion_mean_fd_mm": 1.9, "motion_max_mm": 9.5, "outlier_percent": 24.0, "pairs_used": 11.0},
    **{"raw_qei": 0.31, "processed_qei": 0.45, "raw_snr": 1.1, "processed_snr": 2.4},
    "findings_warning": 1.0,
    "findings": "motion-large",
    "notes": "outliers",
}
UNLABELLED = {  # the label never came: no perfusion
    **{"raw_gm_mean": 0.4, "processed_gm_mean": 0.3, "raw_wm_mean": 0.2, "processed_wm_mean": 0.25},
    **{"raw_gm_wm_contrast": 0.8, "raw_qei": 0.01, "processed_qei": 0.03, "raw_snr": 0.1, "processed_snr": 0.15},
    **{"raw_negative_gm_fraction": 47.0, "processed_negative_gm_fraction": 45.0},
    **{"findings_unusable": 1.0, "findings": "implausible-cbf; no-perfusion"},
}
OTHER_T1 = {  # the T1 of another person
    **{"fit_light": "red", "fit_score": 1.2, "fit_share_percent": 52.0},
    **{"raw_gm_wm_contrast": 1.5, "processed_gm_wm_contrast": 1.6, "raw_qei": 0.55, "processed_qei": 0.62},
    **{"findings_warning": 1.0, "findings": "t1-other-head"},
}
SPOILT = {  # by the name of the scan, what is wrong in it
    "sub-03_ses-2": MOVED,
    "sub-07_ses-1": UNLABELLED,
    "sub-10_ses-2": OTHER_T1,
}


def record(name: str = "sub-01_ses-1", *, person: float = 0.0, scanner: int = 0, **changes) -> ScanRecord:
    """The record of a scan of a made-up person; the same each time.

    Args:
        name: its participant, session and noise come from it.
        person: how far their perfusion is from the mean person's, in SDs between people.
        scanner: of `SCANNERS`.
        changes: fields of the record; `values` are laid over what was measured.
    """
    entities = dict(part.split("-", 1) for part in name.split("_") if "-" in part)
    participant, session = entities["sub"], entities.get("ses", "")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    changed = dict(changes.pop("values", {}))
    place = f"sub-{participant}/ses-{session}/perf" if session else f"sub-{participant}/perf"
    made = ScanRecord(
        name,
        participant,
        session,
        Status.DONE,
        f"{zlib.crc32(name.encode()):08x}" * 8,
        folder=place,
        seconds=round(float(rng.normal(300, 20)), 2),
        memory=round(float(rng.normal(3.0, 0.1)), 2),
        values=_values(rng, person, scanner) | changed,
        regions=_regions(rng, name, participant, session, person),
    )
    return replace(made, **changes)


def failed(name: str = "sub-12_ses-2", sentence: str = "The M0 image of sub-12 is empty; give another.") -> ScanRecord:
    """The record of a scan whose run failed."""
    return replace(record(name), status=Status.FAILED, sentence=sentence, values={}, regions=())


def study_of(
    out: Path | None = None,
    *,
    people: int = PEOPLE,
    sessions: int = SESSIONS,
    spoilt: Mapping[str, Mapping[str, object]] = SPOILT,
) -> tuple[ScanRecord, ...]:
    """The records of a study on two scanners, people taking turns between them, by their names.

    Args:
        out: folder to write them into as a cohort does; None: nothing is written.
        spoilt: what is wrong, by the name of the scan; a name that the study has not is passed over.
    """
    rng = np.random.default_rng(20)
    stands = rng.normal(0, 1, people)
    records = []
    for number, person in enumerate(stands, start=1):
        for session in range(1, sessions + 1):
            name = f"sub-{number:02d}" + (f"_ses-{session}" if sessions > 1 else "")
            values = spoilt.get(name, {})
            records.append(record(name, person=float(person), scanner=number % len(SCANNERS), values=values))
    if out is not None:
        for each in records:
            write_record(out, each)
    return tuple(records)


def _values(rng: np.random.Generator, person: float, scanner: int) -> dict[str, object]:
    """A row of the table of scans: grey matter has 55 ml/100g/min, 7 between people and 3 within."""
    gm = 55 + 7 * person + rng.normal(0, 3)
    wm = 21 + 2 * person + rng.normal(0, 1.2)
    noise = (6.5, 8.0)[scanner] * float(rng.lognormal(0, 0.08))
    values: dict[str, object] = {"unit": CBF_UNIT, "raw_map": RAW, "processed_map": DENOISED}
    for prefix, gain in (("raw", 1.0), ("processed", 0.45)):
        grey, white, sd = gm + rng.normal(0, 0.3), wm + rng.normal(0, 0.3), noise * gain
        values |= {f"{prefix}_{name}": float(value) for name, value in _readouts(rng, grey, white, sd, gain).items()}
    values["processed_tsnr"] = float("nan")
    values |= {
        **{"pairs_total": 30.0, "pairs_used": 30.0, "outlier_percent": abs(float(rng.normal(1.0, 0.6)))},
        "motion_mean_fd_mm": float(rng.lognormal(-1.6, 0.25)),
        "motion_max_mm": float(rng.lognormal(-0.2, 0.3)),
        **{"fit_light": "green", "fit_score": float(rng.normal(11, 1.2)), "fit_share_percent": 88.0},
        **{"registration": "passed", "brain_coverage_percent": float(rng.normal(97, 0.8))},
        **{"mni_gm_overlap": float(rng.normal(0.76, 0.01)), "audit": "kept"},
        **{"findings_unusable": 0.0, "findings_warning": 0.0, "findings_note": 1.0},
        **{"findings": "", "notes": "motion-still"},
        **{"model": "dilated-net", "model_sha256": "ab" * 32, "version": "1.0", "delays": 1, "pld_s": 1.8},
        **SCANNERS[scanner],
    }
    return values


def _readouts(rng: np.random.Generator, gm: float, wm: float, sd: float, gain: float) -> dict[str, float]:
    return {
        **{"gm_mean": gm, "gm_sd": 9 + sd, "gm_median": gm - 0.5, "wm_mean": wm, "wm_sd": sd},
        **{"snr": gm / sd, "gm_wm_contrast": gm / wm, "spatial_cov": 100 * (9 + sd) / gm, "tsnr": gm / sd / 2},
        "negative_gm_fraction": abs(float(rng.normal(0.8, 0.3))) * gain,
        "qei": min(0.97, 0.9 - 0.1 * gain + float(rng.normal(0, 0.015))),
        **{"gm_mean_weighted": gm - 2, "gm_mean_pvc": gm + 6},
    }


def _regions(
    rng: np.random.Generator, name: str, participant: str, session: str, person: float
) -> tuple[dict[str, object], ...]:
    rows = []
    for index, region in enumerate(REGIONS, start=1):
        mean = 50 + 5 * person + 2 * index + rng.normal(0, 3)
        row: dict[str, object] = {"scan": name, "participant": participant, "session": session}
        row |= {"atlas": "made-up", "index": index, "region": region}
        for prefix in ("raw", "processed"):
            row |= {f"{prefix}_mean": float(mean + rng.normal(0, 0.5)), f"{prefix}_sd": 12.0}
        row |= {"volume_ml": 4.0, "voxels": 110.0, "coverage_percent": 98.0, "low_coverage": False}
        rows.append(row)
    return tuple(rows)
