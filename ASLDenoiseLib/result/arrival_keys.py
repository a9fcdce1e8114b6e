"""Maps of arrival times among those of a run, and what lies beside each: the SD of its error, and its CBF map."""

from __future__ import annotations

from . import maps

_OF_FITS = {
    maps.DENOISED_ATT: (maps.ATT_UNCERTAINTY, maps.DENOISED),
    maps.PREPARED_ATT: (maps.ATT_MEAN_ERROR, maps.PREPARED),
    maps.RAW_ATT: (maps.ATT_MEAN_ERROR, maps.RAW),
}


def beside_arrival(name: str) -> tuple[str, tuple[str, ...]] | None:
    """What lies beside a map of arrival times that a run fitted, by the end of its name.

    Args:
        name: a key of `result.maps`, or the stem of a file that ends in one.

    Returns:
        The key of the SD of its error; and those of images of the same scan, the likest first: CBF, or the perfusion
        difference of a run without an M0. None where it is no such map.
    """
    for key, (error, cbf) in _OF_FITS.items():
        if name.endswith(key):
            named = dict.fromkeys((cbf, maps.RAW))
            relative = (maps.in_unit(each, maps.SCANNER_UNIT) for each in named)
            return error, (*named, *relative)
    return None


def arrival_key(name: str) -> str:
    """The key that a name ends in; empty where it is of no map of arrival times that a run fitted."""
    return next((key for key in _OF_FITS if name.endswith(key)), "")
