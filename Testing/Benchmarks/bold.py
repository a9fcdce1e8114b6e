"""EXPERIMENTAL: CBF predicted from BOLD on simulated dual-echo runs, with its controls; writes bold.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ASLDenoiseLib.bold.model import CONTROL as CONTROL_MODEL
from ASLDenoiseLib.bold.model import BoldModel, experimental_folder, load_bold_model
from ASLDenoiseLib.bold.predict import level_of, predict_course
from ASLDenoiseLib.compute import Compute

from .library.bold_figures import EXPLAINED, R_VOXELS, SLOPE, Interval, figures
from .library.bold_runs import LESIONS, SimulatedRun, simulated_runs
from .library.command import begin, options, say
from .library.tables import answer, mean_row, table, text_table

NAMES = {
    "bold-dwan": "DWAN, volume and change",
    "bold-volume": "DWAN, volume (thesis)",
    "bold-anatomy": "control: anatomy only",
    "bold-shuffled": "control: shuffled targets",
}
MODEL, CONTROL = NAMES["bold-dwan"], NAMES["bold-anatomy"]
SINGLE, MEAN = "single CBF, one pair (measured)", "mean CBF of all pairs (measured)"
SHOWN = "lesion shown, %"
_SEEN = np.arange(0, 20, 2)  # every other moment of a run
_MOMENTS = np.array([4, 14])  # that a lesion is judged on
_FOLLOWS = 0.1  # of the true change, the least slope that is called following

Rows = dict[str, list[dict[str, float]]]


def course_of(run: SimulatedRun, model: BoldModel, compute: Compute, moments: np.ndarray = _SEEN) -> np.ndarray:
    """What a network makes of a run, on its own level; of anatomy alone once, for every moment."""
    if model.family.moves:
        return predict_course(run.bold, model, compute=compute, moments=moments)
    once = predict_course(run.bold, model, compute=compute, moments=np.arange(1))
    return np.repeat(once, len(moments), axis=0)


def lesion_shown(run: SimulatedRun, healthy: np.ndarray, model: BoldModel, compute: Compute) -> float:
    """The share (%) of a lesion in CBF alone that a prediction shows: its change there over the true one."""
    shares = []
    for factor in LESIONS:
        other, lesion = run.with_lesion(factor)
        change = course_of(other, model, compute, _MOMENTS) - healthy[_MOMENTS // 2]
        true = (other.truth - run.truth)[_MOMENTS]
        shares.append(np.nanmean(change[:, lesion]) / np.mean(true[:, lesion]))
    return float(100 * np.mean(shares))


def measured(runs: Sequence[SimulatedRun], models: Mapping[str, BoldModel], compute: Compute) -> Rows:
    """The figures of every way on every run."""
    found: Rows = {}
    for run in runs:
        mean = np.repeat(run.single.mean(0, keepdims=True), len(_SEEN), axis=0)
        for name, course in ((SINGLE, run.single[_SEEN]), (MEAN, mean)):
            found.setdefault(name, []).append({**figures(run, course), SHOWN: 100.0})
        for name, model in models.items():
            course = course_of(run, model, compute)
            shown = lesion_shown(run, course, model, compute) if NAMES[name] in (MODEL, CONTROL) else np.nan
            if NAMES[name] == MODEL:  # as the command gives it
                course = course * level_of(course, course_of(run, models[CONTROL_MODEL], compute)[0])
            found.setdefault(NAMES[name], []).append({**figures(run, course), SHOWN: shown})
        say(run.label)
    return found


def verdicts(found: Rows) -> list[list[str]]:
    """What each control asks, and what was found over the runs."""
    values = {name: {f: [row[f] for row in rows] for f in rows[0]} for name, rows in found.items()}
    model, control = values[MODEL], values[CONTROL]
    explained, slope = Interval.of(model[EXPLAINED]), Interval.of(model[SLOPE])
    apart = Interval.of(np.subtract(model[R_VOXELS], control[R_VOXELS]))
    shown = Interval.of(model[SHOWN])
    lines = [
        [
            "beats anatomy-only within subjects",
            "change explained above 0 %",
            explained,
            explained.low > 0,
        ],
        ["beats it between voxels", "r higher", apart, apart.low > 0],
        ["follows a subject's own modulation", f"slope above {_FOLLOWS:g}", slope, slope.low > _FOLLOWS],
        ["anatomy-only follows none", "slope 0", Interval.of(control[SLOPE]), max(map(abs, control[SLOPE])) < 1e-3],
    ]
    if NAMES["bold-shuffled"] in values:
        shuffled = Interval.of(values[NAMES["bold-shuffled"]][SLOPE])
        lines.append(["shuffled targets teach no modulation", "slope about 0", shuffled, abs(shuffled.mean) < _FOLLOWS])
    missed = shown.high < 10
    lines.append(["a CBF lesion without BOLD change is missed", "shown, %: about 0", shown, missed])
    return [[what, asked, str(interval), answer(bool(holds))] for what, asked, interval, holds in lines]


def main() -> None:
    quick = "one run of each head; the table is printed alone"
    parser = options(__doc__, "anatomy", "device", "threads", quick=quick)
    parser.add_argument("--bundles", type=Path, help="the folder of the bundles; default: those that are installed")
    command = begin(__file__, parser)
    args = command.args
    folder, compute = args.bundles or experimental_folder(), Compute(args.device)
    there = [name for name in NAMES if (folder / name).is_dir()]
    models = {name: load_bold_model(name, device=args.device, folder=folder) for name in there}
    runs = simulated_runs(args.anatomy, 1 if args.quick else 2)
    found = measured(runs, models, compute)
    means = {name: mean_row(rows) for name, rows in found.items()}
    command.publish(
        "CBF predicted from BOLD (experimental)",
        f"{len(runs)} simulated dual-echo runs of 20 pairs, seen at every other of them, of the two heads kept out of "
        "training; no real run is among them. BOLD is the second echo, averaged over control and label; the single CBF "
        "is the difference of the first echoes of a pair. Flow changes by up to 40 %, slowly in regions and in blocks. "
        "All networks learned towards the single CBF of simulated runs with L1. Truth is known here: it is the CBF of "
        "the simulation.",
        "r between voxels is of the run's mean in the brain. SNR is of one moment, truth over error, in grey matter: "
        "the resting level of a subject, which nothing in BOLD tells, is part of the error. r over time, slope and "
        "change explained are of the means of eighths of the grey matter over the run, within a subject: a predictor "
        "that changes nothing has slope 0 and explains 0 %. The first network has the mean of the anatomy-only one, as "
        "the command gives it. A lesion changes CBF in a ball of 24 mm to "
        f"{100 * LESIONS[0]:.0f} or {100 * LESIONS[1]:.0f} % and BOLD not at all.",
        "## Figures",
        table(means, first="what"),
        "## Controls",
        "Means over the runs with their 95 % intervals.",
        text_table(("control", "asked", "found", "holds"), verdicts(found)),
    )


if __name__ == "__main__":
    main()
