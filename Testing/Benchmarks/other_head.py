"""Whether another person's T1 is noticed, simulated and real; writes other_head.md.

Every head is drawn from a label map at its own size: its T1, its scan, and its perfusion on the grid of the scan. Scans
are registered as a run registers them, to the head's own T1 and to those of others, and judged by
`preparing.series_fit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.registration import RigidRegistration, judge_alignment, register_rigid
from ASLDenoiseLib.preparing.series_fit import DOUBTFUL, SURE, SeriesFit, series_fit
from ASLDenoiseLib.preparing.tissue import tissue_on
from ASLDenoiseLib.series import Tissue, Volume

from .library.cases import anatomy_path
from .library.command import begin, options, say
from .library.head_draws import anatomical_scanning, draw_scanning
from .library.real_scans import NAMES, real_run
from .library.tables import text_table
from .library.whole_heads import BRAIN, Part, WholeHead, field_of_view, image_of, pose, read_head

ANATOMIES = tuple(range(1, 18))
OTHERS = (1, 5, 9)  # steps along the list to the other heads each scan is given
GIVEN = ("scan and perfusion", "scan alone", "perfusion alone")
_PERFUSED = {Part.GREY: 1.0, Part.WHITE: 0.35, Part.STEM: 0.35}
_PERFUSION_NOISE = 0.25  # a voxel, of grey matter's signal: the mean of some tens of pairs
_WRONG = (2.0, 2.0, 1.0)  # mm, by which a T1 is laid wrong


@dataclass(frozen=True, eq=False)
class Scanned:
    """A head: its T1 with tissue, and its scan with perfusion and brain."""

    label: str
    t1: Volume
    tissue: Tissue
    scan: Volume
    perfusion: Volume
    brain: Volume

    def images(self, given: str) -> list[Volume]:
        """What is judged by, of `GIVEN`."""
        return [each for each, name in ((self.scan, "scan"), (self.perfusion, "perfusion")) if name in given]


@dataclass(frozen=True, eq=False)
class Judged:
    """A scan with a T1: the registration, and the verdicts by what they are of."""

    label: str
    found: RigidRegistration
    fits: dict[str, SeriesFit]
    displaced: SeriesFit | None = None

    @property
    def cells(self) -> str:
        """Share and standard errors, by `GIVEN`."""
        return "; ".join(f"{fit.share:.0%}, {fit.certainty:.1f}" for fit in self.fits.values())


def simulated(number: int, folder: Path) -> Scanned:
    """One head of natural size, and its scan of a kind that depends on its number."""
    head = read_head(anatomy_path(f"brain-{number:02d}", folder))
    kind, scanning = draw_scanning(700 + number)
    scanning = replace(scanning, scale=(1.0, 1.0, 1.0))
    scan = image_of(head, scanning, seed=700 + number)
    values = tuple(_PERFUSED.get(part, 0.0) for part in Part)
    perfused = replace(scanning, values=values, noise=_PERFUSION_NOISE)
    t1 = image_of(head, anatomical_scanning(), seed=number)
    perfusion = image_of(head, perfused, seed=900 + number)
    say("drew", number, kind)
    label = f"brain-{number:02d}, {kind}"
    return Scanned(label, t1, tissue_of(head), scan, perfusion, brain_mask(scan))


def tissue_of(head: WholeHead) -> Tissue:
    """The label map's tissue in the space of its T1."""
    parts, scanning = head.parts.array, anatomical_scanning()
    inside = head.cavity.array > 0.5
    masks = (np.isin(parts, BRAIN) & (parts != Part.WHITE), parts == Part.WHITE, inside & (parts == Part.CSF), inside)
    volumes = (
        head.parts.with_array(mask, name=name) for mask, name in zip(masks, ("GM", "WM", "CSF", "brain"), strict=True)
    )
    return tissue_on(field_of_view(scanning), Tissue(*volumes, source="label map"), transform=pose(scanning))


def judged(t1: Scanned, scan: Scanned, displaced: bool = False) -> Judged:
    """A T1 registered to a scan and judged, also where it is then laid wrong by 3 mm."""
    masks = {"moving_mask": t1.tissue.brain, "fixed_mask": scan.brain}
    found = register_rigid(t1.t1, scan.scan, **masks)
    fits = {given: series_fit(t1.tissue, found, scan.images(given), scan.brain) for given in GIVEN}
    wrong = None
    if displaced:
        off = np.eye(4)
        off[:3, 3] = _WRONG
        given = judge_alignment(t1.t1, scan.scan, off @ found.matrix, **masks)
        wrong = series_fit(t1.tissue, given, scan.images(GIVEN[0]), scan.brain)
    done = Judged(f"{scan.label} / {t1.label}", found, fits, wrong)
    say(done.label, done.cells, found.warning, wrong and f"{wrong.certainty:.1f}")
    return done


def real(data: Path, name: str) -> Scanned:
    """A real series as a run prepares it, with its T1."""
    from ASLDenoiseLib.pipeline.preparation_steps import alignment_target

    run = real_run(data, name)
    target = alignment_target(run.aligned, run.raw)
    return Scanned(f"real, {name}", run.t1, run.t1_tissue, target, run.raw, run.brain)


def counts(found: Sequence[Judged], given: str, most: float) -> str:
    """How many lie below a limit."""
    return f"{sum(not each.fits[given].certainty >= most for each in found)} of {len(found)}"


def spread_of(found: Iterable[Judged], given: str) -> str:
    """Least, median and most certainty."""
    values = [each.fits[given].certainty for each in found]
    return " / ".join(f"{v:.1f}" for v in (min(values), float(np.median(values)), max(values))) if values else ""


def summary(sets: dict[str, list[Judged]]) -> str:
    """A row a set of pairs and what is given."""
    lines = [
        [
            name,
            given,
            f"{len(found)}",
            spread_of(found, given),
            counts(found, given, DOUBTFUL),
            counts(found, given, SURE),
        ]
        for name, found in sets.items()
        for given in GIVEN
        if found
    ]
    head = (
        "pairs",
        "judged by",
        "n",
        "least / median / most",
        f"red (below {DOUBTFUL:g})",
        f"not green (below {SURE:g})",
    )
    return text_table(head, lines)


def page(sets: dict[str, list[Judged]]) -> tuple[str, ...]:
    """The paragraphs and tables."""
    wrong = [each for found in sets.values() for each in found if each.displaced is not None]
    return (
        "Heads of label maps at their own size, scans of many kinds (`library/head_draws.py`), and the real series of "
        "one adult, registered as a run does to their own T1 and to others. Judged by how much better a T1 explains "
        "the series than its mirror image does, in standard errors over cubes of 20 mm (`preparing/series_fit.py`). "
        "Simulated tissue is that of the label map, which favours the own T1; real tissue is segmented. Others' T1s of "
        "the real series are simulated.",
        summary(sets),
        f"Own T1s laid wrong by {np.linalg.norm(_WRONG):g} mm and kept there (the check searches around):",
        text_table(
            ("scan", "standard errors"), [[w.label.split(" / ")[0], f"{w.displaced.certainty:.1f}"] for w in wrong]
        ),
        "Every pair: share of the brain and standard errors, by scan and perfusion, by the scan alone, by perfusion "
        "alone.",
        text_table(
            ("scan / T1", "share, standard errors"), [[e.label, e.cells] for found in sets.values() for e in found]
        ),
    )


def main() -> None:
    """Judge each scan with its own T1 and with those of others."""
    command = begin(__file__, options(__doc__, "anatomy", "data", "threads", quick="four heads, none real"))
    numbers = ANATOMIES[:4] if command.quick else ANATOMIES
    with ProcessPoolExecutor(command.args.threads) as workers:
        heads = list(workers.map(partial(simulated, folder=command.args.anatomy), numbers))
        own = list(workers.map(judged, heads, heads, [n % 3 == 0 for n in range(len(heads))]))
        steps = [step for step in OTHERS if step < len(heads)]
        pairs = [(n, (n + step) % len(heads)) for step in steps for n in range(len(heads))]
        other = list(workers.map(judged, [heads[m] for _, m in pairs], [heads[n] for n, _ in pairs]))
        sets = {
            "own T1, odd heads": own[::2],
            "own T1, even heads": own[1::2],
            "another's T1, odd heads": [each for (n, _), each in zip(pairs, other, strict=True) if n % 2 == 0],
            "another's T1, even heads": [each for (n, _), each in zip(pairs, other, strict=True) if n % 2],
        }
        if command.real:
            scans = list(workers.map(partial(real, command.args.data), NAMES))
            sets["own T1, real"] = list(workers.map(judged, scans, scans, [True] * len(scans)))
            t1s = [heads[4 * n + k] for n in range(len(scans)) for k in range(4)]
            sets["another's T1, real"] = list(workers.map(judged, t1s, [scan for scan in scans for _ in range(4)]))
    command.publish("Another head's T1", *page(sets))


if __name__ == "__main__":
    main()
