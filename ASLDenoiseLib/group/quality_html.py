"""Which scans to look at first, and which failed, as parts of the page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ..reporting.fragments import Column, TableRow, linked, table
from ..result.table import format_value
from .columns import PROCESSED, RAW, column, readout_label
from .ranking import FEWEST_PEERS, JUDGED, Ranked, reason_sentence
from .study import Study
from .words import with_unit

_MOST_LISTED = 100  # scans with their reasons, and failed ones
_MOST_ROWS = 300  # of the table of all scans; `scans.tsv` has every one
_BOTH = ("gm_mean", "snr", "gm_wm_contrast", "qei")  # raw, and an arrow to processed
_SHOWN = (*("motion_mean_fd_mm", "outlier_percent", "fit_light", "brain_coverage_percent", "mni_gm_overlap", "audit"),)


def ranking_html(study: Study) -> str:
    """The scans that stand out, the worst first, each with its reasons and the way to its report."""
    told = [each for each in study.ranked if each.reasons]
    items = "".join(_item(study, each, place) for place, each in enumerate(told[:_MOST_LISTED], start=1))
    rest = len(study.ranked) - len(told)
    if not told:
        lead = f"<p>None of the {rest} scans stands out.</p>"
    else:
        apart = len(study.apart)
        lead = f"<p>{apart} of {len(study.ranked)} scans {'is' if apart == 1 else 'are'} set apart (red); "
        lead += f"nothing about {rest} others stands out.</p>"
    more = len(told) - _MOST_LISTED
    rest_of = f"<p class='sub'>{more} more are in ranking.tsv.</p>" if more > 0 else ""
    return lead + (f'<ul class="findings">{items}</ul>{rest_of}' if told else "") + _how(study)


def _item(study: Study, each: Ranked, place: int) -> str:
    reasons = "".join(f"<small>{escape(reason_sentence(reason.words))}</small>" for reason in each.reasons)
    return (
        f'<li class="{"red" if each.set_apart else "amber"}"><strong>{place}. '
        f"{linked(each.scan, study.report_of(each.scan))}</strong> score {each.score:.1f}, held against "
        f"{escape(each.peers)}{reasons}</li>"
    )


def _how(study: Study) -> str:
    judged = ", ".join(dict.fromkeys(column(judged.name).label for judged in JUDGED))
    return (
        "<details><summary>How scans are ranked</summary><p>A scan is held against those of the same maker, labelling, "
        f"readout, field strength and unit where there are {FEWEST_PEERS} or more, else against all of its unit. A "
        "figure stands out where it is on the bad side of their median by more than 4 + 40/n robust SDs (1.4826 times "
        "the median absolute deviation; the farthest of n normal values lies beyond that once in some 200 times) and "
        "by more than matters in practice. Red are scans of which the run itself said something grave (unusable, no "
        "perfusion, a T1 of another head, perfusion that cannot be, an audit that failed), whose head moved by 1 mm "
        "and more between volumes in the mean, or two kinds of whose figures stand out. The score adds 10 for each "
        "grave word, up to 5 for each kind of figure, 2 for grey matter below 20 or above 125 ml/100g/min, 1 for each "
        "warning that at most a quarter of the others have. Scans with a grave word come first, whatever the score of "
        "others: what it says is wrong of the scan itself, not only unlike the rest. A rank says where to look, not "
        "what to leave out.</p>"
        f"<p>Figures: {escape(judged)}.</p></details>"
    )


def failed_html(study: Study) -> str:
    """The scans whose run failed, with the reason; empty where none did."""
    items = "".join(
        f'<li class="unusable"><strong>{escape(record.name)}</strong> {escape(record.sentence)}</li>'
        for record in study.failed[:_MOST_LISTED]
    )
    more = len(study.failed) - _MOST_LISTED
    rest = f"<p class='sub'>{more} more are in scans.tsv.</p>" if more > 0 else ""
    return f'<ul class="findings">{items}</ul>{rest}' if items else ""


def scans_html(study: Study) -> str:
    """All finished scans with what they are judged by, in the order of the ranking."""
    rows = {row["scan"]: row for row in study.finished.to_dict("records")}
    both = [name for name in _BOTH if {RAW + name, PROCESSED + name} <= set(study.finished)]
    names = [name for name in _SHOWN if name in study.finished]
    shown = [Column(with_unit(readout_label(name), study.units[name]), number=True) for name in both]
    shown += [Column(with_unit(column(name).label, column(name).unit), number=not column(name).words) for name in names]
    lines = []
    for each in study.ranked[:_MOST_ROWS]:
        row = rows[each.scan]
        cells = [_raw_to_processed(row, name, arrow=bool(study.processing)) for name in both]
        cells += [_cell(row[name]) for name in names]
        lines.append(TableRow(each.scan, cells, link=study.report_of(each.scan)))
    more = len(study.ranked) - len(lines)
    note = f"<p class='sub'>Raw → {escape(study.processing)}.</p>" if study.processing and both else ""
    note += f"<p class='sub'>{more} more are in scans.tsv.</p>" if more > 0 else ""
    return table("Scan", shown, lines, wide=True) + note


def _raw_to_processed(row: Mapping[str, object], name: str, *, arrow: bool) -> str:
    raw, processed = (_cell(row[prefix + name]) for prefix in (RAW, PROCESSED))
    return f"{raw} → {processed}" if arrow else raw


def _cell(value: object) -> str:
    return value or "n/a" if isinstance(value, str) else format_value(float(value))
