"""The section 'What is lost, what is kept': the audit's verdict, odd against even pairs, and how many are enough."""

from __future__ import annotations

import html
import math

import slicer
from slicer.i18n import tr as _

_JOINER = "\u2060"  # a unit is not broken at its slashes


class AgreementSection:
    """What the network of the shown run took away, and what two halves of its pairs have in common.

    Args:
        ui: the widgets of the panel by name.
        compare: called to compare odd with even pairs, which the run that is shown did not.
        showPlot: called with the key of a chart to show.
        showTwo: called with the keys of two maps to show side by side.
    """

    def __init__(self, ui, compare, showPlot, showTwo):
        self._ui, self._nodes, self._showTwo = ui, None, showTwo
        ui.halvesButton.connect("clicked()", compare)
        ui.rawHalvesButton.connect("clicked()", lambda: self.showHalves(denoised=False))
        ui.denoisedHalvesButton.connect("clicked()", lambda: self.showHalves(denoised=True))
        ui.halvesPlotButton.connect("clicked()", lambda: showPlot(_halvesKey()))
        ui.pairsNeededButton.connect("clicked()", lambda: showPlot(_pairsNeededKey()))
        self.show(None)

    def show(self, nodes) -> None:
        """Show what is known of a run (`ASLDenoiseLib.scene.choose.RunNodes`); None for no run."""
        ui, self._nodes = self._ui, nodes
        charts = {} if nodes is None else nodes.charts
        table = None if nodes is None else nodes.readouts
        verdict, halves, adaptation = _figuresOf(table)
        ui.adaptationLabel.text = "" if adaptation is None else adaptationHtml(adaptation)
        ui.adaptationLabel.setVisible(adaptation is not None)
        ui.auditLabel.text = verdict
        ui.auditLabel.setVisible(bool(verdict))
        ui.halvesLabel.text = "" if halves is None else halvesHtml(halves)
        ui.halvesLabel.setVisible(halves is not None)
        both = halves is not None and _halfMaps(nodes, denoised=True) is not None
        for widget in (ui.rawHalvesButton, ui.denoisedHalvesButton):
            widget.setVisible(both)
        ui.halvesPlotButton.setVisible(halves is not None and _halvesKey() in charts)
        denoised = nodes is not None and bool(verdict) and not _ofSeveralDelays(nodes)
        ui.halvesButton.setVisible(nodes is not None and halves is None and denoised)
        needed = charts.get(_pairsNeededKey()) if nodes is not None else None
        ui.pairsNeededLabel.text = "" if needed is None else f"{_captionOf(needed)}."
        ui.pairsNeededLabel.setVisible(needed is not None)
        ui.pairsNeededButton.setVisible(needed is not None)
        ui.agreementLabel.text = _introduction(nodes, bool(verdict), needed is not None)
        ui.agreementLabel.setVisible(bool(ui.agreementLabel.text))

    def showHalves(self, *, denoised) -> None:
        """Show the maps of odd and of even pairs side by side."""
        keys = _halfMaps(self._nodes, denoised=denoised)
        if keys is not None and all(self._nodes.maps[key].GetScene() is slicer.mrmlScene for key in keys):
            self._showTwo(*keys)


def halvesHtml(halves) -> str:
    """The agreement of halves (`ASLDenoiseLib.result.split_half.SplitHalf`) as a small table with what it hides."""
    unit = halves.unit.replace("/", "/" + _JOINER)
    title = _("Odd against even pairs ({odd} and {even}; {voxels} voxels of the brain)")
    heads = ("", "r", "CCC", _("RMSE ({unit})").format(unit=unit))
    rows = ["".join(f"<th align='right'>{html.escape(head)}&nbsp;</th>" for head in heads)]
    for each in halves.agreements:
        cells = (f"{each.r:.2f}", f"{each.ccc:.2f}", f"{each.rmse:.3g}")
        label = each.label[:1].upper() + each.label[1:]
        rows.append(
            f"<td>{html.escape(label)}&nbsp;</td>" + "".join(f"<td align='right'>{cell}&nbsp;</td>" for cell in cells)
        )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    said = title.format(odd=halves.odd, even=halves.even, voxels=halves.voxels)
    return f"<b>{html.escape(said)}</b><table cellpadding='1'>{body}</table><small>{html.escape(halves.caveat)}</small>"


def adaptationHtml(adaptation) -> str:
    """What became of adapting the network to the scan (`ASLDenoiseLib.result.adaptation.ScanAdaptation`)."""
    heads = ("", _("Before"), _("After"), _("Asked"))
    rows = ["".join(f"<th align='left'>{html.escape(head)}&nbsp;</th>" for head in heads)]
    for figure in adaptation.verdict.figures:
        unit = f" {figure.unit}" if figure.unit else ""
        values = [f"{v:.3g}{unit}" if math.isfinite(v) else _("n/a") for v in (figure.before, figure.after)]
        asked = figure.asked if figure.met else _("{asked}: not met").format(asked=figure.asked)
        label = figure.label[:1].upper() + figure.label[1:]
        rows.append("".join(f"<td>{html.escape(text)}&nbsp;</td>" for text in (label, *values, asked)))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"{html.escape(adaptation.sentence)}<table cellpadding='1'>{body}</table>"


def _figuresOf(table):
    """The verdict of the audit, the agreement of halves and the adaptation in a table of readouts."""
    if table is None:
        return "", None, None
    from ASLDenoiseLib.scene.readouts import adaptation_in, audit_sentence, split_half_of

    return audit_sentence(table), split_half_of(table), adaptation_in(table)


def _halfMaps(nodes, *, denoised):
    """The keys of both halves' maps, or None where the scene lacks one."""
    from ASLDenoiseLib.result.maps import DENOISED_EVEN, DENOISED_ODD, RAW_EVEN, RAW_ODD, named

    both = (DENOISED_ODD, DENOISED_EVEN) if denoised else (RAW_ODD, RAW_EVEN)
    keys = tuple(named(key, nodes.maps) for key in both)
    return keys if all(key in nodes.maps for key in keys) else None


def _introduction(nodes, audited, needed) -> str:
    if nodes is None:
        return _("No result yet. What the network took away, and what it kept, will be said here.")
    if not audited:
        return _("No residual audit was made of this run.")
    if _ofSeveralDelays(nodes):
        return _("How odd and even pairs agree and how many are enough is told of one delay alone.")
    return "" if needed else _("How many pairs are enough can be measured, too: tick it under Advanced.")


def _captionOf(chart) -> str:
    from ASLDenoiseLib.scene.plots import caption_of

    return caption_of(chart)


def _halvesKey() -> str:
    from ASLDenoiseLib.reporting.half_charts import HALVES

    return HALVES


def _ofSeveralDelays(nodes) -> bool:
    """Whether a run fitted several delays: odd and even pairs are compared of one."""
    from ASLDenoiseLib.result.maps import of_several_delays

    return of_several_delays(nodes.maps)


def _pairsNeededKey() -> str:
    from ASLDenoiseLib.reporting.charts import PAIRS_NEEDED

    return PAIRS_NEEDED
