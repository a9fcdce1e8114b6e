"""A plan as text: a table of the scans, and below each what is missing or doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Severity
from .checks import ScanCheck
from .find import names_text
from .plan import Plan
from .scan import CohortScan

_HEAD = ("scan", "T1", "M0", "state")


def plan_table(plan: Plan) -> str:
    """Every scan with its T1, its M0 and whether it will be run, sentences on it below, and on the data set last."""
    rows = [(_cells(scan, check), check) for scan, check in plan.rows]
    widths = [max(len(cells[n]) for cells in (_HEAD, *(cells for cells, _ in rows))) for n in range(len(_HEAD))]
    lines = [_line(_HEAD, widths)]
    for cells, check in rows:
        lines += [_line(cells, widths), *(f"    {each.severity.value}: {each.text}" for each in check.told)]
    return "\n".join([*lines, "", summary(plan), *plan.notes])


def plan_warnings(plan: Plan) -> Iterator[str]:
    """What is to be told before a run, a line each: how many scans, the data set's notes, what is wrong or doubtful.

    What is true of several scans is told once, with their names.
    """
    yield summary(plan)
    yield from plan.notes
    found: dict[tuple[Severity, str], list[str]] = {}
    for scan, check in plan.rows:
        for each in check.told:
            found.setdefault((each.severity, each.text), []).append(scan.name)
    for severity in (Severity.UNUSABLE, Severity.WARNING):
        for (level, text), names in found.items():
            if level is severity:
                yield f"{severity.value}: {names_text(names)}: {text}"


def summary(plan: Plan) -> str:
    """How many scans there are, are finished, will be run, and cannot be."""
    refused, count = len(plan.refused), len(plan.scans)
    parts = [f"{count - plan.done - refused} to run", f"{plan.done} finished already" if plan.done else ""]
    parts.append(f"{refused} that cannot be run" if refused else "")
    return f"{count} {'scan' if count == 1 else 'scans'}: {', '.join(filter(None, parts))}."


def _cells(scan: CohortScan, check: ScanCheck) -> tuple[str, ...]:
    state = "finished" if check.done else "cannot be run" if check.unusable else "to run"
    return scan.name, "none" if scan.t1 is None else scan.t1.name, check.m0 or "-", state


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
