"""The user's own models, at the end of the section 'Adapt to my scanner': use one, read its card, remove it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .adapt_names import ownModels
from .combo_boxes import chosen, fill


class OwnModels:
    """A choice of the user's models, and what can be done with each.

    Args:
        ui: the widgets of the panel by name.
        use: called with the name of a model that is to be chosen under Method.
        report: called with a sentence on what was done.
        removed: called with the name of a model that is there no more.
    """

    def __init__(self, ui, use, report, removed):
        self._ui, self._use, self._report, self._removed = ui, use, report, removed
        self._cards, self._pages = {}, None
        ui.useModelButton.connect("clicked()", lambda: self._use(chosen(ui.ownModelsComboBox)))
        ui.modelCardButton.connect("clicked()", self._onCard)
        ui.removeModelButton.connect("clicked()", self._onRemove)

    def refresh(self, wanted=None) -> None:
        """Offer the models that there are; select the one of this name, else the one that was selected."""
        ui = self._ui
        wanted = wanted or chosen(ui.ownModelsComboBox)
        self._cards = {card.name: card for card in ownModels()}
        fill(ui.ownModelsComboBox, [(name, name, _tip(card)) for name, card in self._cards.items()], wanted)
        self.setVisible()

    def setVisible(self) -> None:
        """Show it where there is a model; CTK shows all that is in a section when that is opened."""
        ui = self._ui
        widgets = (ui.ownModelsLabel, ui.ownModelsComboBox, ui.useModelButton, ui.modelCardButton, ui.removeModelButton)
        for widget in widgets:
            widget.setVisible(bool(self._cards))

    def cleanup(self) -> None:
        """Remove the pages that were made of cards."""
        if self._pages is not None:
            shutil.rmtree(self._pages, ignore_errors=True)
            atexit.unregister(self.cleanup)
            self._pages = None

    def _onCard(self) -> None:
        card = self._cards[chosen(self._ui.ownModelsComboBox)]
        try:
            text = (card.folder / "docs" / "README.md").read_text("utf-8")
        except (OSError, ValueError) as error:
            said = _("The card of {name} cannot be read ({error}): copy the model's folder again, or adapt again.")
            slicer.util.errorDisplay(said.format(name=card.name, error=getattr(error, "strerror", None) or error))
            return
        document = qt.QTextDocument()
        document.setMarkdown(text)
        if self._pages is None:
            self._pages = Path(tempfile.mkdtemp(prefix="ASLDenoise-cards-"))
            atexit.register(self.cleanup)
        page = self._pages / f"{card.name}.html"
        page.write_text(document.toHtml(), encoding="utf-8", newline="\n")
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def _onRemove(self) -> None:
        from ASLDenoiseLib.denoising.own_models import remove_model
        from ASLDenoiseLib.errors import InputError

        card = self._cards[chosen(self._ui.ownModelsComboBox)]
        asked = _(
            "Remove the model {name} from this computer?\n\nIts folder {folder} is deleted, which cannot be undone. "
            "Results that were made with it stay; they cannot be made again without it."
        )
        asked = asked.format(name=card.name, folder=card.folder)
        if not slicer.util.confirmYesNoDisplay(asked, windowTitle=_("ASL Denoise: remove a model")):
            return
        try:
            remove_model(card)
        except InputError as error:
            slicer.util.errorDisplay(str(error))
        else:
            self._report(_("The model {name} was removed.").format(name=card.name))
        self._removed(card.name)


def _tip(card) -> str:
    return "\n".join(filter(None, (_("Adapted from {name}.").format(name=card.adapted_from), str(card.folder))))
