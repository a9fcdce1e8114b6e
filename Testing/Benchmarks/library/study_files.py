"""The files of a simulated study: raw BIDS, with sidecars that scans inherit, and the truth as a derivative."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ASLDenoiseLib.learning.simulated_dataset import NO_DECAY, acquisition_sidecar, save_integers, save_json
from ASLDenoiseLib.measuring.masks import grey_matter, white_matter
from ASLDenoiseLib.reporting.dataset import BIDS_VERSION
from ASLDenoiseLib.reporting.derivatives import save_volume
from ASLDenoiseLib.series import M0Type

if TYPE_CHECKING:
    from .simulated_study import Design, Scanner, StudyScan

TRUTH = Path("derivatives") / "truth"
TRUTH_TABLE = "scans.tsv"


def write_data_set(out: Path, design: Design) -> None:
    """What stands at the root: description, people, and the sidecars that all scans of a scanner share."""
    (out / TRUTH).mkdir(parents=True, exist_ok=True)
    about = {"BIDSVersion": BIDS_VERSION, "License": "CC0"}
    _write_json(out / "dataset_description.json", {"Name": "A simulated study", "DatasetType": "raw", **about})
    made = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "Testing.Benchmarks.library.simulated_study"}]}
    _write_json(out / TRUTH / "dataset_description.json", {"Name": "Truth of a simulated study", **about, **made})
    (out / "README.md").write_text(
        "Simulated ASL: two sessions a person, two scanners. `derivatives/truth` tells all.\n"
    )
    people = [
        {"participant_id": f"sub-{n:02}", "scanner": design.scanner(n).label} for n in range(1, design.people + 1)
    ]
    _write_table(out / "participants.tsv", people)
    _write_json(out / "participants.json", {"scanner": {"Description": "The label acq of the person's scans"}})
    used = {design.scanner(n).label for n in range(1, design.people + 1)}
    for scanner in (scanner for scanner in design.scanners if scanner.label in used):
        _write_json(out / f"acq-{scanner.label}_asl.json", _shared_sidecar(scanner))


def _shared_sidecar(scanner: Scanner) -> dict[str, object]:
    sidecar = acquisition_sidecar(scanner.scan.acquisition) | NO_DECAY | scanner.sidecar
    if scanner.scan.acquisition.m0_type is M0Type.INCLUDED:
        sidecar.pop("RepetitionTimePreparation")  # one a volume: as many as the scan has
    return sidecar


def write_scan(out: Path, scan: StudyScan) -> None:
    """Write series, context, M0, T1 and truth of one scan."""
    folder, series, name = out / scan.place, scan.scan.series, scan.name
    for kind in ("perf", "anat"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    acquisition = scan.settings.acquisition
    asl, m0 = (folder / "perf" / f"{name}_{suffix}.nii.gz" for suffix in ("asl", "m0scan"))
    words, array = [kind.value for kind in series.context], series.array
    sidecar: dict[str, object] = {"TotalAcquiredPairs": scan.settings.pairs}
    m0_time, time = acquisition.m0_repetition_time, acquisition.repetition_time
    if acquisition.m0_type is M0Type.INCLUDED:
        sidecar["RepetitionTimePreparation"] = [m0_time, *[time] * len(words)]
        words, array = ["m0scan", *words], np.concatenate([series.m0.array[None], array])
    else:
        save_integers(series.m0.array[None], series.geometry, m0)
        intended = f"bids::{scan.place}/perf/{asl.name}"
        save_json(m0, {"RepetitionTimePreparation": m0_time, "IntendedFor": intended} | NO_DECAY)
    save_integers(array, series.geometry, asl)
    save_json(asl, sidecar)
    (folder / "perf" / f"{name}_aslcontext.tsv").write_text("\n".join(["volume_type", *words]) + "\n")
    if scan.t1 is not None:
        t1 = folder / "anat" / f"{scan.place.replace('/', '_')}_T1w.nii.gz"
        save_integers(scan.t1.array[None], scan.t1.geometry, t1, scale=1.0)
        save_json(t1, {"MagneticFieldStrength": acquisition.field_strength, "Description": "Simulated"})
    else:
        (folder / "anat").rmdir()
    _write_truth(out / TRUTH / scan.place / "perf", scan)


def _write_truth(folder: Path, scan: StudyScan) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tissue = scan.scan.tissue
    for ending, volume in (
        ("desc-truth_cbf", scan.scan.cbf),
        ("label-GM_probseg", tissue.gm),
        ("label-WM_probseg", tissue.wm),
    ):
        save_volume(volume, folder / f"{scan.name}_{ending}.nii.gz", description="simulated")
    save_json(folder / f"{scan.name}_desc-truth_cbf.nii.gz", {"Units": "ml/100g/min", "Description": "Noise-free CBF"})


def truth_row(scan: StudyScan) -> dict[str, object]:
    """What is true of a scan."""
    cbf, tissue = scan.scan.cbf.array, scan.scan.tissue
    return {
        "scan": scan.name,
        "participant": f"{scan.person:02}",
        "session": scan.session,
        "scanner": scan.scanner.label,
        "spoilt": scan.spoilt.value if scan.spoilt else "n/a",
        "gm_mean": round(float(cbf[grey_matter(tissue)].mean()), 4),
        "wm_mean": round(float(cbf[white_matter(tissue)].mean()), 4),
        "cortex": round(scan.cortex, 4),
        "motion_sd_mm": round(scan.settings.motion, 4),
        "own_t1": "yes" if scan.t1 is not None else "no",
    }


def write_truth_table(out: Path, rows: Iterable[dict[str, object]]) -> None:
    """``derivatives/truth/scans.tsv``: one row a scan."""
    _write_table(out / TRUTH / TRUTH_TABLE, list(rows))


def _write_table(path: Path, rows: list[dict[str, object]]) -> None:
    lines = ["\t".join(rows[0]), *("\t".join(str(value) for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
