"""The main job on real series; writes main_job.md.

Each series runs through the shell in a process of its own, as a user would run it, with its T1, on the CPU.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ASLDenoiseLib.reading.images import read_image

from .library.command import ROOT, begin, options
from .library.tables import text_table

SERIES = (("acq-grase", "2"), ("acq-grase", None), ("acq-epi", None), ("acq-picore", None))
READOUTS = ("gm_mean", "wm_mean", "snr", "gm_wm_contrast", "spatial_cov", "negative_gm_fraction", "qei")
STAGES = ("motion", "prepare", "tissue", "clean", "guides", "denoise", "recover", "measure")


def run(data: Path, name: str, pairs: str | None, out: Path) -> dict:
    """Denoise one series; returns readouts.json with the whole command's seconds and the maps' finite medians."""
    subject = data / "real" / "sub-01"
    command = [sys.executable, "-m", "ASLDenoiseLib", "denoise", str(subject / "perf" / f"sub-01_{name}_asl.nii.gz")]
    command += ["--t1", str(subject / "anat" / "sub-01_T1w.nii.gz"), "--out", str(out), "--device", "cpu"]
    command += ["--progress", "none", *(["--pairs", pairs] if pairs else [])]
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    report = json.loads((out / "readouts.json").read_text())
    report["seconds"] = time.perf_counter() - started
    for key in ("desc-mean_cbf", "desc-denoised_cbf"):
        array = read_image(out / f"sub-01_{name}_{key}.nii.gz").array
        report[key] = (float(np.nanmedian(array)), float(np.isfinite(array).sum()))
    return report


def main() -> None:
    parser = options(__doc__, "data")
    parser.add_argument("--keep", type=Path, help="keep the results below this folder")
    command = begin(__file__, parser)
    args = command.args
    if is_missing(args.data / "real", "the real series with --data"):
        return 0
    figures, seconds, findings = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name, pairs in SERIES:
            label = (name, pairs or "all")
            out = (args.keep or Path(scratch)) / f"{name}-{pairs or 'all'}"
            report = run(args.data, name, pairs, out)
            for key, words in (("desc-mean_cbf", "raw"), ("desc-denoised_cbf", "denoised")):
                values = report["readouts"][key]
                numbers = (f"{values[r]['value']:.3g}" for r in READOUTS)
                figures.append([*label, words, f"{report[key][0]:.1f}", *numbers])
            taken = report["timings_s"]
            stages = (f"{taken[s]:.1f}" if s in taken else "-" for s in STAGES)
            seconds.append([*label, *stages, f"{report['seconds']:.0f}"])
            findings += [f"- {name} ({pairs or 'all'}): {f['what']}: {f['why']}" for f in report["findings"]]
    text = [
        "# The main job on real series",
        "",
        f"Made by `make benchmark-main_job` ({command.made_by}). One healthy adult, Siemens",
        "Prisma 3 T, from the public repository neurolabusc/dcm_qa_asl (BSD-2-Clause): 3D GRASE pCASL (8 pairs), 2D",
        "EPI pCASL (51 pairs, delay only 0.2 s, so vascular) and 2D PASL PICORE (42 pairs, bolus times assumed). T1 of",
        "an earlier visit. CPU.",
        "",
        "CBF in ml/100g/min; SNR is mean GM over SD of WM. There is no truth here; where GM and WM means",
        "of raw and denoised differ, the raw mean is the unbiased one.",
        "",
        *text_table(["series", "pairs", "map", "median CBF", *READOUTS], figures),
        "",
        "Seconds a stage, and of the whole command with start-up, Slicer scene, picture and report:",
        "",
        *text_table(["series", "pairs", *STAGES, "whole command"], seconds),
        "",
        "Findings:",
        "",
        *dict.fromkeys(findings),
    ]
    return command.publish(text)


if __name__ == "__main__":
    main()
