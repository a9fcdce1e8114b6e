"""The verdict on an adapted model in words and as a table, for a terminal and for its card."""

from __future__ import annotations

import math
from pathlib import Path

from ..adapting.adaptation import Adaptation
from ..result.table import aligned, format_value
from ..verdict import Figure, Verdict

HEADS = ("Figure", "Before", "After", "Unit", "Asked", "Met")
_NOT_ASKED = "not asked"  # as `adapting.safety.not_asked` begins
WAYS = {
    "gains": "one gain a channel was learned",
    "all weights": "gains and then all weights were learned",
}


def verdict_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """A row of text a figure, under `HEADS`; the standard error of the change stands beside what it is of."""
    return [
        (each.label, format_value(each.before), _after(each), each.unit, each.asked, _met(each))
        for each in verdict.figures
    ]


def verdict_table(verdict: Verdict) -> str:
    """The figures as aligned plain text."""
    return "\n".join(aligned([list(HEADS), *map(list, verdict_rows(verdict))], left=1))


def verdict_markdown(verdict: Verdict) -> str:
    """The figures as a table of a card."""
    lines = [HEADS, ("---",) * len(HEADS), *verdict_rows(verdict)]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def learned(adaptation: Adaptation) -> str:
    """How it came about, in half a sentence."""
    tuned = adaptation.tuned
    if tuned.way == "nothing":
        return f"nothing was learned: within {tuned.seconds / 60:.1f} minutes no error fell on the pairs that watched"
    how = WAYS.get(tuned.way, f"{tuned.way} were learned")
    gains = f" ({tuned.gains} gains)" if tuned.way == "gains" else ""
    return f"{how}{gains} in {tuned.steps} steps, {tuned.seconds / 60:.1f} minutes"


def sentence_of(name: str, start: str, adaptation: Adaptation, folder: Path | None) -> str:
    """What became of a model: where it lies, or what it fell short in."""
    if folder is not None:
        return (
            f"{name} earned its place beside {start} ({learned(adaptation)}): it is among the models now, in {folder}, "
            "with a card of what it saw."
        )
    unmet = "; ".join(_short_of(each) for each in adaptation.verdict.unmet) or "nothing could be measured"
    return (
        f"{name} did not earn its place and was not written ({learned(adaptation)}); use {start} as it is. Not met: "
        f"{unmet}."
    )


def _met(figure: Figure) -> str:
    """``-`` of what could not be asked, which is in nobody's way."""
    asked = not figure.asked.startswith(_NOT_ASKED)
    return ("yes" if figure.met else "NO") if asked else "-"


def _after(figure: Figure) -> str:
    return f"{format_value(figure.after)}{figure.plus_minus}"


def _short_of(figure: Figure) -> str:
    unit = f" {figure.unit}" if figure.unit else ""
    was = f" (before {format_value(figure.before)}{unit})" if math.isfinite(figure.before) else ""
    return f"{figure.label} {_after(figure)}{unit}{was}, asked: {figure.asked}"
