"""Points of the plot of pairs: which pair one that was clicked is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..reporting.charts import MOTION
from ..reporting.pair_charts import COURSE

if TYPE_CHECKING:
    import slicer
    import vtk


def pair_selected(
    scene: slicer.vtkMRMLScene,
    series: vtk.vtkStringArray,
    selection: vtk.vtkCollection,
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode],
    pairs: Mapping[int, int],
) -> int | None:
    """The pair of the first point that was selected in a chart of pairs, or of volumes; None where it is of none.

    Args:
        scene: that holds the plot.
        series: IDs of the plot series in which points were selected, as ``qMRMLPlotView::dataSelected`` gives them.
        selection: of each, a vtkIdTypeArray of rows of its table.
        charts: of the run that is shown, by their keys.
        pairs: the number of a pair by that of a volume, both from 1.
    """
    of_pairs, of_volumes = _series_of(charts, COURSE), _series_of(charts, *MOTION)
    for n in range(min(series.GetNumberOfValues(), selection.GetNumberOfItems())):
        node, rows = scene.GetNodeByID(series.GetValue(n)), selection.GetItemAsObject(n)
        if node is None or not rows.GetNumberOfValues():
            continue
        column = node.GetTableNode().GetTable().GetColumnByName(node.GetXColumnName())
        number = round(float(column.GetVariantValue(rows.GetValue(0)).ToDouble()))
        if node.GetID() in of_pairs and node.GetLabelColumnName():  # the line of the median has no labels, and no pairs
            return number
        if node.GetID() in of_volumes and number in pairs:
            return pairs[number]
    return None


def _series_of(charts: Mapping[str, slicer.vtkMRMLPlotChartNode], *keys: str) -> set[str]:
    """The IDs of the plot series of some charts."""
    there = [charts[key] for key in keys if key in charts]
    return {chart.GetNthPlotSeriesNodeID(n) for chart in there for n in range(chart.GetNumberOfPlotSeriesNodes())}
