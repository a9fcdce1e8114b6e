"""Small classic DICOM series for tests, written slice by slice with SimpleITK."""

from __future__ import annotations

import locale
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = "1.2.826.0.1.3680043.2.1125.77"
SIZE, SPACING = (20, 22, 8), (8.0, 8.0, 12.0)  # (I, J, K), mm
FINE, FINE_SPACING = (40, 44, 24), (2.0, 2.0, 2.0)
ASL = ("ORIGINAL", "PRIMARY", "ASL", "NONE")
GE_DIFFERENCE = ("DERIVED", "PRIMARY", "ASL", "PERFUSION", "ASL")
GE_M0 = ("ORIGINAL", "PRIMARY", "ASL")
MAGNITUDE = ("ORIGINAL", "PRIMARY", "M", "NORM")


def brain(level: float = 1000.0, *, size=SIZE, seed: int = 0) -> np.ndarray:
    """An ellipsoid of a level with a gradient and a little noise, (I, J, K)."""
    i, j, k = (2 * (g - (n - 1) / 2) / n for g, n in zip(np.indices(size), size, strict=True))
    inside = (i / 0.8) ** 2 + (j / 0.85) ** 2 + (k / 0.9) ** 2 < 1
    noise = np.random.default_rng(seed).normal(0, 0.002, size)
    return np.clip(level * inside * (1 + 0.1 * i + noise), 0, 32000)


def pairs(count: int = 6, *, level: float = 800.0, drop: float = 0.02) -> list[np.ndarray]:
    """Control, label, control ...: a label is darker by `drop`."""
    return [brain(level * (1 - drop * (n % 2)), seed=n) for n in range(2 * count)]


@contextmanager
def kept_characters() -> Iterator[None]:
    """Put the process's character set (LC_CTYPE) back at the end: GDCM, as it writes, leaves ASCII."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


@kept_characters()
def write_dicom(
    folder: Path,
    volumes,
    number: int,
    description: str,
    *types: str,
    maker: str = "SIEMENS",
    spacing=SPACING,
    shift: float = 0.0,
    uid: str = "",
    first: int = 1,
    **tags: str,
) -> int:
    """Write a series; returns the next free instance number.

    `volumes` are (I, J, K), or (I, J, K, 3) of bytes in colour; `shift` moves the grid (mm along k); `tags` are written
    as they are, ``t0018_0082="800"`` for (0018,0082).
    """
    import SimpleITK as sitk

    folder.mkdir(parents=True, exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetImageIO("GDCMImageIO")
    instance = first
    for time, volume in enumerate(volumes):
        colour = volume.ndim == 4
        for k in range(volume.shape[2]):
            pixels = volume[:, ::-1, k].swapaxes(0, 1)[None]
            image = sitk.GetImageFromArray(pixels.astype(np.uint8 if colour else np.int16), isVector=colour)
            origin = [-(n - 1) / 2 * s for n, s in zip(volume.shape[:3], spacing, strict=True)]
            origin[2] += k * spacing[2] + shift
            image.SetSpacing(spacing)
            values = _tags(number, description, types, maker, spacing, origin, time, instance, uid)
            values |= {key[1:].replace("_", "|"): text for key, text in tags.items()}
            for key, text in values.items():
                image.SetMetaData(key, text)
            writer.SetFileName(str(folder / f"{number:03d}_{instance:05d}.dcm"))
            writer.Execute(image)
            instance += 1
    return instance


def _tags(number, description, types, maker, spacing, origin, time, instance, uid) -> dict[str, str]:
    moment = f"10{number % 60:02d}{time:02d}"
    return {
        "0008|0008": "\\".join(types),
        "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
        "0008|0018": f"{ROOT}.1.{number}{uid}.{instance}",
        "0008|0020": "20200101",
        "0008|0021": "20200101",
        "0008|0030": "100000",
        "0008|0031": f"10{number % 60:02d}00",
        "0008|0032": moment,
        "0008|0060": "MR",
        "0008|0070": maker,
        "0008|103e": description,
        "0010|0010": "Made^Up",
        "0010|0020": "X",
        "0018|0020": "GR",
        "0018|0021": "NONE",
        "0018|0023": "3D",
        "0018|0050": str(spacing[2]),
        "0018|0080": "5000",
        "0018|0081": "10.5",
        "0018|0087": "3",
        "0018|0088": str(spacing[2]),
        "0018|1030": description,
        "0018|5100": "HFS",
        "0020|000d": f"{ROOT}.1",
        "0020|000e": f"{ROOT}.1.{number}{uid}",
        "0020|0011": str(number),
        "0020|0012": str(time + 1),
        "0020|0013": str(instance),
        "0020|0032": "\\".join(f"{x:.3f}" for x in origin),
        "0020|0037": "1\\0\\0\\0\\1\\0",
        "0020|0052": f"{ROOT}.7",
        "0020|0100": str(time + 1),
    }


def write_examination(folder: Path, *, asl: int = 5) -> Path:
    """What a scanner exports: localiser, T1, BOLD, M0, ASL, CBF map, colour map, a damaged file and others."""
    write_dicom(folder / "loc", [brain(size=(20, 20, 3))], 1, "localizer", *MAGNITUDE, spacing=(4.0, 4.0, 20.0))
    write_dicom(folder / "t1", [brain(500, size=FINE)], 2, "t1_mprage_sag", *MAGNITUDE, spacing=FINE_SPACING)
    write_dicom(folder / "bold", [brain(900, seed=n) for n in range(3)], 3, "bold_rest", "ORIGINAL", "PRIMARY", "M")
    write_dicom(folder / "m0", [brain(2000)], asl - 1, "pcasl_M0", *ASL)
    write_dicom(folder / "asl", pairs(), asl, "pcasl_3d", *ASL)
    write_dicom(folder / "cbf", [brain(60)], asl + 1, "relCBF", "DERIVED", "PRIMARY", "ASL", "RELCBF")
    colour = np.repeat((brain(200)[..., None]).astype(np.uint8), 3, axis=-1)
    write_dicom(folder / "colour", [colour], asl + 2, "pcasl_3d_colour", "DERIVED", "PRIMARY", "ASL", "COLOR")
    (folder / "report.pdf").write_bytes(b"%PDF-1.4 a report")
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\x00\x05\x00nonsense")
    return folder
