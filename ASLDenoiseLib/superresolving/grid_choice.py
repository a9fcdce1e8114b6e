"""The check of which grid a finer map is asked for on: the request makes it before anything is read, the run again."""

from __future__ import annotations

from math import inf

from ..errors import InputError


def check_grid_choice(spacing: tuple[float, ...] | None, like: object, *, has_t1: bool = True) -> None:
    """Refuses a choice of grid that cannot be followed.

    Args:
        spacing: mm along the acquired axes, or None.
        like: an image or a grid to be like, or None.
        has_t1: whether there is a T1, whose grid is taken where neither is given.

    Raises:
        InputError: both were given, the spacing is not three positive numbers, or there is no grid to take.
    """
    if spacing is not None and like is not None:
        raise InputError("Both a spacing and an image to be like were given; give one of them.")
    if spacing is not None and not (len(spacing) == 3 and all(0 < s < inf for s in spacing)):
        raise InputError(f"The spacing {spacing} mm cannot be used; give three positive numbers.")
    if spacing is None and like is None and not has_t1:
        raise InputError("There is no T1 whose grid to take; give a T1, a spacing, or an image to be like.")
