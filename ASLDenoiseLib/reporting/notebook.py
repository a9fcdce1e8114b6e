"""Series, maps and results as HTML for a notebook: a picture and a table, each with its units."""

from __future__ import annotations

from html import escape

import numpy as np

from ..notebook import html_of
from ..result import Result
from ..result.maps import RAW, kind_of
from ..series import CBF_UNIT, ASLSeries, Volume
from .delays_html import arrival_figure
from .fragments import figure, findings_html, montage_figure, parameters_html, readouts_html, uncalibrated_html
from .plots import map_panels, panel

_STYLE = (
    ".asldenoise img { max-width: 100%; } .asldenoise figure { margin: 0; } "
    ".asldenoise th, .asldenoise td { text-align: left; vertical-align: top; padding: .2rem .6rem; } "
    ".asldenoise td.n { text-align: right; } .asldenoise small { display: block; font-weight: normal; }"
)


@html_of.register
def result_html(result: Result) -> str:
    """The maps at one window, the readouts and the findings, raw beside processed; `report_html` has the rest."""
    picture = montage_figure(result) if result.raw in result.maps else ""
    picture += arrival_figure(result)
    adapted = "" if result.adaptation is None else f"<p>{escape(result.adaptation.sentence)}</p>"
    return _styled(
        f"<p><b>{escape(result.series.name)}</b>: for research use only; a processed map is an estimate.</p>"
        f"{uncalibrated_html(result)}{picture}{readouts_html(result)}{adapted}{findings_html(result)}"
    )


@html_of.register
def series_html(series: ASLSeries) -> str:
    """The series in one line, and every value with its origin."""
    parameters = parameters_html((*series.acquisition.parameters(), *series.fixes))
    return _styled(f"<p><b>{escape(str(series))}</b></p>{parameters}")


@html_of.register
def volume_html(volume: Volume) -> str:
    """Axial slices: a CBF map at the window of all CBF maps, anything else between its 1st and 99th percentile."""
    measured = np.isfinite(volume.array) & (volume.array != 0)
    if not measured.any():
        return f"<p><b>{escape(repr(volume))}</b>: no voxel was measured.</p>"
    if volume.unit == CBF_UNIT:
        row = panel(kind_of(RAW), volume.array, volume.name)
    else:
        window = tuple(np.percentile(volume.array[measured], (1, 99)).tolist())
        row = (volume.name, volume.array, "gray", window, volume.unit)
    shown = volume.with_array(measured.astype(np.float32), unit="")
    png = map_panels([row], shown)
    caption = f"{volume.geometry}; {row[3][0]:.3g} to {row[3][1]:.3g} {volume.unit or '(no unit)'}."
    return _styled(figure(png, f"{caption} Axial, radiological. Grey: not measured.", "Axial slices"))


def _styled(body: str) -> str:
    """The HTML in the notebook's own style, but for what a table with notes and a wide picture need."""
    return f'<div class="asldenoise"><style>{_STYLE}</style>{body}</div>'
