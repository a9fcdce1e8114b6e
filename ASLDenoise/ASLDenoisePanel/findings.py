"""The Findings section: what the doctor saw, each with the button that mends it where one can."""

from __future__ import annotations

import html

import qt
from slicer.i18n import tr as _

from .wording import panelWords

_COLOURS = {"unusable": "#d9483b", "warning": "#c77700", "note": "#7a828a"}


class FindingsSection:
    """Findings as cards, the worst first.

    Args:
        ui: the widgets of the panel by name.
        mend: called with an `tasks.Mend` when its button is clicked.
    """

    def __init__(self, ui, mend):
        self._ui, self._mend = ui, mend
        self._cards = []
        self.buttons = {}  # by name of the mend

    def say(self, text) -> None:
        """One line in place of findings: why there are none yet."""
        self._clear()
        self._ui.findingsLabel.text = text

    def show(self, findings, mends=(), *, more=False) -> None:
        """Show findings; the mends that answer one stand below it.

        Args:
            findings: as the doctor gives them.
            mends: what can be done about them by a click.
            more: the images are still being looked at; what can be mended is known only then.
        """
        self._clear()
        counts = {kind: sum(f.severity.value == kind for f in findings) for kind in _COLOURS}
        said = [_("{count} in the way of a run").format(count=counts["unusable"])] if counts["unusable"] else []
        said += [_("{count} to look at").format(count=counts["warning"])] if counts["warning"] else []
        said += [_("{count} worth knowing").format(count=counts["note"])] if counts["note"] else []
        if more:
            said.append(_("still looking at the images..."))
        text = ", ".join(said)
        self._ui.findingsLabel.text = text[:1].upper() + text[1:] if text else _("Nothing wrong was found.")
        for finding in findings:
            self._addCard(finding, [mend for mend in mends if mend.finding == finding.code])

    def setEnabled(self, enabled) -> None:
        """Whether mends can be asked for."""
        for button in self.buttons.values():
            button.enabled = enabled

    def _clear(self) -> None:
        layout = self._ui.findingsList.layout()
        for card in self._cards:
            layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards, self.buttons = [], {}

    def _addCard(self, finding, mends) -> None:
        card = qt.QFrame()
        layout = qt.QVBoxLayout(card)
        layout.setContentsMargins(8, 4, 4, 4)
        card.setObjectName("findingCard")
        colour = _COLOURS[finding.severity.value]
        card.setStyleSheet(f"#findingCard {{ border: none; border-left: 4px solid {colour}; }}")
        label = qt.QLabel(_text(finding, colour))
        label.wordWrap = True
        label.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
        label.toolTip = f"<p>{html.escape(panelWords(finding.why))}</p>"
        layout.addWidget(label)
        for mend in mends:
            button = qt.QPushButton(_("Mend: {what}").format(what=panelWords(mend.what)))
            button.toolTip = _("Do this to the series, and write it down. Voxels are never overwritten.")
            button.clicked.connect(lambda checked=False, mend=mend: self._mend(mend))
            layout.addWidget(button)
            self.buttons[mend.name] = button
        self._ui.findingsList.layout().addWidget(card)
        self._cards.append(card)


def _text(finding, colour) -> str:
    what = f'<b style="color:{colour}">{html.escape(_sentence(finding.what))}</b>'
    why = f"<br>{html.escape(_sentence(finding.why))}" if finding.why else ""
    mend = f"<br><i>{html.escape(_sentence(finding.mend))}</i>" if finding.mend else ""
    return what + why + mend


def _sentence(text) -> str:
    text = panelWords(text.strip())
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
