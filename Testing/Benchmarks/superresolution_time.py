"""Time and memory of super-resolving 64 x 64 x 24 voxels to 1 mm; writes superresolution_time.md.

    python Testing/Benchmarks/superresolution_time.py [--anatomy DIR] [--threads N] [--device D] [--quick]

Each method runs in a process of its own, so that its peak of memory is its own. A process that only draws the phantom
and imports the library is listed beside them: what is above it is the method's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np
from command import begin, is_missing, options
from superresolution_cases import draw_low
from tables import table

METHODS = ("linear", "spline", "guided", "network", "pyramid-fast")
ANATOMY = "brain-08"
SIZE, SPACING = (64, 64, 24), (3.4, 3.4, 6.0)  # voxels, mm


def alone(name: str, anatomy, threads: int, device: str) -> dict[str, float]:
    """One method in this process: seconds, and the most memory (GB) the process ever had."""
    import torch

    from ASLDenoiseLib.superresolving import super_resolve

    torch.set_num_threads(threads)
    scan = draw_low(anatomy, ANATOMY, size=SIZE, spacing=SPACING, snr=6.0, seed=4)
    started = time.perf_counter()
    if name != "nothing":
        made = super_resolve(scan, method=name, device=device)
        assert np.isfinite(made.fine.array).any()
    seconds = time.perf_counter() - started
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return {"s": seconds, "peak memory (GB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def main() -> int:
    parser = options(__doc__, "anatomy", "threads", "device", quick="the interpolations and guided alone")
    parser.add_argument("--alone", help="run one method here and print its figures; for this script itself")
    command = begin(__file__, parser)
    args = command.args
    if is_missing(args.anatomy, "--anatomy"):
        return 0
    if args.alone:
        print(json.dumps(alone(args.alone, args.anatomy, args.threads, args.device)))
        return 0
    rows = {}
    for name in ("nothing", *(METHODS[:3] if args.quick else METHODS)):
        call = [sys.executable, __file__, "--alone", name, "--anatomy", args.anatomy]
        call += ["--threads", str(args.threads), "--device", args.device]
        told = subprocess.run([str(c) for c in call], check=True, capture_output=True, text=True).stdout
        rows[name] = json.loads(told.splitlines()[-1])
        print(name, rows[name], file=sys.stderr, flush=True)
    lines = [
        "# Super-resolution: time and memory",
        "",
        f"Made by {command.made_by}, {command.made_in}.",
        "",
        f"A phantom of {ANATOMY}: {' x '.join(map(str, SIZE))} voxels of {' x '.join(map(str, SPACING))} mm, SNR 6, to "
        "the 1 mm grid of its T1 (the whole head that was measured), in a process of its own; 'nothing' is that "
        "process without super-resolving. Asked: 10 minutes on two cores, 8 GB.",
        "",
        *table(rows),
    ]
    return command.publish(lines, kept=not args.quick)


if __name__ == "__main__":
    sys.exit(main())
