"""A small atlas in MNI space that needs no download: the template's grey matter, in eight parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_MIDDLE = (0.0, -20.0, 10.0)  # mm, RAS, where the parts meet


def write_octants(folder: Path) -> tuple[Path, Path]:
    """Write the label image and its names (``_dseg.nii.gz``, ``_dseg.tsv``) into a folder, and give both paths."""
    from ASLDenoiseLib.preparing.template import icbm_template
    from ASLDenoiseLib.reporting.derivatives import save_volume

    grey = icbm_template().gm
    steps = np.indices(grey.array.shape)[::-1].reshape(3, -1)  # i, j, k
    ras = (grey.geometry.affine_ras @ np.vstack([steps, np.ones(steps.shape[1])]))[:3]
    left, front, top = (axis.reshape(grey.array.shape) for axis in (ras[0] < _MIDDLE[0], *_beyond(ras)))
    labels = np.where(grey.array > 0.5, 1 + (~left) + 2 * (~front) + 4 * (~top), 0)
    folder.mkdir(parents=True, exist_ok=True)
    image, names = folder / "octants_dseg.nii.gz", folder / "octants_dseg.tsv"
    save_volume(grey.with_array(labels.astype(np.float32)), image)
    words = (("Left", "Right"), ("anterior", "posterior"), ("superior", "inferior"))
    rows = [f"{n + 1}\t{words[0][n % 2]} {words[1][n // 2 % 2]} {words[2][n // 4]}" for n in range(8)]
    names.write_text("index\tname\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return image, names


def _beyond(ras: np.ndarray) -> list[np.ndarray]:
    return [ras[axis] > _MIDDLE[axis] for axis in (1, 2)]
