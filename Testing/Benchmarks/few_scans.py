"""Learning from noise or from the pseudo gold standard, where there are few scans to learn from; writes few_scans.md.

A DWAN is trained for each target, number of scans and seed. A GPU does that in minutes: with `--keep` the figures are
kept in a file as they come, and the same command with that file makes the page anywhere.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ASLDenoiseLib.denoising.catalogue import find_model

from .library.command import SHARED, begin, options, say
from .library.comparisons import Bench, outcome
from .library.few_scans import BATCH, GOLD, NOISE, PAIRS, SEEN, SIZES, TESTS, WATCHES, WAYS
from .library.scores import PAPERS_PSNR, PAPERS_SSIM, PSNR, SSIM
from .library.tables import mean_table, number, text_table

if TYPE_CHECKING:
    from .library.few_scans import Rows

FIGURES = (PSNR, SSIM, "CCC", PAPERS_PSNR, PAPERS_SSIM, "SNR", "GM/WM", "GM bias (%)", "WM bias (%)", "lesions")
ASKED = ((PSNR, " dB"), (SSIM, ""), (PAPERS_PSNR, " dB"), ("SNR", ""), ("GM/WM", ""), ("lesions", ""))
PAPER = (
    "The paper (Xie 2020, 200 subjects): learning from noise has a higher PSNR as the papers take it (by 0.02 to 0.31 "
    "dB), SNR (8.06 against 6.36) and GM/WM contrast (2.32 against 2.15)."
)
INSTALLED = {f"dwan-lfn, installed, {NOISE}": "dwan-lfn", f"dwan-asldn, installed, {GOLD}": "dwan-asldn"}


@dataclass(frozen=True)
class Plan:
    """What is trained, and where.

    Args:
        heads: a folder of label maps or a pack of anatomies.
        work: the folder of drawn scans.
        steps: of every training.
        device: ``cpu`` or ``cuda``.
        sizes: numbers of scans.
        tests: scans that judge.
        size: voxels in plane.
        until: time (`time.time`) after which no training is begun.
    """

    heads: Path
    work: Path
    steps: int
    device: str
    sizes: tuple[int, ...] = SIZES
    tests: int = TESTS
    size: int = 64
    until: float = float("inf")

    def scans(self, seed: int, count: int) -> list[Path]:
        """The files of the first scans of a study."""
        return [self.work / f"{seed}-{n:02}-{self.size}.pt" for n in range(count)]

    @property
    def watched(self) -> list[Path]:
        """The files of the scans that stop a training."""
        return self.scans(800, WATCHES)


@dataclass(eq=False)
class Kept:
    """Figures by part (`way, scans, seed`), in a file where there is one, with what made them."""

    path: Path | None
    made: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path and self.path.is_file():
            self.made = json.loads(self.path.read_text("utf-8"))
        self.made.setdefault("parts", {})

    @property
    def parts(self) -> dict:
        """What is there."""
        return self.made["parts"]

    def add(self, name: str, part: dict) -> None:
        """Take a part up."""
        self.parts[name] = part
        self.write()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(self.made))
            part.replace(self.path)


def part_name(way: str, count: int, seed: int) -> str:
    """The name of a training among what is kept."""
    return f"{way}; {count} scans; seed {seed}"


def draw_all(plan: Plan, seeds: Sequence[int], processes: int) -> None:
    """Every scan that is learned from or watched, by several processes."""
    from .library.few_scans import TRAINING, WATCHED, draw_teaching

    asked = [(plan.heads, (WATCHED,), n, path, 800) for n, path in enumerate(plan.watched)]
    for seed in seeds:
        asked += [(plan.heads, TRAINING, n, path, seed) for n, path in enumerate(plan.scans(seed, max(plan.sizes)))]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(draw_teaching, *a[:4], seed=a[4], size=plan.size) for a in asked]
        for each in waiting:
            each.result()
    say(f"{len(waiting)} scans drawn")


def trainings(plan: Plan, seed: int, done: Sequence[str]) -> Iterator[tuple[str, dict]]:
    """The trainings of a seed that are not done, in order: L1 first, few scans first; each with its figures."""
    import torch

    from .library.few_scans import Teaching, draw_tests, judged, shown_by, teach

    if plan.device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    tests, watched = draw_tests(plan.heads, count=plan.tests, size=plan.size), Teaching.read(plan.watched, plan.device)
    for loss, count in product(("L1", "L2"), plan.sizes):
        scans = None
        for way in (w for w in WAYS if w.endswith(loss)):
            name = part_name(way, count, seed)
            if name in done:
                continue
            if time.time() > plan.until:
                return
            scans = scans or Teaching.read(plan.scans(seed, count), plan.device)
            taught = teach(scans, watched, way, steps=plan.steps, seed=seed, device=plan.device)
            rows = {
                each: judged(tests, lambda case, n=network: shown_by(n, case, plan.device))
                for each, network in (("best", taught.best), ("last", taught.last))
            }
            yield name, {**rows, "step": taught.step, "seconds": taught.seconds, "watched": taught.watched}


def _work(plan: Plan, seed: int, done: Sequence[str], told: multiprocessing.Queue) -> None:
    """A process that trains."""
    import torch

    torch.set_num_threads(2)
    try:
        for part in trainings(plan, seed, done):
            told.put(part)
    finally:
        told.put((seed, None))


def train_all(plan: Plan, seeds: Sequence[int], kept: Kept, *, workers: int) -> None:
    """What is not kept: one process a seed where there are workers."""
    draw_all(plan, seeds, max(1, workers))
    done = tuple(kept.parts)
    if not workers:
        for seed in seeds:
            for name, part in trainings(plan, seed, done):
                _taken(kept, name, part)
        return
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    running = [context.Process(target=_work, args=(plan, seed, done, told), daemon=True) for seed in seeds]
    for process in running:
        process.start()
    left = len(running)
    while left:
        name, part = told.get()
        if part is None:
            left -= 1
        else:
            _taken(kept, name, part)
    for process in running:
        process.join()
    if any(process.exitcode for process in running):
        raise SystemExit("A process that trains failed; what it said is above, and what was measured is kept.")


def _taken(kept: Kept, name: str, part: dict) -> None:
    kept.add(name, part)
    psnr = float(np.mean([row[PSNR] for row in part["best"]]))
    say(f"{name}: {part['seconds']:.0f} s, best at step {part['step']}, {psnr:.2f} dB")


def beside(plan: Plan) -> dict[str, Rows]:
    """The rows of what is not trained here: means, and the installed networks, which saw fresh noise on 280 heads."""
    from ASLDenoiseLib.denoising.catalogue import load_model

    from .library.comparisons import raw
    from .library.few_scans import draw_tests, judged, shown_by
    from .library.scores import pseudo_gold

    tests = draw_tests(plan.heads, count=plan.tests, size=plan.size)
    rows = {f"mean of {SEEN} of {PAIRS} pairs": judged(tests, raw), GOLD: judged(tests, pseudo_gold)}
    for label, name in INSTALLED.items():
        network = load_model(find_model(name), device=plan.device)
        rows[label] = judged(tests, lambda case, n=network: shown_by(n, case, plan.device))
    return rows


def _rows_of(kept: Kept, way: str, count: int, which: str) -> dict[int, Rows]:
    """The rows by seed of a way that learned from so many scans."""
    names = {seed: part_name(way, count, seed) for seed in kept.made["seeds"]}
    return {seed: kept.parts[name][which] for seed, name in names.items() if name in kept.parts}


def rows_table(kept: Kept, loss: str, which: str) -> str:
    """Means over seeds and scans of every way and number of scans; above them what was not trained here."""
    rows = dict(kept.made["beside"]) if loss == "L1" else {}
    for count in kept.made["sizes"]:
        for way in (w for w in WAYS if w.endswith(loss)):
            found = [row for each in _rows_of(kept, way, count, which).values() for row in each]
            if found:
                rows[f"{way.split(',')[0]}, {count} scans"] = found
    return mean_table({name: [{f: row[f] for f in FIGURES} for row in each] for name, each in rows.items()})


def gains(kept: Kept, loss: str, count: int, figure: str, which: str) -> dict[int, np.ndarray]:
    """By seed, learning from noise less the pseudo gold standard, scan by scan."""
    noise, gold = (_rows_of(kept, f"{target}, {loss}", count, which) for target in (NOISE, GOLD))
    both = [seed for seed in noise if seed in gold]
    return {s: np.array([a[figure] - b[figure] for a, b in zip(noise[s], gold[s], strict=True)]) for s in both}


def verdict_lines(kept: Kept, loss: str, which: str) -> str:
    """For every number of scans and figure, what learning from noise is above the pseudo gold standard."""
    body = []
    for count, (figure, unit) in product(kept.made["sizes"], ASKED):
        by_seed = gains(kept, loss, count, figure, which)
        if not by_seed:
            continue
        told = outcome("", np.mean([*by_seed.values()], axis=0), unit).strip()
        each = ", ".join(f"{np.mean(v):+.3f}" if not unit else f"{np.mean(v):+.2f}" for v in by_seed.values())
        body.append([str(count), figure, told, each])
    return text_table(("scans", "figure", "learning from noise less pseudo gold standard", "by seed"), body)


def conclusion(kept: Kept) -> str:
    """What is found of the paper's claims at each number of scans, L1, in a line."""
    parts = []
    for figure, unit in ASKED:
        means = [np.mean([*gains(kept, "L1", n, figure, "best").values()]) for n in kept.made["sizes"]]
        parts.append(f"{figure.removesuffix(' (dB)')} {', '.join(f'{m:+.2f}' for m in means)}{unit}")
    sizes = ", ".join(map(str, kept.made["sizes"]))
    return f"{PAPER} Here, with {sizes} scans, learning from noise less pseudo gold standard: {'; '.join(parts)}."


def samples_seen() -> str:
    """How many samples the installed networks saw, for people."""
    bench = Bench({name: find_model(name) for name in INSTALLED.values()})
    seen = {bench.samples(name) for name in bench.cards}
    return " and ".join(f"{n:,}" for n in sorted(seen))


def stops_table(kept: Kept) -> str:
    """When trainings were stopped, and what going on to the end would have cost."""
    body = []
    for count, way in product(kept.made["sizes"], WAYS):
        parts = [kept.parts[n] for n in (part_name(way, count, s) for s in kept.made["seeds"]) if n in kept.parts]
        if parts:
            lost = [np.mean([r[PSNR] for r in p["last"]]) - np.mean([r[PSNR] for r in p["best"]]) for p in parts]
            steps = ", ".join(f"{p['step']:,}" for p in parts)
            body.append([str(count), way, steps, number("", float(np.mean(lost)))])
    return text_table(("scans", "way", "best step by seed", "PSNR at the end less at the best (dB)"), body)


def page(kept: Kept) -> list[str]:
    """All that stands below the title."""
    made, seeds = kept.made, len(kept.made["seeds"])
    seconds = np.median([part["seconds"] for part in kept.parts.values()])
    blocks = [
        f"Trained on {made['device']} by `{made['command']}`: {made['steps']:,} steps of {len(kept.parts)} trainings, "
        f"{seeds} seeds of scans and first weights; {seconds:.0f} s each, three at a time beside other work.",
        f"A scan is one simulated subject ({', '.join(made['grid'])} voxels of 3.4x3.4x5 mm; single-pair GM SNR 0.7 "
        f"to 1.5, noise "
        f"correlated between neighbours, slow and pulsating fluctuations, spikes) with {PAIRS} pairs that are drawn "
        "once: no fresh noise in training. Anatomies 1 to 14 take turns, each time with another warp, perfusion and "
        f"lesions. The input is the mean of {SEEN} pairs drawn at random. Learning from noise leads it to the mean of "
        f"{SEEN} others of the same scan; the pseudo gold standard to the mean of all {PAIRS} after adaptive outlier "
        "cleaning and a 3 mm Gaussian. Both see the same inputs, flips and exchanges in the same order, from the same "
        f"first weights. {WATCHES} further scans (brain-15) stop both at the least error of {SEEN} pairs against the "
        "mean of the 30 others, which needs no truth.",
        f"Judged on the first {SEEN} of {PAIRS} pairs of {made['tests']} scans (brain-16, brain-17; six lesions "
        "implanted), against the noise-free truth in the brain, and as the papers do (papers') against the pseudo gold "
        "standard of the same scan, which holds the input and so rewards its noise. CBF in ml/100g/min. A finding "
        "holds where the 95 % interval of the mean difference over the scans (Student's t; each a mean over seeds) "
        "lies above zero; 'lesions' is the share of their contrast that is kept. Of the installed networks every "
        f"sample had fresh noise, on 280 heads of any scanner; they saw {samples_seen()} samples, these "
        f"{BATCH * made['steps']:,} of one.",
        conclusion(kept),
    ]
    for loss in ("L1", "L2"):
        if not any(f", {loss};" in name for name in kept.parts):
            continue
        blocks += [f"## {loss}", rows_table(kept, loss, "best")]
        blocks += [f"## Learning from noise above the pseudo gold standard, {loss}", verdict_lines(kept, loss, "best")]
    blocks += ["## Where trainings were stopped", stops_table(kept)]
    blocks += ["## Had none been stopped, L1", verdict_lines(kept, "L1", "last")]
    return blocks


def parser() -> argparse.ArgumentParser:
    quick = "2 and 3 scans of 32 voxels, one seed, 10 steps; the table is printed alone"
    parser = options(__doc__, "device", quick=quick)
    parser.add_argument("--heads", type=Path, default=SHARED / "anatomy", help="label maps, or a pack of anatomies")
    parser.add_argument("--keep", type=Path, help="the file of figures, taken up where it is there")
    parser.add_argument("--work", type=Path, default=Path("out/few_scans"), help="the folder of drawn scans")
    parser.add_argument("--seeds", type=int, default=3, help="studies, each of other scans (default: 3)")
    parser.add_argument("--steps", type=int, default=4000, help="of every training (default: 4000)")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw; with any, each seed has its own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which no training is begun")
    parser.add_argument("--page", action="store_true", help="only the page, of what is kept")
    return parser


def main() -> None:
    command = begin(__file__, parser())
    args = command.args
    kept = Kept(args.keep)
    if not args.page:
        until = time.time() + 60 * args.minutes
        plan = Plan(args.heads, args.work, args.steps, args.device, until=until)
        seeds = range(1, args.seeds + 1)
        if args.quick:
            plan = Plan(args.heads, args.work, 10, args.device, (2, 3), 2, 32, until)
            seeds = range(1, 2)
        told = f"python -m {command.module} --device {args.device} --seeds {len(seeds)} --steps {plan.steps}"
        grid = [f"{plan.size}x{plan.size}x{round(24 * plan.size / 64)}"]
        kept.made |= {"device": device_name(args.device), "command": told, "steps": plan.steps, "seeds": [*seeds]}
        kept.made |= {"sizes": [*plan.sizes], "tests": plan.tests, "grid": grid}
        kept.made["beside"] = kept.made.get("beside") or beside(plan)
        kept.write()
        train_all(plan, seeds, kept, workers=args.workers)
    command.publish("Few scans to learn from", *page(kept))


def device_name(device: str) -> str:
    """The device in words."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} CPU threads"


if __name__ == "__main__":
    main()
