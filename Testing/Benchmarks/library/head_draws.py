"""How whole heads are scanned: calibration images and controls of many kinds, drawn by a seed."""

from __future__ import annotations

import numpy as np

from .whole_heads import Part, Scanning

KINDS = ("M0, 3D", "M0, 2D EPI", "M0, spiral", "suppressed control", "M0, 7 T", "M0, slab", "oddly suppressed control")
_FIELD_OF_VIEW = 230.0  # mm
_SUPPRESSED = (Part.MUSCLE, Part.FAT, Part.SKIN, Part.MARROW, Part.SINUS, Part.MUCOSA)


def draw_scanning(seed: int) -> tuple[str, Scanning]:
    """What kind of image it is, and how it is made: voxels of 2-4 x 2-4 x 2-8 mm, head sizes within 8 %."""
    rng, kind = np.random.default_rng(seed), KINDS[seed % len(KINDS)]
    u = rng.uniform
    epi, suppressed = kind == "M0, 2D EPI", "suppressed" in kind
    values = _m0_values(rng, epi)
    if suppressed:
        values = _suppressed(values, rng, odd="oddly" in kind)
    in_plane = u(2, 4)
    thick = u(3, 8) if seed % 3 else in_plane
    wide = int(np.clip(_FIELD_OF_VIEW / in_plane, 48, 96))
    slices, top = int(np.ceil((170 + u(-10, 30)) / thick)), u(-8, 5)
    if kind == "M0, slab":
        slices, top = max(6, int(u(50, 90) / thick)), u(-20, 35)
    return kind, Scanning(
        values,
        (wide, wide, slices),
        (in_plane, in_plane, thick),
        top,
        (u(-12, 12), u(-6, 6), u(-6, 6)),
        tuple(u(0.92, 1.08, 3)),
        bias=u(0.05, 0.3),
        centre=u(0.3, 0.5) if kind == "M0, 7 T" else u(0, 0.15),
        loss=u(0.5, 1) if epi else u(0, 0.2),
        distortion=u(-12, 12) if epi else 0.0,
        blur=_blur(kind, rng),
        noise=u(0.005, 0.03) * values[Part.GREY],
    )


def _m0_values(rng: np.random.Generator, epi: bool) -> tuple[float, ...]:
    u, values = rng.uniform, np.zeros(len(Part))
    grey = u(0.74, 0.88)
    white = grey * u(0.8, 0.98)
    values[[Part.CSF, Part.GREY, Part.WHITE]] = u(0.9, 1.1), grey, white
    values[Part.STEM], values[Part.CORD] = white * u(0.92, 1.02), white
    values[Part.MUSCLE] = u(0.2, 0.45) if epi else u(0.3, 0.65)
    ranges = {
        Part.FAT: (0.08, 0.4),
        Part.SKIN: (0.15, 0.5),
        Part.BONE: (0.02, 0.08),
        Part.MARROW: (0.05, 0.3),
        Part.EYE: (0.8, 1.1),
        Part.SINUS: (0.4, 0.9),
        Part.MUCOSA: (0.4, 0.9),
    }
    for part, (low, high) in ranges.items():
        values[part] = u(low, high)
    return tuple(float(v) for v in values)


def _suppressed(values: tuple[float, ...], rng: np.random.Generator, *, odd: bool) -> tuple[float, ...]:
    """What background suppression leaves; `odd`: CSF may be nulled and white matter brighter than grey."""
    u, left = rng.uniform, np.array(values)
    rest = u(0.1, 0.25)
    csf, grey, white = (u(0.02, 0.5), u(0.1, 0.2), u(0.1, 0.26)) if odd else (u(0.3, 0.6), u(0.13, 0.2), u(0.08, 0.16))
    left[[Part.CSF, Part.GREY, Part.WHITE, Part.CORD]] = csf, grey, white, white
    left[Part.EYE] = csf * u(0.8, 1.1)
    left[Part.STEM] = white * u(0.9, 1.1)
    left[list(_SUPPRESSED)] *= rest
    return tuple(float(v) for v in left)


def _blur(kind: str, rng: np.random.Generator) -> tuple[float, float, float]:
    u = rng.uniform
    in_plane = u(0, 3) if kind == "M0, spiral" else u(0, 1.5)
    segmented = kind in ("M0, 3D", "M0, slab") or "suppressed" in kind
    return in_plane, in_plane, u(2, 6) if segmented and u() < 0.6 else 0.0


# Signal of CSF, grey matter, white matter and brain stem, and around them of muscle, fat, skin, marrow, eye and sinus.
_AROUND_T1, _AROUND_T2 = (0.5, 1.0, 0.6, 0.6, 0.2, 0.5), (0.3, 0.8, 0.5, 0.4, 1.0, 0.2)
CONTRASTS = {
    "T1": ((0.18, 0.58, 0.95, 0.92), _AROUND_T1),
    "T2": ((1.0, 0.55, 0.4, 0.42), _AROUND_T2),
    "FLAIR": ((0.1, 0.8, 0.6, 0.62), _AROUND_T1),
    "proton density": ((0.95, 0.85, 0.72, 0.74), _AROUND_T2),
    "inverted T1": ((0.18, 0.58, 0.95, 0.92), _AROUND_T1),
}
_AROUND = (Part.MUSCLE, Part.FAT, Part.SKIN, Part.MARROW, Part.EYE, Part.SINUS)


def anatomical_scanning(contrast: str = "T1", spacing: float = 2.0) -> Scanning:
    """An anatomical image of a whole head, of one of `CONTRASTS`; an inverted one is bright in air."""
    tissues, around = CONTRASTS[contrast]
    values = np.zeros(len(Part))
    values[[Part.CSF, Part.GREY, Part.WHITE, Part.STEM]] = tissues
    values[Part.CORD] = values[Part.STEM]
    values[list(_AROUND)] = around
    values[[Part.BONE, Part.MUCOSA]] = 0.05, 0.5
    if contrast == "inverted T1":
        values = 1.0 - values
    size = tuple(int(200 / spacing * share) for share in (0.95, 1.15, 1.0))
    turn, blur = (4.0, 2.0, -3.0), (0.8, 0.8, 0.8)
    kept = tuple(float(value) for value in values)
    return Scanning(kept, size, (spacing,) * 3, top=-5.0, degrees=turn, bias=0.12, blur=blur, noise=0.02)
