"""The report on paper: what is printed of it, where its pages break, and that it reaches a file."""

from __future__ import annotations

import base64
import io
import re
import sys

import numpy as np
import pytest


@pytest.fixture
def report(desktop, repo_root, monkeypatch):
    """The module that prints, bound to this test's desktop."""
    monkeypatch.syspath_prepend(str(repo_root / "ASLDenoise"))
    forget_panel()
    from ASLDenoisePanel import report

    yield report
    forget_panel()


def forget_panel():
    for name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
        del sys.modules[name]


def picture(width, height):
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(np.full((height, width), 90, np.uint8)).save(held, "PNG")
    return f'<img src="data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}" alt="x">'


def width_of(text):
    return int(re.search(r'<img width="(\d+)"', text)[1])


def paper(*sections):
    body = "".join(f"<section>\n<h2>{title}</h2>\n{text}\n</section>" for title, text in sections)
    banner = '<p class="banner" role="note"><strong>For research use only.</strong> Not a medical device.</p>'
    return f"<html><head><style>p {{}}</style></head><body><h1>ASL perfusion: sub-01</h1>{banner}{body}</body></html>"


def table(rows):
    from ASLDenoiseLib.reporting.fragments import Column, TableRow, table

    lines = [TableRow(f"row {n}", ["1.0"], "what it means", assumed=n == 1) for n in range(rows)]
    return table("Readout", [Column("Value", number=True)], lines)


def test_no_button_is_printed(report):
    printed = report.printable('<button type="button" onclick="x">Copy methods</button><p>Told.</p>', width=9, height=9)
    assert printed == "<p>Told.</p>"


def test_a_picture_is_as_wide_as_the_page(report):
    assert width_of(report.printable(picture(1200, 400), width=600, height=900)) == 600


def test_a_high_picture_leaves_room_for_its_heading_and_caption_on_the_page(report):
    assert width_of(report.printable(picture(1000, 4000), width=600, height=1000)) == 200


def test_a_picture_is_in_a_block_of_its_own(report):
    printed = report.printable(f"<h2>Maps</h2><figure>{picture(300, 300)}</figure>", width=600, height=900)
    assert printed.startswith('<h2>Maps</h2><div><img width="600"') and printed.endswith("</div>")


def test_what_rows_mean_stays_on_screen_and_paper_says_so(report):
    printed = report.printable(paper(("Readouts", table(3))), width=600, height=900)
    assert "what it means" not in printed and "row 2" in printed
    assert "in the report for the screen" in printed


def test_findings_keep_their_reasons_on_a_line_of_their_own(report):
    item = '<li class="warning"><strong>Warning: moved</strong> Look.<small>4 mm (motion-large)</small></li>'
    printed = report.printable(paper(("Findings", f"<ul>{item}</ul>")), width=600, height=900)
    assert "<strong>Warning: moved</strong> Look.<br><small>4 mm (motion-large)</small>" in printed


def test_assumed_values_are_shaded_as_the_note_below_them_says(report):
    printed = report.printable(paper(("Where every value came from", table(3))), width=600, height=900)
    assert printed.count('<tr bgcolor="#fff3d0"><th scope="row">row 1') == 1


def test_the_banner_is_printed_in_its_box(report):
    printed = report.printable(paper(), width=600, height=900)
    assert re.search(r"<table[^>]*bgcolor[^>]*><tr><td><strong>For research use only.</strong>", printed)


@pytest.mark.parametrize(
    ("heights", "broken"),
    [
        ([300, 300, 300], []),
        ([500, 600, 300], [1]),  # the second does not fit, the third does
        ([500, 2500, 300], []),  # longer than a page: begins where half a page is left
        ([800, 2500], [1]),  # and on a new one where little is left
    ],
)
def test_a_section_that_would_be_torn_begins_a_page(report, heights, broken):
    sections = [f"<section>\n<h2>{n}</h2>{height}</section>" for n, height in enumerate(heights)]

    def measure(part):
        return float(re.search(r"</h2>(\d+)", part)[1]) if "</h2>" in part else 50.0

    paged = report.paginated("<h1>x</h1>" + "".join(sections), height=1000.0, measure=measure)
    assert [int(n) for n in re.findall(r"page-break-before: always[^>]*>(\d)", paged)] == broken


def test_every_page_says_that_it_is_for_research_and_which_it_is(report, tmp_path, monkeypatch):
    import qt

    said = []
    original = qt.QPainter.drawText

    def drawText(self, x, y, text):
        said.append(text)
        return original(self, x, y, text)

    monkeypatch.setattr(qt.QPainter, "drawText", drawText)
    report.printPdf(paper(("Readouts", table(30)), ("Values", table(120))), tmp_path / "report.pdf")
    pages = [text for text in said if text.startswith("Page")]
    assert len(pages) > 2
    assert pages == [f"Page {n + 1} of {len(pages)}" for n in range(len(pages))]
    assert said.count("For research use only; not for diagnosis. ASL perfusion: sub-01") == len(pages)


def test_the_pdf_has_the_pages_that_are_announced(report, tmp_path):
    path = tmp_path / "report.pdf"
    report.printPdf(paper(("Maps", picture(800, 900)), ("Others", picture(800, 900))), path)
    assert path.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", path.read_bytes())) == 2


def test_a_path_that_cannot_be_written_is_refused(report, tmp_path):
    with pytest.raises(OSError, match="could not be written"):
        report.printPdf(paper(), tmp_path / "absent" / "report.pdf")
