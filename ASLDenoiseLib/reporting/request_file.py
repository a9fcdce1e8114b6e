"""What was asked for as plain JSON, beside its result; images that exist in memory alone lie in a folder of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..series import ASLSeries, Geometry, Tissue, Volume
from ..series_json import series_to_plain

Save = Callable[[np.ndarray, Geometry, Path], None]  # an image (K, J, I) or (T, K, J, I) as NIfTI


def request_to_json(plain: Mapping[str, Any], folder: Path, save: Save, *, inputs: str) -> dict[str, Any]:
    """The request with what it holds in memory saved below `folder` and named by file, so that it is plain JSON.

    Args:
        plain: as `pipeline.request_json.plain_request` gives it.
        folder: where the JSON will lie.
        save: writes one image.
        inputs: the folder in it for the images.
    """

    def image(array: np.ndarray, geometry: Geometry, name: str) -> dict[str, str]:
        (folder / inputs).mkdir(exist_ok=True)
        path = Path(inputs, f"{name}.nii.gz")
        save(array, geometry, folder / path)
        return {"file": path.as_posix()}

    def converted(value: object, name: str) -> Any:
        if isinstance(value, Volume):
            return image(value.array, value.geometry, name)
        if isinstance(value, ASLSeries):
            m0 = {} if value.m0 is None else {"m0": converted(value.m0, "m0")}
            return {**series_to_plain(value), "voxels": image(value.array, value.geometry, name), **m0}
        if isinstance(value, Tissue):
            maps = {part: getattr(value, part) for part in ("gm", "wm", "csf", "brain")}
            saved = {part: converted(v, f"{name}-{part}") for part, v in maps.items() if v is not None}
            return {"tissue_maps": {**saved, "source": value.source, "warning": value.warning}}
        if isinstance(value, Mapping):
            return {key: converted(item, key if key != "mask" else name) for key, item in value.items()}
        if isinstance(value, list):
            return [converted(item, f"{name}-{number}") for number, item in enumerate(value, start=1)]
        return value

    return converted(plain, "request")
