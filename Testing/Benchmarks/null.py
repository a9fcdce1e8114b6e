"""Real scanner noise without perfusion: what denoisers make of gel phantoms; writes null.md.

There is nothing to find: no brain, no lesion, and no voxel that differs from nothing more often than chance has it. A
simulated head's T1 and M0 are laid over the gel as guides, to see whether they draw themselves into the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard

from .library import null_figures as figures
from .library import peers
from .library.cases import Case
from .library.command import begin, options, say
from .library.lesions import FALSE_FWHM, FALSE_ML, FALSE_SHARE
from .library.methods import NONE, audit_of, chosen_models, denoise_with, ways
from .library.null_figures import Answer, NullWay
from .library.null_scans import ORIGIN, SOURCES, as_gel, laid_over, portions, turned
from .library.tables import answer, mean_row, table, text_table

MOST = 5  # portions of one scan
BRAIN_OUT = 5.0  # % of the noise that grey less white matter may come to
FOUND = 5.0  # % of voxels beyond their 95 % interval
RAW = "raw mean"

Row = Mapping[str, float]
Rows = dict[str, list[dict[str, float]]]


def way_of(card: ModelCard, name: str, guide: str, device: str) -> NullWay:
    """A model with what it may know."""

    def run(case: Case) -> Answer:
        found = denoise_with(card, case, guide, device=device)
        sd = None if found.uncertainty is None else found.uncertainty.array
        return Answer(found.difference.array, sd)

    return NullWay(name, run)


def audited(way: NullWay, guide: str) -> NullWay:
    """The same with its residual audited, as a run does."""

    def run(case: Case) -> Answer:
        plain = way.run(case)
        sd = None if plain.sd is None else case.raw.with_array(plain.sd)
        found = audit_of(case, case.raw.with_array(plain.difference), guide, uncertainty=sd)
        sd = None if found.uncertainty is None else found.uncertainty.array
        return Answer(found.difference.array, sd, found.restored.array, found.significant)

    return NullWay(f"{way.name}, audited", run)


def simple_ways() -> list[NullWay]:
    """The plain mean with its own interval, and a Gaussian of it."""
    gaussian = peers.smoothed(6)
    return [
        NullWay(RAW, figures.raw_answer),
        NullWay("Gaussian 6 mm", lambda case: Answer(gaussian(case).array)),
    ]


def measured(cases: Sequence[Case], every: Sequence[NullWay]) -> Rows:
    """The figures of each way on each portion of a scan."""
    level = figures.pair_sd(cases[0])
    return {way.name: [figures.figures(case, way.run(case), level=level) for case in cases] for way in every}


def scenes(scan_case: Case) -> Iterator[tuple[str, Case]]:
    """The scan as acquired, and with every other pair turned round."""
    yield scan_case.label, scan_case
    yield f"{scan_case.label}, every other pair turned", turned(scan_case)


def verdicts(
    names: Sequence[str], found: Mapping[str, Rows], ranges: Mapping[str, tuple[float, float]]
) -> list[list[str]]:
    """What is asked of the ways of these names, and what was found where it is worst."""
    lines = []
    for name in names:
        every = [(label, row) for label, rows in found.items() for row in rows.get(name, [])]
        lines += [_brain_out(name, every), _lesions(name, every)]
        for figure in (figures.BEYOND, figures.SIGNIFICANT):
            lines.append(_beyond(name, figure, found, ranges))
    return [line for line in lines if line]


def _brain_out(name: str, every: Sequence[tuple[str, Row]]) -> list[str]:
    """The portion whose grey and white matter lie furthest apart for what the raw mean has of it."""
    over = [
        (abs(row[figures.APART]) - max(BRAIN_OUT, abs(row[figures.RAW_APART])), label, row)
        for label, row in every
        if np.isfinite(row[figures.APART])
    ]
    if not over:
        return []
    excess, label, row = max(over, key=lambda each: each[0])
    said = f"{row[figures.APART]:+.1f} (raw mean {row[figures.RAW_APART]:+.1f}; {label})"
    return [f"{name}: {figures.APART}", f"{BRAIN_OUT:g}, or the raw mean's", said, answer(excess <= 0)]


def _lesions(name: str, every: Sequence[tuple[str, Row]]) -> list[str]:
    label, worst = max(every, key=lambda each: each[1][figures.LESIONS])
    return [
        f"{name}: {figures.LESIONS}",
        "0",
        f"{worst[figures.LESIONS]:g} ({label})",
        answer(worst[figures.LESIONS] == 0),
    ]


def _beyond(name: str, figure: str, found: Mapping[str, Rows], ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """The scan whose share of voxels most exceeds chance, and, of intervals, the plain mean's own share."""
    over = []
    for label, rows in found.items():
        share = mean_row(rows[name])[figure] if name in rows else np.nan
        raw = mean_row(rows[RAW])[figures.BEYOND] if RAW in rows else np.nan
        limit = np.nanmax([100 * ranges[label][1], raw])
        if np.isfinite(share):
            over.append((share - limit, f"{share:.1f} (at most {limit:.1f}; {label})"))
    if not over:
        return []
    excess, said = max(over)
    return [f"{name}: {figure}", f"{FOUND:g}, chance, or the raw mean's", said, answer(bool(excess <= 0))]


def told(means: Mapping[str, Row]) -> dict[str, Row]:
    """The rows without the figures that none of them has."""
    names = [n for n in next(iter(means.values())) if any(np.isfinite(row[n]) for row in means.values())]
    return {name: {n: row[n] for n in names} for name, row in means.items()}


def _range(limits: tuple[float, float]) -> str:
    return f"{100 * limits[0]:.1f} to {100 * limits[1]:.1f}"


def main() -> None:
    quick = "ten pairs of one phantom at a time; the table is printed alone"
    parser = options(__doc__, "anatomy", "data", "device", "threads", quick=quick)
    parser.add_argument("--models", default=DEFAULT_MODEL, help="comma-separated; default: the default model")
    command = begin(__file__, parser)
    args = command.args
    networks = []
    for card in chosen_models(args.models):
        for name, guide in ways(card).items():
            way = way_of(card, name, guide, args.device)
            networks += [(guide, audited(way, guide)), (guide, way)]
    found: dict[str, Rows] = {}
    ranges: dict[str, tuple[float, float]] = {}
    tables = []
    for source in SOURCES[:1] if args.quick else SOURCES:
        scan = source.scan(args.data)
        if scan is None:
            continue
        gel, head = as_gel(scan), laid_over(scan, args.anatomy)
        bare = [*simple_ways(), *(way for guide, way in networks if guide == NONE)]
        guided = [way for guide, way in networks if guide != NONE]
        for count in (10,) if args.quick else source.counts:
            for (label, as_it_is), (_, with_head) in zip(scenes(gel), scenes(head), strict=True):
                title = f"{label}, {count} pairs"
                cases = portions(as_it_is, count, most=MOST)
                rows = measured(cases, bare) | measured(portions(with_head, count, most=MOST), guided)
                found[title] = rows
                ranges[title] = figures.band(len(cases) * figures.independent_voxels(as_it_is))
                means = told({name: mean_row(each) for name, each in rows.items()})
                chance = f"{len(cases)} portions; chance has {_range(ranges[title])} % beyond 1.96."
                tables += [f"## {title}", chance, table(means)]
                say(title)
    command.publish(
        "Noise without perfusion",
        f"Gel phantoms, {ORIGIN}: label and control images of 2D and 3D pCASL, with the drift, the ghosts and the "
        "neighbours' correlation that scanners have, and no perfusion. Successive portions of a scan are denoised each "
        f"by itself, up to {MOST} of a number of pairs. Where every other pair is turned round, label and control have "
        "changed places, and what differed between them all along is gone as well.",
        "The gel is the brain, and its mean control the M0. Ways with guides see a simulated head (its M0, and its "
        "T1's contrast classes) laid over the gel, and the brain is what of the head lies on the gel. SD out / in is "
        "that of the map over that of the raw mean; GM - WM is of the head's tissue in the map, over the SD of the raw "
        "mean; r is with the guide that it is strongest with. A lesion is a connected region "
        f"of {FALSE_ML:g} ml or more where the map, after an {FALSE_FWHM:g} mm Gaussian, exceeds "
        f"{100 * FALSE_SHARE:.0f} % of a grey matter whose SNR in one pair is 1. Beyond 1.96 is the share of voxels "
        "whose own 95 % interval excludes zero (of the raw mean, Student's t); chance is the binomial 95 % range about "
        "5 % for as many independent voxels as the noise's correlation leaves. Smooth noise of a few pairs looks like "
        "a find, and sets grey apart from white, in the raw mean already: no method is asked to be better than that. "
        "Called more than noise is the share of the brain where the residual audit puts something back in a window of "
        "a lesion's size.",
        "## Summary",
        "Where each is worst: over all portions, and for shares of voxels over all scans.",
        text_table(("figure", "wanted", "found", "holds"), verdicts([way.name for _, way in networks], found, ranges)),
        *tables,
    )


if __name__ == "__main__":
    main()
