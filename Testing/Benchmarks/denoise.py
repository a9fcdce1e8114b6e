"""Denoisers side by side on simulated scans of anatomies kept out of training; writes denoise.md.

Every method gets the same pairs, the same brain mask and the same noise SD (estimated from the pairs, never the
simulated one). The truth is used for judging alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .library.cases import (
    HELD_OUT,
    LESION,
    SCENARIOS,
    TUNING,
    VOXELS,
    Case,
    Scenario,
    guides_as_a_run_finds_them,
    kept_out_head,
    phantom_case,
    with_lesions,
)
from .library.command import begin, options, say, timed
from .library.methods import (
    TUNING_SNRS,
    Method,
    chosen_models,
    default_model,
    every_pair_mean,
    network_methods,
    peer_methods,
    simple_methods,
    tunable_peers,
    tune,
    tuning_cases,
)
from .library.scores import PSNR, SMOOTHED_FULL, figures_of, noise_matched
from .library.tables import answer, by, mean_row, mean_table, text_table

TYPICAL, SCARCE = SCENARIOS[1], SCENARIOS[3]

Scores = dict[str, list[dict[str, float]]]


def run_methods(case: Case, methods: Sequence[Method], scores: Scores, *, default: str) -> None:
    """Add the case's figures of every method, and of a Gaussian as quiet as the default model's map."""
    for method in methods:
        difference, seconds = timed(method.run, case)
        cbf = case.cbf(difference)
        scores.setdefault(method.name, []).append(figures_of(case, cbf.array) | {"s": seconds})
        if method.name == default:
            row = figures_of(case, noise_matched(case, cbf).array) | {"s": 0.0}
            scores.setdefault(f"Gaussian as quiet as {default}", []).append(row)


def ordered(scores: Scores, methods: Sequence[Method]) -> Scores:
    """Rows by kind, each in its order; the noise-matched Gaussian after the other Gaussians."""
    kinds = ("raw", "classical", "guided", "pretrained", "upper", "network")
    names = [m.name for m in sorted(methods, key=lambda m: kinds.index(m.kind))]
    matched = [n for n in scores if n.startswith("Gaussian as quiet")]
    names[4:4] = matched
    return {n: scores[n] for n in names if n in scores}


def worst_bias(scores: Scores) -> str:
    """The largest GM or WM bias of any one scan, a method."""
    worst = {n: max(abs(c[k]) for c in cells for k in ("GM bias (%)", "WM bias (%)")) for n, cells in scores.items()}
    return "; ".join(f"{name} {value:.1f} %" for name, value in worst.items())


def claims(found: Mapping[Scenario, Scores], methods: Sequence[Method], name: str, bare: str) -> str:
    """What is asked of the default model, and what was found. `bare` is the same model without guides."""
    lines = []
    for scenario in (s for s in (TYPICAL, SCARCE) if s in found):
        means = {n: mean_row(cells) for n, cells in found[scenario].items()}
        asked = [*gains(means, methods, name)]
        if scenario is TYPICAL:
            asked += typical_claims(means, methods, name, bare)
        lines += [(f"{scenario.label}: {c.what}", c.wanted, f"{c.found:.3g}", c.words) for c in asked]
    return text_table(("what", "asked", "found", "holds"), lines)


@dataclass(frozen=True)
class Claim:
    """A figure with what is asked of it: at least `low`, at most `high`."""

    what: str
    found: float
    low: float = -np.inf
    high: float = np.inf

    @property
    def wanted(self) -> str:
        if np.isfinite(self.low) and np.isfinite(self.high):
            return f"{self.low:g} to {self.high:g}"
        return f">= {self.low:g}" if np.isfinite(self.low) else f"<= {self.high:g}"

    @property
    def words(self) -> str:
        return answer(bool(self.low <= self.found <= self.high))


def gains(means: Mapping[str, Mapping[str, float]], methods: Sequence[Method], name: str) -> Iterator[Claim]:
    """PSNR over the peers."""

    def best(*kinds: str) -> str:
        return max((m.name for m in methods if m.kind in kinds), key=lambda n: means[n][PSNR])

    white = plain_bm4d(methods)
    yield Claim("dB above BM4D told one SD", means[name][PSNR] - means[white][PSNR], 3)
    peer = best("classical", "pretrained")
    yield Claim(f"dB above the best unguided peer, {peer}", means[name][PSNR] - means[peer][PSNR], 3)
    peer = best("guided")
    yield Claim(f"dB above the best peer guided by anatomy, {peer}", means[name][PSNR] - means[peer][PSNR], 0)


def typical_claims(
    means: Mapping[str, Mapping[str, float]], methods: Sequence[Method], name: str, bare: str
) -> Iterator[Claim]:
    """What is asked at the typical noise level alone."""
    ours, white = means[name], means[plain_bm4d(methods)]
    yield Claim("without T1 and M0, dB above BM4D told one SD", means[bare][PSNR] - white[PSNR], 1.5)
    yield Claim("dB above averaging", ours[PSNR] - means["raw mean"][PSNR], 7.7)
    yield Claim("dB above the mean of all 40 pairs", ours[PSNR] - means["mean of every pair"][PSNR], 0)
    yield Claim("CCC", ours["CCC"], 0.95)
    yield Claim("GM bias, %", ours["GM bias (%)"], -2, 2)
    yield Claim("WM bias, %", ours["WM bias (%)"], -2, 2)
    yield Claim("lesion contrast kept", ours["lesions"], 0.9, 1.1)
    yield Claim("SNR over the smoothed full average's", ours["SNR x full"], 1.37)
    yield Claim("GM/WM contrast over the smoothed full average's", ours["GM/WM x full"], 1.08)


def plain_bm4d(methods: Sequence[Method]) -> str:
    return next(m.name for m in methods if m.name.startswith("BM4D ("))


def parser() -> argparse.ArgumentParser:
    quick = "two scans of one head; the table is printed alone"
    parser = options(__doc__, "anatomy", "models", "dlasl", "device", "threads", quick=quick)
    parser.add_argument("--draws", type=int, default=1, help="heads a voxel size; anatomies take turns")
    parser.add_argument(
        "--no-peers", action="store_true", help="networks beside the mean and Gaussians alone; the table is printed"
    )
    return parser


def measure_all(args: argparse.Namespace, methods: Sequence[Method], default: str) -> dict[Scenario, Scores]:
    scenarios, heads = ((TYPICAL, SCARCE), 1) if args.quick else (SCENARIOS, len(VOXELS) * args.draws)
    found: dict[Scenario, Scores] = {scenario: {} for scenario in scenarios}
    for n in range(heads):
        guides = ()
        for scenario in scenarios:
            head = kept_out_head(args.anatomy, n, scenario)
            guides = guides or guides_as_a_run_finds_them(head)  # the T1 is the same at every noise level
            case = with_lesions(phantom_case(head, scenario.label, see=scenario.see, guides=guides))
            run_methods(case, methods, found[scenario], default=default)
            say(f"head {n + 1}, {scenario.label}")
    return found


def main() -> None:
    command = begin(__file__, parser())
    args = command.args
    tunable = {} if args.no_peers else tunable_peers(args.dlasl)
    cards = chosen_models(args.models)
    networks = network_methods(cards, device=args.device)
    names = [m.name for m in networks if m.model == default_model(cards)]
    names = [name for name in names if name.endswith("audited")] or names
    best_way, bare_way = names[0], names[-1]  # with all guides first, with none last
    tuning = tuning_cases(args.anatomy, snrs=(1.0,) if args.quick or args.no_peers else TUNING_SNRS)
    classical = simple_methods() if args.no_peers else peer_methods(tune(tuning, tunable))
    methods = [*classical, every_pair_mean(), *networks]
    networks[0].run(tuning[0])  # libraries are loaded outside the time
    found = measure_all(args, methods, best_way)
    every: Scores = {}
    for scores in found.values():
        for name, cells in scores.items():
            every.setdefault(name, []).extend(cells)
    scans = len(every["raw mean"])
    blocks = []
    if not args.no_peers:
        blocks = [f"## Asked of {default_model(cards)}, and found", claims(found, methods, best_way, bare_way)]
    every_row = ordered(every, methods)
    blocks += ["## All", mean_table(every_row)]
    blocks.append(f"Largest GM or WM bias in any one scan: {worst_bias(every_row)}.")
    for scenario, scores in found.items():
        blocks += [f"## {scenario.label}", mean_table(ordered(scores, methods))]
    command.publish(
        "Denoising, side by side",
        f"{scans} simulated scans of anatomies no model was trained on ({', '.join(HELD_OUT)}), 64x64x24 voxels of "
        f"{', '.join(map(by, VOXELS[: 1 if args.quick else None]))} mm, voxel-averaged, complex noise correlated "
        "between neighbours. CBF in ml/100g/min against the noise-free "
        "truth, in the brain; PSNR's peak is the truth's maximum there. GM is fraction > 0.7, WM > 0.9. SNR is mean GM "
        f"over SD of WM; 'x full' is over the figure of the mean of every pair after a {SMOOTHED_FULL:g} mm Gaussian. "
        f"'lesions' is the contrast to their surroundings that six implanted balls of {LESION:g} mm (perfusion x 0.3, "
        "x 2; T1 and M0 unchanged) keep: 1 is perfect; half of the heads have lesions of their own besides. The T1 "
        "guides are segmented, registered and averaged as a run does, outside the time. "
        + ("" if args.no_peers else f"The peers' strengths are their best on {TUNING}. ")
        + "'s' is seconds a scan in this run, whatever else the machine did; time_models.md has models and BM4D alone.",
        *blocks,
        kept=not args.no_peers,
    )


if __name__ == "__main__":
    main()
