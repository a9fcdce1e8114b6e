"""Sessions against participants as a part of the page: what repeats, and how well."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..reporting.fragments import Column, TableRow, figure, table
from ..result.table import format_value
from .columns import readout_label
from .comparison_html import MEANS, RED, told_of
from .figures import AgreementPanel, agreement_png
from .repeatability import ICC_FORM, Repeatability, first_sessions, repeats, session_and_session
from .session_figures import Spread, sessions_png, spreads_png
from .study import Study
from .words import interval_text

if TYPE_CHECKING:
    import pandas as pd

REPEATED = ("gm_mean", "wm_mean", "gm_mean_pvc", "snr", "gm_wm_contrast", "qei", "gm_att")
_NOTE = (
    f"<p class='sub'>ICC is {ICC_FORM} (Shrout &amp; Fleiss 1979): what differs from session to session counts as "
    "error. Within: SD of sessions of one participant. Between: SD of participants' own values, with what sessions put "
    "into it taken off; scanners that participants do not share are part of it. Repeatability coefficient: 1.96 √2 "
    "times within; two sessions of a participant differ by less in 95 of 100. Two values of a few people tell these "
    "roughly: see the intervals.</p>"
)
_MOST_REGIONS = 32  # that fit into a chart


def sessions_html(study: Study) -> str:
    """How sessions of a participant agree, beside how participants differ; empty of a study of one session."""
    table_of_all = study.compared
    labels = first_sessions(table_of_all["session"])
    if labels is None:
        return ""
    scans = table_of_all["participant"].tolist(), table_of_all["session"].tolist()
    names = zip(*scans, table_of_all["scan"], strict=True)
    odd = {(who, session) for who, session, scan in names if scan in study.apart}
    sets = {word: table_of_all[f"{end}_gm_mean"].to_numpy(np.float64) for end, word in study.ends.items()}
    title = f"GM mean ({study.unit})"
    points = sessions_png(scans[0], sets, title=title, apart=odd, sessions=scans[1])
    body = figure(points, "Sessions of each participant, joined by a line." + RED, "Grey matter of every session")
    body += _session_agreement(study, labels)
    clean = study.sets.get("sound", table_of_all)
    spreads = _spreads(study, clean)
    without = f", without the {len(study.apart)} scans set apart" if "sound" in study.sets else ""
    if spreads:
        caption = f"Spread within and between participants{without}. What repeats well has its dot left of its diamond."
        body += figure(spreads_png(spreads), caption, "Spread within and between participants")
    body += _repeat_table(study, table_of_all, "All scans")
    if without:
        body += _repeat_table(study, clean, without.removeprefix(", ").capitalize())
    return body + _regions(study) + _NOTE


def _regions(study: Study) -> str:
    """How regions repeat, those that fit into a chart; scans of low coverage, or set apart, left out."""
    rows = study.regions
    rows = rows[rows["scan"].isin(study.sets.get("sound", study.compared)["scan"]) & (rows["low_coverage"] != "true")]
    spreads = []
    for (atlas, region), of_region in rows.groupby(["atlas", "region"], sort=False):
        raw, processed = repeats(of_region, "raw_mean"), repeats(of_region, "processed_mean")
        if np.isfinite(raw.icc) or np.isfinite(processed.icc):
            spreads.append(Spread(f"{region} ({atlas})", raw, processed if study.processing else None))
        if len(spreads) > _MOST_REGIONS:
            return "<p class='sub'>How each region repeats is in region_means.tsv.</p>"
    caption = "Spread of regions' means within and between participants, without scans that are set apart."
    return figure(spreads_png(spreads), caption, "Spread of regions within and between participants") if spreads else ""


def _session_agreement(study: Study, labels: tuple[str, str]) -> str:
    def panels(scans: pd.DataFrame) -> list[AgreementPanel]:
        ends = [f"session {label}" for label in labels]
        shown = [(name, end, f"{readout_label(name)}, {word}") for name in MEANS for end, word in study.ends.items()]
        found = [(title, session_and_session(scans, f"{end}_{name}")) for name, end, title in shown]
        return [AgreementPanel(title, each, study.unit, *ends) for title, each in found if each is not None]

    every = panels(study.compared)
    told = told_of(every, study.unit)
    if "sound" in study.sets and first_sessions(study.sound["session"]) == labels:
        told += f" Without scans set apart: {told_of(panels(study.sound), study.unit)}"
    caption = f"Session {labels[1]} against session {labels[0]}, each point a participant. {told}{RED}"
    return figure(agreement_png(every, apart=study.people_apart), caption, "Bland-Altman plots of sessions")


def _spreads(study: Study, scans: pd.DataFrame) -> list[Spread]:
    found = []
    for name in REPEATED:
        if f"raw_{name}" in scans:
            raw, *processed = (repeats(scans, f"{end}_{name}") for end in study.ends)
            if any(np.isfinite(each.icc) for each in (raw, *processed)):
                found.append(Spread(readout_label(name), raw, *processed))
    return found


def _repeat_table(study: Study, scans: pd.DataFrame, title: str) -> str:
    labels = ("n", "Mean", "Within SD (CV)", "Between SD (CV)", "ICC [95 %]", "Repeatability coefficient")
    shown = [Column("Unit"), *(Column(label, number=True) for label in labels)]
    lines = []
    for name in REPEATED:
        if f"raw_{name}" not in scans:
            continue
        for end, word in study.ends.items():
            found = repeats(scans, f"{end}_{name}")
            if np.isfinite(found.icc):
                lines.append(TableRow(f"{readout_label(name)}, {word}", _repeat_cells(found, study.units[name])))
    return f"<h3>{escape(title)}</h3>" + table("Readout", shown, lines, wide=True) if lines else ""


def _repeat_cells(found: Repeatability, unit: str) -> list[str]:
    return [
        unit,
        str(found.participants),
        format_value(found.mean),
        f"{format_value(found.within)} ({found.within_cv:.1f} %)",
        f"{format_value(found.between)} ({found.between_cv:.1f} %)",
        f"{format_value(found.icc)} {interval_text(found.icc_interval)}",
        format_value(found.coefficient),
    ]
