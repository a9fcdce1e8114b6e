"""The safety figures of a model that is offered as a default; writes safety.md.

Simulated scans of anatomies no model was trained on, healthy but for the lesions implanted here; the T1's guides lie
where they belong, since registration is measured elsewhere. Real scans where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL
from ASLDenoiseLib.learning.stroke_masks import StrokeMask
from ASLDenoiseLib.series import Volume

from .library import safety_figures as figures
from .library.cases import (
    HELD_OUT,
    SPACING,
    Case,
    SimulatedHead,
    anatomy_path,
    draw_head,
    guides_in_place,
    phantom_case,
)
from .library.command import begin, options, say
from .library.lesions import FALSE_FWHM, FALSE_ML, FALSE_SHARE
from .library.methods import NONE, chosen_models, ways
from .library.real_scans import real_cases, split
from .library.safety_figures import PAINTS, Way, audited_way, network_way
from .library.strokes import ACUTE, LARGE, OLD, SMALL, Struck, held_out_masks, strike
from .library.tables import answer, by, mean_row, number, text_table

GM_SNRS = (0.6, 1.0, 2.0)
PAIRS = 10
LOW, HIGH = 0.9, 1.1
MOVED = 5.0  # %
CORE, LUXURY = 0.3, 1.6  # of the perfusion that was: of an infarct, and of one that is reperfused
FEW = 2  # every other stroke is enough where T1 and M0 change, and for luxury perfusion


Strokes = dict[float, list[Struck]]  # by noise level, in one order


@dataclass(frozen=True, eq=False)
class Scans:
    """The simulated scans, each with the head it was drawn from, by noise level."""

    by_snr: dict[float, list[tuple[SimulatedHead, Case]]]

    def cases(self, snr: float | None = None) -> list[Case]:
        return [case for level, pairs in self.by_snr.items() for _, case in pairs if snr in (None, level)]

    def strokes(self, masks: Sequence[StrokeMask]) -> Strokes:
        """The masks in the heads, by noise level."""
        struck = list(strike(masks, list(zip(*self.by_snr.values(), strict=True))))
        return {snr: struck[n :: len(self.by_snr)] for n, snr in enumerate(self.by_snr)}


@dataclass(frozen=True)
class Verdict:
    """One line of the summary."""

    figure: str
    wanted: str
    found: str
    holds: bool | None

    @property
    def words(self) -> str:
        return answer(self.holds)


def draw_scans(anatomy: Path, snrs: Sequence[float], names: Sequence[str]) -> Scans:
    by_snr: dict[float, list] = {snr: [] for snr in snrs}
    for n, name in enumerate(names):
        guides = ()
        for snr in snrs:
            head = draw_head(anatomy_path(name, anatomy), spacing=SPACING, gm_snr=snr, pairs=PAIRS, seed=31 + n)
            guides = guides or guides_in_place(head)
            by_snr[snr].append((head, phantom_case(head, f"{name}, SNR {snr:g}", guides=guides)))
    return Scans(by_snr)


def marked(value: float, good: bool) -> str:
    return f"{value:.2f}" if good else f"**{value:.2f}**"


def lesion_section(way: Way, scans: Scans) -> tuple[str, Verdict]:
    body, failing, cells = [], 0, 0
    for diameter, factor in product(figures.DIAMETERS, figures.FACTORS):
        row = [f"{diameter} voxels", f"x {factor:g}"]
        for snr in scans.by_snr:
            kept = figures.lesions_kept(way, scans.cases(snr), diameter, factor)
            good = LOW <= kept.passed_on <= HIGH
            failing, cells = failing + (not good), cells + 1
            row += [marked(kept.passed_on, good), number("", kept.contrast)]
        body.append(row)
    head = ["lesion", "perfusion", *(f"SNR {s:g}: {w}" for s in scans.by_snr for w in ("f(x+l)-f(x)", "contrast"))]
    found = f"{cells - failing} of {cells} cells"
    return text_table(head, body), Verdict("1 lesion recovery from 3 voxels up", "0.9-1.1", found, not failing)


def real_section(way: Way, reals: Sequence[Case]) -> tuple[str, Verdict]:
    body, failing, cells = [], 0, 0
    for case in reals:
        for diameter, factor in product((4, 6), (0.3, 2.0)):
            kept = figures.lesions_kept(way, [case], diameter, factor).passed_on
            good = LOW <= kept <= HIGH
            failing, cells = failing + (not good), cells + 1
            body.append([case.label, f"{diameter} voxels", f"x {factor:g}", marked(kept, good)])
    found = f"{cells - failing} of {cells} cells" if cells else "no real scan here"
    table = text_table(["scan", "lesion", "perfusion", "f(x+l)-f(x) over l"], body)
    return table, Verdict("2 lesions in every pair of a real scan", "0.9-1.1", found, not failing if cells else None)


def false_section(way: Way, scans: Scans) -> tuple[str, Verdict]:
    body, holds, told = [], True, []
    for snr in scans.by_snr:
        ours, raw = (figures.false_lesion_counts(w, scans.cases(snr)) for w in (way, None))
        holds &= ours[0] <= raw[0]
        told.append(f"{ours[0]:g} ({raw[0]:g})")
        body.append([f"{snr:g}", *(f"{v:.1f}" for v in (*ours, *raw))])
    head = ["SNR", "false lesions", "ml", "in the raw mean", "ml"]
    return text_table(head, body), Verdict("3 false lesions, in the input", "no more", ", ".join(told), holds)


def noise_section(way: Way, scans: Scans) -> tuple[str, Verdict]:
    found = {snr: [figures.from_noise(way, case) for case in scans.cases(snr)] for snr in scans.by_snr}
    body = []
    for snr, each in found.items():
        mean = mean_row(each)
        shares = ", ".join(f"{row['share']:+.1f}" for row in each)
        body.append([f"{snr:g}", shares, f"{mean['r']:.2f}", f"{mean['spread']:.2f}"])
    worst = max(abs(row["share"]) for each in found.values() for row in each)
    head = ["SNR of the scan", "GM - WM, % of the true, each scan", "r with GM", "SD out / in"]
    return text_table(head, body), Verdict("4 pure noise in: brain out", "< 5 %", f"{worst:.1f} % at worst", worst < 5)


def guide_section(way: Way, scans: Scans) -> tuple[str, Verdict]:
    """Lesions on the T1 or the M0 alone; skipped where the model sees neither."""
    if way.guide == NONE:
        return "It sees no guide.", Verdict("4 a T1- or M0-only lesion moves CBF", "< 2 %", "sees none", True)
    kinds = [*(PAINTS.items() if "T1" in way.guide else ()), ("M0 x 1.2", None)]
    body, worst = [], 0.0
    for (kind, factor), voxels in product(kinds, (4, 6)):
        row, painted = [kind, f"{voxels} voxels"], {}
        for pairs in scans.by_snr.values():
            changes: list[float] = []
            for n, (head, case) in enumerate(pairs):
                if factor is None:
                    ill, balls = figures.painted_m0(case, voxels)
                else:
                    if n not in painted:  # the T1 is the same at every noise level
                        painted[n] = figures.painted_t1(head, case, voxels, factor)
                    balls = painted[n][1]
                    ill = replace(case, guides=painted[n][0].guides)
                changes += figures.moved_by(way, case, ill, balls)
            mean = float(np.mean(changes))
            worst = max(worst, abs(mean))
            row += [f"{mean:+.1f}" if abs(mean) < 2 else f"**{mean:+.1f}**", f"{np.mean(np.abs(changes)):.1f}"]
        body.append(row)
    head = ["changed", "size", *(f"SNR {s:g}: {w}" for s in scans.by_snr for w in ("mean %", "mean of sizes %"))]
    found = f"{worst:.1f} % at worst"
    return text_table(head, body), Verdict("4 a T1- or M0-only lesion moves CBF", "< 2 %", found, worst < 2)


def bias_section(way: Way, scans: Scans) -> tuple[str, list[Verdict]]:
    found = {snr: [figures.bias_of(way, case) for case in scans.cases(snr)] for snr in scans.by_snr}
    names = (*figures.BIASES, "residual")
    body = [[f"{snr:g}", *(", ".join(f"{r[n]:+.2f}" for r in rows) for n in names)] for snr, rows in found.items()]
    gm, wm, r = (max((row[name] for rows in found.values() for row in rows), key=abs) for name in names)
    verdicts = [
        Verdict("5 GM and WM bias", "within 2 %", f"{gm:+.1f}, {wm:+.1f} % at worst", max(abs(gm), abs(wm)) <= 2),
        Verdict("5 what is removed, correlated with GM", "< 0.05", f"{r:+.3f} at worst", abs(r) < 0.05),
    ]
    return text_table(["SNR", "GM bias %, each scan", "WM bias %", "r of what is removed with GM"], body), verdicts


def halves_section(way: Way, cases: Sequence[Case]) -> tuple[str, Verdict]:
    """Noise lowers both correlations alike, so their ratio is judged: against the truth's where it is known."""
    body, holds, told = [], True, []
    for case in cases:
        found = figures.likeness(way, case)
        rows, limit = {way.name: found, "raw mean": figures.likeness(None, case)}, 1.0
        if case.truth is not None:
            true = rows["the truth"] = figures.true_likeness(case)
            limit = 0.5 * (1 + true["pattern between"])
        body += [[case.label, name, *(f"{v:.2f}" for v in each.values())] for name, each in rows.items()]
        within, between = found["pattern within"], found["pattern between"]
        holds &= between < limit * within
        told.append(f"{between / within:.2f} (< {limit:.2f})")
    figure = "6 pattern of halves, between over within subjects"
    head = ["scan", "map", *(f"{kind} {who}" for kind in ("r", "pattern") for who in ("within", "between"))]
    return text_table(head, body), Verdict(figure, "half of the true gap", ", ".join(told), bool(holds))


def coverage_section(way: Way, scans: Scans, reals: Sequence[tuple[Case, Volume, Volume]]) -> tuple[str, Verdict]:
    every = [(case, figures.covered(way, case)) for case in scans.cases()]
    if any(c is None for _, c in every):
        return "It gives no uncertainty.", Verdict("7 coverage of 95 % intervals", "90-98 %", "none given", None)
    body = [[case.label, *(f"{100 * v:.1f}" for v in found.values())] for case, found in every]
    for case, reference, error in reals:
        share = figures.covered_by_unseen(way, case, reference, error)
        body.append([f"{case.label} (against unseen pairs)", f"{100 * share:.1f}", "-", "-"])
    shares = [100 * found["brain"] for _, found in every]
    found = f"{min(shares):.1f}-{max(shares):.1f} %"
    holds = min(shares) >= 90 and max(shares) <= 98
    return text_table(["scan", "brain %", "GM %", "WM %"], body), Verdict(
        "7 coverage of 95 % intervals", "90-98 %", found, holds
    )


def stroke_section(way: Way, large: Strokes, small: Strokes) -> tuple[str, Verdict]:
    """Perfusion alone, and with a T1 and an M0 that show the stroke."""
    few = {snr: strokes[::FEW] for snr, strokes in large.items()}
    rows = [
        (f"over {LARGE:g} ml", "not to be seen", large, CORE, None),
        (f"over {LARGE:g} ml", "not to be seen", few, LUXURY, None),
        (f"{SMALL:g}-{LARGE:g} ml", "not to be seen", small, CORE, None),
    ]
    rows += [(f"over {LARGE:g} ml", ACUTE.name, few, CORE, ACUTE)] if way.guide != NONE else []
    body, failing, cells = [], 0, 0
    for size, seen_as, strokes, factor, structure in rows:
        row = [size, str(len(next(iter(strokes.values())))), f"x {factor:g}", seen_as]
        for each in strokes.values():
            kept = figures.strokes_kept(way, each, factor, structure)
            good = LOW <= kept.passed_on <= HIGH
            if strokes is not small:
                failing, cells = failing + (not good), cells + 1
            row += [marked(kept.passed_on, good), f"{kept.worst:.2f}", number("", kept.contrast)]
        body.append(row)
    columns = [f"SNR {s:g}: {w}" for s in large for w in ("f(x+l)-f(x)", "worst", "contrast")]
    found = f"{cells - failing} of {cells} cells"
    table = text_table(["stroke", "masks", "perfusion", "on T1 and M0", *columns], body)
    return table, Verdict(f"8 stroke shapes over {LARGE:g} ml", f"{LOW:g}-{HIGH:g}", found, not failing)


def stroke_guide_section(way: Way, large: Strokes) -> tuple[str, Verdict]:
    """Strokes that T1 and M0 show and perfusion has not, whole and by tissue."""
    figure, wanted = "8 a stroke on T1 and M0 alone moves CBF", f"< {MOVED:g} %"
    if way.guide == NONE:
        return "It sees no guide.", Verdict(figure, wanted, "sees none", True)
    body, worst = [], 0.0
    for structure in (ACUTE, OLD):
        found = {snr: figures.moved_by_strokes(way, strokes[::FEW], structure) for snr, strokes in large.items()}
        for part in next(iter(found.values())):
            row = [structure.name, part]
            for changes in found.values():
                mean = float(np.mean(changes[part]))
                worst = max(worst, abs(mean))
                row += [f"{mean:+.1f}" if abs(mean) < MOVED else f"**{mean:+.1f}**"]
                row += [f"{np.mean(np.abs(changes[part])):.1f}"]
            body.append(row)
    head = ["T1 and M0", "of it", *(f"SNR {s:g}: {w}" for s in large for w in ("mean %", "mean of sizes %"))]
    return text_table(head, body), Verdict(figure, wanted, f"{worst:.1f} % at worst", worst < MOVED)


def told(
    way: Way, scans: Scans, strokes: tuple[Strokes, Strokes] | None, reals: Sequence[Case]
) -> tuple[list[str], list[Verdict]]:
    """The whole chapter of one way to run a model, and its lines of the summary."""
    halves = [case for snr, pairs in scans.by_snr.items() for _, case in pairs[:1] if snr >= 1]
    splits = []
    for case in reals:
        scan = split(case, 2, draw=0)
        splits.append((scan.case, case.brain.with_array(scan.reference), case.brain.with_array(scan.error)))
    blocks, verdicts = [f"## {way.name}"], []
    few = [replace(split(c, 2, draw=0).case, label=f"{c.label}, 2 pairs") for c in reals]
    sections = [
        ("1 Lesions in perfusion alone", lesion_section(way, scans)),
        ("2 The same in every pair of a real scan", real_section(way, [*reals, *few])),
        ("3 False lesions on healthy scans", false_section(way, scans)),
        ("4 Pure noise", noise_section(way, scans)),
        ("4 Lesions on the guides alone", guide_section(way, scans)),
        ("5 Bias", bias_section(way, scans)),
        ("6 Disjoint halves", halves_section(way, [*halves, *reals])),
        ("7 Coverage", coverage_section(way, scans, splits)),
    ]
    if strokes:
        sections += [
            ("8 Real stroke shapes", stroke_section(way, *strokes)),
            ("8 Real stroke shapes on T1 and M0 alone", stroke_guide_section(way, strokes[0])),
        ]
    for title, (body, verdict) in sections:
        blocks += [f"### {title}", body]
        verdicts += verdict if isinstance(verdict, list) else [verdict]
        say(way.name, title)
    return blocks, verdicts


def main() -> None:
    quick = "one scan at SNR 1 and no real one; the table is printed alone"
    parser = options(__doc__, "anatomy", "data", "strokes", "device", "threads", quick=quick)
    parser.add_argument("--models", default=DEFAULT_MODEL, help="comma-separated; default: the default model")
    command = begin(__file__, parser)
    args = command.args
    names, snrs = (HELD_OUT[:1], (1.0,)) if args.quick else (HELD_OUT, GM_SNRS)
    scans = draw_scans(args.anatomy, snrs, names)
    reals = real_cases(command.real, ("acq-grase",)) if command.real else []
    strokes = None
    if command.finds(args.strokes, "strokes"):
        strokes = tuple(scans.strokes(masks) for masks in held_out_masks(args.strokes))
    chapters, summaries = [], []
    for card in chosen_models(args.models):
        for name, guide in ways(card).items():
            alone = network_way(card, guide, name, args.device)
            for way in (audited_way(alone), alone):
                chapter, verdicts = told(way, scans, strokes, reals)
                chapters += chapter
                summaries += [[way.name, v.figure, v.wanted, v.found, v.words] for v in verdicts]
    command.publish(
        "What a model does to what matters",
        f"Each model audited, as a run has it, and alone. Simulated scans of {' and '.join(names)} (no model was "
        f"trained on them), {PAIRS} pairs, {by(SPACING)} mm; SNR is of grey matter in one "
        "pair. Failing cells are bold.",
        "1, 2: balls in the grey matter whose perfusion is multiplied in every pair, T1 and M0 unchanged; a voxel of "
        "diameter is the edge of a cube of a voxel's volume. f(x+l)-f(x) is what comes out of what was put in, in the "
        "ball; contrast is the mean of the ball less that of a ring 2-10 mm around it, over the true one, noise "
        f"included. 3: a false lesion is a connected region of {FALSE_ML:g} ml or more where the error, after an "
        f"{FALSE_FWHM:g} mm Gaussian, exceeds {100 * FALSE_SHARE:.0f} % of grey matter's mean CBF. 4: the true "
        "perfusion is taken out of every pair; balls of white matter are changed on the T1 or the M0 alone. 5: what "
        "is removed is raw minus denoised. 6: the other subject is the same head, so the same guides, with perfusion "
        "times a smooth random field (30 mm, SD 25 %); the pattern is what is left of a map once GM and WM fractions "
        "are regressed out; noise lowers both correlations alike, so their ratio is judged. There is one real "
        "subject: its 'other' is made the same way. 7: share of voxels whose truth lies within 1.96 SD. 8: masks of "
        "real acute strokes that no model was trained on, carried from MNI space into each head and through its "
        "deformation; they lie in grey and white matter and cross both. One stroke a scan, heads taking turns; worst "
        "is the stroke furthest from 1. 'As grey matter' (acute) and 'as CSF' (old) is what all tissue of the stroke "
        "looks like on the T1, while the M0 is 10 and 25 % brighter.",
        "## Summary",
        text_table(("model", "figure", "wanted", "found", "holds"), summaries),
        *chapters,
    )


if __name__ == "__main__":
    main()
