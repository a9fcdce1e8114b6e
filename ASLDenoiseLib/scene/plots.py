"""The charts of a run as MRML: a chart node each, with its series and the table they are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..reporting.charts import Chart, Line, charts_of
from ..result import Result
from .columns import number_column, text_column
from .hierarchy import hierarchy, nodes_in, put_under

if TYPE_CHECKING:
    import slicer

    from .present import PresentedNodes

CHART_ATTRIBUTE = "ASLDenoise.chart"  # its value: the key of the chart
CAPTION_ATTRIBUTE = "ASLDenoise.chartCaption"
DATA_FOLDER = "Plot data"
_TITLE, _AXIS, _LABEL, _LEGEND = 14, 13, 12, 12  # points; at Slicer's own 20 a title is cut off
_POINT = 4.0  # pixels


def add_plots(result: Result, nodes: PresentedNodes) -> Mapping[str, slicer.vtkMRMLPlotChartNode]:
    """Add every chart of `result` (`reporting.charts.charts_of`); return the nodes by key, in the order to show them.

    Charts go into the run's folder, their series and tables into a folder within it. A run that has its charts
    already keeps them.
    """
    scene, folder = nodes.readouts.GetScene(), nodes.folder
    charts = dict(charts_in(scene, folder))
    if charts:
        return charts
    data = []
    for chart in charts_of(result):
        charts[chart.key], parts = _add_chart(chart, scene, f"{result.series.name} {chart.name}")
        data += parts
    put_under(scene, folder, list(charts.values()))
    if data:
        tree = hierarchy(scene)
        inner = tree.CreateFolderItem(folder, DATA_FOLDER)
        tree.SetItemExpanded(inner, False)
        put_under(scene, inner, data)
    return charts


def charts_in(scene: slicer.vtkMRMLScene, folder: int) -> Mapping[str, slicer.vtkMRMLPlotChartNode]:
    """The charts of a run's folder, by their keys."""
    nodes = nodes_in(scene, folder)
    return {node.GetAttribute(CHART_ATTRIBUTE): node for node in nodes if node.GetAttribute(CHART_ATTRIBUTE)}


def caption_of(node: slicer.vtkMRMLPlotChartNode) -> str:
    """What a chart says in words and figures; of charts that older versions made, their title."""
    return node.GetAttribute(CAPTION_ATTRIBUTE) or node.GetTitle() or ""


def _add_chart(
    chart: Chart, scene: slicer.vtkMRMLScene, name: str
) -> tuple[slicer.vtkMRMLPlotChartNode, list[slicer.vtkMRMLNode]]:
    """The chart's node, and its table and series."""
    table = _add_table(chart, scene, f"{name} data")
    series = [_add_series(line, table, scene) for line in chart.lines]
    node = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    node.SetName(name)
    node.SetAttribute(CHART_ATTRIBUTE, chart.key)
    node.SetDescription(chart.name)
    node.SetTitle(chart.name)
    node.SetAttribute(CAPTION_ATTRIBUTE, chart.caption)
    node.SetXAxisTitle(chart.x_title)
    node.SetYAxisTitle(chart.y_title)
    node.SetTitleFontSize(_TITLE)
    node.SetAxisTitleFontSize(_AXIS)
    node.SetAxisLabelFontSize(_LABEL)
    node.SetLegendFontSize(_LEGEND)
    node.SetLegendVisibility(len(chart.lines) > 1)
    node.SetXAxisRangeAuto(False)
    node.SetXAxisRange(*chart.x_range)
    node.SetYAxisRangeAuto(False)
    node.SetYAxisRange(*chart.y_range)
    for part in series:
        node.AddAndObservePlotSeriesNodeID(part.GetID())
    return node, [table, *series]


def _add_table(chart: Chart, scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLTableNode:
    """Two columns a line, and one of notes where it has any; shorter lines end in NaN, which nothing draws."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetName(name)
    rows = max(line.x.size for line in chart.lines)
    for line in chart.lines:
        for axis, values, unit in (("x", line.x, chart.x_unit), ("y", line.y, chart.y_unit)):
            column = _column(line, axis)
            node.AddColumn(number_column(column, [*values, *[np.nan] * (rows - values.size)]))
            if unit:
                node.SetColumnUnitLabel(column, unit)
        if line.notes:
            node.AddColumn(text_column(_column(line, "note"), [*line.notes, *[""] * (rows - len(line.notes))]))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def _add_series(line: Line, table: slicer.vtkMRMLTableNode, scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLPlotSeriesNode:
    import slicer

    kinds = slicer.vtkMRMLPlotSeriesNode
    node = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", line.name)
    node.SetName(line.name)  # it is what the legend says
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName(_column(line, "x"))
    node.SetYColumnName(_column(line, "y"))
    if line.notes:
        node.SetLabelColumnName(_column(line, "note"))
    node.SetPlotType(kinds.PlotTypeScatter)  # x and y of each point; 'line' would take the row for x
    points = line.kind == "points"
    style = kinds.LineStyleDash if line.dashed else kinds.LineStyleSolid
    node.SetLineStyle(kinds.LineStyleNone if points else style)
    node.SetMarkerStyle(kinds.MarkerStyleCircle if points else kinds.MarkerStyleNone)
    node.SetMarkerSize(_POINT)
    node.SetLineWidth(line.width)
    node.SetOpacity(0.5 if points else 1.0)
    node.SetColor(*line.colour)
    return node


def _column(line: Line, part: str) -> str:
    return f"{line.name}, {part}"
