"""The pool of noise-free phantom volumes that every recipe trains on, kept on disk so that a resumed run sees the same.

One phantom a seed, each with what a scanner would also give of it: the M0 and the T1's intensity classes on the grid
of the series, a little misregistered. Stored in half precision and bytes, eight phantoms a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ..moving import replace_file
from ..progress import Progress, silent
from .anatomy import Anatomy
from .phantom import Phantom, PhantomSettings, draw_phantom
from .stroke_masks import StrokeMask

SHARE = 8  # phantoms a file


@dataclass(frozen=True, eq=False)
class Volumes:
    """Phantoms on grids of one shape; perfusion is scaled so that its mean in the brain is 1.

    Args:
        perfusion: (V, K, J, I) noise-free mean difference.
        m0: (V, K, J, I) relative M0.
        gm, wm: (V, K, J, I) fractions.
        brain, lesion: (V, K, J, I) bool; a lesion changes perfusion, whatever the T1 shows.
        t1: (V, 3, K, J, I) fractions of the T1's intensity classes, darkest first.
        gm_level: (V,) GM mean of the volume in the same scale.
        spacing: (V, 3) mm along (k, j, i).
    """

    perfusion: torch.Tensor
    m0: torch.Tensor
    gm: torch.Tensor
    wm: torch.Tensor
    brain: torch.Tensor
    lesion: torch.Tensor
    t1: torch.Tensor
    gm_level: torch.Tensor
    spacing: torch.Tensor

    def __len__(self) -> int:
        return len(self.gm_level)

    def __getitem__(self, index: torch.Tensor | slice | Sequence[int]) -> Volumes:
        """Some of the volumes, as float32 and bool (fractions are stored as bytes)."""
        parts = {f.name: getattr(self, f.name)[index] for f in fields(self)}
        for name in ("gm", "wm", "t1"):
            if parts[name].dtype == torch.uint8:
                parts[name] = parts[name].float() / 255
        return Volumes(**{n: p if p.dtype == torch.bool else p.float() for n, p in parts.items()})

    def head(self, count: int) -> Volumes:
        """The first of them, as they are stored."""
        return Volumes(**{f.name: getattr(self, f.name)[:count] for f in fields(self)})

    def to(self, device: str) -> Volumes:
        """The same on a device."""
        return Volumes(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    @cached_property
    def slices(self) -> torch.Tensor:
        """(S, 2) indices (volume, slice) of every slice that is brain in 4 % of its voxels or more."""
        return (self.brain.float().mean(dim=(2, 3)) > 0.04).nonzero()


def pack(phantom: Phantom, *, seed: int) -> Volumes:
    """One phantom as a pool of one, fractions as bytes and the rest in half precision."""
    inside = phantom.brain > 0
    perfusion = phantom.perfusion / phantom.perfusion[inside].mean().clamp_min(1e-3)
    gm = inside & (phantom.gm > 0.7)
    level = perfusion[gm].mean() if int(gm.sum()) > 20 else 1.4 * perfusion[inside].mean()

    def octets(fraction: torch.Tensor) -> torch.Tensor:
        return (255 * fraction.clamp(0, 1)).round().to(torch.uint8)

    spacing = torch.tensor(phantom.geometry.spacing[::-1], dtype=torch.float32)
    fractions = octets(phantom.gm), octets(phantom.wm)
    t1 = octets(phantom.t1w_classes(misregistration(seed)))
    maps = (perfusion.half(), phantom.m0.half(), *fractions, inside, phantom.lesion > 0, t1, level.float(), spacing)
    return Volumes(*(each[None].cpu() for each in maps))


def misregistration(seed: int, *, most_shift: float = 1.5, most_turn: float = 1.0) -> torch.Tensor:
    """A rigid matrix (4, 4) of up to `most_shift` mm and `most_turn` degrees an axis, as registration leaves behind.

    Half of the seeds get a third of it: most registrations are good.
    """
    g = torch.Generator().manual_seed(seed)
    share = 1.0 if float(torch.rand((), generator=g)) < 0.5 else 1 / 3
    most_shift, most_turn = share * most_shift, share * most_turn
    a, b, c = (np.deg2rad(most_turn) * (2 * torch.rand(3, generator=g) - 1)).tolist()
    move = torch.tensor([[1.0, -c, b, 0.0], [c, 1.0, -a, 0.0], [-b, a, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    move[:3, 3] = (most_shift * torch.randn(3, generator=g) / 2).clamp(-most_shift, most_shift)
    return move


def join(parts: Sequence[Volumes]) -> Volumes:
    """Several pools as one."""
    return Volumes(**{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Volumes)})


def make_volumes(
    anatomies: Sequence[Anatomy],
    settings: PhantomSettings,
    *,
    count: int,
    seed: int,
    cache: Path,
    device: str = "cpu",
    strokes: Sequence[StrokeMask] = (),
    progress: Progress = silent,
) -> Volumes:
    """`count` phantoms, anatomies taking turns; files of `cache` that are there are read instead of drawn again."""
    parts, kept = [], {"count": count, "seed": seed, "cache": cache}
    for first in range(0, count, SHARE):
        path = make_share(anatomies, settings, first, **kept, device=device, strokes=strokes)
        parts.append(read_share(path).head(count - first))
        progress(min(1.0, (first + SHARE) / count), f"phantoms {min(first + SHARE, count)} of {count}")
    return join(parts)


def make_share(
    anatomies: Sequence[Anatomy],
    settings: PhantomSettings,
    first: int,
    *,
    count: int,
    seed: int,
    cache: Path,
    device: str = "cpu",
    strokes: Sequence[StrokeMask] = (),
) -> Path:
    """The file with up to `SHARE` phantoms from number `first` on, drawn unless it holds them; written whole or not."""
    path, after = cache / f"{first:06d}.npz", min(first + SHARE, count)
    if path.exists() and _held(path) >= after - first:
        return path
    cache.mkdir(parents=True, exist_ok=True)
    share = []
    for n in range(first, after):
        head = anatomies[n % len(anatomies)]
        phantom = draw_phantom(head, settings, seed=seed + n, device=device, masks=strokes)
        share.append(pack(phantom, seed=seed + n))
    volumes = join(share)
    part = path.with_name(f"part-{path.name}")
    np.savez(part, **{f.name: getattr(volumes, f.name).numpy() for f in fields(Volumes)})
    replace_file(part, path)
    return path


def _held(path: Path) -> int:
    with np.load(path) as stored:
        return len(stored["gm_level"])


def read_share(path: Path) -> Volumes:
    """The phantoms of a file of `make_share`."""
    with np.load(path) as stored:
        return Volumes(**{f.name: torch.from_numpy(stored[f.name]) for f in fields(Volumes)})
