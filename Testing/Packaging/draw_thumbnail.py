"""Draws the picture of the sample series for Slicer's Sample Data module: its T1, and its CBF before any denoising.

    python Testing/Packaging/draw_thumbnail.py

To be run again when the sample data change.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import ASLDenoiseLib as ad
from ASLDenoiseLib.resources import resources_folder, sample_data
from ASLDenoiseLib.series import Volume

PICTURE = resources_folder() / "Icons" / "ASLDenoiseSample.png"
SIZE = (360, 240)  # pixels, the shape of Slicer's buttons
HEIGHT = 22.0  # mm above the middle of the series, where grey and white matter are both seen
SHOWN = (165.0, 220.0)  # mm, left to right and front to back, round the middle of the series
CBF_WINDOW = (0.0, 90.0)  # ml/100g/min


def draw(path: Path) -> None:
    """Write the picture: both at one scale, the patient's right on the left, anterior up."""
    sample = sample_data()
    series, t1 = ad.read(sample.asl), ad.read_image(sample.t1)
    cbf = ad.quantify(series).maps["desc-mean_cbf"]
    grid = series.geometry
    middle = [origin + step * (n - 1) / 2 for origin, step, n in zip(grid.origin, grid.spacing, grid.size, strict=True)]
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor="black")
    brightest = float(np.percentile(t1.array, 99.5))
    for place, volume, colours, window in ((0.0, t1, "gray", (0.0, brightest)), (0.5, cbf, "inferno", CBF_WINDOW)):
        axes = figure.add_axes((place, 0.0, 0.5, 1.0))
        axes.set_axis_off()
        image, extent = axial(volume, middle[2] + HEIGHT)
        axes.imshow(np.nan_to_num(image), cmap=colours, vmin=window[0], vmax=window[1], extent=extent)
        axes.set_xlim(middle[0] - SHOWN[0] / 2, middle[0] + SHOWN[0] / 2)
        axes.set_ylim(middle[1] + SHOWN[1] / 2, middle[1] - SHOWN[1] / 2)
    figure.savefig(path, facecolor="black")


def axial(volume: Volume, height: float) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """The slice nearest a height (mm), and where its edges are (mm, LPS): left, right, bottom, top of the picture."""
    (x, y, z), (dx, dy, dz) = volume.geometry.origin, volume.geometry.spacing
    image = volume.array[round((height - z) / dz)]
    rows, columns = image.shape
    return image, (x - dx / 2, x + dx * (columns - 0.5), y + dy * (rows - 0.5), y - dy / 2)


if __name__ == "__main__":
    draw(PICTURE)
