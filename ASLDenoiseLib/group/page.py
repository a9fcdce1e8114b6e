"""The page of a study, ``group/report.html``: one file that needs nothing else, but leads to each scan's own report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from ..reporting.fragments import Column, TableRow, table
from ..reporting.listing import REQUEST
from ..reporting.page import RESEARCH_ONLY, page, section
from ..result.table import format_value
from ..software import software_versions
from .comparison_html import agreement_html, boxes_html, scanners_html
from .quality_html import failed_html, ranking_html, scans_html
from .sessions_html import sessions_html
from .study import Study

_OF_A_SCAN = ("series", "head", "outputs", "prepared", "arrival")  # of a request: what is each scan's own


def page_html(study: Study, *, more: Mapping[str, str] = {}, files: Sequence[str] = ()) -> str:
    """The whole page as text.

    Every text that came from a file or a user is escaped.

    Args:
        study: its scans, one or more of which are done.
        more: further sections, HTML by their titles, after the figures.
        files: names of the files beside the page.
    """
    title = f"ASL perfusion: a study of {len(study.records)} scans"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(_summary(study))}</p>',
        RESEARCH_ONLY,
        section("Scans to look at first", ranking_html(study)),
        section("Scans that failed", failed_html(study)),
        _units(study),
        section(f"Raw and {study.processing}: SNR and contrast", boxes_html(study)),
        section(f"Raw and {study.processing}: agreement of means", agreement_html(study)),
        section("Sessions and participants", sessions_html(study)),
        section("Scanners", scanners_html(study)),
        *(section(name, html) for name, html in more.items()),
        section("All scans", scans_html(study)),
        section("How it was made", _made(study, files)),
    ]
    return page(title, parts)


def _summary(study: Study) -> str:
    finished, failed = study.finished, len(study.failed)
    people, sessions = finished["participant"].nunique(), len(set(finished["session"]) - {""})
    text = f"{len(finished)} scans are done, of {people} participant{'' if people == 1 else 's'}"
    text += f" in {sessions} session{'' if sessions == 1 else 's'}" if sessions else ""
    text += f"; {failed} failed" if failed else ""
    scanners = len(set(study.scanners))
    text += f". {scanners} kind{'' if scanners == 1 else 's'} of scanner" if scanners else ""
    hours = finished["seconds"].sum() / 3600
    return f"{text}. The runs took {format_value(hours)} hours together."


def _units(study: Study) -> str:
    other = len(study.finished) - len(study.compared)
    if not other:
        return ""
    return (
        f'<p class="banner" role="note"><strong>{other} scans are not in {escape(study.unit)}.</strong> They have no '
        "part in the figures below, since they cannot be averaged with the others; the table has them.</p>"
    )


def _made(study: Study, files: Sequence[str]) -> str:
    lines = []
    for name, label in (
        ("version", "ASLDenoise"),
        ("model", "Model"),
        ("model_sha256", "Model, SHA-256"),
    ):
        counts = Counter(study.finished[name]) if name in study.finished else {}
        for value, count in sorted(counts.items()):
            lines.append(TableRow(label, [value or "none", f"{count} scans"]))
    body = table("What", [Column("Value"), Column("Of")], lines) if lines else ""
    mixed = [label for label, n in Counter(line.name for line in lines).items() if n > 1]
    if mixed:
        body += f"<p class='sub'>Scans differ in {escape(', '.join(mixed))}: compare them with care.</p>"
    versions = [TableRow(name, [value]) for name, value in software_versions().items()]
    body += f"<h3>This page</h3>{table('Program', [Column('Version')], versions)}"
    names = ", ".join(f"<code>{escape(name)}</code>" for name in files)
    body += f"<p>Beside this page: {names}.</p>" if names else ""
    return body + _request(study)


def _request(study: Study) -> str:
    """What was asked of the first finished scan, without its own files."""
    for record in study.records:
        path = study.out / record.folder / f"{record.name}_{REQUEST}"
        try:
            asked = json.loads(path.read_text("utf-8"))
            kept = {name: value for name, value in asked.items() if name not in _OF_A_SCAN}
        except (OSError, ValueError, AttributeError):
            continue
        text = json.dumps(kept, indent=1, ensure_ascii=False)
        lead = f"What was asked of {escape(record.name)}, without its own files"
        return f"<details><summary>{lead}</summary><pre><code>{escape(text)}</code></pre></details>"
    return ""
