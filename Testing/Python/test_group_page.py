"""The group level of a study: one page that stands alone, tables beside it, all of them or none."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cohort_builders as study
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.group import figures, group, session_figures, sessions_html
from ASLDenoiseLib.group.group import run_group
from ASLDenoiseLib.group.page import page_html
from ASLDenoiseLib.group.record import write_record
from ASLDenoiseLib.group.study import Study
from ASLDenoiseLib.reporting.page import STYLE
from ASLDenoiseLib.series import SCANNER_UNIT

FIGURES = 7  # boxes, agreement, sessions, agreement of sessions, spreads, those of regions, scanners


class Page(HTMLParser):
    """A page's tags that are open and never closed, its links, sources and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: dict[str, str] = {}
        self.sources: list[str] = []
        self.titles: list[str] = []
        self.words = ""
        self._link = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "img":
            self.sources.append(given["src"])
            assert given["alt"]
        elif tag != "meta":
            self.open.append(tag)
        self._link = given.get("href", "") if tag == "a" else self._link

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data
        if self.open[-1:] == ["a"]:
            self.links[data] = self._link
        if self.open[-1:] == ["h2"]:
            self.titles.append(data)


def with_reports(out: Path, records) -> None:
    """Reports and requests where runs leave them."""
    for record in records:
        place = out / record.folder
        place.mkdir(parents=True)
        (place / f"{record.name}_report.html").write_text("a report")
        asked = {
            "format": "ASLDenoise request 1",
            "series": {"path": "/secret/place.nii.gz"},
            "denoising": {"model": "m"},
        }
        (place / f"{record.name}_request.json").write_text(json.dumps(asked))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of 24 scans, three of them spoilt, and one that failed; its folder and what the group level gave."""
    out = tmp_path_factory.mktemp("out")
    records = study.study_of(out)
    with_reports(out, records[:20])
    write_record(out, study.failed("sub-13_ses-1", "The M0 of <sub-13> is empty; give another."))
    return out, run_group(out)


@pytest.fixture(scope="module")
def page(made) -> Page:
    return Page(made[1].report.read_text("utf-8"))


@pytest.fixture
def no_pictures(monkeypatch):
    """Figures are not drawn, where a test looks at something else."""
    for module in (figures, session_figures):
        monkeypatch.setattr(module, "png_of", lambda figure: b"a picture")


def test_the_page_stands_alone_and_its_links_lead_to_reports_that_are_there(made, page):
    _, result = made
    assert page.open == []
    assert len(page.sources) == FIGURES
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    text = result.report.read_text("utf-8")
    assert "<script" not in text and "http" not in text and "<link" not in text
    assert page.links["sub-03_ses-2"] == "../sub-03/ses-2/perf/sub-03_ses-2_report.html"
    assert len(page.links) == 20  # of the 24 that are done; the others have none
    assert all((result.folder / link).is_file() for link in page.links.values())


def test_the_page_is_for_research_and_says_what_it_is_of(made, page):
    assert "For research use only." in page.words
    assert "ASL perfusion: a study of 25 scans" in page.words
    assert "24 scans are done, of 12 participants in 2 sessions; 1 failed. 2 kinds of scanner." in page.words


def test_the_scans_to_look_at_first_come_first_with_their_reasons(page):
    assert page.titles[0] == "Scans to look at first"
    places = [page.words.index(f"{n}. ") for n in (1, 2, 3)]
    assert places == sorted(places)
    assert "3 of 24 scans are set apart (red); nothing about 21 others stands out." in page.words
    assert "The T1 is of another head, or lies wrong (fit 1.2 standard errors)." in page.words


def test_failed_scans_are_told_and_what_came_from_a_file_is_escaped(made, page):
    assert "The M0 of <sub-13> is empty; give another." in page.words
    assert "<sub-13>" not in made[1].report.read_text("utf-8")


def test_the_page_has_every_section(page):
    expected = ["Scans to look at first", "Scans that failed", "Raw and denoised: SNR and contrast"]
    expected += ["Raw and denoised: agreement of means", "Sessions and participants", "Scanners"]
    assert [title for title in page.titles if title in expected] == expected
    assert page.titles[-2:] == ["All scans", "How it was made"]


def test_figures_of_all_scans_and_of_those_that_are_not_set_apart_stand_side_by_side(page):
    for words in ("Without the 3 scans set apart", "without the 3 scans set apart", "Without scans set apart: GM mean"):
        assert words in page.words


def test_the_page_says_what_made_it_without_the_files_of_a_person(page):
    assert "dilated-net" in page.words and "ab" * 32 in page.words and "scans.tsv" in page.words
    assert '"model": "m"' in page.words and "/secret/place" not in page.words


def test_the_page_fits_a_phone_and_paper_as_reports_do(made):
    text = made[1].report.read_text("utf-8")
    assert STYLE in text and "@media print" in STYLE
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in text
    cells = re.findall(r"<td[^>]*>", text)
    assert cells and all("data-label=" in cell for cell in cells)  # a narrow screen names each cell


def test_tables_lie_beside_the_page_with_sidecars_that_describe_each_column(made):
    out, result = made
    tables = [name for name in result.files if name.endswith(".tsv")]
    names = ("ranking", "region_means", "regions", "repeatability", "scans", "statistics")
    assert tables == [f"{name}.tsv" for name in names]
    assert set(os.listdir(out / "group")) == {*result.files, "files.json"}
    for name in tables:
        with (out / "group" / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        told = json.loads((out / "group" / name).with_suffix(".json").read_text("utf-8"))
        assert rows and list(rows[0]) == list(told)
        assert all(entry["Description"] for entry in told.values())
        assert all(value for row in rows for value in row.values())  # n/a, and never empty
    with (out / "group" / "ranking.tsv").open(encoding="utf-8", newline="") as file:
        first, *_ = csv.DictReader(file, delimiter="\t")
    assert (first["scan"], first["place"], first["set_apart"]) == (result.ranked[0].scan, "1", "true")


def test_the_sentence_names_the_scans_to_look_at(made):
    assert made[1].sentence.endswith("Look first at: sub-07_ses-1, sub-03_ses-2, sub-10_ses-2.")
    assert (made[1].scans, made[1].failed) == (24, 1)


def test_how_regions_repeat_is_drawn_where_they_fit_into_a_chart(no_pictures):
    records = study.study_of(people=4)
    words = Page(page_html(Study(Path("nowhere"), records))).words
    assert "Spread of regions' means within and between participants" in words
    rows = [
        tuple({**row, "region": f"{row['region']} {n}"} for n in range(10) for row in record.regions)
        for record in records
    ]
    many = [replace(record, regions=of_record) for record, of_record in zip(records, rows, strict=True)]
    words = Page(page_html(Study(Path("nowhere"), many))).words
    assert "How each region repeats is in region_means.tsv." in words


def test_a_region_of_low_coverage_has_no_part_in_how_it_repeats(monkeypatch, no_pictures):
    """Region 1 of a scan is hardly in view: its 900 ml/100g/min are no session that differs."""
    records = list(study.study_of(people=4, spoilt={}))
    spoilt, *others = records[0].regions
    bad = {**spoilt, "raw_mean": 900.0, "low_coverage": True}
    records[0] = replace(records[0], regions=(bad, *others))
    drawn = []
    monkeypatch.setattr(sessions_html, "spreads_png", lambda spreads: drawn.append(spreads) or b"a picture")
    page_html(Study(Path("nowhere"), records))
    (first,) = [spread for spread in drawn[-1] if spread.label == "Hippocampus left (made-up)"]
    assert first.raw.participants == 3 and first.raw.within < 10


def test_of_a_study_of_hundreds_the_page_lists_the_first_and_says_where_the_others_are(no_pictures):
    odd = {"fit_light": "red", "fit_score": 1.0}
    records = [study.record(f"sub-{n:03d}", values=odd) for n in range(350)]
    records += [study.failed(f"sub-9{n:03d}") for n in range(120)]
    words = Page(page_html(Study(Path("nowhere"), records))).words
    assert "250 more are in ranking.tsv." in words and "100. sub-" in words and "101. sub-" not in words
    assert "20 more are in scans.tsv." in words and "50 more are in scans.tsv." in words


def test_made_again_it_is_the_very_same(made):
    out, result = made
    before = {name: (out / "group" / name).read_bytes() for name in result.files}
    again = run_group(out)
    assert {name: (out / "group" / name).read_bytes() for name in again.files} == before


def test_a_table_that_is_no_longer_made_goes_and_what_is_somebodys_own_stays(tmp_path, no_pictures):
    study.study_of(tmp_path, people=3)
    run_group(tmp_path)
    (tmp_path / "group" / "notes.txt").write_text("mine")
    for path in (tmp_path / "cohort").glob("*ses-2.json"):
        path.unlink()
    files = run_group(tmp_path).files
    assert "repeatability.tsv" not in files
    assert set(os.listdir(tmp_path / "group")) == {*files, "files.json", "notes.txt"}


def test_no_finished_scan_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"No scan in .* is done, so that there is no group; run the participant"):
        run_group(tmp_path)
    write_record(tmp_path, study.failed())
    with pytest.raises(InputError, match="all 1 that were begun failed"):
        run_group(tmp_path)
    assert not (tmp_path / "group").exists()


def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(tmp_path, monkeypatch, no_pictures):
    study.study_of(tmp_path, people=3)
    result = run_group(tmp_path)
    before = {name: (result.folder / name).read_bytes() for name in os.listdir(result.folder)}

    def full(*given, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(group, "page_html", full)
    with pytest.raises(InputError, match="the disk is full"):
        run_group(tmp_path)
    assert {name: (result.folder / name).read_bytes() for name in os.listdir(result.folder)} == before
    assert sorted(os.listdir(tmp_path)) == ["cohort", "group"]


def test_scans_without_an_m0_are_kept_out_of_means_with_a_word(no_pictures):
    odd = study.record("sub-90", values={"unit": SCANNER_UNIT, "raw_gm_mean": 5000.0, "processed_gm_mean": 5000.0})
    found = Study(Path("nowhere"), (*study.study_of(spoilt={}), odd))
    assert "1 scans are not in ml/100g/min." in Page(page_html(found)).words
    assert found.compared["raw_gm_mean"].max() < 200


def test_a_study_that_was_only_averaged_compares_nothing(no_pictures):
    records = [
        study.record(f"sub-{n:02d}_ses-{s}", values={"processed_map": study.RAW}) for n in range(1, 8) for s in (1, 2)
    ]
    shown = Page(page_html(Study(Path("nowhere"), records)))
    assert not [title for title in shown.titles if "denoised" in title or "Raw and" in title]
    assert "Sessions and participants" in shown.titles and "denoised" not in shown.words


@pytest.mark.parametrize("people", [1, 3])
def test_a_study_of_few_is_a_page_all_the_same(people):
    assert Page(page_html(Study(Path("nowhere"), study.study_of(people=people)))).open == []
    assert Page(page_html(Study(Path("nowhere"), study.study_of(people=people, sessions=1)))).open == []
