"""What the panel says and asks of a series of several delays: how many are fitted together, and by which model."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .parameters import Kinetics, Way


class DelaysChoices:
    """A line under Method, and the choices of the fit in Advanced; not shown for a series of one delay.

    Args:
        ui: the widgets of the panel by name.
    """

    def __init__(self, ui):
        self._ui, self._delays = ui, ()
        self._choices = (ui.kineticsLabel, ui.kineticsComboBox, ui.macrovascularCheckBox, ui.spatialPriorCheckBox)
        ui.advancedCollapsibleButton.connect("contentsCollapsed(bool)", self._onAdvanced)

    def refresh(self, parameters) -> None:
        """Show what there is to say and choose of the selected series."""
        from ASLDenoiseLib.scene.delays import delays_in

        ui, self._delays = self._ui, delays_in(parameters.asl)
        for widget in (ui.delaysLabel, *self._choices):
            widget.setVisible(self.several)
        if self.several:
            denoises = parameters.way is Way.DENOISE or (parameters.way is Way.SUPERRESOLVE and parameters.denoiseFirst)
            ui.delaysLabel.text = delaysText(self._delays, prior=denoises and parameters.spatialPrior)
        for place, kinetics in enumerate(Kinetics):  # connectGui fills in the labels alone
            ui.kineticsComboBox.setItemData(place, kinetics.tip(), qt.Qt.ToolTipRole)

    @property
    def several(self) -> bool:
        """Whether the selected series has several delays."""
        return len(self._delays) > 1

    def _onAdvanced(self, collapsed) -> None:
        """Hide again what CTK shows as it opens a section: it does not see what was hidden while that was closed."""
        for widget in self._choices if not collapsed else ():
            widget.setVisible(self.several)


def delaysText(delays, *, prior) -> str:
    """How a series of these delays (s, ascending) is processed; `prior`: by the prior of the fit, without the model."""
    said = _("{count} delays ({first:g} to {last:g} s), fitted together: CBF and arrival time.")
    how = _("The prior of the fit denoises them, not the model; untick it under Advanced for the model.")
    return " ".join([said.format(count=len(delays), first=delays[0], last=delays[-1]), *([how] if prior else [])])
