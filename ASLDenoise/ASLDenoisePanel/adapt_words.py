"""What the section 'Adapt to my scanner' says: what is in the way, the verdict. Plain Python: no Qt, no scene."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

from slicer.i18n import tr as _

from .colours import AMBER, GREEN, RED

_BREAK = "\u200b"  # where a name may wrap
_BELOW = 3  # scans that are said to be in the way
_WARNINGS = 5  # that stand below the table


@dataclass(frozen=True)
class AdaptChoices:
    """What decides whether adapting can begin.

    Args:
        scans: `adapt_scans.LookedAt` of each.
        name: of the model that is to be.
        nameTrouble: what is wrong with the name, in a sentence; empty where nothing is.
        busy: what else is under way, in words; empty where nothing is.
    """

    scans: tuple = ()
    name: str = ""
    nameTrouble: str = ""
    busy: str = ""


def obstacleToAdapting(choices: AdaptChoices) -> str:
    """Why adapting cannot begin, in a sentence that says what to do; empty where it can."""
    from ASLDenoiseLib.sites.differences import FEWEST_SCANS

    if choices.busy:
        return choices.busy
    unusable = [scan for scan in choices.scans if scan.against]
    if unusable:
        names = ", ".join(scan.name for scan in unusable[:_BELOW])
        if len(unusable) > _BELOW:
            names = _("{names} and {count} more").format(names=names, count=len(unusable) - _BELOW)
        return _("Remove what cannot be learned from ({names}), or mend what is against it.").format(names=names)
    if len(choices.scans) < FEWEST_SCANS:
        text = _("Add scans: {count} of at least {least} are here.")
        return text.format(count=len(choices.scans), least=FEWEST_SCANS)
    if not choices.name:
        return _("Give the model a name.")
    return choices.nameTrouble


def shownScan(name) -> str:
    """A scan's name with places to wrap."""
    return name.replace("_", f"_{_BREAK}")


def scanCells(scan) -> tuple[str, ...]:
    """A row of the table of scans."""
    pairs = "?" if scan.pairs is None else str(scan.pairs)
    return (shownScan(scan.name), pairs, _("yes") if scan.t1 else _("none"), scan.against)


def scanTip(scan) -> str:
    """All that is known of a scan, in lines."""
    t1 = _("T1: {name}").format(name=scan.t1) if scan.t1 else _("No T1: its figures with a T1 cannot be asked.")
    return "\n".join(filter(None, (str(scan.path), t1, scan.note, scan.against)))


def scansText(scans, selected=None) -> str:
    """How many scans there are, which one judges, and what there is to say of the selected one; rich text."""
    from ASLDenoiseLib.sites.differences import FEWEST_SCANS
    from ASLDenoiseLib.sites.look import FEWEST_PAIRS

    if not scans:
        return html.escape(
            _(
                "No scan yet. Add at least {least}, of {pairs} pairs or more each: series (NIfTI), or requests of "
                "results (*_request.json), which bring their T1, fixes and choices along."
            ).format(least=FEWEST_SCANS, pairs=FEWEST_PAIRS)
        )
    count = _("1 scan") if len(scans) == 1 else _("{count} scans").format(count=len(scans))
    parts = [html.escape(f"{count}.")]
    if len(scans) >= FEWEST_SCANS:
        text = _("The last one, {name}, teaches nothing: it judges.")
        parts.append(html.escape(text.format(name=shownScan(scans[-1].name))))
    if selected is not None and (selected.against or selected.note):
        said = f'<span style="color:{RED}">{html.escape(selected.against)}</span>' if selected.against else ""
        said = " ".join(filter(None, (said, html.escape(selected.note))))
        parts.append(f"<br><b>{html.escape(shownScan(selected.name))}</b>: {said}")
    return " ".join(parts)


def verdictText(done) -> str:
    """Whether a model earned its place, and how it came about; rich text.

    Args:
        done: `ASLDenoiseLib.sites.adapt.SiteAdaptation`.
    """
    verdict, tuned = done.adaptation.verdict, done.adaptation.tuned
    if done.card_folder is not None:
        text = _("{name} earned its place ({count} figures of {count}) and is among the models now.")
        said, colour = text.format(name=done.name, count=len(verdict.figures)), GREEN
    else:
        unmet = [figure.label for figure in verdict.unmet]
        text = _("{name} was refused and is not kept. It fell short in: {figures}.")
        said, colour = text.format(name=done.name, figures="; ".join(unmet) or _("nothing was measured")), RED
    how = _("Learned from {start}: {what}, {steps} steps in {minutes} min.").format(
        start=done.start,
        what=_ways().get(tuned.way, tuned.way),
        steps=tuned.steps,
        minutes=f"{tuned.seconds / 60:.1f}",
    )
    return f'<b style="color:{colour}">{html.escape(said)}</b><br>{html.escape(how)}'


def warningsText(warnings) -> str:
    """What to know of the scans, a line each, as many as can be read in passing; rich text."""
    lines = [html.escape(warning) for warning in warnings[:_WARNINGS]]
    if len(warnings) > _WARNINGS:
        text = _("And {count} more, which 'Copy table' copies as well.")
        lines.append(html.escape(text.format(count=len(warnings) - _WARNINGS)))
    return "<br>".join(f'<span style="color:{AMBER}">{line}</span>' for line in lines)


def figureCells(figure) -> tuple[str, ...]:
    """A row of the verdict: figure, before, after, standard error of their difference, asked, met."""
    return (
        figure.label,
        *(_value(figure, value) for value in (figure.before, figure.after)),
        "" if math.isnan(figure.error) else _value(figure, figure.error),
        figure.asked,
        _("yes") if figure.met else _("no"),
    )


def figureTip(figure) -> str:
    """All of a figure, in lines."""
    lines = [
        figure.label,
        _("Before {before}, after {after}").format(before=figureCells(figure)[1], after=_after(figure)),
    ]
    return "\n".join([*lines, _("Asked: {asked}").format(asked=figure.asked)])


def verdictSheet(text, figures, warnings) -> str:
    """The sentence, a line a figure as tab-separated text, and all warnings."""
    heads = ("figure", "label", "before", "after", "standard error", "unit", "asked", "met")
    rows = [
        (f.name, f.label, *map(_number, (f.before, f.after, f.error)), f.unit, f.asked, "yes" if f.met else "no")
        for f in figures
    ]
    return "\n".join([text, *("\t".join(row) for row in (heads, *rows)), *warnings]) + "\n"


def _after(figure) -> str:
    after = _value(figure, figure.after)
    if math.isnan(figure.error):
        return after
    return _("{after} (their difference is known to {error})").format(after=after, error=_value(figure, figure.error))


def _value(figure, value) -> str:
    from ASLDenoiseLib.result.table import format_value

    text = format_value(value)
    return f"{text} {figure.unit}".strip() if not math.isnan(value) else text


def _number(value) -> str:
    return "n/a" if math.isnan(value) else f"{value:.6g}"


def _ways() -> dict:
    return {
        "gains": _("one gain per channel"),
        "all weights": _("all weights"),
        "nothing": _("nothing, since neither way gained"),
    }
