"""The readouts in the panel and outside it: the few first, what cannot be true marked, and whose they are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ASLDenoiseLib.result import Readout
from ASLDenoiseLib.result.maps import DENOISED, RAW, SMOOTHED
from ASLDenoiseLib.result.plausible import implausible, implausible_findings

UNIT = "ml/100g/min"


def readouts(gm, wm, *, contrast=2.5):
    return (
        Readout("gm_sd", "GM SD", 12.0, UNIT, ""),
        Readout("gm_mean", "GM mean", gm, UNIT, ""),
        Readout("wm_mean", "WM mean", wm, UNIT, ""),
        Readout("gm_wm_contrast", "GM/WM contrast", contrast, "", ""),
        Readout("roi_lesion_sd", "lesion SD", 4.0, UNIT, ""),
        Readout("roi_lesion_mean", "lesion mean", 31.0, UNIT, ""),
    )


def result_of(**maps):
    """A made result with these readouts by raw, denoised, smoothed."""
    from scene_builders import made_result

    made, keys = made_result(), {"raw": RAW, "denoised": DENOISED, "smoothed": SMOOTHED}
    volumes = {**made.maps, **{keys[name]: made.maps[RAW] for name in maps}}
    return replace(made, maps=volumes, readouts={keys[name]: values for name, values in maps.items()})


def present(panel, result):
    from ASLDenoiseLib.scene.present import present

    nodes = present(result)
    panel.widget.results.present(nodes)
    return nodes


def visible(panel):
    """The rows to be seen: label without its unit, and the cells of the columns to be seen."""
    table = panel.ui.readoutsTable
    columns = [c for c in range(1, table.columnCount) if not table.isColumnHidden(c)]
    rows = [r for r in range(table.rowCount) if not table.isRowHidden(r)]
    names = [table.item(r, 0).text().replace("\u200b", "").partition(" (")[0] for r in rows]
    return {name: tuple(table.item(r, c).text() for c in columns) for name, r in zip(names, rows, strict=True)}


@pytest.mark.parametrize(
    ("name", "value", "unit", "said"),
    [
        ("wm_mean", -9.9, UNIT, "negative"),
        ("gm_mean", -1.0, "scanner units", "negative"),
        ("roi_lesion_mean", -3.0, UNIT, "negative"),
        ("gm_mean", 230.0, UNIT, "more than 200"),
        ("wm_mean", 130.0, UNIT, "more than 100"),
        ("gm_wm_contrast", 0.9, "", "as bright as grey"),
        ("gm_mean", 60.0, UNIT, ""),
        ("wm_mean", 22.0, UNIT, ""),
        ("gm_mean", 2300.0, "scanner units", ""),
        ("roi_lesion_mean", 240.0, UNIT, ""),
        ("gm_mean", float("nan"), UNIT, ""),
        ("gm_sd", 250.0, UNIT, ""),
    ],
)
def test_what_no_brain_has_is_told_from_what_is_rare(name, value, unit, said):
    found = implausible(name, value, unit)
    assert said in found if said else found == ""


def test_a_number_that_cannot_be_has_one_finding_with_the_value_of_every_map():
    told = {RAW: readouts(52.0, -9.9), DENOISED: readouts(51.0, -9.6), SMOOTHED: readouts(51.0, 3.0)}
    (finding,) = implausible_findings(told)
    assert finding.code == "implausible-readout"
    assert "WM mean" in finding.what and "-9.9 (Raw mean), -9.6 (Denoised)" in finding.what
    assert not list(implausible_findings({RAW: readouts(52.0, 21.0)}))


def test_a_negative_white_matter_is_marked_in_the_table_with_the_reason(panel):
    """-9.9 ml/100g/min stood there as any other number."""
    from slicer_harness.proxy import cpp_of

    present(panel, result_of(raw=readouts(52.0, -9.9), denoised=readouts(51.0, 21.0)))
    table = panel.ui.readoutsTable
    row = next(r for r in range(table.rowCount) if table.item(r, 0).text().startswith("WM mean"))
    marked, usual = table.item(row, 1), table.item(row, 2)
    assert "-9.9" in marked.text() and "\u26a0" in marked.text() and "negative" in marked.toolTip()
    assert "\u26a0" not in usual.text() and "negative" not in usual.toolTip()
    colours = [cpp_of(table).item(row, column).foreground().color().name() for column in (1, 2)]
    assert colours[0] == "#d9483b" != colours[1]


def test_the_few_readouts_that_are_asked_for_stand_alone_until_more_is_pressed(panel):
    present(panel, result_of(raw=readouts(52.0, 20.0), denoised=readouts(51.0, 21.0), smoothed=readouts(50.0, 24.0)))
    assert list(visible(panel)) == ["GM mean", "WM mean", "GM/WM contrast", "lesion mean"]
    assert panel.ui.moreButton.text == "More (2 readouts)"
    panel.ui.moreButton.click()
    assert list(visible(panel))[4:] == ["GM SD", "lesion SD"] and panel.ui.moreButton.text == "Less"
    panel.ui.moreButton.click()
    assert len(visible(panel)) == 4


def test_the_gaussian_of_the_same_noise_stands_beside_the_denoised_map_where_there_is_one(panel):
    present(panel, result_of(raw=readouts(52.0, 20.0), denoised=readouts(51.0, 21.0), smoothed=readouts(48.0, 24.0)))
    assert visible(panel)["GM mean"][:3] == ("52.0", "51.0", "48.0")
    present(panel, result_of(raw=readouts(52.0, 20.0), denoised=readouts(51.0, 21.0)))
    assert visible(panel)["GM mean"] == ("52.0", "51.0", "-1.9 %")


def test_a_narrow_table_leaves_the_change_to_the_tool_tip(panel):
    from slicer_harness.panel import process_events
    from slicer_harness.proxy import cpp_of

    present(panel, result_of(raw=readouts(52.0, 20.0), denoised=readouts(51.0, 21.0), smoothed=readouts(48.0, 24.0)))
    frame = cpp_of(panel.frame)
    for width, shown in ((317, 3), (600, 4)):
        frame.resize(width, 700)
        frame.show()
        for _ in range(6):
            process_events()
        assert len(visible(panel)["GM mean"]) == shown
    frame.hide()
    assert "-1.9 %" in panel.ui.readoutsTable.item(0, 2).toolTip()


def test_names_are_told_apart_in_a_narrow_table_and_the_unit_is_said_once(panel):
    """In Slicer every region read 'Segme... mean (ml/10...': a unit in each row, and words wider than their cells."""
    from slicer_harness.panel import process_events
    from slicer_harness.proxy import cpp_of

    def of(gm, wm):
        names = ("Segment_1", "Segment_2", "LeftMiddleCerebralArtery")
        own = (Readout(f"roi_{name}_mean", f"{name} mean", 30.0, UNIT, "") for name in names)
        return (*readouts(gm, wm), Readout("coverage", "Coverage", 98.0, "%", ""), *own)

    present(panel, result_of(raw=of(52.0, -9.9), denoised=of(51.0, 21.0), smoothed=of(48.0, 24.0)))
    table, frame = panel.ui.readoutsTable, cpp_of(panel.frame)
    labels = [table.item(row, 0).text() for row in range(table.rowCount)]
    assert UNIT in panel.ui.resultsLabel.text and not [label for label in labels if UNIT in label]
    assert "Coverage (%)" in labels and f"({UNIT})" in table.item(0, 1).toolTip()
    view, columns = cpp_of(table), {}
    for width in (317, 370, 600):
        frame.resize(width, 700)
        frame.show()
        for _ in range(6):
            process_events()
        room = view.columnWidth(0) - 8
        words = [word for label in labels for word in re.split("[\\s\u200b]", label)]
        assert max(view.fontMetrics().horizontalAdvance(word) for word in words) <= room
        columns[width] = [column for column in range(5) if not table.isColumnHidden(column)]
    frame.hide()
    assert columns == {317: [0, 1, 2, 3], 370: [0, 1, 2, 3], 600: [0, 1, 2, 3, 4]}
    shown = {label.replace("\u200b", "") for label in labels}
    assert {"Segment_1 mean", "Segment_2 mean", "LeftMiddleCerebralArtery mean"} <= shown


def test_the_methods_of_a_run_are_copied_out_of_its_report(panel, tmp_path):
    import slicer

    from ASLDenoiseLib.reporting.html import report_html

    result = result_of(raw=readouts(52.0, -9.9), denoised=readouts(51.0, 21.0))
    present(panel, result)
    path = tmp_path / "report.html"
    path.write_text(report_html(result), encoding="utf-8")
    panel.widget.results.setReport(path)
    panel.ui.methodsButton.click()
    assert slicer.app.clipboard().text() == result.methods_text
    assert result.methods_text.startswith("Arterial spin labelling (ASL) MRI was acquired")
    path.write_text("<p>of an earlier version</p>", encoding="utf-8")
    slicer.app.clipboard().setText("untouched")
    panel.ui.methodsButton.click()
    assert slicer.app.clipboard().text() == "untouched"


def test_a_copied_table_is_tab_separated_and_says_whose_it_is(panel):
    import slicer

    present(panel, result_of(raw=readouts(52.0, -9.9), denoised=readouts(51.0, 21.0)))
    panel.ui.copyButton.click()
    lines = [line.split("\t") for line in slicer.app.clipboard().text().splitlines()]
    heading = dict(line[:2] for line in lines[:4])
    assert heading["Patient"] == "sub-77" and heading["Series"] == "sub-77" and "sub-77" in heading["Run"]
    assert "research use only" in heading["Software"]
    assert lines[4] == ["Readout", "Unit", "Raw mean", "Denoised", "Change (%)", "Note"]
    table = {line[0]: line[1:] for line in lines[5:]}
    assert table["GM mean"][:4] == [UNIT, "52", "51", "-1.92308"]
    assert table["WM mean"][1] == "-9.9" and "negative" in table["WM mean"][4]
    assert list(table)[:4] == ["GM mean", "WM mean", "GM/WM contrast", "lesion mean"]


def test_a_file_is_named_by_patient_series_and_model_without_a_blank(panel, monkeypatch):
    import qt

    asked = []
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *given: asked.append(given[2]) or "", raising=False)
    present(panel, replace(result_of(raw=readouts(52.0, 20.0), denoised=readouts(51.0, 21.0))))
    panel.ui.tableButton.click()
    panel.ui.pdfButton.click()
    assert asked == ["sub-77_test-model_readouts.tsv", "sub-77_test-model_report.pdf"]


def test_the_patient_of_a_dicom_study_is_the_one_that_is_named(panel):
    import slicer

    from ASLDenoiseLib.scene.hierarchy import hierarchy, patient_of
    from ASLDenoiseLib.scene.readouts import file_stem

    nodes = present(panel, result_of(raw=readouts(52.0, 20.0), denoised=readouts(51.0, 21.0)))
    tree = hierarchy(slicer.mrmlScene)
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "Doe, Jane")
    study = tree.CreateStudyItem(patient, "Brain")
    tree.SetItemParent(nodes.folder, study)
    assert patient_of(slicer.mrmlScene, nodes.folder) == "Doe, Jane"
    tree.SetItemAttribute(patient, "DICOM.PatientID", "P 123")
    assert patient_of(slicer.mrmlScene, nodes.folder) == "P 123"
    assert file_stem(nodes.readouts, patient="P 123") == "P-123_sub-77_test-model"
