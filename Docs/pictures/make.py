"""Makes the pictures of the tutorial from the sample series: a denoised and a super-resolved run, off screen.

    python Docs/pictures/make.py [FOLDER]

A few minutes on two cores. Drawn by Slicer's own slice logics, as the panel's views are.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "Testing" / "Harness")]

SUPERRES_SPACING = (1.7, 1.7, 2.0)  # mm; half of what was acquired in plane, a third through plane


def main(folder: Path) -> None:
    """Every picture in turn."""
    from few_colours import in_few_colours

    import ASLDenoiseLib as ad
    from ASLDenoiseLib.resources import sample_data
    from ASLDenoiseLib.scene.headless import headless_scene
    from ASLDenoiseLib.scene.present import present
    from ASLDenoiseLib.scene.render import render_overlay

    sample = sample_data()
    series, t1 = ad.read(sample.asl), ad.read_image(sample.t1)
    with headless_scene() as scene:
        nodes = present(ad.denoise(series, t1=t1), scene=scene)
        keys = ("desc-mean_cbf", "desc-denoised_cbf", "desc-smoothed_cbf", "desc-residual_cbf", "desc-uncertainty_cbf")
        print(render_overlay(nodes, folder / "maps.png", maps=keys, views=("axial",), size=260))
    with headless_scene() as scene:
        nodes = present(ad.superresolve(series, t1=t1, spacing=SUPERRES_SPACING), scene=scene)
        keys = ("desc-mean_cbf", "desc-superres_cbf", "desc-residual_cbf", "desc-uncertainty_cbf")
        print(render_overlay(nodes, folder / "superres.png", maps=keys, views=("axial",), size=260))
    for name in ("maps", "superres"):
        in_few_colours(folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
