"""What the table of regions says, in words and numbers. Plain Python: no Qt, no scene."""

from __future__ import annotations

import math

from slicer.i18n import tr as _

_NOTHING = "n/a"


def cellsOf(row, mirror):
    """A region's three cells, region, raw and processed, as lines that stand beside each other.

    Args:
        row: `ASLDenoiseLib.scene.live_regions.RegionRow`.
        mirror: the asymmetry was asked for.
    """
    if row.problem:
        return (f"{row.name}\n{problemOf(row)}", "", "")
    asked = mirror and any(of.asymmetry is not None for of in (row.raw, row.processed) if of is not None)
    names = [row.name, _("SD"), _("SNR")] + ([_("Mirrored"), _("Asymmetry (%)")] if asked else [])
    figures = row.raw.figures
    names.append(f"{_number(figures.millilitres)} ml, {_number(figures.voxels)} {_('voxels')}")
    names.append(_("{percent} % measured").format(percent=round(100 * figures.coverage)))
    names.append(_("with the T1") if row.follows == "t1" else _("with the series") if row.follows == "asl" else "MNI")
    return ("\n".join(names), _column(row.raw, asked), _column(row.processed, asked))


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
    head = ("region", "map", "unit", "mean", "mean_error", "sd", "snr", "volume_ml", "voxels", "coverage", "follows")
    lines = [(*head, "mirrored_mean", "asymmetry_percent", "asymmetry_error")]
    for row in rows:
        for which, of in (("raw", row.raw), ("processed", row.processed)):
            if of is None:
                continue
            f, a = of.figures, of.asymmetry
            values = (f.mean, f.error, f.sd, of.snr, f.millilitres, f.voxels, f.coverage)
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
        lines += [_NOTHING, _NOTHING] if a is None else [_number(a.mirrored), _plusMinus(a.index, a.error)]
    return "\n".join(lines)


def _mean(of):
    return _plusMinus(of.figures.mean, of.figures.error)


def _plusMinus(value, error):
    """A number with its SD; the number alone where that is not known."""
    return f"{_number(value)} \u00b1 {_number(error)}" if math.isfinite(error) else _number(value)


def _number(value):
    from ASLDenoiseLib.result.table import format_value

    return format_value(value)


def _exact(value):
    return repr(float(value)) if math.isfinite(value) else _NOTHING
