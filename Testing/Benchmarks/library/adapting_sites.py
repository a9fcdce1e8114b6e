"""Simulated scans of sites that the default model never saw, and of one like its training, ready to adapt to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.adapting.implants import laid_on
from ASLDenoiseLib.adapting.scan import AdaptationScan
from ASLDenoiseLib.denoising.guides import GuideMaps, with_contrast
from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import Phantom, PhantomSettings, draw_phantom
from ASLDenoiseLib.learning.simulate import (
    REPOSITIONING,
    ScanSettings,
    SimulatedHead,
    draw_t1,
    simulate_scan,
    t1_grid,
)

from .cases import Case, anatomy_path, guides_in_place, implant_base, phantom_case, seen

GRID, VOXEL = (48, 48, 20), (4.0, 4.0, 6.0)  # (i, j, k), mm
TEACHING = ("brain-03", "brain-07", "brain-11", "brain-15")  # the last is held out by the adaptation itself
TEACHING_PAIRS = (12, 16, 20, 14)
UNSEEN, UNSEEN_PAIRS = ("brain-16", "brain-17"), 16
USUAL = 0.55  # voxels: the Gaussian SD of noise that is correlated as in real series
USUAL_HEAD = {
    "size": GRID,
    "lesions": 0,
    "gm_cbf": (45.0, 70.0),
    "gm_wm_ratio": (2.3, 3.0),
    "blur_z": (0.0, 0.0),
}


@dataclass(frozen=True)
class Site:
    """Scans of one protocol.

    Args:
        words: what is different, for people.
        scan: settings of the scan other than the defaults.
        phantom: settings of the phantom other than the defaults.
        spread: taps of a symmetric point spread (middle first) between slices and in plane, of sum 1 each; none: none.
    """

    words: str
    scan: Mapping[str, float] = field(default_factory=dict)
    phantom: Mapping[str, object] = field(default_factory=dict)
    spread: tuple[Sequence[float], Sequence[float]] | None = None


SITES = {
    "like the training": Site("nothing that the default has not seen"),
    "noise": Site(
        "noise three times as correlated as is usual (Gaussian SD 1.65 voxels instead of 0.55)",
        {"correlation": 3 * USUAL, "correlation_z": 3 * USUAL},
    ),
    "contrast": Site("grey matter's CBF six times that of white matter", phantom={"gm_wm_ratio": (6.0, 6.0)}),
    "point spread": Site(
        "a point spread that blurs slices into each other and rings (taps 0.6, 0.3, -0.1 between slices; 0.8, 0.15, "
        "-0.05 in plane)",
        spread=((0.6, 0.3, -0.1), (0.8, 0.15, -0.05)),
    ),
}


def site_case(site: Site, name: str, folder: Path, *, pairs: int, seed: int, gm_snr: float = 1.0) -> Case:
    """One healthy scan of a site, with its T1 where it belongs; `gm_snr` is of one pair."""
    head = site_head(site, name, folder, pairs=pairs, seed=seed, gm_snr=gm_snr)
    return phantom_case(head, name, guides=guides_in_place(head))


def site_head(site: Site, name: str, folder: Path, *, pairs: int, seed: int, gm_snr: float = 1.0) -> SimulatedHead:
    """The scan of `site_case` with its T1 as an image."""
    settings = PhantomSettings(**USUAL_HEAD | dict(site.phantom))
    scan = ScanSettings(**{"pairs": pairs, "gm_snr": gm_snr, "correlation": USUAL, "pulsation": 0.01, **site.scan})
    anatomy = read_anatomy(anatomy_path(name, folder))
    phantom = draw_phantom(anatomy, settings, seed=seed, spacing=VOXEL, acquisition=scan.acquisition)
    if site.spread is not None:
        phantom = spread_out(phantom, *site.spread)
    series = simulate_scan(phantom, scan, seed=seed, name=name)
    return SimulatedHead(series, draw_t1(phantom, t1_grid(anatomy, 1.5), seed), REPOSITIONING, phantom, seed)


def spread_out(phantom: Phantom, through: Sequence[float], in_plane: Sequence[float]) -> Phantom:
    """The phantom whose perfusion and M0 a point spread has blurred; tissue and T1 stay as they are."""
    from scipy.ndimage import correlate1d

    def blurred(array: np.ndarray) -> np.ndarray:
        for axis, taps in enumerate((through, in_plane, in_plane)):
            array = correlate1d(array, [*taps[:0:-1], *taps], axis=axis, mode="nearest")
        return array

    images = {name: blurred(getattr(phantom, name).numpy()) for name in ("perfusion", "m0")}
    return replace(phantom, **{name: phantom.m0.new_tensor(array) for name, array in images.items()})


def scan_of(case: Case, name: str = "") -> AdaptationScan:
    """A case as adapting takes it: guides, and tissue as a run knows it."""
    guides = GuideMaps(case.guides, "T1" if case.guides else "", with_contrast(case.m0, case.brain))
    tissue = case.found_tissue or case.tissue
    return AdaptationScan(name or case.label, case.pairs, case.brain, case.weights, guides, tissue, case.quantification)


def teaching_cases(site: Site, folder: Path, *, seed: int = 50) -> list[Case]:
    """The scans that a model is adapted to."""
    both = enumerate(zip(TEACHING, TEACHING_PAIRS, strict=True))
    return [site_case(site, name, folder, pairs=pairs, seed=seed + n) for n, (name, pairs) in both]


def unseen_cases(site: Site, folder: Path) -> list[Case]:
    """Scans of the site that the adaptation never sees."""
    heads = zip(UNSEEN, unseen_heads(site, folder), strict=True)
    return [phantom_case(head, name, guides=guides_in_place(head)) for name, head in heads]


def unseen_heads(site: Site, folder: Path, *, seed: int = 70) -> list[SimulatedHead]:
    """The same with their T1s as images."""
    return [site_head(site, name, folder, pairs=UNSEEN_PAIRS, seed=seed + n) for n, name in enumerate(UNSEEN)]


def pure_noise(case: Case) -> Case:
    """The scan with its true perfusion taken out of every pair."""
    empty = replace(case.pairs, array=case.pairs.array - implant_base(case).astype(np.float32))
    return seen(case, empty, weights=case.weights)


def with_exchanged_t1s(cases: Sequence[Case]) -> list[Case]:
    """Each scan with the T1 of the next head, laid on its brain's middle by whole voxels."""
    exchanged = []
    for case, other in zip(cases, [*cases[1:], cases[0]], strict=True):
        moved = laid_on(case.brain, other.brain, other.guides)
        maps = tuple(own.with_array(array) for own, array in zip(case.guides, moved, strict=True))
        exchanged.append(replace(case, guides=maps))
    return exchanged
