"""The choices of preparation, from a series to the differences that are averaged and denoised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..given import settle
from ..series import Origin, Parameter
from .nuisance import CHOICES as NUISANCES
from .nuisance import DEFAULT as NUISANCE
from .outliers import DEFAULT_METHOD as OUTLIERS
from .outliers import METHODS
from .pairs import pair_numbers
from .places import places_of
from .segmenters import DEFAULT_SEGMENTER, SEGMENTERS

WIDEST = 50.0  # mm FWHM; more leaves nothing of a brain but its mean


@dataclass(frozen=True)
class Preparation:
    """The choices, with the defaults that measured best (Testing/Benchmarks/preparation.md).

    Args:
        pairs: ``"10"`` the first ten pairs, ``"1-10"`` a range, ``"1,4,7-9"`` a list, None all.
        motion: correct head motion, where the series holds controls and labels.
        nuisance: what is regressed out of controls and labels, of `preparing.nuisance.CHOICES`; what motion leaves
            behind is regressed only where motion is corrected.
        outliers: how pairs and slices that would corrupt the mean are found, of `preparing.outliers.METHODS`.
        smoothing: mm FWHM of a Gaussian over every difference within the brain; 0 is none.
        m0_smoothing: mm FWHM of a Gaussian over the M0 within the brain before the division; 0 is none.
        taken_out: pairs, and slices of pairs, that the user takes out of the mean: ``"3,12/5"`` pair 3 and slice 5 of
            pair 12 of the series (`preparing.places`); None none.
        put_back: likewise what the user keeps in the mean although the method would leave it out.
        segmenter: what tells tissue in a T1, of `preparing.segmenters.SEGMENTERS`.

    Raises:
        InputError: pairs or places that cannot be read, an unknown nuisance, outlier method or segmenter, or a width
            outside 0 to 50 mm.

    >>> print(Preparation(pairs="1-8", outliers="none").parameters()[2])
    outliers = none (user)
    """

    pairs: str | None = None
    motion: bool = True
    nuisance: tuple[str, ...] = NUISANCE
    outliers: str = OUTLIERS
    smoothing: float = 0.0
    m0_smoothing: float = 0.0
    taken_out: str | None = None
    put_back: str | None = None
    segmenter: str = DEFAULT_SEGMENTER

    def __post_init__(self) -> None:
        settle(self)
        pair_numbers(self.pairs)
        places_of(self.taken_out, setting="take-out")
        places_of(self.put_back, setting="put-back")
        for name in self.nuisance:
            if name not in NUISANCES:
                raise InputError(f"There is no nuisance '{name}'; choose of {', '.join(NUISANCES)}.")
        if self.outliers not in METHODS:
            raise InputError(f"There is no outlier method '{self.outliers}'; choose one of {', '.join(METHODS)}.")
        if self.segmenter not in SEGMENTERS:
            raise InputError(f"There is no segmenter '{self.segmenter}'; choose one of {', '.join(SEGMENTERS)}.")
        for width, what in ((self.smoothing, "smoothing"), (self.m0_smoothing, "M0 smoothing")):
            if not (np.isfinite(width) and 0 <= width <= WIDEST):
                raise InputError(f"The {what} is {width:g} mm; give a FWHM of 0 to {WIDEST:g} mm.")

    def parameters(self) -> tuple[Parameter, ...]:
        """The choices as values that enter a result, with their origins."""

        def parameter(field: str, unit: str = "") -> Parameter:
            value = getattr(self, field)
            origin = Origin.DEFAULT if value == getattr(Preparation, field) else Origin.USER
            name = "motion_correction" if field == "motion" else field
            return Parameter(name, "+".join(value) or "none" if field == "nuisance" else value, unit, origin)

        lengths = (parameter(field, "mm") for field in ("smoothing", "m0_smoothing"))
        by_hand = (parameter(field) for field in ("taken_out", "put_back") if getattr(self, field))
        return (parameter("motion"), parameter("nuisance"), parameter("outliers"), *lengths, *by_hand)
