"""How long every model of the catalogue takes for one volume; writes time_models.md and, with --write, the cards' data.

    python Testing/Benchmarks/time_models.py [--device cpu] [--threads 2] [--write]

One mean difference of 64x64x24 voxels with T1 and M0, all of it brain but a rim; weights loaded before, the median of
five runs after one that is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ASLDenoiseLib.denoising.catalogue import ModelCard, list_models, load_model  # noqa: E402
from ASLDenoiseLib.denoising.feeding import find_feeder  # noqa: E402
from ASLDenoiseLib.denoising.feeding.mean import Mean  # noqa: E402
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume  # noqa: E402

GRID = Geometry((64, 64, 24), (3.4, 3.4, 5.0))


def example(card: ModelCard) -> Mean:
    """Ten pairs of noise round a constant, with guides."""
    rng = np.random.default_rng(0)
    pairs = ASLSeries(rng.normal(10, 5, (10, *GRID.shape)).astype(np.float32), GRID, ("deltam",) * 10)
    brain = np.zeros(GRID.shape, np.float32)
    brain[1:-1, 4:-4, 4:-4] = 1
    guides = tuple(
        Volume(a, GRID) for a in rng.dirichlet((1, 1, 1), GRID.shape).astype(np.float32).transpose(3, 0, 1, 2)
    )
    m0 = Volume(1000 + rng.normal(0, 50, GRID.shape).astype(np.float32), GRID)
    return Mean(pairs.array.mean(axis=0), 10, pairs, Volume(brain, GRID), card, m0, guides)


def seconds_of(card: ModelCard, device: str, *, runs: int = 5) -> float:
    """Median seconds a volume."""
    network, feed, mean = load_model(card, device=device), find_feeder(card.network), example(card)
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        feed(mean, network, device)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[1:]))


def main() -> int:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true", help="also into each bundle's metadata.json")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    where = args.device if args.device != "cpu" else f"cpu, {args.threads} threads"
    lines = [
        "# Seconds a volume",
        "",
        f"Made by `python Testing/Benchmarks/time_models.py` on {where}: one volume of 64x64x24 voxels, "
        "feeding included, loading of weights not.",
        "",
        "| model | parameters | seconds |",
        "|---|---|---|",
    ]
    for card in list_models():
        seconds = seconds_of(card, args.device)
        lines.append(f"| {card.name} | {card.metadata['parameters']:,} | {seconds:.2f} |")
        if args.write:
            path = card.folder / "configs" / "metadata.json"
            data = json.loads(path.read_text())
            data.setdefault("seconds_64x64x24", {})[args.device] = round(seconds, 3)
            path.write_text(json.dumps(data, indent=2) + "\n")
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
