"""A model adapted to scans that it never saw the like of: what it gained, what it cost, refusals; writes adapting.md.

Parts are kept in a file as they are measured (``--work``), so that a command that was ended goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.adapting.adaptation import Adaptation
from ASLDenoiseLib.adapting.scan import AdaptationScan
from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, find_model
from ASLDenoiseLib.errors import InputError

from .library.adapting_blocks import DRAWS, REAL, REAL_SEEN, USUAL, page
from .library.adapting_sites import (
    SITES,
    TEACHING,
    UNSEEN,
    pure_noise,
    scan_of,
    site_case,
    teaching_cases,
    unseen_cases,
    unseen_heads,
    with_exchanged_t1s,
)
from .library.cases import Case
from .library.command import begin, options, say
from .library.delay_kept import Kept

SHIFTED = tuple(name for name in SITES if name != USUAL)
FEW_PAIRS = 8  # of a scan of noise alone
CHECKED = ("noise",)  # a run's check of a T1 sees no network: one site, that of the worst signal, stands for all
PARTS = ("sites", "ways", "heads", "fits", "refusals", "real", "one")


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

    def adapted(self, scans: Sequence) -> tuple[object | None, dict]:
        """The adaptation, and what is kept of it; None where the scans are refused from the start."""
        from ASLDenoiseLib.adapting.adapt import adapt_to_scans

        limit = {"max_minutes": self.args.minutes * self.args.slack}
        return outcome(lambda: adapt_to_scans(self.card, scans, **limit, compute=self.compute, progress=told))

    def adapted_alone(self, scan) -> tuple[object | None, dict]:
        """The same of a single scan."""
        from ASLDenoiseLib.adapting.one_scan import adapt_to_scan

        limit = {"max_seconds": self.args.seconds * self.args.slack}
        return outcome(lambda: adapt_to_scan(self.card, scan, **limit, compute=self.compute, progress=told))

    def site(self, name: str) -> dict:
        """A site: the adaptation, which stays beside the figures, and what it does to scans that it never saw."""
        import torch

        from .library.adapting_figures import BeforeAfter, gains_told_and_true, site_rows

        adaptation, kept = self.adapted(self.scans(name))
        if adaptation is None:
            return kept
        torch.save(adaptation, self.place(name))
        both, unseen = BeforeAfter.of(self.card, adaptation, self.compute), self.unseen(name)
        return kept | {"unseen": site_rows(unseen, both), "gains": gains_told_and_true(unseen, both)}

    def ways(self, name: str) -> dict:
        """What each way of learning gave the same site."""
        from .library.adapting_ways import way_rows

        given = self.card, self.adaptation(name), self.scans(name), self.unseen(name), self.compute
        return {"ways": way_rows(*given)}

    def heads(self, name: str) -> dict:
        """What another head's T1 does to the scans that the adaptation never saw."""
        from .library.adapting_figures import BeforeAfter
        from .library.adapting_heads import head_rows

        return {"heads": head_rows(self.unseen(name), BeforeAfter.of(self.card, self.adaptation(name), self.compute))}

    def fits(self, name: str) -> dict:
        """Whether a run finds another head's T1 out in these scans."""
        from .library.adapting_heads import fit_rows

        return {"fits": fit_rows(unseen_heads(SITES[name], self.args.anatomy), UNSEEN)}

    def scans(self, name: str) -> list[AdaptationScan]:
        """What a site's adaptation is given."""
        return [scan_of(case) for case in teaching_cases(SITES[name], self.args.anatomy)]

    def unseen(self, name: str) -> list[Case]:
        """The site's scans that its adaptation never sees."""
        return unseen_cases(SITES[name], self.args.anatomy)

    def place(self, name: str) -> Path:
        """The file of a site's adaptation."""
        return self.args.work / f"{name.replace(' ', '-')}.pt"

    def adaptation(self, name: str) -> Adaptation:
        """A site's adaptation as it was learned."""
        import torch

        self.kept.of(f"sites: {name}", lambda: self.site(name))
        return torch.load(self.place(name), weights_only=False)

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

        case = self.unseen(name)[0]
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


def parser():
    parser = options(__doc__, "anatomy", "data", "device", "threads")
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"to start from (default: {DEFAULT_MODEL})")
    parser.add_argument("--part", choices=PARTS, action="append", help="measure this one alone (may be repeated)")
    parser.add_argument("--site", action="append", help="of these parts, this one alone (may be repeated)")
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
        "ways": {name: lambda n=name: parts.ways(n) for name in (*SHIFTED, USUAL)},
        "heads": {name: lambda n=name: parts.heads(n) for name in (*SHIFTED, USUAL)},
        "fits": {name: lambda n=name: parts.fits(n) for name in CHECKED},
        "one": {name: lambda n=name: parts.one_scan(n) for name in (*SHIFTED, USUAL)},
        "refusals": parts.refusals(),
        "real": {name: lambda n=name: parts.real(n) for name in REAL} if command.real else {},
    }
    for part, each in asked.items():
        if part in wanted:
            names = [name for name in each if not args.site or name in args.site]
            of[part] = {name: parts.kept.of(f"{part}: {name}", each[name]) for name in names}
    blocks = page(of, parts.card, args.threads)
    command.publish(
        "Adapting to scans the model never saw the like of", *blocks, kept=set(wanted) == set(PARTS) and not args.site
    )


if __name__ == "__main__":
    main()
