"""The quantification of every delay of a series, each by the formula of that delay alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..series import CBF_UNIT, Acquisition
from .cbf import Quantification
from .kinetics import cbf_scale


def quantifications(
    reference: Quantification, acquisition: Acquisition, others: Sequence[Acquisition]
) -> tuple[Quantification, ...]:
    """A quantification for each of several delays, of one M0.

    Where nothing calibrates the differences, each becomes the difference at the reference delay, in scanner units, of
    the same perfusion with all label arrived: so that delays and slices compare.

    Args:
        reference: of one delay.
        acquisition: of that delay.
        others: of every delay, that one included.

    Raises:
        InputError: a labelling type, a delay or a label duration is missing.
    """
    geometry = reference.factor.geometry
    slices = geometry.size[2]
    calibrated = reference.unit == CBF_UNIT
    base, _ = cbf_scale(acquisition, slices=slices if calibrated else None)
    found = []
    for other in others:
        scale, _ = cbf_scale(other, slices=slices)
        factor = reference.factor.array * (scale / base)
        found.append(replace(reference, factor=reference.factor.with_array(factor)))
    return tuple(found)
