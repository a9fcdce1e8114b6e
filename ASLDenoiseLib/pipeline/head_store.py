"""What a T1 alone determines, kept for other scans of the same T1: its tissue, its bias field, its way to MNI space.

Scans of one session, or sessions of one T1, share what takes most of a run. What is taken up is what was kept, to the
last digit, so that a run comes out the same with and without it. Arrays and JSON alone: nothing that is read can run.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..moving import replace_file
from ..preparing.t1_contrast import Levels
from ..preparing.template_space import TemplateSpace
from ..preparing.tissue import SegmentedTissue
from ..series import Geometry, Volume

_MAPS = ("gm", "wm", "csf", "brain")


@dataclass(frozen=True)
class SegmentedHead:
    """A T1 as its segmentation left it: tissue in its space, and the T1 without its bias field."""

    tissue: SegmentedTissue
    even_t1: Volume


@dataclass(frozen=True)
class HeadStore:
    """A folder of what was found of T1s, by a digest of their voxels, grid and the version of ASLDenoise.

    Reading what is not there, is damaged or of another version gives None; a disk without room keeps nothing.
    """

    folder: Path

    def segmented(self, t1: Volume, segmenter: str) -> SegmentedHead | None:
        """What segmenting this T1 so gave; None where it was not kept."""
        read = self._read(t1, f"tissue-{segmenter}")
        if read is None:
            return None
        told, arrays = read
        maps = {name: _volume(told["maps"][name], arrays[name]) for name in _MAPS}
        levels = None if told["levels"] is None else Levels(**told["levels"])
        tissue = SegmentedTissue(**maps, source=told["source"], warning=told["warning"], levels=levels)
        return SegmentedHead(tissue, _volume(told["maps"]["even"], arrays["even"]))

    def keep_segmented(self, t1: Volume, segmenter: str, head: SegmentedHead) -> None:
        """Keep what segmenting this T1 so gave."""
        tissue = head.tissue
        volumes = {**{name: getattr(tissue, name) for name in _MAPS}, "even": head.even_t1}
        told = {
            "maps": {name: _told(volume) for name, volume in volumes.items()},
            "source": tissue.source,
            "warning": tissue.warning,
            "levels": None if tissue.levels is None else asdict(tissue.levels),
        }
        self._write(t1, f"tissue-{segmenter}", told, {name: volume.array for name, volume in volumes.items()})

    def template_space(self, t1: Volume) -> TemplateSpace | None:
        """How this T1 lies in MNI space; None where it was not kept."""
        read = self._read(t1, "template")
        if read is None:
            return None
        told, arrays = read
        return TemplateSpace(**arrays, gm_overlap=told["gm_overlap"], warning=told["warning"])

    def keep_template_space(self, t1: Volume, space: TemplateSpace) -> None:
        """Keep how this T1 lies in MNI space."""
        arrays = {name: getattr(space, name) for name in ("affine", "to_head", "from_head")}
        self._write(t1, "template", {"gm_overlap": space.gm_overlap, "warning": space.warning}, arrays)

    def _path(self, t1: Volume, part: str) -> Path:
        from ..software import own_version

        digest = hashlib.blake2b(digest_size=16)
        digest.update(f"{own_version()} {t1.array.dtype} {asdict(t1.geometry)}".encode())
        digest.update(np.ascontiguousarray(t1.array).data)
        return self.folder / f"{digest.hexdigest()}_{part}.npz"

    def _read(self, t1: Volume, part: str) -> tuple[dict, dict[str, np.ndarray]] | None:
        try:
            with np.load(self._path(t1, part), allow_pickle=False) as content:
                arrays = {name: content[name] for name in content.files}
            return json.loads(str(arrays.pop("told"))), arrays
        except (OSError, ValueError, KeyError, BadZipFile):
            return None

    def _write(self, t1: Volume, part: str, told: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> None:
        path = self._path(t1, part)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
        with suppress(OSError):  # to keep it is a kindness to later scans: a full disk will be told by the results
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                with aside.open("wb") as file:
                    np.savez(file, told=np.array(json.dumps(told)), **arrays)
                replace_file(aside, path)
            finally:
                aside.unlink(missing_ok=True)


def _told(volume: Volume) -> dict[str, object]:
    return {"geometry": asdict(volume.geometry), "unit": volume.unit, "name": volume.name}


def _volume(told: Mapping[str, object], array: np.ndarray) -> Volume:
    return Volume(array, Geometry(**told["geometry"]), unit=told["unit"], name=told["name"])
