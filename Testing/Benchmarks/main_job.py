"""The main job on real series, of this code alone or beside that of another checkout; writes main_job.md.

Each series runs through the shell in a process of its own, as a user would run it, with its T1, on the CPU. With --old,
the codes take turns (old, new, new, old, ...) into a folder of the same name.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from ASLDenoiseLib.progress import parse_line

from .library.command import ROOT, begin, options, say, timed
from .library.real_scans import ORIGIN, series_path, t1_path
from .library.tables import by, text_table

SERIES = (("acq-grase", "2"), ("acq-grase", None), ("acq-epi", None), ("acq-picore", None))
READOUTS = ("gm_mean", "wm_mean", "snr", "gm_wm_contrast", "spatial_cov", "negative_gm_fraction", "qei")
# The stages that old and new are compared by, and the steps that make one of them; what is in none is 'the rest'.
STAGES = ("motion", "prepare", "tissue", "clean", "guides", "denoise", "audit", "measure")
STAGE_OF = {"inspect": "prepare", "calibrate": "prepare", "segment": "tissue", "align": "tissue"}
PARTED = tuple(dict.fromkeys(STAGE_OF.values()))
REST = ("start-up", "files")  # of the rest: until the series is read, and from the first file that is written on


@dataclass(frozen=True)
class Code:
    """A checkout and the Python that runs it."""

    name: str
    checkout: Path
    python: Path


@dataclass(frozen=True)
class Run:
    """One run: its readouts as JSON, the CBF maps by what their names say, and the seconds of the whole command.

    `begun` and `writing` are the seconds after which its first step began, and its last, which writes the files.
    """

    report: dict
    maps: dict[str, np.ndarray]
    seconds: float
    begun: float
    writing: float
    megabytes: float

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each of `STAGES`, of the rest (start-up, reading, writing), and of the whole command."""
        taken: Counter[str] = Counter()
        for step, seconds in self.report["timings_s"].items():
            taken[STAGE_OF.get(step, step)] += seconds
        stages = {stage: taken[stage] for stage in STAGES if stage in taken}
        parts = dict(zip(REST, (self.begun, self.seconds - self.writing), strict=True))
        whole = {"the rest": self.seconds - sum(stages.values()), "whole command": self.seconds}
        return stages | parts | whole | {"peak MB": self.megabytes}


Results = dict[tuple[str, str], dict[str, list[Run]]]  # series and pairs; code; its runs in order


def run(code: Code, data: Path, name: str, pairs: str | None, out: Path) -> Run:
    """Denoise one series into an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    command = [code.python, "-m", "ASLDenoiseLib", "denoise", series_path(data, name), "--t1", t1_path(data)]
    command += ["--out", out, "--device", "cpu", "--progress", "json", *(["--pairs", pairs] if pairs else [])]
    call = [str(part) for part in command]
    (told, megabytes), seconds = timed(followed, call, code.checkout)
    say(f"{name}, {pairs or 'all'} pairs, {code.name} code: {seconds:.0f} s")
    found = {path.name.split("_", 2)[-1].split(".")[0]: path for path in sorted(out.glob("*_cbf.nii.gz"))}
    maps = {key: np.asarray(nibabel.load(path).dataobj, np.float32).T for key, path in found.items()}
    writing = next(at for at, text in reversed(told) if text.startswith("writing maps"))
    return Run(
        json.loads(next(out.glob("*readouts.json")).read_text("utf-8")), maps, seconds, told[0][0], writing, megabytes
    )


def followed(call: list[str], folder: Path) -> tuple[list[tuple[float, str]], float]:
    """Run a command in a folder; the texts of its progress, the seconds after which each came, and its peak in MB."""
    started, told = time.perf_counter(), []
    with subprocess.Popen(call, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            progress = parse_line(line)
            if progress is not None:
                told.append((time.perf_counter() - started, progress.text))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, call)
    return told, usage.ru_maxrss * 1024 / 1e6


def median_stages(runs: Iterable[Run]) -> dict[str, float]:
    """The median over runs of the same code."""
    each = [run.stages for run in runs]
    return {stage: float(np.median([stages[stage] for stages in each])) for stage in each[0]}


def differences(old: Run, new: Run) -> list[list[str]]:
    """The largest absolute difference of each map and how many voxels one alone has; shapes where they differ."""
    rows = []
    for key in dict.fromkeys((*old.maps, *new.maps)):
        a, b = old.maps.get(key), new.maps.get(key)
        if a is None or b is None or a.shape != b.shape:
            rows.append([key, *("-" if each is None else by(each.shape) for each in (a, b))])
            continue
        both, one = np.isfinite(a) & np.isfinite(b), np.isfinite(a) ^ np.isfinite(b)
        apart = np.abs(a.astype(np.float64) - b)[both].max(initial=0.0)
        rows.append([key, f"{apart:.2g}", f"{np.count_nonzero(one)}"])
    return rows


def take_turns(args: argparse.Namespace) -> Results:
    """Every series by every code: the new once, or as often as is asked in turn with the old."""
    turns = [Code("new", ROOT, Path(sys.executable))]
    if args.old:
        old = Code("old", args.old.resolve(), args.old_python.absolute())
        turns = [(old, turns[0])[(n + 1) // 2 % 2] for n in range(2 * args.repeats)]
    results: Results = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, pairs in SERIES:
            label = f"{name}-{pairs or 'all'}"
            if args.series and not {name, label} & set(args.series.split(",")):
                continue
            runs, out = results.setdefault((name, pairs or "all"), {}), (args.keep or Path(scratch)).resolve() / label
            for code in turns:
                runs.setdefault(code.name, []).append(run(code, args.data.resolve(), name, pairs, out))
                if args.old and args.keep:
                    shutil.copytree(out, out.with_name(f"{out.name}-{code.name}"), dirs_exist_ok=True)
    return results


def alone(results: Results) -> list[str]:
    """Readouts, seconds and findings of the new code's last runs."""
    last = {label: runs["new"][-1] for label, runs in results.items()}
    figures = []
    for label, each in last.items():
        for key, words in (("desc-mean_cbf", "raw"), ("desc-denoised_cbf", "denoised")):
            numbers = (f"{each.report['readouts'][key][r]['value']:.3g}" for r in READOUTS)
            figures.append([*label, words, f"{np.nanmedian(each.maps[key]):.1f}", *numbers])
    columns = [*dict.fromkeys(step for each in last.values() for step in each.report["timings_s"]), "whole command"]
    taken = {label: each.report["timings_s"] | {"whole command": each.seconds} for label, each in last.items()}
    findings = [
        f"- {n} ({p}): {f['what']}: {f['why']}" for (n, p), each in last.items() for f in each.report["findings"]
    ]
    return [
        text_table(["series", "pairs", "map", "median CBF", *READOUTS], figures),
        "Seconds a stage, and of the whole command with start-up, Slicer scene, picture and report:",
        text_table(["series", "pairs", *columns], ([*label, *cells(each, columns)] for label, each in taken.items())),
        "Findings:",
        "\n".join(dict.fromkeys(findings)),
    ]


def compared(results: Results) -> list[str]:
    """Stages and maps of the old code beside the new code's."""
    columns = (*STAGES, "the rest", *REST, "whole command", "peak MB")
    seconds = [
        [*label, name, *cells(median_stages(each), columns)]
        for label, runs in results.items()
        for name, each in runs.items()
    ]
    apart = [[*label, *row] for label, runs in results.items() for row in differences(runs["old"][-1], runs["new"][-1])]
    count = len(next(iter(results.values()))["old"])
    parts = "; ".join(f"{stage}: {', '.join(k for k, v in STAGE_OF.items() if v == stage)}" for stage in PARTED)
    return [
        "## Old against new",
        f"Seconds, medians of {count} runs each in turn (old, new, new, old, ...). What the new code calls otherwise "
        f"counts as the old stage it was part of ({parts}); the rest is start-up, reading and files; the columns "
        "beside it say how long it took until the series was being read, and from the first file on to the end. Peak "
        "memory is that of the largest process.",
        text_table(["series", "pairs", "code", *columns], seconds),
        f"The whole command against the old one's, as a share: {', '.join(shares(results))}.",
        "The largest absolute difference of each map, ml/100g/min, and in how many voxels only one has a value. ANTs "
        "adds up what its threads give in any order, so that two runs of one code differ as well where a T1 is "
        "segmented; `--one-thread` compares without that:",
        text_table(["series", "pairs", "map", "largest difference", "voxels"], apart),
    ]


def shares(results: Results) -> list[str]:
    """The new code's whole command as a share of the old one's, which no slower computer changes."""
    whole = "whole command"
    taken = {label: {n: median_stages(each)[whole] for n, each in runs.items()} for label, runs in results.items()}
    return [f"{name} ({pairs}) {each['new'] / each['old']:.2f}" for (name, pairs), each in taken.items()]


def cells(seconds: Mapping[str, float], columns: Iterable[str]) -> list[str]:
    """A row of seconds."""
    return [f"{seconds[column]:.1f}" if column in seconds else "-" for column in columns]


def main() -> None:
    parser = options(__doc__, "data")
    parser.add_argument("--keep", type=Path, help="keep the results below this folder")
    parser.add_argument("--series", help="some of them alone, comma-separated: acq-epi, acq-grase-2, ...")
    parser.add_argument("--one-thread", action="store_true", help="ITK and ANTs on one thread, so that runs repeat")
    parser.add_argument("--old", type=Path, help="another checkout, whose code is run in turn with this one's")
    parser.add_argument("--old-python", type=Path, default=Path(sys.executable), help="the Python of its environment")
    parser.add_argument("--repeats", type=int, default=2, help="how often each code runs each series, with --old")
    command = begin(__file__, parser)
    if command.args.one_thread:
        os.environ.update(dict.fromkeys(("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "OMP_NUM_THREADS"), "1"))
    results = take_turns(command.args)
    command.publish(
        "The main job on real series",
        f"One healthy adult, Siemens Prisma 3 T, {ORIGIN}: 3D GRASE pCASL (8 pairs), 2D EPI pCASL (51 pairs, delay "
        "only 0.2 s, so vascular) and 2D PASL PICORE (42 pairs, bolus times assumed). T1 of an earlier visit. CPU.",
        "CBF in ml/100g/min; SNR is mean GM over SD of WM. There is no truth here; where GM and WM means of raw and "
        "denoised differ, the raw mean is the unbiased one.",
        *alone(results),
        *(compared(results) if command.args.old else []),
        kept=len(results) == len(SERIES) and not command.args.one_thread,
    )


if __name__ == "__main__":
    main()
