"""The main job on real series; writes main_job.md.

    python Testing/Benchmarks/main_job.py --data DIR [--out Testing/Benchmarks/main_job.md]

Each series runs through the shell in a process of its own, as a user would run it, with its T1, on the CPU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ASLDenoiseLib.reading.images import read_image  # noqa: E402

SERIES = (("acq-grase", "2"), ("acq-grase", None), ("acq-epi", None), ("acq-picore", None))
READOUTS = ("gm_mean", "wm_mean", "snr", "gm_wm_contrast", "spatial_cov", "negative_gm_fraction", "qei")
STAGES = ("prepare", "denoise", "tissue", "recover", "measure")


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--keep", type=Path, help="keep the results below this folder")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"skipped: {args.data} is not there; give the real series with --data", file=sys.stderr)
        return 0
    figures = [
        "| series | pairs | map | median CBF | " + " | ".join(READOUTS) + " |",
        "|---" * (4 + len(READOUTS)) + "|",
    ]
    seconds = ["| series | pairs | " + " | ".join(STAGES) + " | whole command |", "|---" * (3 + len(STAGES)) + "|"]
    findings = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, pairs in SERIES:
            label = f"{name} | {pairs or 'all'}"
            out = (args.keep or Path(scratch)) / f"{name}-{pairs or 'all'}"
            report = run(args.data, name, pairs, out)
            for key, words in (("desc-mean_cbf", "raw"), ("desc-denoised_cbf", "denoised")):
                values = report["readouts"][key]
                numbers = " | ".join(f"{values[r]['value']:.3g}" for r in READOUTS)
                figures.append(f"| {label} | {words} | {report[key][0]:.1f} | {numbers} |")
            stages = " | ".join(f"{report['timings_s'][s]:.1f}" for s in STAGES)
            seconds.append(f"| {label} | {stages} | {report['seconds']:.0f} |")
            findings += [f"- {name} ({pairs or 'all'}): {f['what']}: {f['why']}" for f in report["findings"]]
    text = [
        "# The main job on real series",
        "",
        "Made by `make benchmark-main_job` (`python Testing/Benchmarks/main_job.py`). One healthy adult, Siemens",
        "Prisma 3 T, from the public repository neurolabusc/dcm_qa_asl (BSD-2-Clause): 3D GRASE pCASL (8 pairs), 2D",
        "EPI pCASL (51 pairs, delay only 0.2 s, so vascular) and 2D PASL PICORE (42 pairs, bolus times assumed). T1 of",
        "an earlier visit. CPU.",
        "",
        "CBF in ml/100g/min; SNR is mean GM over SD of WM. There is no truth here; where GM and WM means",
        "of raw and denoised differ, the raw mean is the unbiased one.",
        "",
        *figures,
        "",
        "Seconds a stage, and of the whole command with start-up, Slicer scene, picture and report:",
        "",
        *seconds,
        "",
        "Findings:",
        "",
        *dict.fromkeys(findings),
    ]
    args.out.write_text("\n".join(text) + "\n")
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
