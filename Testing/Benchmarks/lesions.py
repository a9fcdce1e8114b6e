"""What denoising does to lesions; writes lesions.md.

    python Testing/Benchmarks/lesions.py --anatomy DIR [--out Testing/Benchmarks/lesions.md]

A ball is implanted in every pair of a simulated scan (perfusion alone changes), or painted on the T1 (perfusion does
not change). Recovery is the mean of f(x + lesion) - f(x) over the ball, divided by that of the lesion itself.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ASLDenoiseLib.denoising.catalogue import find_model  # noqa: E402
from ASLDenoiseLib.denoising.inference import denoise_pairs  # noqa: E402
from ASLDenoiseLib.denoising.recovery import recover  # noqa: E402
from ASLDenoiseLib.learning.anatomy import read_anatomy  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings  # noqa: E402
from ASLDenoiseLib.learning.simulate import Head, ScanSettings, simulate_head  # noqa: E402
from ASLDenoiseLib.preparing.averaging import mean_difference  # noqa: E402
from ASLDenoiseLib.preparing.contrast import contrast_classes  # noqa: E402
from ASLDenoiseLib.preparing.pairs import difference_volumes  # noqa: E402
from ASLDenoiseLib.preparing.smoothing import gaussian  # noqa: E402
from ASLDenoiseLib.quantifying.kinetics import cbf_scale  # noqa: E402
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume  # noqa: E402

HELD_OUT = ("brain-16", "brain-17")
SPACING = (3.4, 3.4, 5.0)
DIAMETERS = (12.0, 20.0, 30.0)  # mm
FACTORS = {"hypoperfused, x 0.3": 0.3, "hyperperfused, x 2": 2.0}
GM_SNRS = (0.6, 1.0, 2.0)

Method = Callable[[ASLSeries, Head, tuple[Volume, ...]], np.ndarray]


def _default(pairs: ASLSeries, head: Head, guides: tuple[Volume, ...]) -> np.ndarray:
    brain = head.scan.tissue.brain
    denoised = denoise_pairs(pairs, brain, find_model("dwan-lfn")).difference
    return recover(denoised, mean_difference(pairs), brain, guides=guides).difference.array


METHODS: dict[str, Method] = {
    "Gaussian 6 mm": lambda pairs, head, _: gaussian(mean_difference(pairs), 6, mask=head.scan.tissue.brain).array,
    "DWAN alone": lambda pairs, head, _: (
        denoise_pairs(pairs, head.scan.tissue.brain, find_model("dwan-lfn")).difference.array
    ),
    "DWAN + recovery by T1 (default)": _default,
}


def ball(geometry: Geometry, centre: np.ndarray, diameter: float) -> np.ndarray:
    """Voxels (K, J, I) within `diameter` / 2 mm of a point (LPS mm)."""
    k, j, i = np.indices(geometry.shape)
    places = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ geometry.affine_lps.T
    return np.linalg.norm(places[..., :3] - centre, axis=-1) < diameter / 2


def place(mask: np.ndarray, geometry: Geometry, share: float) -> np.ndarray:
    """The centre (LPS mm) of the voxel at `share` of the way through a mask."""
    k, j, i = np.argwhere(mask)[int(share * (mask.sum() - 1))]
    return (geometry.affine_lps @ [i, j, k, 1])[:3]


def true_difference(head: Head) -> np.ndarray:
    """The difference image (scanner units) that the true CBF makes, by the M0 and the series' own constants."""
    scale, _ = cbf_scale(head.scan.series.acquisition)
    return head.scan.cbf.array * head.scan.series.m0.array / float(scale)


def implanted(head: Head, factor: float, diameter: float, share: float) -> tuple[ASLSeries, np.ndarray, np.ndarray]:
    """The pairs with a lesion in each, the lesion (scanner units) and its mask."""
    pairs = difference_volumes(head.scan.series)
    mask = ball(pairs.geometry, place(head.scan.tissue.gm.array > 0.8, pairs.geometry, share), diameter)
    lesion = np.where(mask, (factor - 1) * true_difference(head), 0.0).astype(np.float32)
    return replace(pairs, array=pairs.array + lesion), lesion, mask & (lesion != 0)


def painted(head: Head, diameter: float, share: float) -> tuple[Head, np.ndarray]:
    """The head with a ball of white matter as dark as grey matter on its T1, and the ball on the grid of the series."""
    series, tissue = head.scan.series, head.scan.tissue
    centre = place(tissue.wm.array > 0.98, series.geometry, share)
    in_t1 = (np.linalg.inv(head.t1_to_asl) @ [*centre, 1])[:3]
    where = ball(head.t1.geometry, in_t1, diameter) & (head.t1.array > 750)
    t1 = head.t1.with_array(np.where(where, head.t1.array * 0.6, head.t1.array))
    return replace(head, t1=t1), ball(series.geometry, centre, diameter) & (tissue.wm.array > 0.8)


def guides_of(head: Head) -> tuple[Volume, ...]:
    return contrast_classes(head.t1, head.scan.tissue.brain, transform=head.t1_to_asl)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anatomy", type=Path, default=ROOT.parent / "shared" / "data" / "anatomy")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    if not args.anatomy.is_dir():
        print(f"skipped: {args.anatomy} is not there; give the label maps with --anatomy", file=sys.stderr)
        return 0
    recovery: dict[tuple, list[float]] = {}
    moved: dict[tuple, list[float]] = {}
    for anatomy, snr in itertools.product(HELD_OUT, GM_SNRS):
        head = simulate_head(
            read_anatomy(args.anatomy / f"{anatomy}_labels.nii.gz"),
            phantom=PhantomSettings(size=(64, 64, 24), lesions=0),
            spacing=SPACING,
            scan=ScanSettings(pairs=10, gm_snr=snr),
            seed=31,
        )
        pairs, guides = difference_volumes(head.scan.series), guides_of(head)
        plain = {name: method(pairs, head, guides) for name, method in METHODS.items()}
        for (label, factor), diameter, share in itertools.product(FACTORS.items(), DIAMETERS, (0.35, 0.6)):
            with_lesion, lesion, mask = implanted(head, factor, diameter, share)
            for name, method in METHODS.items():
                gain = (method(with_lesion, head, guides) - plain[name])[mask].mean() / lesion[mask].mean()
                recovery.setdefault((label, diameter, name, snr), []).append(float(gain))
        for diameter, share in itertools.product(DIAMETERS, (0.4, 0.6)):
            changed, mask = painted(head, diameter, share)
            change = METHODS["DWAN + recovery by T1 (default)"](pairs, changed, guides_of(changed))
            before = plain["DWAN + recovery by T1 (default)"]
            moved.setdefault((diameter, snr), []).append(
                100 * float((change - before)[mask].sum() / before[mask].sum())
            )
        print(anatomy, snr, file=sys.stderr)
    snrs = " | ".join(f"SNR {snr:g}" for snr in GM_SNRS)
    text = [
        "# What denoising does to lesions",
        "",
        "Made by `python Testing/Benchmarks/lesions.py`. Two anatomies no model was trained on, "
        + "x".join(f"{s:g}" for s in SPACING)
        + " mm, 10 pairs, two places each; SNR is the grey-matter SNR of one pair.",
        "",
        "Recovery of a lesion in perfusion alone, implanted in every pair (1 is perfect, wanted: 0.9 to 1.1):",
        "",
        f"| lesion | diameter | method | {snrs} |",
        "|---" * (3 + len(GM_SNRS)) + "|",
    ]
    for label, diameter, name in itertools.product(FACTORS, DIAMETERS, METHODS):
        cells = " | ".join(f"{np.mean(recovery[label, diameter, name, snr]):.2f}" for snr in GM_SNRS)
        text.append(f"| {label} | {diameter:g} mm | {name} | {cells} |")
    text += [
        "",
        "Change of CBF (%) in white matter painted grey on the T1 alone, default method (wanted: under 2 %):",
        "",
        f"| diameter | {snrs} |",
        "|---" * (1 + len(GM_SNRS)) + "|",
        *(
            f"| {diameter:g} mm | " + " | ".join(f"{np.mean(moved[diameter, snr]):+.0f}" for snr in GM_SNRS) + " |"
            for diameter in DIAMETERS
        ),
    ]
    args.out.write_text("\n".join(text) + "\n")
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
