"""The Method section: task, method, model and voxels; and the output folder in Advanced."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .combo_boxes import chosen, fill, select
from .delays import DelaysChoices
from .parameters import Grid, Outliers, Way
from .plain_names import methodName, modelName, modelText, recommended
from .scrolling import bringIntoSight


class MethodSection:
    """Task, method, model and voxels; shows only what the task uses.

    Args:
        ui: the widgets of the panel by name.
    """

    def __init__(self, ui):
        from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL

        self._ui, self._parameters = ui, None
        self._cards, self._offered, self._defaultModel = {}, set(), DEFAULT_MODEL
        self.listModels()
        self._delays = DelaysChoices(ui)
        ui.modelComboBox.connect("currentIndexChanged(int)", self._onModel)
        ui.methodComboBox.connect("currentIndexChanged(int)", self._onMethod)
        ui.outputFolderEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.outputFolderEdit.connect("validInputChanged(bool)", self._onFolderValid)

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self._parameters = parameters

    @property
    def needsT1(self) -> bool:
        """Whether what is chosen cannot do without a T1."""
        p = self._parameters
        if p is None or p.way is not Way.SUPERRESOLVE:
            return False
        return p.grid is Grid.T1 or self._method(p).needs_t1

    def listModels(self) -> None:
        """Offer the models there are, those that came with the module and the user's own."""
        from ASLDenoiseLib.denoising.catalogue import list_models

        self._cards = {card.name: card for card in list_models()}
        items = [_item(modelName(c), n, n == self._defaultModel, _told(c)) for n, c in self._cards.items()]
        wanted = self._wantedModel
        if wanted not in self._cards:  # of a scene from another computer: shown as what it is, and refused by name
            items.append((wanted, wanted, _("Not found on this computer.")))
        self._offered = {name for _text, name, _tip in items}
        fill(self._ui.modelComboBox, items, wanted)

    def choose(self, name) -> None:
        """Choose a model for Apply, and a task that uses one; show where that is."""
        p = self._parameters
        if p is None:
            return
        if p.way is Way.QUANTIFY or (p.way is Way.SUPERRESOLVE and not p.denoiseFirst):
            p.way = Way.DENOISE
        self._keep("model", name, self._defaultModel)
        self._ui.methodCollapsibleButton.collapsed = False
        bringIntoSight(self._ui.methodCollapsibleButton)

    @property
    def _wantedModel(self) -> str:
        return (self._parameters.model if self._parameters is not None else "") or self._defaultModel

    def refresh(self) -> None:
        """Show what the parameter node holds."""
        p, ui = self._parameters, self._ui
        if p is None:
            return
        resolve = p.way is Way.SUPERRESOLVE
        if self._wantedModel not in self._offered:
            self.listModels()
        select(ui.modelComboBox, self._wantedModel)
        if ui.outputFolderEdit.currentPath != p.outputFolder:
            ui.outputFolderEdit.currentPath = p.outputFolder
        denoises = p.way is Way.DENOISE or (resolve and p.denoiseFirst)
        for widget in (ui.methodLabel, ui.methodComboBox, ui.methodTextLabel, ui.gridLabel, ui.gridComboBox):
            widget.setVisible(resolve)
        for widget in (ui.denoiseFirstCheckBox, ui.ownPointSpreadCheckBox):
            widget.setVisible(resolve)
        for widget in (ui.spacingLabel, ui.spacingXSpinBox, ui.spacingYSpinBox, ui.spacingZSpinBox):
            widget.setVisible(resolve and p.grid is Grid.SPACING)
        for widget in (ui.likeLabel, ui.likeSelector):
            widget.setVisible(resolve and p.grid is Grid.LIKE)
        for widget in (ui.pointSpreadXSpinBox, ui.pointSpreadYSpinBox, ui.pointSpreadZSpinBox):
            widget.setVisible(resolve and p.ownPointSpread)
        for widget in (ui.modelLabel, ui.modelComboBox, ui.modelTextLabel):
            widget.setVisible(denoises)
        for widget in (ui.arrivalReferenceLabel, ui.arrivalReferenceSelector):
            widget.setEnabled(p.arrival is not None)
        card = self._cards.get(chosen(ui.modelComboBox))
        self._delays.refresh(p)
        boxes = (ui.interleavedCheckBox, ui.auditCheckBox)
        for widget in (ui.groupLabel, ui.groupSpinBox, *boxes):
            widget.setEnabled(denoises)
        for widget in (ui.pairsNeededCheckBox, ui.splitHalfCheckBox):
            widget.setEnabled(denoises and not self._delays.several)
        adapts = card is not None and card.family.adapts
        ui.adaptCheckBox.setEnabled(denoises and not self._delays.several and adapts)
        if resolve:
            method = self._method(p)
            select(ui.methodComboBox, method.name)
            ui.methodTextLabel.text = method.summary
        self._describe(card)
        for place, outliers in enumerate(Outliers):  # connectGui fills in the labels alone
            ui.outliersComboBox.setItemData(place, outliers.tip(), qt.Qt.ToolTipRole)

    def _describe(self, card) -> None:
        from ASLDenoiseLib.denoising.catalogue import why_not_installed

        if card is None:
            adapted = _(
                "Not found on this computer. Copy its folder from where it was adapted, or choose another model."
            )
            apart = why_not_installed(self._wantedModel)
            self._ui.modelTextLabel.text, self._ui.modelTextLabel.toolTip = apart or adapted, ""
            return
        self._ui.modelTextLabel.text = f"{modelText(card)} {timeWords(card)}"
        self._ui.modelTextLabel.toolTip = f"{card.name}: {_told(card)}"

    def _method(self, parameters):
        """The chosen method of super-resolution; the list of them is filled when it is first asked for."""
        from ASLDenoiseLib.superresolving import DEFAULT_METHOD, METHODS

        if not self._ui.methodComboBox.count:
            names = sorted(METHODS, key=lambda name: name != DEFAULT_METHOD)
            items = [_item(methodName(name), name, name == DEFAULT_METHOD, METHODS[name].summary) for name in names]
            fill(self._ui.methodComboBox, items, None)
        return METHODS.get(parameters.method, METHODS[DEFAULT_METHOD])

    def _onModel(self, index) -> None:
        self._keep("model", chosen(self._ui.modelComboBox), self._defaultModel)

    def _onMethod(self, index) -> None:
        from ASLDenoiseLib.superresolving import DEFAULT_METHOD

        self._keep("method", chosen(self._ui.methodComboBox), DEFAULT_METHOD)

    def _onFolder(self, path) -> None:
        if self._parameters is not None:
            self._parameters.outputFolder = path

    def _onFolderValid(self, valid) -> None:
        if not valid:  # emptied, of which CTK tells no other way
            self._onFolder("")

    def _keep(self, name, value, default) -> None:
        """The default is kept as empty text, so that a saved scene follows when the default becomes a better one."""
        if self._parameters is not None:
            self._parameters.setValue(name, "" if value == default else value)


def _item(text, name, default, summary) -> tuple:
    return (recommended(text, default), name, f"{name}: {summary}")


def _told(card) -> str:
    """The summary of a model, and what it was adapted from where it was."""
    adapted = _("Adapted from {name}.").format(name=card.adapted_from) if card.adapted_from else ""
    return "\n".join(filter(None, (card.summary, adapted)))


def timeWords(card) -> str:
    """The measured seconds of a model, in words; empty where its card has none."""
    names = {"cpu": _("two processor cores"), "cuda": _("a graphics card")}
    times = [
        _("{seconds} s on {device}").format(seconds=f"{value:.2g}", device=names.get(device, device))
        for device, value in card.seconds.items()
    ]
    return _("Measured for 64 x 64 x 24 voxels: {times}.").format(times=", ".join(times)) if times else ""
