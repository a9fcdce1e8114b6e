"""A model adapted to scans that it never saw the like of: what it gained, what it cost, refusals; writes adapting.md.

Parts are kept in a file as they are measured (``--work``), so that a command that was ended goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.image_quality import decibels
from ASLDenoiseLib.verdict import Figure, Verdict

from .library.adapting_sites import (
    SITES,
    TEACHING,
    TEACHING_PAIRS,
    UNSEEN_PAIRS,
    pure_noise,
    scan_of,
    site_case,
    teaching_cases,
    unseen_cases,
    with_exchanged_t1s,
)
from .library.command import begin, options, say
from .library.delay_kept import Kept
from .library.tables import number, text_table

USUAL = "like the training"
SHIFTED = tuple(name for name in SITES if name != USUAL)
FEW_PAIRS = 8  # of a scan of noise alone
REAL = {"acq-epi": 25, "acq-picore": 24}  # pairs that teach, the first of the series
REAL_SEEN, DRAWS = 5, 4  # pairs that are denoised, of those that did not teach; random choices of them
PARTS = ("sites", "gains", "refusals", "real", "one")


class Parts:
    """The parts of the benchmark, each of which measures something and keeps it."""

    def __init__(self, args) -> None:
        self.args, self.card = args, find_model(args.model)
        args.work.mkdir(parents=True, exist_ok=True)
        self.kept = Kept(args.work / "measured.json")

    @property
    def compute(self):
        """Where networks run, afresh."""
        from ASLDenoiseLib.compute import Compute

        return Compute(self.args.device)

    def adapted(self, scans: Sequence, settings: object | None = None) -> tuple[object | None, dict]:
        """The adaptation, and what is kept of it; None where the scans are refused from the start."""
        from ASLDenoiseLib.adapting.adapt import adapt_to_scans

        limits = {"max_minutes": self.args.minutes * self.args.slack, "settings": settings}
        return outcome(lambda: adapt_to_scans(self.card, scans, **limits, compute=self.compute, progress=told))

    def adapted_alone(self, scan) -> tuple[object | None, dict]:
        """The same of a single scan."""
        from ASLDenoiseLib.adapting.one_scan import adapt_to_scan

        limit = {"max_seconds": self.args.seconds * self.args.slack}
        return outcome(lambda: adapt_to_scan(self.card, scan, **limit, compute=self.compute, progress=told))

    def site(self, name: str) -> dict:
        """A site: the adaptation, and what it does to scans that it never saw."""
        from .library.adapting_figures import BeforeAfter, gains_told_and_true, site_rows

        site, folder = SITES[name], self.args.anatomy
        adaptation, kept = self.adapted([scan_of(c) for c in teaching_cases(site, folder)])
        if adaptation is None:
            return kept
        both, unseen = BeforeAfter.of(self.card, adaptation, self.compute), unseen_cases(site, folder)
        return kept | {"unseen": site_rows(unseen, both), "gains": gains_told_and_true(unseen, both)}

    def gains_alone(self, name: str) -> dict:
        """The same site with gains alone."""
        from ASLDenoiseLib.adapting.tuning import TuneSettings

        from .library.adapting_figures import BeforeAfter, gains_told_and_true

        whole = self.kept.of(f"sites: {name}", lambda: self.site(name))
        if whole.get("tuned", {}).get("way") != "all weights":
            return whole  # gains alone are what was kept
        site, folder = SITES[name], self.args.anatomy
        scans = [scan_of(c) for c in teaching_cases(site, folder)]
        adaptation, kept = self.adapted(scans, TuneSettings(weight_steps=0))
        both = BeforeAfter.of(self.card, adaptation, self.compute)
        return kept | {"gains": gains_told_and_true(unseen_cases(site, folder), both)}

    def refusals(self) -> dict[str, Callable[[], dict]]:
        """Scans on which nothing can be gained, or that cannot be trusted."""
        usual, folder = SITES[USUAL], self.args.anatomy

        def noise() -> dict:
            cases = [site_case(usual, n, folder, pairs=FEW_PAIRS, seed=90 + k) for k, n in enumerate(TEACHING)]
            return self.adapted([scan_of(pure_noise(c)) for c in cases])[1]

        def exchanged() -> dict:
            shifted = SITES["noise"]
            return self.adapted([scan_of(c) for c in with_exchanged_t1s(teaching_cases(shifted, folder))])[1]

        def few() -> dict:
            cases = [site_case(usual, n, folder, pairs=6, seed=95 + k) for k, n in enumerate(TEACHING)]
            return self.adapted([scan_of(c) for c in cases])[1]

        return {
            f"{len(TEACHING)} scans of {FEW_PAIRS} pairs of noise alone": noise,
            "the site with correlated noise, T1s exchanged between heads": exchanged,
            f"{len(TEACHING)} scans of 6 pairs": few,
        }

    def one_scan(self, name: str) -> dict:
        """Gains on a single simulated scan, judged by its truth."""
        from .library.adapting_figures import BeforeAfter, decibels, true_error

        case = unseen_cases(SITES[name], self.args.anatomy)[0]
        adaptation, kept = self.adapted_alone(scan_of(case))
        if adaptation is None:
            return kept
        both = BeforeAfter.of(self.card, adaptation, self.compute)
        errors = [true_error(case, denoise(scan_of(case)).difference) for denoise in (both.before, both.after)]
        return kept | {"gains": {"true (dB)": decibels(*errors)}}

    def real(self, name: str) -> dict:
        """A real series: its first pairs teach, as three scans and as one, and pairs of the rest judge."""
        from ASLDenoiseLib.preparing.pairs import some_pairs

        from .library.adapting_figures import BeforeAfter, split_rows
        from .library.cases import chosen_weights, showing
        from .library.real_scans import case_of, real_run, split

        run = real_run(self.args.data, name)
        case, found = case_of(run, name), {}
        first, every = np.arange(REAL[name]), np.arange(len(case.every_pair.context))
        rest = every[REAL[name] :]
        later = replace(
            case,
            every_pair=some_pairs(case.every_pair, rest),
            every_weight=chosen_weights(case.every_weight, rest),
        )
        splits = [split(later, REAL_SEEN, draw) for draw in range(DRAWS)]
        thirds = [showing(case, part, f"{name}, part {n + 1}") for n, part in enumerate(np.array_split(first, 3))]
        ways = {
            "three scans": lambda: self.adapted([scan_of(each) for each in thirds]),
            "one scan": lambda: self.adapted_alone(scan_of(showing(case, first))),
        }
        for way, adapt in ways.items():
            adaptation, kept = adapt()
            if adaptation is not None:
                kept["unseen"] = split_rows(splits, BeforeAfter.of(self.card, adaptation, self.compute))
            found[way] = kept | {"pairs": {"taught": len(first), "of": len(every)}}
        return found


def outcome(adapt: Callable[[], object]) -> tuple[object | None, dict]:
    """What an adaptation gives, and what is kept of it; a refusal in words keeps those."""
    wall, cpu = time.monotonic(), time.process_time()
    try:
        found = adapt()
    except InputError as error:
        say(str(error))
        return None, {"refused": str(error)}
    tuned, verdict = found.tuned, found.verdict
    kept = {
        "tuned": {"way": tuned.way, "steps": tuned.steps, "gains": tuned.gains, "factor": tuned.uncertainty_factor},
        "curve": [[step, ratio] for step, ratio in tuned.curve],
        "verdict": verdict.to_plain(),
        "time": {"wall (s)": time.monotonic() - wall, "CPU (s)": time.process_time() - cpu},
    }
    say(tuned.way, "earned" if verdict.earned else "refused: " + "; ".join(f.label for f in verdict.unmet))
    return found, kept


def told(share: float, text: str) -> None:
    """Tell how far an adaptation is."""
    say(f"{100 * share:.0f} % {text}")


def verdict_of(part: Mapping) -> Verdict | None:
    """The verdict of what is kept; None where the scans were refused from the start."""
    return Verdict.from_plain(part["verdict"]) if "verdict" in part else None


def word_of(part: Mapping) -> str:
    """Whether the adapted model was accepted."""
    verdict = verdict_of(part)
    return "accepted" if verdict is not None and verdict.earned else "refused"


def why(part: Mapping) -> str:
    """The figures that an adaptation fell short in, with their numbers, or the sentence that refused its scans."""
    verdict = verdict_of(part)
    if verdict is None:
        return part["refused"]
    told = (f"{f.label}: {number('', f.before)} before, {number('', f.after)} after, {f.unit}".rstrip(", ")
            + f" (asked: {f.asked})" for f in verdict.unmet)  # fmt: skip
    return "; ".join(told) or "-"


def minutes_of(part: Mapping) -> str:
    """The minutes of one core that an adaptation took."""
    return f"{part['time']['CPU (s)'] / 60:.1f}" if "time" in part else "-"


def before_after(figure: Figure | None) -> str:
    """A figure before and after, with the standard error of their difference."""
    if figure is None:
        return "-"
    error = f" (± {figure.error:.2f})" if np.isfinite(figure.error) else ""
    return f"{figure.before:.2f} to {figure.after:.2f} {figure.unit}".rstrip() + error


def told_gain(gains: Mapping[str, float]) -> str:
    """A gain that unseen pairs tell, with its standard error where that is known."""
    error = gains.get("error (dB)", float("nan"))
    return f"{gains['told (dB)']:+.2f}" + (f" ± {error:.2f}" if np.isfinite(error) else "")


def site_blocks(parts: Mapping[str, Mapping]) -> list[str]:
    """The section on simulated sites."""
    body, gains, said = [], [], []
    for name, part in parts.items():
        if "unseen" not in part:
            said.append([name, "refused", "-", "-", why(part)])
            continue
        for when, row in part["unseen"].items():
            body.append([f"{name}, {when}", *(number(n, value) for n, value in row.items())])
        verdict = verdict_of(part)
        own = {f.name: f for f in verdict.figures}
        figures = [own.get(n) for n in ("pairs_gain", "scan_gain")]
        cells = [before_after(f) for f in figures]
        gains.append([name, *cells, told_gain(part["gains"]), f"{part['gains']['true (dB)']:+.2f}"])
        way = f"{part['tuned']['way']}, {part['tuned']['steps']} steps"
        said.append([name, word_of(part), way, minutes_of(part), why(part)])
    names = next((list(part["unseen"]["before"]) for part in parts.values() if "unseen" in part), [])
    return [
        text_table(("site", "verdict", "what was learned", "CPU minutes", "what it fell short in"), said),
        "## Two scans that the adaptation never saw, means",
        text_table(["site, before or after", *names], body),
        "## The gain as unseen pairs tell it, and as it is",
        "In dB of squared error. The verdict's own figures stand first, before and after, with the standard error of "
        "the difference: unseen pairs of the scans that taught, and the scan held out. Then halves of the two scans "
        "that it never saw, judged by the other half without a truth, and by the truth: were the judgement "
        "biased, these two would differ by more than their standard error over places.",
        text_table(("site", "unseen pairs", "scan held out", "two unseen scans, told", "the same, true"), gains),
    ]


def gains_block(alone: Mapping[str, Mapping], whole: Mapping[str, Mapping]) -> str:
    """Gains alone against all weights."""
    body = []
    for name, part in alone.items():
        other = whole.get(name, {})
        cells = [f"{p['gains']['true (dB)']:+.2f}" if "gains" in p else "-" for p in (part, other)]
        body.append([name, cells[0], minutes_of(part), word_of(part), cells[1], minutes_of(other), word_of(other)])
    head = ("gains alone (dB)", "CPU minutes", "verdict", "then all weights (dB)", "CPU minutes", "verdict")
    return text_table(("site", *head), body)


def refusal_block(parts: Mapping[str, Mapping]) -> str:
    """What was refused, and why."""
    return text_table(("scans", "verdict", "by"), [[name, word_of(part), why(part)] for name, part in parts.items()])


def real_block(parts: Mapping[str, Mapping]) -> str:
    """Real series: RMSE against pairs that neither taught nor were seen."""
    from .real import rmse_apart, root

    body = []
    for series, by_way in parts.items():
        for way, part in by_way.items():
            pairs = part.get("pairs", {})
            row = [f"{series}, {way}", f"{pairs.get('taught')} of {pairs.get('of')} pairs", word_of(part)]
            if "unseen" not in part:
                body.append([*row, "-", "-", "-", "-", "-", why(part)])
                continue
            errors = {name: np.array([*draws.values()]) for name, draws in part["unseen"].items()}
            apart, error = rmse_apart(errors["after"], errors["before"])
            gained = decibels(float(errors["before"].mean()), float(errors["after"].mean()))
            row += [f"{root(errors[n]):.2f}" for n in ("raw mean", "before", "after")]
            body.append([*row, f"{apart:+.2f} ± {error:.2f}", f"{gained:+.2f}", why(part)])
    head = (
        "series, as",
        "taught by",
        "verdict",
        "RMSE of the raw mean",
        "of the model",
        "as adapted",
        "difference",
        "dB",
    )
    return text_table((*head, "what it fell short in"), body)


def one_block(parts: Mapping[str, Mapping]) -> str:
    """One simulated scan."""
    body = []
    for name, part in parts.items():
        gained = f"{part['gains']['true (dB)']:+.2f}" if "gains" in part else "-"
        figures = {} if verdict_of(part) is None else {f.name: f for f in verdict_of(part).figures}
        own = figures.get("pairs_gain")
        told = before_after(own)
        seconds = f"{part['time']['CPU (s)']:.0f}" if "time" in part else "-"
        body.append([name, word_of(part), told, gained, seconds, why(part)])
    head = ("site", "verdict", "as unseen pairs tell it", "true gain of the whole scan (dB)", "CPU seconds")
    return text_table((*head, "what it fell short in"), body)


def parser():
    parser = options(__doc__, "anatomy", "data", "device", "threads")
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"to start from (default: {DEFAULT_MODEL})")
    parser.add_argument("--part", choices=PARTS, action="append", help="measure this one alone (may be repeated)")
    parser.add_argument("--work", type=Path, default=Path("out/adapting"), help="the folder of what is measured")
    parser.add_argument("--minutes", type=float, default=20.0, help="of an adaptation to scans (default: 20)")
    parser.add_argument("--seconds", type=float, default=600.0, help="of learning on one scan; its steps are fewer")
    parser.add_argument("--slack", type=float, default=1.0, help="times these limits, where other work runs beside")
    return parser


def main() -> None:
    command = begin(__file__, parser())
    args = command.args
    parts, wanted, of = Parts(args), args.part or PARTS, {}
    asked: dict[str, dict[str, Callable[[], dict]]] = {
        "sites": {name: lambda n=name: parts.site(n) for name in (*SHIFTED, USUAL)},
        "one": {name: lambda n=name: parts.one_scan(n) for name in (*SHIFTED, USUAL)},
        "refusals": parts.refusals(),
        "real": {name: lambda n=name: parts.real(n) for name in REAL} if command.real else {},
        "gains": {name: lambda n=name: parts.gains_alone(n) for name in SHIFTED},
    }
    for part, each in asked.items():
        if part in wanted:
            of[part] = {name: parts.kept.of(f"{part}: {name}", make) for name, make in each.items()}
    blocks = page(of, parts.card, args.threads)
    command.publish("Adapting to scans the model never saw the like of", *blocks, kept=set(wanted) == set(PARTS))


def page(of: Mapping[str, Mapping[str, Mapping]], card: ModelCard, threads: int = 1) -> list[str]:
    """All that stands below the title."""
    words = "; ".join(f"{name}: {site.words}" for name, site in SITES.items())
    pairs = ", ".join(map(str, TEACHING_PAIRS))
    blocks = [
        f"{card.name} adapted by learning from noise (`adapt`); threads: {threads}. Sites: {words}. Each has "
        f"{len(TEACHING)} simulated scans of {pairs} pairs (four anatomies, voxels of 4x4x6 mm, single-pair GM SNR 1; "
        "the adaptation holds out the last one itself), T1 guides where they belong, and two scans of "
        f"{UNSEEN_PAIRS} pairs of two more anatomies, which neither the model nor the adaptation has seen."
        f"{trained_with(card)}",
        "Of those the truth is known: gain is dB of squared error below the raw mean. Lesions are balls of 4 voxels in "
        "perfusion alone, what comes out over what was put in; false lesions are a scan's, coverage is that of the "
        "95 % interval. All as a run hands it on, its residual audited. An adaptation that is refused leaves the model "
        "as it was: 'after' is what would have been.",
    ]
    if "sites" in of:
        blocks += ["## Verdicts on simulated sites", *site_blocks(of["sites"])]
    if "gains" in of:
        blocks += [
            "## Gains alone, or all weights after them",
            "True gain (dB) over the model as it was, on halves of the two scans that it never saw. Where all weights "
            "gained nothing on the pairs that stop the learning, the gains alone are what is kept.",
            gains_block(of["gains"], of.get("sites", {})),
        ]
    if "refusals" in of:
        blocks += ["## Refusals", refusal_block(of["refusals"] | _usual(of))]
    if "real" in of:
        blocks += [
            "## Real series",
            f"The first {' and '.join(f'{n} pairs of {name}' for name, n in REAL.items())} teach: cut by time into "
            "three parts of at least 8, as a site takes three scans (they are one head in one session: no other "
            f"head is held out), or as one scan (`--adapt`). {REAL_SEEN} of the other pairs are denoised and judged by "
            f"the mean of the rest of these, whose own variance is taken off; {DRAWS} random choices. RMSE in "
            "ml/100g/min; the difference with its standard error over choices (jackknife).",
            real_block(of["real"]),
        ]
    if "one" in of:
        blocks += [
            "## One simulated scan",
            "The first of the unseen scans, by itself (`--adapt`).",
            one_block(of["one"]),
        ]
    return blocks


def trained_with(card: ModelCard) -> str:
    """What a model has seen of what differs between the sites, as its card has it."""
    recipe = card.metadata.get("training", {}).get("recipe", {})
    ratio, texture = (recipe.get(k, {}).get(n) for k, n in (("phantom", "gm_wm_ratio"), ("noise", "correlation")))
    if not ratio or not texture:
        return ""
    return (
        f" {card.name} was trained on GM over WM from {ratio[0]:g} to {ratio[1]:g}, on noise correlated by Gaussians "
        f"of an SD up to {texture[1]:g} voxels, and on Gaussian point spreads that do not ring."
    )


def _usual(of: Mapping[str, Mapping[str, Mapping]]) -> dict[str, Mapping]:
    """The site like the training among what should be refused."""
    found = of.get("sites", {}).get(USUAL)
    return {} if found is None else {f"a site {USUAL}": found}


if __name__ == "__main__":
    main()
