"""Pictures of the maps of a study: axial slices of the template, radiological, with their scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..preparing.template import icbm_template
from ..reporting.plots import Panel, map_panels
from .map_table import CORRELATION, KINDS, LEAST_SHOWN, PROCESSED, RAW
from .maps import GroupMaps

_GREY = "Grey: not measured, or outside of the template's brain."
_BLUE = " Blue: below 0."
_FEW = 10  # participants, below which r says little


@dataclass(frozen=True)
class MapFigure:
    """A picture with its words.

    Args:
        png: of it.
        caption: what it shows, and of how many.
        alternative: for those who do not see it.
    """

    png: bytes
    caption: str
    alternative: str


def map_figures(found: GroupMaps, *, slices: int = 6) -> tuple[MapFigure, ...]:
    """Means, SDs between participants, and correlations, those that the study has.

    Voxels outside of the template's brain are not shown. Where r is below 0.3 it is shown as 0; the NIfTI has every r.

    Args:
        found: the maps of the study.
        slices: of each map.
    """
    people = f"{found.participants} participants ({found.scans} scans)"
    shown = (
        (("raw_mean", "processed_mean"), f"Mean over {people}, in {found.unit}.", "Mean perfusion in MNI space"),
        (
            ("raw_sd", "processed_sd"),
            f"SD between {people}, the sessions of one averaged first, in {found.unit}: noise, differences of people, "
            "and what is left of their shapes.",
            "Maps of the SD between participants in MNI space",
        ),
        ((CORRELATION,), f"Pearson's r of raw with processed over {people}. {_below(found)}", "Map of correlations"),
        (
            (f"{RAW}_sessions", f"{PROCESSED}_sessions"),
            f"Pearson's r, over participants, of session {' with session '.join(found.sessions or ('', ''))}. "
            f"{_below(found)}",
            "Maps of correlations between sessions",
        ),
    )
    figures = []
    for keys, caption, alternative in shown:
        keys = [key for key in keys if key in found.maps]
        if keys:
            brain = icbm_template().brain
            measured = brain.with_array((brain.array > 0.5) & np.isfinite(found.maps[keys[0]].array))
            legend = _GREY + (_BLUE if KINDS[keys[0]].of_perfusion else "")
            png = map_panels([_panel(found, key) for key in keys], measured, slices=slices, legend=legend)
            figures.append(MapFigure(png, caption, alternative))
    return tuple(figures)


def as_shown(array: np.ndarray) -> np.ndarray:
    """Correlations as a picture has them: 0 where r is below `LEAST_SHOWN`; NaN stays."""
    return np.where(array < LEAST_SHOWN, 0.0, array)


def _below(found: GroupMaps) -> str:
    few = f" Of {found.participants} participants, r is hardly known." if found.participants < _FEW else ""
    return f"Below r = {LEAST_SHOWN:g} it is shown as 0; the NIfTI has every r.{few}"


def _panel(found: GroupMaps, key: str) -> Panel:
    kind, array = KINDS[key], found.maps[key].array
    array = array if kind.of_perfusion else as_shown(array)
    inside = icbm_template().brain.array > 0.5
    unit = found.unit if kind.of_perfusion else "r"
    return kind.label, np.where(inside, array, np.nan), kind.colours, kind.window, unit
