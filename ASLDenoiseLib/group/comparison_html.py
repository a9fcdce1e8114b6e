"""Raw against processed, and scanners, as parts of the page: figures and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..reporting.fragments import Column, TableRow, figure, table
from ..result.table import format_value
from .columns import column, readout_label
from .figures import AgreementPanel, agreement_png, box_png
from .repeatability import raw_and_processed
from .session_figures import strips_png
from .statistics import Comparison
from .study import Study
from .words import change_text, concordance_text, t_text, wilcoxon_text, with_unit

BOXED = ("snr", "gm_wm_contrast")
MEANS = ("gm_mean", "wm_mean")
RED = " Red and hollow: with a scan that is set apart."


def boxes_html(study: Study) -> str:
    """Box plots of SNR and contrast with their tests, and a table of the tests of all readouts."""
    if not study.processing:
        return ""
    every, sound = study.comparisons["all"], study.comparisons.get("sound", ())
    boxed = [one for one in every if one.readout.name in BOXED]
    if not boxed:
        return ""
    png = box_png(boxed, units=study.units, apart=study.people_apart, without=sound, processed=study.processing)
    caption = (
        "Each participant is a line, with the mean over its sessions. Boxes: quartiles and median; whiskers: to the "
        "farthest within 1.5 times the interquartile range; notches: median ± 1.57 IQR/√n (McGill 1978). Beneath: mean "
        "change with its 95 % interval; paired t-test with Cohen's dz and its 95 % interval; Wilcoxon's signed-rank "
        f"test with the matched-pairs rank-biserial correlation. SNR rises with blurring alone.{RED}"
    )
    shown = figure(png, caption, "Box plots of SNR and GM/WM contrast, raw and processed")
    body = shown + _tests(study, every)
    if sound:
        title = f"Without the {len(study.apart)} scans set apart"
        body += f"<details><summary>{title}</summary>{_tests(study, sound)}</details>"
    return body + (
        "<p class='sub'>The unit is the participant: sessions of one person are not independent, so each counts once "
        "with their mean. p is two-sided and not corrected for the number of readouts.</p>"
    )


def _tests(study: Study, compared: Sequence[Comparison]) -> str:
    numbers = ("n", "Raw, mean (SD)", f"{study.processing.capitalize()}, mean (SD)")
    shown = [*(Column(label, number=True) for label in numbers)]
    shown += [Column("Change [95 %]"), Column("Paired t-test"), Column("Wilcoxon")]
    lines = []
    for one in compared:
        test = one.test
        both = [f"{format_value(m)} ({format_value(sd)})" for m, sd in zip(test.means, test.deviations, strict=True)]
        cells = [str(test.n), *both, change_text(test), t_text(test), wilcoxon_text(test).removeprefix("Wilcoxon ")]
        lines.append(TableRow(one.readout.label, cells, study.units[one.readout.name]))
    return table("Readout", shown, lines, wide=True)


def agreement_html(study: Study) -> str:
    """Bland-Altman plots of grey and white matter, processed against raw, a scan."""
    if not study.processing:
        return ""
    panels = [
        AgreementPanel(f"{readout_label(name)}, a scan", found, study.unit, "raw", study.processing)
        for name, found in ((name, raw_and_processed(study.compared, name)) for name in MEANS)
    ]
    told = told_of(panels, study.unit)
    if "sound" in study.sets:
        found = (raw_and_processed(study.sound, name) for name in MEANS)
        sound = [replace(panel, found=other) for panel, other in zip(panels, found, strict=True)]
        told += f" Without scans set apart: {told_of(sound, study.unit)}"
    caption = "Bland and Altman (1986), each point a scan: limits are bias ± 1.96 SD; CCC is Lin's concordance. "
    caption += f"{told}{RED}"
    return figure(agreement_png(panels, apart=study.apart), caption, "Bland-Altman plots of processed against raw")


def told_of(panels: Sequence[AgreementPanel], unit: str) -> str:
    """What each plot says, in a sentence."""
    return "; ".join(f"{panel.title}: {concordance_text(panel.found, unit)}" for panel in panels) + "."


def scanners_html(study: Study) -> str:
    """Every scan by its scanner; empty where all are of one."""
    if len(set(study.scanners)) < 2:
        return ""
    scans = study.compared
    columns: dict[str, list[np.ndarray]] = {}
    for name in ("snr", "gm_wm_contrast", "gm_mean", "qei"):
        sets = [scans[f"{end}_{name}"].to_numpy(np.float64) for end in study.ends if f"{end}_{name}" in scans]
        if len(sets) == len(study.ends):
            columns[with_unit(readout_label(name), study.units[name])] = sets
    for name in ("motion_mean_fd_mm", "outlier_percent"):
        if name in scans and scans[name].notna().any():
            columns[with_unit(column(name).label, column(name).unit)] = [scans[name].to_numpy(np.float64)]
    png = strips_png(study.scanners, columns, apart=scans["scan"].isin(study.apart).to_numpy())
    caption = "Every scan by maker, labelling, readout and field strength"
    caption += f": raw grey, {study.processing} blue" if study.processing else ""
    return figure(png, f"{caption}; a bar is the median. Red and hollow: set apart.", "Figures of scans by scanner")
