"""A picture being put together: tiles, words and a colour bar on one RGB canvas. On the CPU alone, so that it needs
neither a display nor OpenGL."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..moving import replace_file

WHITE, GREY = (1.0, 1.0, 1.0), (0.72, 0.72, 0.72)


@dataclass(frozen=True)
class Canvas:
    """An RGB picture, uint8 (height, width, 3), row 0 at the top; drawn on in place."""

    pixels: np.ndarray

    @classmethod
    def black(cls, width: int, height: int) -> Canvas:
        """An empty picture, in pixels."""
        return cls(np.zeros((height, width, 3), dtype=np.uint8))

    def paste(self, image: np.ndarray, left: int, top: int) -> None:
        """Put an RGB or RGBA image (height, width, 3 or 4) with its upper left corner at (left, top), cut at edges."""
        left_cut, top_cut = max(-left, 0), max(-top, 0)
        left, top = max(left, 0), max(top, 0)
        target = self.pixels[top : top + image.shape[0] - top_cut, left : left + image.shape[1] - left_cut]
        image = image[top_cut : top_cut + target.shape[0], left_cut : left_cut + target.shape[1]]
        if image.shape[2] == 3:
            target[:] = image
            return
        alpha = image[..., 3:4] / 255.0
        target[:] = np.round(image[..., :3] * alpha + target * (1.0 - alpha)).astype(np.uint8)

    def write(self, text: str, x: int, y: int, *, size: int = 16, colour: tuple = WHITE, align: str = "left") -> None:
        """Write `text` with its vertical middle at `y` and its left end, centre or right end (`align`) at `x`."""
        if not text:
            return
        image = text_image(text, size=size, colour=colour)
        shift = {"left": 0, "centre": image.shape[1] // 2, "right": image.shape[1]}[align]
        left, top = x - shift, y - image.shape[0] // 2
        halo = image.copy()
        halo[..., :3] = 0  # dark round each letter: the T1 beneath may be as bright as the words
        for across, down in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1)):
            self.paste(halo, left + across, top + down)
        self.paste(image, left, top)

    def save(self, path: str | Path) -> Path:
        """Write the picture as PNG, a whole file or none.

        Raises:
            InputError: the folder does not exist.
        """
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        path = Path(path)
        if not path.parent.is_dir():
            raise InputError(f"The folder '{path.parent}' does not exist; make it or save elsewhere.")
        height, width, _ = self.pixels.shape
        image = vtk.vtkImageData()
        image.SetDimensions(width, height, 1)
        flat = np.ascontiguousarray(self.pixels[::-1]).reshape(-1, 3)
        image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True, array_type=vtk.VTK_UNSIGNED_CHAR))
        with tempfile.TemporaryDirectory(prefix=".ASLDenoise-", dir=path.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder) / "picture.png"
            writer = vtk.vtkPNGWriter()
            writer.SetInputData(image)
            writer.SetFileName(str(part))
            writer.Write()
            replace_file(part, path)
        return path


def text_image(text: str, *, size: int, colour: tuple = WHITE) -> np.ndarray:
    """`text` in VTK's built-in font, RGBA uint8 (height, width, 4), row 0 at the top; `size` in pixels."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    style = vtk.vtkTextProperty()
    style.SetFontFamilyToArial()
    style.SetFontSize(size)
    style.SetColor(*colour)
    image = vtk.vtkImageData()
    tools = vtk.vtkFreeTypeTools.GetInstance()
    tools.SetScaleToPowerTwo(False)
    tools.RenderString(style, text, 72, image, [0, 0])
    width, height, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 4)[::-1]
