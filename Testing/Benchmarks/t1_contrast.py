"""Tissue of images that are not T1-weighted, given as T1, and whether that is told; writes t1_contrast.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ASLDenoiseLib.preparing.t1_contrast import contrast_findings
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Geometry
from ASLDenoiseLib.spatial.resampling import average_onto

from .library.cases import anatomy_path
from .library.command import begin, options, say
from .library.head_draws import CONTRASTS, anatomical_scanning
from .library.scores import soft_dice
from .library.tables import answer, text_table
from .library.whole_heads import Part, imaged, read_head

ANATOMIES = ("brain-08", "brain-02", "brain-13", "brain-17")
GRID = Geometry((64, 64, 30), (3.4, 3.4, 5.0), (-107.0, -99.0, -75.0))  # of an ASL scan
TISSUES = {"gm": (Part.GREY,), "wm": (Part.WHITE, Part.STEM)}


def line(name: str, contrast: str, folder: Path) -> list[str]:
    """One head in one contrast: overlap of fractions on the grid of a scan, right and swapped, and what was said."""
    head = read_head(anatomy_path(name, folder))
    image = imaged(head, anatomical_scanning(contrast, 1.5), seed=0)
    tissue = tissue_from_t1(image.image)
    parts, found, truth = head.parts.array, {}, {}
    for key, kinds in TISSUES.items():
        whole = head.parts.with_array(np.isin(parts, kinds))
        truth[key] = average_onto(whole, GRID, transform=image.matrix, outside=0.0).array
        found[key] = average_onto(getattr(tissue, key), GRID, outside=0.0).array
    dice = [soft_dice(truth[one], found[other]) for one, other in (("gm", "gm"), ("wm", "wm"), ("gm", "wm"))]
    said = contrast_findings(tissue.levels)
    levels = ", ".join(f"{v:.0f}" for v in (tissue.levels.csf, tissue.levels.gm, tissue.levels.wm))
    right = bool(said) == (contrast != "T1")
    return [f"{name}, {contrast}", *(f"{d:.2f}" for d in dice), levels, answer(bool(said)) if right else "**wrong**"]


def main() -> None:
    """Segment each head in each contrast."""
    command = begin(__file__, options(__doc__, "anatomy", "threads", quick="one head"))
    lines = []
    for name in ANATOMIES[:1] if command.quick else ANATOMIES:
        for contrast in CONTRASTS:
            lines.append(line(name, contrast, command.args.anatomy))
            say(*lines[-1])
    command.publish(
        "Other contrasts given as T1",
        "Whole heads from label maps in several contrasts, 1.5 mm, with coil bias and noise, segmented by "
        "`tissue_from_t1`. Dice: overlap of fractions on a grid of 3.4x3.4x5 mm. `swapped`: of true grey matter with "
        "what was called white. Levels: signal of CSF, grey and white matter as the template finds it.",
        text_table(("head and contrast", "GM", "WM", "swapped", "levels", "`t1-contrast` told"), lines),
    )


if __name__ == "__main__":
    main()
