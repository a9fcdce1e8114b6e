"""What the table of a cohort's scans says, in words and numbers. Plain Python: no Qt, no scene."""

from __future__ import annotations

import html

from slicer.i18n import tr as _

_BREAK = "\u200b"  # where a name may wrap
_BELOW = 3  # reasons that stand below the table; the tool tips have all
_FIGURES = ("gm_mean", "snr", "gm_wm_contrast")


def shownName(scan):
    """A scan's name with places to wrap, marked where it is one to look at."""
    name = scan.name.replace("_", f"_{_BREAK}")
    return f"\u26a0\u00a0{name}" if scan.apart or scan.failed else name


def statusOf(scan):
    """How the run of a scan ended, in a word."""
    return _("failed") if scan.failed else _("done")


def figuresOf(scan, unit):
    """GM mean, SNR and GM/WM of a scan, each raw above processed; the unit with the mean where it is not `unit`."""
    if scan.failed:
        return (statusOf(scan), "", "")
    cells = ["\n".join(_values(scan, name)) for name in _FIGURES]
    if scan.unit != unit:
        cells[0] += f"\n{scan.unit or _('no unit')}"
    return tuple(cells)


def whyOf(scan, most=None):
    """Why to look at a scan, or why it failed, in lines; `most`: that many reasons, and how many there are besides."""
    if scan.failed:
        return scan.sentence
    from ASLDenoiseLib.group.ranking import reason_sentence

    rest = len(scan.reasons[most:]) if most is not None else 0
    lines = [*map(reason_sentence, scan.reasons[:most]), *([_("And {count} more.").format(count=rest)] if rest else [])]
    return "\n".join(lines)


def tipOf(scan):
    """All that the table knows of a scan, in lines."""
    labels = {"gm_mean": _("GM mean"), "snr": _("SNR"), "gm_wm_contrast": _("GM/WM contrast")}
    lines = [scan.name, _whose(scan)]
    if scan.failed:
        return "\n".join(
            [*filter(None, lines), _("Failed: {why}").format(why=scan.sentence or _("it does not say why"))]
        )
    for name, label in labels.items():
        unit = f" {scan.unit}" if name == "gm_mean" and scan.unit else ""
        values = _values(scan, name)
        if len(values) == 1:
            lines.append(_("{label}: {raw}{unit}").format(label=label, raw=values[0], unit=unit))
        else:
            text = _("{label}: raw {raw}{unit}, processed {processed}{unit}")
            lines.append(text.format(label=label, raw=values[0], processed=values[1], unit=unit))
    return "\n".join(filter(None, [*lines, whyOf(scan)]))


def detailsOf(scan):
    """The chosen scan below the table: whose it is, how it ended, and why to look at it; rich text."""
    whose, why = _whose(scan), whyOf(scan, _BELOW)
    said = ", ".join(filter(None, (whose, statusOf(scan))))
    head = f"<b>{html.escape(shownName(scan))}</b>: {html.escape(said)}."
    if scan.rank is not None:
        head += " " + html.escape(_("Place {rank} of those to look at:").format(rank=scan.rank))
    return "<br>".join([head, *html.escape(why).split("\n")]) if why else head


def summaryOf(listing, unit, shown):
    """How many scans there are, how they ended, and how the table is to be read.

    Args:
        listing: `ASLDenoiseLib.group.listing.Listing`.
        unit: of most of them.
        shown: rows of the table.
    """
    from ASLDenoiseLib.group.listing import Source

    scans = listing.scans
    failures, apart = sum(scan.failed for scan in scans), sum(scan.apart for scan in scans)
    parts = [_("{count} scans").format(count=len(scans)) if len(scans) != 1 else _("1 scan")]
    if failures:
        parts[0] += _(", {failed} failed").format(failed=failures)
    if apart:
        parts[0] += _(", {apart} unlike the others").format(apart=apart)
    parts[0] += _("; what to look at comes first.")
    parts.append(_("Raw above processed; GM is its mean in {unit}.").format(unit=unit or _("no unit")))
    if listing.source is Source.RECORDS:
        parts.append(_("The group level is not made yet."))
    if listing.later:
        text = _("{count} ended after the group level was made: make it again for its page and tables.")
        parts.append(text.format(count=len(listing.later)))
    if listing.trouble:
        parts.append(listing.trouble)
    if shown < len(scans):
        parts.append(_("{shown} of them are shown.").format(shown=shown))
    return " ".join(parts)


def usualUnit(scans):
    """The unit that most scans' maps are in."""
    units = [scan.unit for scan in scans if scan.unit]
    return max(dict.fromkeys(units), key=units.count, default="")


def obstacleTo(scan, busy):
    """Why a scan cannot be opened, in a sentence; empty where it can be.

    Args:
        scan: the chosen one; None for none.
        busy: a run or a transfer of the panel is under way.
    """
    if scan is None:
        return _("Choose a scan.")
    if busy:
        return _("A run is under way here, and opening a scan would end it: wait for it, or cancel it.")
    if scan.scene.is_file():
        return ""
    if scan.failed:
        return _("It has no scene to open: its run failed.")
    text = _("It has no scene to open ({file} is not there): run it again with a scene, or drop its maps on Slicer.")
    return text.format(file=scan.scene.name)


def _whose(scan):
    parts = []
    if scan.participant:
        parts.append(_("participant {name}").format(name=scan.participant))
    if scan.session:
        parts.append(_("session {name}").format(name=scan.session))
    return ", ".join(parts)


def _values(scan, name):
    from ASLDenoiseLib.result.table import format_value

    which = ("raw", "processed") if scan.compared else ("raw",)
    return [format_value(scan.figure(f"{each}_{name}")) for each in which]
