"""A conditional diffusion against the default model it starts from, and what its samples invent; writes diffusion.md.

The same simulated scans for both, of anatomies no model was trained on, T1 and M0 in place; real series where they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model, why_not_installed
from ASLDenoiseLib.denoising.inference import DenoisingResult
from ASLDenoiseLib.networks.diffusion import Sampling

from .library import safety_figures as figures
from .library.cases import HELD_OUT, SPACING, Case, anatomy_path, draw_head, guides_in_place, phantom_case
from .library.command import begin, options, say
from .library.diffusion_samples import Sampler, added_by
from .library.lesions import FALSE_FWHM, FALSE_ML, FALSE_SHARE
from .library.methods import ALL
from .library.real_scans import Split, real_cases, split
from .library.safety_figures import Way, audited_way, network_way
from .library.scores import PSNR, SSIM, figures_of
from .library.tables import by, mean_row, table

MODEL = "diffusion"
GM_SNRS = (0.6, 1.0, 2.0)
TYPICAL = 1.0
PAIRS = 10
DIAMETER, FACTORS = 4, (0.3, 2.0)  # voxels, of the perfusion that was
SINGLE = 4  # samples looked at one by one
MAPS = (PSNR, SSIM, "GM bias (%)", "WM bias (%)")
WITHIN, RATIO = "brain within (%)", "SD given / of the error"
SEEN = {"acq-grase": 2, "acq-epi": 5, "acq-picore": 5}  # pairs of the real series, as in `real`
FROM_NOISE = Sampling(steps=10, stride=100)
OTHERS = (Sampling(steps=5, stride=50), FROM_NOISE)
FEWER = (2, 4)  # samples

Row = dict[str, float]


def draw_cases(args: argparse.Namespace) -> list[Case]:
    """Healthy heads at every noise level."""
    names, snrs = (HELD_OUT[:1], (TYPICAL,)) if args.quick else (HELD_OUT, GM_SNRS)
    cases = []
    for n, name in enumerate(names):
        guides = ()
        for snr in snrs:
            head = draw_head(anatomy_path(name, args.anatomy), spacing=SPACING, gm_snr=snr, pairs=PAIRS, seed=31 + n)
            guides = guides or guides_in_place(head)  # the T1 is the same at every noise level
            cases.append(phantom_case(head, f"{name}, SNR {snr:g}", guides=guides))
    return cases


def map_row(way: Way, cases: Sequence[Case]) -> Row:
    """How near the maps come, and what they show that is not there."""
    found = []
    for case in cases:
        row = figures_of(case, way.map(case), MAPS)
        row["false lesions"], row["ml"] = figures.false_lesion_counts(way, [case])
        found.append(row)
    return mean_row(found)


def safety_row(way: Way, cases: Sequence[Case]) -> Row:
    """What becomes of lesions in perfusion alone, and of noise alone."""
    row = {}
    for factor in FACTORS:
        row[f"x {factor:g} passed on"] = figures.lesions_kept(way, cases, DIAMETER, factor).passed_on
    noise = [figures.from_noise(way, case) for case in cases]
    row["noise: GM - WM (%)"] = float(np.mean([abs(each["share"]) for each in noise]))
    row["noise: SD out / in"] = float(np.mean([each["spread"] for each in noise]))
    say(way.name)
    return row


def coverage_row(way: Way, cases: Sequence[Case]) -> Row:
    """How often the truth lies in the 95 % intervals, and how wide they are for their errors."""
    found = []
    for case in cases:
        shares = {f"{name} within (%)": 100 * share for name, share in figures.covered(way, case).items()}
        sd = np.abs(case.cbf(way(case).uncertainty).array)[case.inside]
        error = (way.map(case) - case.truth.array)[case.inside]
        ratio = np.sqrt(np.nanmean(sd**2) / np.nanmean(error**2))
        found.append(shares | {RATIO: float(ratio)})
    return mean_row(found)


def sampling_row(sampler: Sampler, cases: Sequence[Case], count: int | None = None) -> Row:
    """What one way to draw samples comes to, or the first `count` of its samples."""
    drawn = sampler.network.sampling
    evaluations = float(drawn.steps * (count or drawn.samples))
    mean, one = sampler.plain("mean", count), sampler.one("one")
    near = [{f"{w.name}: {PSNR}": figures_of(c, w.map(c), (PSNR,))[PSNR] for w in (mean, one)} for c in cases]
    covered = coverage_row(mean, cases)
    return mean_row(near) | {name: covered[name] for name in (WITHIN, RATIO)} | {"evaluations": evaluations}


def start_row(way: Way, cases: Sequence[Case]) -> Row:
    """The same of the model that samples start from."""
    near = mean_row(figures_of(case, way.map(case), (PSNR,)) for case in cases)[PSNR]
    covered = coverage_row(way, cases)
    return {f"mean: {PSNR}": near, f"one: {PSNR}": float("nan")} | {name: covered[name] for name in (WITHIN, RATIO)}


def typical_of(cases: Sequence[Case]) -> list[Case]:
    """Those at the typical noise level."""
    return [case for case in cases if case.label.endswith(f"SNR {TYPICAL:g}")]


def named(sampling: Sampling) -> str:
    """A way to draw samples in words."""
    return f"from {sampling.start:g}, {sampling.steps} steps, {sampling.samples} samples"


def invented(sampler: Sampler, start: Way, cases: Sequence[Case]) -> Row:
    """What single samples add to the map they start from."""
    ones = [sampler.one(str(n), n) for n in range(SINGLE)]
    return mean_row([added_by([one.map(case) for one in ones], start.map(case), case) for case in cases])


def real_figures(ways: Sequence[Way], cases: Sequence[Case]) -> dict[str, Row]:
    """RMSE to the mean of unseen pairs, noise-corrected, of one draw a series."""
    rows: dict[str, Row] = {way.name: {} for way in ways}
    for whole in cases:
        scan = split(whole, SEEN[whole.label], draw=0)
        for way in ways:
            rows[way.name][f"{whole.label}, {SEEN[whole.label]} pairs"] = _root_error(scan, way)
        say(whole.label)
    return rows


def _root_error(scan: Split, way: Way) -> float:
    return float(np.sqrt(max(scan.error_of(way(scan.case).difference), 0.0)))


def raw_way() -> Way:
    """The plain mean."""
    return Way("raw mean", ALL, lambda case: DenoisingResult(case.raw, "cpu", ()))


def samplings(sampler: Sampler, start: Way, cases: Sequence[Case], *, quick: bool) -> tuple[dict[str, Row], dict]:
    """Each way to draw samples, and what those of the shipped one and of pure noise add."""
    own = sampler.network.sampling
    rows, added = {f"{DEFAULT_MODEL}, where they start": start_row(start, cases)}, {}
    for sampling in (own,) if quick else (own, *OTHERS):
        each = sampler if sampling == own else Sampler(sampler.card, sampling, sampler.device)
        for count in (None,) if quick or sampling != own else (*FEWER, None):
            told = sampling if count is None else replace(sampling, samples=count)
            rows[named(told)] = sampling_row(each, cases, count)
        if sampling in (own, FROM_NOISE):
            added[named(sampling)] = invented(each, start, cases)
        say(named(sampling))
    return rows, added


def _seconds(card: ModelCard) -> str:
    taken = card.seconds.get("cpu")
    return "unmeasured" if taken is None else f"{taken:.2g}"


def main() -> None:
    quick = "one scan at SNR 1 and no real one; the table is printed alone"
    command = begin(__file__, options(__doc__, "anatomy", "data", "device", "threads", quick=quick))
    args = command.args
    if why := why_not_installed(MODEL):
        raise SystemExit(why)
    cases, card = draw_cases(args), find_model(MODEL)
    sampler = Sampler(card, device=args.device)
    own = sampler.network.sampling
    default = find_model(DEFAULT_MODEL)
    start = network_way(default, ALL, DEFAULT_MODEL, args.device)
    mean, one = sampler.mean(f"{MODEL}, mean of {own.samples}"), sampler.one(f"{MODEL}, one sample")
    raw, plain = raw_way(), sampler.plain(f"{MODEL}, SD of the samples as it is")
    ways, typical = (raw, start, audited_way(start), mean, audited_way(mean), one), typical_of(cases)
    maps = {way.name: map_row(way, cases) for way in ways}
    say("maps")
    intervals = {way.name: coverage_row(way, cases) for way in (start, audited_way(start), mean, plain)}
    drawn, added = samplings(sampler, start, typical, quick=command.quick)
    safe = {way.name: safety_row(way, typical) for way in ways}
    blocks = [
        "## Maps",
        table(maps),
        "## Lesions, and noise alone",
        f"At SNR {TYPICAL:g}.",
        table(safe),
        "## 95 % intervals",
        f"The factor of the card is {card.metadata['uncertainty_factor']:.2f} for {MODEL}.",
        table(intervals, first="SD"),
        "## Ways to sample",
        f"At SNR {TYPICAL:g}; SD without the card's factor, but for the default model's. Of seconds on two CPU cores, "
        f"{_seconds(card)} a volume for {named(own)}, and {_seconds(default)} for {DEFAULT_MODEL}.",
        table(drawn, first="samples"),
        "## What a sample adds",
        f"At SNR {TYPICAL:g}, {SINGLE} samples one by one. What is missing is the truth less the default model's map.",
        table(added, first="samples"),
    ]
    if command.real:
        reals = real_figures((raw, start, mean, one), real_cases(command.real))
        blocks += [
            "## Real series",
            "RMSE (ml/100g/min) to the mean of unseen pairs, whose noise is taken off; one draw.",
        ]
        blocks.append(table(reals))
    command.publish(
        "A conditional diffusion, and what it invents",
        f"{MODEL} samples what {DEFAULT_MODEL} is wrong by, from noise drawn anew for each: {named(own)}. Simulated "
        f"scans of {' and '.join(HELD_OUT[: 1 if args.quick else None])} (no model was trained on them; healthy), "
        f"{PAIRS} pairs, {by(SPACING)} mm, 64x64x24 voxels, single-pair GM SNRs of "
        f"{', '.join(f'{s:g}' for s in GM_SNRS)}, T1 and M0 in place. Passed on: what comes out, f(x+l)-f(x) over l, "
        f"of balls of {DIAMETER} voxels in grey matter whose perfusion alone is multiplied. A false lesion is a "
        f"connected region of {FALSE_ML:g} ml or more where the error, after an {FALSE_FWHM:g} mm Gaussian, exceeds "
        f"{100 * FALSE_SHARE:.0f} % of grey matter's mean CBF. Noise: the scan with its true perfusion taken out; "
        "GM - WM of what comes out is a share of the true one, its size the mean over scans. The truth lies within "
        "where it is no further than 1.96 SD.",
        *blocks,
    )


if __name__ == "__main__":
    main()
