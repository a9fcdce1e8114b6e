"""The methods paragraph of a study: what its scans have in common, from what lies beside each of them."""

from __future__ import annotations

import json
from html import escape

from ..reporting.listing import READOUTS_JSON
from ..result.methods import Methods, common_methods
from .study import Study


def study_methods(study: Study) -> str:
    """The paragraph with its references; empty where no scan has one. Scans of earlier versions have none."""
    names = set(study.finished["scan"])
    found = []
    for record in study.records:
        if record.name not in names:
            continue
        path = study.out / record.folder / f"{record.name}_{READOUTS_JSON}"
        try:
            found.append(Methods.from_plain(json.loads(path.read_text("utf-8"))["methods"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
    return common_methods(found).text if found else ""


def study_methods_html(text: str) -> str:
    """The paragraph in the page of the study; empty where there is none."""
    return f'<p class="methods">{escape(text.rstrip())}</p>' if text else ""
