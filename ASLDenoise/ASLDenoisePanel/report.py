"""The report on paper: the same HTML, fitted to a page and printed to PDF."""

from __future__ import annotations

import re
from pathlib import Path

import qt

_IMAGE = re.compile(r"<img\b")
_WIDTH = 640  # pixels of a picture on an A4 page at 96 dpi with its margins
_LEAST_BYTES = 200  # of a PDF with anything on it


def printable(html: str, *, width: int = _WIDTH) -> str:
    """The report for Qt's printer, which knows a part of HTML: pictures as wide as the page, no screen-only style.

    >>> printable('<style>p {}</style><img src="x" alt="y">', width=10)
    '<img width="10" src="x" alt="y">'
    """
    without = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return _IMAGE.sub(f'<img width="{width}"', without)


def printPdf(html: str, path: Path) -> None:
    """Print a report to a PDF file.

    Raises:
        OSError: the file could not be written.
    """
    printer = qt.QPrinter(qt.QPrinter.ScreenResolution)
    printer.setOutputFormat(qt.QPrinter.PdfFormat)
    printer.setPageMargins(15.0, 15.0, 15.0, 15.0, qt.QPrinter.Millimeter)
    printer.setOutputFileName(str(path))
    document = qt.QTextDocument()
    document.setDefaultStyleSheet(
        "body { font-family: sans-serif; font-size: 9pt; } th, td { padding: 3px; } h1 { font-size: 14pt; }"
        " h2 { font-size: 11pt; } small { color: #555555; }"
    )
    document.setHtml(printable(html))
    document.print(printer)
    if not path.is_file() or path.stat().st_size < _LEAST_BYTES:
        raise OSError(f"{path} could not be written")
