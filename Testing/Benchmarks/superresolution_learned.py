"""Methods that train a network on the one scan, beside those that do not; writes superresolution_learned.md.

--paper adds the multi-scale GAN as published, which takes hours on a CPU.
"""

from __future__ import annotations

from functools import partial

from ASLDenoiseLib.superresolving import METHODS as PRODUCT

from .library.command import begin, options, say
from .library.superresolution_cases import DIRECTIONS, draw_head, scan_head
from .library.superresolution_scores import METHODS, score
from .library.tables import table

ANATOMY, SEED = "brain-08", 52  # kept out of every training and tuning
SNRS = (3.0, 10.0)


def main() -> None:
    parser = options(__doc__, "anatomy", "threads", "device", quick="SNR 10 alone")
    parser.add_argument("--paper", action="store_true", help="the published settings, too")
    command = begin(__file__, parser)
    args = command.args
    learned = ["network", "pyramid-fast", *(["pyramid-paper"] if args.paper else [])]
    methods = {name: METHODS[name] for name in ("linear", "spline", "guided")}
    methods |= {name: partial(PRODUCT[name].run, device=args.device) for name in learned}
    head, blocks = draw_head(args.anatomy, DIRECTIONS[2], seed=SEED, anatomy=ANATOMY), []
    for snr in SNRS[1:] if args.quick else SNRS:
        case = scan_head(head, snr=snr, seed=3)
        rows = {}
        for name, method in methods.items():
            rows[name] = score(case, method)
            say(snr, name, rows[name])
        blocks += [f"## SNR {snr:g}", table(rows)]
    command.publish(
        "Super-resolution by networks trained on the one scan",
        f"A phantom of {ANATOMY}, {DIRECTIONS[2].label}, as in [superresolution.md](superresolution.md), where the "
        "columns are explained. 'network' is the small T1-conditioned U-Net trained through the acquisition model; "
        "'pyramid-fast' is the multi-scale GAN with fewer scales and steps. The paper's GAN was 0.47 dB above linear "
        "interpolation on its own data.",
        *blocks,
    )


if __name__ == "__main__":
    main()
