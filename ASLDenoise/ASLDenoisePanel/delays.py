"""What the panel says and asks of a series of several delays: how many are fitted together, and by which model."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .parameters import Kinetics


class DelaysChoices:
    """A line under Method, and the choices of the fit in Advanced; not shown for a series of one delay.

    Args:
        ui: the widgets of the panel by name.
    """

    def __init__(self, ui):
        self._ui = ui
        self._shown = (ui.delaysLabel, ui.kineticsLabel, ui.kineticsComboBox, *_boxes(ui))

    def refresh(self, parameters) -> None:
        """Show what there is to say and choose of the selected series."""
        from ASLDenoiseLib.scene.delays import delays_in

        ui, delays = self._ui, delays_in(parameters.asl)
        several = len(delays) > 1
        for widget in self._shown:
            widget.setVisible(several)
        if several:
            ui.delaysLabel.text = delaysText(delays)
        for place, kinetics in enumerate(Kinetics):  # connectGui fills in the labels alone
            ui.kineticsComboBox.setItemData(place, kinetics.tip(), qt.Qt.ToolTipRole)


def delaysText(delays) -> str:
    """How a series of these delays (s, ascending) is processed, in a sentence."""
    said = _("{count} delays ({first:g} to {last:g} s), fitted together: CBF and arrival time.")
    return said.format(count=len(delays), first=delays[0], last=delays[-1])


def _boxes(ui) -> tuple:
    return ui.macrovascularCheckBox, ui.spatialPriorCheckBox
