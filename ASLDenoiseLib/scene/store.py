"""A scene as a Slicer bundle (.mrb): a whole file or none."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..moving import replace_file
from ..windows_paths import longest_path
from .headless import module_logic

if TYPE_CHECKING:
    import slicer

# bytes; below the first a scene is not begun, below the second the disk is why it failed: MRML does not say
_TOO_FULL, _NEARLY_FULL = 1 << 22, 1 << 24


def save_mrb(scene: slicer.vtkMRMLScene, path: str | Path) -> Path:
    """Write `scene` as a bundle at `path`, replacing what was there only once the new file is complete.

    Raises:
        InputError: the folder does not exist, the name does not end in .mrb, or no Segmentations logic serves a scene
            with segmentations (MRML would abort the whole process).
        OSError: the disk is full.
        RuntimeError: MRML could not write it; the message holds what it said.
    """
    import slicer

    path = Path(path)
    if path.suffix.lower() != ".mrb":
        raise InputError(f"A scene is saved as a .mrb file, not '{path.name}'; give a name that ends in .mrb.")
    if not path.parent.is_dir():
        raise InputError(f"The folder '{path.parent}' does not exist; make it or save elsewhere.")
    if scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") and module_logic(scene, "Segmentations") is None:
        raise InputError("This scene cannot save its segmentations; make it with make_scene().")
    _require_room(path, _TOO_FULL)  # MRML would fill the log with complaints
    aside = path.with_name(f".{path.name}.partial")
    place = _workshop(path)
    with tempfile.TemporaryDirectory(prefix=".ASLDenoise-", dir=place, ignore_cleanup_errors=True) as folder:
        # MRML names the bundle's inner folder after the file, and takes full paths alone
        part = Path(folder).absolute() / path.name
        messages = slicer.vtkMRMLMessageCollection()
        url, root = scene.GetURL(), scene.GetRootDirectory()
        try:
            written = scene.WriteToMRB(str(part), None, messages)
        finally:
            scene.SetURL(url or "")
            scene.SetRootDirectory(root or "")
        if not written or not part.is_file():
            _require_room(path, _NEARLY_FULL)
            raise RuntimeError(f"The scene could not be saved to '{path}': {messages.GetAllMessagesAsString().strip()}")
        if place != path.parent:  # perhaps on another disk, from which nothing can be renamed
            part = Path(shutil.copyfile(part, aside))
        try:
            replace_file(part, path)
        finally:
            aside.unlink(missing_ok=True)
    return path


def _workshop(path: Path) -> Path:
    """Where MRML may put a bundle together: beside it, or on Windows, where paths grow too long, wherever is nearer.

    A bundle is written below four folders named after the scene and its nodes, which may be 150 characters more.
    """
    temporary = Path(tempfile.gettempdir())
    far = longest_path() is not None and len(str(path.parent.absolute())) > len(str(temporary))
    return temporary if far else path.parent


def _require_room(path: Path, least: int) -> None:
    if shutil.disk_usage(path.parent).free < least:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
