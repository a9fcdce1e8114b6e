"""A small synthetic head as BIDS files, for the tests of reading and of inspection."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError

SPACING = 8.0
SIZE = (24, 26, 16)  # (I, J, K)
PCASL = {
    "Manufacturer": "Siemens",
    "MagneticFieldStrength": 3,
    "ArterialSpinLabelingType": "PCASL",
    "MRAcquisitionType": "3D",
    "PostLabelingDelay": 1.8,
    "LabelingDuration": 1.5,
    "BackgroundSuppression": False,
    "M0Type": "Separate",
    "RepetitionTimePreparation": 6.0,
}
PAIRS = ("label", "control") * 8


def head() -> np.ndarray:
    """An ellipsoid of 0/1, (I, J, K), some 1.3 litres."""
    grid = np.indices(SIZE).astype(float)
    radii = np.array([65.0, 75.0, 52.0]) / SPACING
    distance = sum(((g - (n - 1) / 2) / r) ** 2 for g, n, r in zip(grid, SIZE, radii, strict=True))
    return (distance <= 1).astype(float)


def series_array(words=PAIRS, *, fraction=0.005, m0=1000.0, noise=3.0, seed=0) -> np.ndarray:
    """(I, J, K, T): control m0, label m0 (1 - fraction), deltam their difference, all with Gaussian noise."""
    levels = {"control": 1.0, "label": 1.0 - fraction, "m0scan": 1.0, "deltam": fraction, "cbf": 0.05, "n/a": 0.4}
    brain, random = head(), np.random.default_rng(seed)
    volumes = [m0 * levels.get(word, 1.0) * brain + random.normal(0, noise, SIZE) for word in words]
    return np.stack(volumes, axis=-1)


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, np.float32), affine), path)
    return path


def write_series(
    folder: Path, *, words=PAIRS, sidecar=None, m0=1000.0, m0_sidecar=None, array=None, stem="sub-01", **how
) -> Path:
    """An ``_asl`` NIfTI with sidecar, context and (unless `m0` is None) a separate M0; returns the NIfTI's path.

    `sidecar` changes PCASL: a value of None removes its key. `words` None writes no context.
    """
    keys = {**PCASL, **(sidecar or {})}
    keys = {key: value for key, value in keys.items() if value is not None}
    path = save(folder / f"{stem}_asl.nii.gz", series_array(words or PAIRS, **how) if array is None else array)
    (folder / f"{stem}_asl.json").write_text(json.dumps(keys))
    if words is not None:
        (folder / f"{stem}_aslcontext.tsv").write_text("\n".join(["volume_type", *words]) + "\n")
    if m0 is not None:
        save(folder / f"{stem}_m0scan.nii.gz", m0 * head())
        (folder / f"{stem}_m0scan.json").write_text(json.dumps(m0_sidecar or {"RepetitionTimePreparation": 6.0}))
    return path


def refusal(action, *args, mentions: tuple[str, ...], **options) -> str:
    """The message `action` refuses with, checked to be one sentence that mentions every given word."""
    with pytest.raises(InputError) as caught:
        action(*args, **options)
    message = str(caught.value)
    assert message.endswith("."), message
    assert "\n" not in message, message
    assert not re.search(r"[.!?] +[A-Z]", message), f"more than one sentence: {message}"
    for word in mentions:
        assert word in message, f"{word!r} is not in: {message}"
    return message


def small_real(shared_data: Path, name: str, folder: Path, *, volumes: int | None = None) -> Path:
    """A copy of a real series of `shared_data` with voxels averaged two by two in plane; returns the NIfTI's path.

    Small enough to be bent and read again in a test; slices, and so their timing, stay as they are.
    """
    perf, stem = shared_data / "real" / "sub-01" / "perf", f"sub-01_acq-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(perf.glob(f"{stem}_*.json")):
        (folder / path.name).write_text(path.read_text("utf-8"))
    table = (perf / f"{stem}_aslcontext.tsv").read_text("utf-8").split()
    words = table[1:] if volumes is None else table[1 : volumes + 1]
    (folder / f"{stem}_aslcontext.tsv").write_text("\n".join(["volume_type", *words]) + "\n")
    for path in sorted(perf.glob(f"{stem}_*.nii.gz")):
        image = nibabel.load(path)
        array = np.asarray(image.dataobj[..., :volumes] if image.ndim == 4 and volumes else image.dataobj, np.float32)
        i, j = (n // 2 for n in array.shape[:2])
        halved = array[: 2 * i, : 2 * j].reshape(i, 2, j, 2, *array.shape[2:]).mean(axis=(1, 3))
        affine = image.affine @ np.diag([2.0, 2.0, 1.0, 1.0])
        affine[:3, 3] += image.affine[:3, :2] @ [0.5, 0.5]
        nibabel.save(nibabel.Nifti1Image(halved, affine), folder / path.name)
    path = folder / f"{stem}_asl.nii.gz"
    if volumes is not None:
        bend_sidecar(path, TotalAcquiredPairs=None)
    return path


def bend_sidecar(image: Path, **keys) -> None:
    """Change keys of an image's own sidecar; None takes a key out."""
    path = image.with_name(image.name.replace(".nii.gz", ".json"))
    content = {**json.loads(path.read_text("utf-8")), **keys}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def bend_image(image: Path, change) -> None:
    """Replace an image's array (I, J, K[, T]) by what `change` makes of it."""
    loaded = nibabel.load(image)
    array = np.asarray(change(np.asarray(loaded.dataobj, np.float32)), np.float32)
    nibabel.save(nibabel.Nifti1Image(array, loaded.affine), image)


def bend_context(image: Path, change) -> None:
    """Replace the words of an ``_asl`` image's context by what `change` makes of their list."""
    path = image.with_name(image.name.replace("_asl.nii.gz", "_aslcontext.tsv"))
    path.write_text("\n".join(["volume_type", *change(path.read_text("utf-8").split()[1:])]) + "\n")


def save_like(image: Path, path: Path, array: np.ndarray) -> None:
    """Save an array (K, J, I) on the grid of an image file."""
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, np.float32).T, nibabel.load(image).affine), path)
