"""The report on paper: the same HTML, laid out on pages and printed to PDF."""

from __future__ import annotations

import base64
import html as entities
import re
import struct
from pathlib import Path

import qt

_RESOLUTION = 96  # dots per inch; with every size in pixels the pages are the same on every screen
_MARGIN = 15.0  # mm
_FOOTER = 26  # pixels at the foot of a page
_PICTURE = 0.8  # of the page's height, at most: the heading and the caption are to be on the same page
_STUB = 0.3  # of the page's height: a table that has less than this left begins on the next page
_LEAST_BYTES = 200  # of a PDF with anything on it
_STYLE = """
body { font-family: sans-serif; font-size: 12px; }
h1 { font-size: 20px; margin-bottom: 4px; } h2 { font-size: 15px; margin-top: 16px; margin-bottom: 6px; }
p, li { margin-top: 3px; margin-bottom: 5px; }
.sub, small { color: #555555; } code { font-size: 10px; }
th, td { text-align: left; vertical-align: top; padding: 2px 6px; border-bottom: 1px solid #d5d5d5; }
thead th { border-bottom: 1px solid #707070; }
.n { text-align: right; }
.warning strong { color: #a35f00; } .unusable strong { color: #b00020; }
"""
_ELSEWHERE = '<p class="sub">What each readout means, and notes on single values, are in the report for the screen.</p>'
_PURPOSE = "For research use only; not for diagnosis."

_HEAD_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_ROW_NOTE = re.compile(r"<small>[^<]*</small>(?=</th>)")
_BUTTON = re.compile(r"<button\b.*?</button>", re.DOTALL)
_PICTURE_DATA = re.compile(r'<img src="data:image/png;base64,([^"]{32})')
_BANNER = re.compile(r'<p class="banner"[^>]*>(.*?)</p>', re.DOTALL)
_SECTION = re.compile(r"(?=<section>)")
_TITLE = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)


def printable(html: str, *, width: int, height: int) -> str:
    """The report for Qt's printer, which knows a part of HTML and no style for screens.

    Tables and pictures are as wide as the page, no picture is higher than it; the rows' explanations stay on screen.

    Args:
        html: the report.
        width: of a page, in pixels.
        height: of a page, in pixels.

    >>> printable('<tr class="default"><th scope="row">SNR<small>GM over WM</small></th></tr>', width=10, height=10)
    '<tr bgcolor="#fff3d0"><th scope="row">SNR</th></tr>'
    """
    text = _ROW_NOTE.sub("", _HEAD_STYLE.sub("", _BUTTON.sub("", html)))
    text = text.replace("<table>", '<table width="100%" cellspacing="0" style="border-collapse: collapse">')
    text = text.replace('<tr class="default">', '<tr bgcolor="#fff3d0">')
    text = text.replace("<figure>", "<div>").replace("</figure>", "</div>")  # else it joins its heading's line
    text = text.replace("<figcaption>", '<p class="sub">').replace("</figcaption>", "</p>")
    text = text.replace("<small>", "<br><small>")
    text = _BANNER.sub(
        r'<table width="100%" cellpadding="5" bgcolor="#fff3cd" style="margin-top: 6px"><tr><td>\1</td></tr></table>',
        text,
    )
    if _ROW_NOTE.search(html):
        text = text.replace("</body>", f"{_ELSEWHERE}\n</body>")
    return _PICTURE_DATA.sub(lambda found: _sized(found, width, height), text)


def _sized(found: re.Match, width: int, height: int) -> str:
    """A picture's tag with the largest width at which the page holds it."""
    wide, high = struct.unpack(">II", base64.b64decode(found[1])[16:24])  # PNG: the header chunk begins with them
    shown = min(width, int(_PICTURE * height * wide / high))
    return found[0].replace("<img", f'<img width="{shown}"')


def paginated(text: str, *, height: float, measure) -> str:
    """The printable report with breaks before the sections that would otherwise be torn.

    Args:
        text: what `printable` gave.
        height: of a page, in pixels.
        measure: the height in pixels of a piece of it.
    """
    head, *sections = _SECTION.split(text)
    parts, used = [head], measure(head)
    for section in sections:
        needed = measure(section)
        torn = used + needed > height
        if torn and (needed <= height or height - used < _STUB * height):
            section = section.replace("<h2>", '<h2 style="page-break-before: always; margin-top: 0px">', 1)
            used = 0.0
        parts.append(section)
        used = (used + needed) % height
    return "".join(parts)


def printPdf(html: str, path: Path) -> None:
    """Print a report to a PDF file; at the foot of every page stand what it is for, whose it is and its number.

    Raises:
        OSError: the file could not be written.
    """
    printer = qt.QPrinter(qt.QPrinter.ScreenResolution)
    printer.setOutputFormat(qt.QPrinter.PdfFormat)
    printer.setResolution(_RESOLUTION)
    printer.setPageMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN, qt.QPrinter.Millimeter)
    printer.setOutputFileName(str(path))
    page = printer.pageRect(qt.QPrinter.DevicePixel).size()
    width, height = int(page.width()), int(page.height()) - _FOOTER
    text = printable(html, width=width, height=height)
    document = _document(paginated(text, height=height, measure=lambda part: _document(part, width).size.height()))
    page.setHeight(height)
    document.setPageSize(page)
    title = _TITLE.search(html)
    _paint(document, printer, width, height, entities.unescape(title[1]) if title else "")
    if not path.is_file() or path.stat().st_size < _LEAST_BYTES:
        raise OSError(f"{path} could not be written")


def _document(text: str, width: int | None = None):
    document = qt.QTextDocument()
    document.setDocumentMargin(0.0)
    document.setIndentWidth(16.0)
    document.setUseDesignMetrics(True)
    document.setDefaultStyleSheet(_STYLE)
    document.setHtml(text)
    if width is not None:
        document.setTextWidth(width)
    return document


def _paint(document, printer, width: int, height: int, title: str) -> None:
    painter = qt.QPainter()
    if not painter.begin(printer):
        raise OSError(f"{printer.outputFileName()} could not be written")
    font = qt.QFont("sans-serif")
    font.setPixelSize(10)
    pages, foot, metrics = document.pageCount(), height + _FOOTER - 4, qt.QFontMetrics(font)
    try:
        for number in range(pages):
            if number:
                printer.newPage()
            painter.save()
            painter.setClipRect(0, 0, width, height)
            painter.translate(0, -number * height)
            document.drawContents(painter)
            painter.restore()
            painter.setFont(font)
            place = f"Page {number + 1} of {pages}"
            right = width - metrics.horizontalAdvance(place)
            painter.drawText(0, foot, metrics.elidedText(f"{_PURPOSE} {title}", qt.Qt.ElideRight, right - 20))
            painter.drawText(right, foot, place)
    finally:
        painter.end()
