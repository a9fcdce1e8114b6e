"""Readouts where there is no T1: tissue guessed from perfusion, against the true tissue; writes tissue_guess.md.

The peer is what is at hand without a template: Otsu's threshold on the smoothed perfusion within the brain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ASLDenoiseLib.measuring.masks import FEWEST_VOXELS, grey_matter, white_matter
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.preparing.tissue_guess import guess_tissue
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification
from ASLDenoiseLib.series import Tissue, Volume
from ASLDenoiseLib.spatial.smoothing import gaussian

from .library.cases import VOXELS, anatomy_path, draw_head
from .library.command import begin, options, say
from .library.scores import soft_dice
from .library.tables import by, mean_row, table

# brain-06, 15, 16 and 17 were looked at when the guess was made; these were not.
ANATOMIES = ("brain-03", "brain-08", "brain-11", "brain-13")
SCANS = ((0.6, 10), (1.2, 4), (1.2, 10), (1.2, 40))  # single-pair GM SNR, pairs


def otsu(cbf: Volume, brain: Volume) -> Tissue:
    """Grey matter is what lies above Otsu's threshold on perfusion smoothed by 5 mm; the rest of the brain is white."""
    from skimage.filters import threshold_otsu

    inside = (brain.array > 0.5) & np.isfinite(cbf.array)
    smooth = gaussian(cbf, 5.0, mask=inside).array
    grey = inside & (smooth > threshold_otsu(smooth[inside]))
    return Tissue(
        brain.with_array(grey.astype(np.float32)),
        brain.with_array((inside & ~grey).astype(np.float32)),
        None,
        brain,
        source="Otsu's threshold on perfusion",
    )


METHODS: dict[str, Callable[[Volume, Volume], Tissue]] = {"Otsu's threshold": otsu, "guess_tissue": guess_tissue}


def figures(raw: Volume, truth: Tissue, found: Tissue) -> dict[str, float]:
    """Overlap of fractions, and the readouts of the same noisy map in the tissue found over those in the true one."""
    inside = np.isfinite(raw.array)

    def mean(mask: np.ndarray) -> float:
        mask = mask & inside
        return float(raw.array[mask].mean()) if mask.sum() >= FEWEST_VOXELS else float("nan")

    grey, white = (mean(grey_matter(found)) / mean(grey_matter(truth)), mean(white_matter(found)))
    white /= mean(white_matter(truth))
    return {
        "Dice GM": soft_dice(truth.gm.array, found.gm.array),
        "Dice WM": soft_dice(truth.wm.array, found.wm.array),
        "GM mean, of true": grey,
        "WM mean, of true": white,
        "GM/WM contrast, of true": grey / white,
    }


def main() -> None:
    """Guess in every scan by every method."""
    command = begin(__file__, options(__doc__, "anatomy", "threads", quick="two heads"))
    rows: dict[str, dict[str, dict[str, float]]] = {name: {} for name in METHODS}
    for n, anatomy in enumerate(ANATOMIES[:2] if command.quick else ANATOMIES):
        for snr, pairs in SCANS:
            head = draw_head(
                anatomy_path(anatomy, command.args.anatomy), spacing=VOXELS[n], gm_snr=snr, pairs=pairs, seed=70 + n
            )
            series, brain = head.scan.series, brain_mask(head.scan.series.m0)
            factor = quantification(series.acquisition, calibrate(series), brain)
            raw = factor.cbf(mean_difference(difference_volumes(series)))
            for name, method in METHODS.items():
                row = figures(raw, head.scan.tissue, method(raw, brain))
                rows[name][f"{anatomy}, {by(VOXELS[n])}, SNR {snr}, {pairs} pairs"] = row
            say(anatomy, snr, pairs)
    means = {name: mean_row(each.values()) for name, each in rows.items()}
    contrast = {name: [row["GM/WM contrast, of true"] for row in each.values()] for name, each in rows.items()}
    for name, values in contrast.items():
        means[name] |= {"contrast, lowest": float(np.nanmin(values)), "highest": float(np.nanmax(values))}
    command.publish(
        "Tissue where there is no T1",
        "Scans of 64x64x24 voxels of the size given, the brain as found in the M0. `Dice`: overlap of fractions. The "
        "means and the contrast are those of the same noisy raw map, in the voxels that the guess calls grey (above "
        "0.7) and white matter (above 0.9), over those in the true ones: 1 is right.",
        table(means),
        "Every scan, `guess_tissue`:",
        table(rows["guess_tissue"], first="scan"),
    )


if __name__ == "__main__":
    main()
