"""Points of the plot of pairs: which pair one that was clicked is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..reporting.pair_charts import COURSE

if TYPE_CHECKING:
    import slicer
    import vtk


def pair_selected(
    scene: slicer.vtkMRMLScene,
    series: vtk.vtkStringArray,
    selection: vtk.vtkCollection,
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode],
) -> int | None:
    """The pair of the first point that was selected in the chart of pairs; None where that is in none of its points.

    Args:
        scene: that holds the plot.
        series: IDs of the plot series in which points were selected, as ``qMRMLPlotView::dataSelected`` gives them.
        selection: of each, a vtkIdTypeArray of rows of its table.
        charts: of the run that is shown, by their keys.
    """
    chart = charts.get(COURSE)
    if chart is None:
        return None
    own = {chart.GetNthPlotSeriesNodeID(n) for n in range(chart.GetNumberOfPlotSeriesNodes())}
    for n in range(min(series.GetNumberOfValues(), selection.GetNumberOfItems())):
        node, rows = scene.GetNodeByID(series.GetValue(n)), selection.GetItemAsObject(n)
        if node is None or node.GetID() not in own or not rows.GetNumberOfValues() or not node.GetLabelColumnName():
            continue  # the line of the median has no labels, and no pairs
        column = node.GetTableNode().GetTable().GetColumnByName(node.GetXColumnName())
        return round(float(column.GetVariantValue(rows.GetValue(0)).ToDouble()))
    return None
