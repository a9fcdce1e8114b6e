"""The Findings section: what inspection found, each with the button that fixes it where one can."""

from __future__ import annotations

import html

import qt
from slicer.i18n import tr as _

from .remedies import panelFix, panelRemedy

_COLOURS = {"unusable": "#d9483b", "warning": "#c77700", "note": "#7a828a"}


class FindingsSection:
    """Findings as cards, the worst first.

    Args:
        ui: the widgets of the panel by name.
        fix: called with an `ASLDenoiseLib.inspecting.fixes.Fix` when its button is clicked.
    """

    def __init__(self, ui, fix):
        self._ui, self._fix = ui, fix
        self._cards = []
        self.buttons = {}  # by name of the fix

    def say(self, text) -> None:
        """One line in place of findings: why there are none yet."""
        self._clear()
        self._ui.findingsLabel.text = text

    def show(self, findings, fixes=(), *, more=False) -> None:
        """Show findings; the fixes that answer one stand below it.

        Args:
            findings: as the inspection gives them.
            fixes: what can be done about them by a click.
            more: the images are still being inspected; what can be fixed is known only then.
        """
        self._clear()
        counts = {kind: sum(f.severity.value == kind for f in findings) for kind in _COLOURS}
        said = [_("{count} in the way of a run").format(count=counts["unusable"])] if counts["unusable"] else []
        said += [_("{count} to look at").format(count=counts["warning"])] if counts["warning"] else []
        said += [_("{count} worth knowing").format(count=counts["note"])] if counts["note"] else []
        if more:
            said.append(_("still inspecting the images..."))
        text = ", ".join(said)
        self._ui.findingsLabel.text = text[:1].upper() + text[1:] if text else _("Nothing wrong was found.")
        for finding in findings:
            self._addCard(finding, [fix for fix in fixes if fix.finding == finding.code])

    def setEnabled(self, enabled) -> None:
        """Whether fixes can be asked for."""
        for button in self.buttons.values():
            button.enabled = enabled

    def _clear(self) -> None:
        layout = self._ui.findingsList.layout()
        for card in self._cards:
            layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards, self.buttons = [], {}

    def _addCard(self, finding, fixes) -> None:
        card = qt.QFrame()
        layout = qt.QVBoxLayout(card)
        layout.setContentsMargins(8, 4, 4, 4)
        card.setObjectName("findingCard")
        colour = _COLOURS[finding.severity.value]
        card.setStyleSheet(f"#findingCard {{ border: none; border-left: 4px solid {colour}; }}")
        label = qt.QLabel(_text(finding, colour))
        label.wordWrap = True
        label.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
        label.toolTip = f"<p>{html.escape(finding.why)}</p>"
        layout.addWidget(label)
        for fix in fixes:
            button = qt.QPushButton(_("Fix: {what}").format(what=panelFix(fix)))
            button.toolTip = _("Do this to the series, and write it down. Voxels are never overwritten.")
            button.clicked.connect(lambda checked=False, fix=fix: self._fix(fix))
            layout.addWidget(button)
            self.buttons[fix.name] = button
        self._ui.findingsList.layout().addWidget(card)
        self._cards.append(card)


def _text(finding, colour) -> str:
    what = f'<b style="color:{colour}">{html.escape(_sentence(finding.what))}</b>'
    why = f"<br>{html.escape(_sentence(finding.why))}" if finding.why else ""
    remedy = f"<br><i>{html.escape(_sentence(panelRemedy(finding.remedies)))}</i>" if finding.remedies else ""
    return what + why + remedy


def _sentence(text) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")
