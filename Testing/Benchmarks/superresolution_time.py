"""Time and memory of super-resolving 64 x 64 x 24 voxels to 1 mm; writes superresolution_time.md.

Each method runs in a process of its own, so that its peak of memory is its own. A process that only draws the phantom
and imports the library is listed beside them: what is above it is the method's.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np

from .library.command import begin, options, say, timed
from .library.superresolution_cases import draw_low
from .library.tables import by, table

METHODS = ("linear", "spline", "guided", "network", "pyramid-fast")
ANATOMY = "brain-08"
SIZE, SPACING = (64, 64, 24), (3.4, 3.4, 6.0)  # voxels, mm


def measured(name: str, anatomy: Path, device: str) -> dict[str, float]:
    """One method in this process: seconds, and the most memory (GB) the process ever had."""
    from ASLDenoiseLib.superresolving import super_resolve

    scan, seconds = draw_low(anatomy, ANATOMY, size=SIZE, spacing=SPACING, snr=6.0, seed=4), 0.0
    if name != "nothing":
        made, seconds = timed(super_resolve, scan, method=name, device=device)
        assert np.isfinite(made.fine.array).any()
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return {"s": seconds, "peak memory (GB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def main() -> None:
    parser = options(__doc__, "anatomy", "threads", "device", quick="the interpolations and guided alone")
    parser.add_argument("--alone", help="run one method here and print its figures; for this command itself")
    command = begin(__file__, parser)
    args = command.args
    if args.alone:
        print(json.dumps(measured(args.alone, args.anatomy, args.device)))
        return
    rows = {}
    for name in ("nothing", *(METHODS[:3] if args.quick else METHODS)):
        how = ("--anatomy", args.anatomy, "--threads", args.threads, "--device", args.device)
        rows[name] = command.alone("--alone", name, *how)
        say(name, rows[name])
    command.publish(
        "Super-resolution: time and memory",
        f"A phantom of {ANATOMY}: {by(SIZE, ' x ')} voxels of {by(SPACING, ' x ')} mm, SNR 6, to "
        "the 1 mm grid of its T1 (the whole head that was measured), in a process of its own; 'nothing' is that "
        "process without super-resolving. Asked: 10 minutes on two cores, 8 GB.",
        table(rows),
    )


if __name__ == "__main__":
    main()
