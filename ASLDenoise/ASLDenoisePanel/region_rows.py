"""What the table of regions says, in words and numbers. Plain Python: no Qt, no scene."""

from __future__ import annotations

import math

from slicer.i18n import tr as _

_NOTHING = "n/a"


def headingOf(row):
    """A region's name, and what it is as it was drawn; or why it has no figures."""
    if row.problem:
        return f"{row.name}: {problemOf(row)}"
    figures = row.raw.figures
    follows = {"t1": _("goes with the T1"), "asl": _("lies on the ASL images")}.get(row.follows, _("MNI space"))
    text = _("{name}: {volume} ml, {voxels} voxels, {percent} % measured, {follows}")
    return text.format(
        name=row.name,
        volume=_number(figures.millilitres),
        voxels=_number(figures.voxels),
        percent=round(100 * figures.coverage),
        follows=follows,
    )


def cellsOf(row, mirror):
    """A region's figures in three cells, their names, raw and processed, as lines that stand beside each other.

    Args:
        row: `ASLDenoiseLib.scene.live_regions.RegionRow` without a problem.
        mirror: the asymmetry was asked for.
    """
    asked = mirror and any(of.asymmetry is not None for of in (row.raw, row.processed) if of is not None)
    names = [_("Mean"), _("SD"), _("SNR")] + ([_("Mirrored"), _("Asymmetry")] if asked else [])
    return ("\n".join(names), _column(row.raw, asked), _column(row.processed, asked))


def widestName():
    """The longest of the figures' names."""
    return max((_("Mean"), _("SD"), _("SNR"), _("Mirrored"), _("Asymmetry")), key=len)


def problemOf(row):
    """Why a region has no figures."""
    from ASLDenoiseLib.scene.live_regions import EMPTY

    return _("nothing drawn yet") if row.problem == EMPTY else _("outside the images")


def sentenceOf(row):
    """A region in one line, as the status bar tells it while it is drawn."""
    if row.problem:
        return f"{row.name}: {problemOf(row)}"
    raw, volume = _mean(row.raw), _number(row.raw.figures.millilitres)
    text = _("{name}: raw {raw}").format(name=row.name, raw=raw)
    if row.processed is not None:
        text += _(", processed {processed}").format(processed=_mean(row.processed))
    return f"{text} {row.unit}; {volume} ml"


def regionsTsv(rows):
    """The figures of all regions as tab-separated text, to the last digit; one line a region and map."""
    head = ("region", "map", "unit", "mean", "median", "mean_error", "sd", "snr", "volume_ml", "voxels", "coverage")
    lines = [(*head, "follows", "mirrored_mean", "asymmetry_percent", "asymmetry_error")]
    for row in rows:
        for which, of in (("raw", row.raw), ("processed", row.processed)):
            if of is None:
                continue
            f, a = of.figures, of.asymmetry
            values = (f.mean, f.median, f.error, f.sd, of.snr, f.millilitres, f.voxels, f.coverage)
            mirrored = (math.nan,) * 3 if a is None else (a.mirrored, a.index, a.error)
            numbers = [*map(_exact, values), row.follows, *map(_exact, mirrored)]
            lines.append((" ".join(row.name.split()), which, row.unit, *numbers))
    return "".join("\t".join(line) + "\n" for line in lines)


def _column(of, asymmetry):
    if of is None:
        return ""
    lines = [_mean(of), _number(of.figures.sd), _number(of.snr)]
    if asymmetry:
        a = of.asymmetry
        lines += [_NOTHING, _NOTHING] if a is None else [_number(a.mirrored), _percent(a.index, a.error)]
    return "\n".join(lines)


def _mean(of):
    return _plusMinus(of.figures.mean, of.figures.error)


def _plusMinus(value, error):
    """A number with its SD to the same digit; the number alone where that is not known."""
    text = _number(value)
    if not math.isfinite(error):
        return text
    rounded = f"{error:.{len(text.partition('.')[2])}f}"
    return f"{text} \u00b1 {rounded if float(rounded) else _number(error)}"


def _percent(value, error):
    """A percentage with its SD, without the sign."""
    if not math.isfinite(value):
        return _NOTHING
    return f"{value:+.1f} \u00b1 {error:.1f}" if math.isfinite(error) else f"{value:+.1f}"


def _number(value):
    from ASLDenoiseLib.result.table import format_value

    return format_value(value)


def _exact(value):
    return repr(float(value)) if math.isfinite(value) else _NOTHING
