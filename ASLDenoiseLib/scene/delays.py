"""The delays of a series in the scene, from what its node states; no image is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..series import PERFUSION, VolumeType
from .series import read_acquisition, read_context, volume_count

if TYPE_CHECKING:
    import slicer


def delays_in(node: slicer.vtkMRMLNode | None) -> tuple[float, ...]:
    """The post-labelling delay (s, of PASL inversion time) of every pair of delay and label duration, ascending.

    None where none is stated, where there are as many as no volumes, or of CBF maps: what is wrong with a series, its
    inspection says.
    """
    if not volume_count(node):
        return ()
    try:
        acquisition, context = read_acquisition(node), read_context(node)
    except ValueError:  # InputError is one, as is an unknown volume type
        return ()
    stated = acquisition.timings
    if stated[0] is None or any(isinstance(s, tuple) and len(s) != len(context) for s in stated):
        return ()
    perfused = (n for n, kind in enumerate(context) if kind in PERFUSION and kind is not VolumeType.CBF)
    found = {acquisition.timing(n) for n in perfused}
    return tuple(sorted(delay for delay, _ in found))
