"""How long every model of the catalogue takes for one volume; writes time_models.md and, with --write, the cards' data.

One mean difference of 64x64x24 voxels with T1 and M0, all of it brain but a rim; weights loaded before, the median of
five runs after one that is not counted.
"""

from __future__ import annotations

import importlib.util
import json

import numpy as np

from ASLDenoiseLib.auditing import audit_residual
from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.denoising.catalogue import ModelCard, list_models, load_model
from ASLDenoiseLib.denoising.families.mean import Mean
from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume

from .library.command import begin, options, timed
from .library.methods import chosen_models
from .library.tables import text_table

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
    network, mean, compute = load_model(card, device=device), example(card), Compute(device)
    return float(np.median([timed(card.family.predict, mean, network, compute)[1] for _ in range(runs + 1)][1:]))


def seconds_of_audit(*, runs: int = 5) -> float:
    """Median seconds of the residual audit of the same volume, by its guides as tissue; the denoised map is flat."""
    mean = example(list_models()[0])
    csf, gm, wm = mean.guides
    tissue = Tissue(gm, wm, csf, mean.brain, "made")
    flat = mean.brain.with_array(np.full(GRID.shape, 10.0, np.float32))
    times = [timed(audit_residual, flat, mean.pairs, mean.brain, tissue=tissue)[1] for _ in range(runs + 1)]
    return float(np.median(times[1:]))


def seconds_of_bm4d() -> float:
    """The strongest classical peer on the same volume, told its noise SD."""
    from bm4d import bm4d

    mean = example(list_models()[0])
    sigma = float(mean.pairs.array.std(axis=0, ddof=1).mean() / np.sqrt(mean.count))
    return timed(bm4d, mean.array.astype(np.float64), sigma)[1]


def main() -> None:
    parser = options(__doc__, "models", "device", "threads")
    parser.add_argument("--write", action="store_true", help="also into each bundle's metadata.json")
    command = begin(__file__, parser)
    args = command.args
    body = []
    for card in chosen_models(args.models):
        seconds = seconds_of(card, args.device)
        body.append([card.name, f"{card.metadata['parameters']:,}", f"{seconds:.2f}"])
        if args.write:
            path = card.folder / "configs" / "metadata.json"
            data = json.loads(path.read_text("utf-8"))
            data.setdefault("seconds_64x64x24", {})[args.device] = round(seconds, 3)
            path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8", newline="\n")
    body.append(["the residual audit, after any of them", "-", f"{seconds_of_audit():.2f}"])
    if importlib.util.find_spec("bm4d") is not None:
        body.append(["BM4D", "-", f"{seconds_of_bm4d():.2f}"])
    command.publish(
        "Seconds a volume",
        "One volume of 64x64x24 voxels, feeding included, loading of weights not.",
        text_table(["model", "parameters", "seconds"], body),
    )


if __name__ == "__main__":
    main()
