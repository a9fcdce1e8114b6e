"""Makes the pictures of the tutorial from the sample series: a denoised and a super-resolved run, off screen.

    python Docs/pictures/make.py [FOLDER]

A few minutes on two cores. Drawn by Slicer's own slice logics, as the panel's views are.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

SUPERRES_SPACING = (1.7, 1.7, 2.0)  # mm; half of what was acquired in plane, a third through plane


def main(folder: Path) -> None:
    """Every picture in turn."""
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


def in_few_colours(path: Path) -> None:
    """The picture with a palette: a third of the bytes, and no difference to the eye."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
