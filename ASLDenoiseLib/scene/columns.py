"""Columns of an MRML table: a title over texts or numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import vtk


def text_column(title: str, values: Iterable[str]) -> vtk.vtkStringArray:
    """A column of texts."""
    import vtk

    column = vtk.vtkStringArray()
    column.SetName(title)
    for text in values:
        column.InsertNextValue(text)
    return column


def number_column(title: str, values: Iterable[float]) -> vtk.vtkDoubleArray:
    """A column of numbers; NaN is kept."""
    import vtk

    column = vtk.vtkDoubleArray()
    column.SetName(title)
    for value in values:
        column.InsertNextValue(value)
    return column
