"""What the papers found of one network against another, tried again on simulated scans; writes papers.md.

The scans are those of `denoise`, of anatomies kept out of every training; the papers' own data are not public. Models
that are not installed are left out, and a line says so.
"""

from __future__ import annotations

from .library import paper_claims as claims
from .library.cases import HELD_OUT, SCENARIOS, VOXELS
from .library.command import begin, options, say
from .library.comparisons import Bench, draw_scans
from .library.methods import chosen_models
from .library.tables import text_table

SCENES = SCENARIOS[1:3]
SECTIONS = {
    "Learning from noise, or from the pseudo gold standard": claims.references,
    "L1 or L2": claims.losses,
    "DeepASL: the share of the kinetic loss": claims.kinetic,
    "Averaging before or after, windowed or interleaved": claims.averaging,
    "With and without the M0": claims.calibration,
    "Matching the SNR of training": claims.matching,
    "Transformer or U-Net": claims.transformer,
}
MODELS = (
    *(f"{n}-{kind}" for n in claims.PLANAR for kind in ("lfn", "asldn")),
    "dwan-lfn-l2",
    *claims.LAMBDAS,
    *("unet3d", "unet3d-m0", "unet3d-gt25", "unet3d-gt50", "slab-transformer"),
)


def trained(bench: Bench) -> str:
    """How much every model of the comparisons has seen: a difference between two may be one of training."""
    body = [(name, f"{bench.samples(name):,}" if name in bench.cards else "not installed") for name in MODELS]
    return text_table(("model", "samples seen in training"), body)


def main() -> None:
    parser = options(__doc__, "anatomy", "models", "device", "threads", quick="one head; the table is printed alone")
    command = begin(__file__, parser)
    args = command.args
    bench = Bench({card.name: card for card in chosen_models(args.models)}, args.device)
    scans = draw_scans(args.anatomy, 1 if args.quick else len(VOXELS), SCENES)
    chapters = []
    for n, (title, made) in enumerate(SECTIONS.items(), start=1):
        chapters += [f"## {n} {title}", *made(bench, scans)]
        say(title)
    command.publish(
        "The papers' own comparisons",
        f"{len(scans.plain)} simulated scans of 40 pairs (those of `denoise`: single-pair GM SNR "
        f"{' and '.join(f'{s.gm_snr:g}' for s in SCENES)}, {', '.join(HELD_OUT)}, which no model was trained on). "
        "PSNR, SSIM, RMSE, NMAE, CCC and bias are against the noise-free truth in the brain unless said otherwise; "
        "PSNR's peak is the reference's maximum there; CBF in ml/100g/min. Absolute values do not carry over from the "
        "papers' data, the order of methods may. A finding holds, or does not, where the 95 % interval of the mean "
        "difference over scans (Student's t; two noise levels of a head count as two scans) excludes zero on its side.",
        trained(bench),
        *chapters,
    )


if __name__ == "__main__":
    main()
