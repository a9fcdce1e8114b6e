"""The Findings section: the findings of the inspection, each with the buttons of its fixes."""

from __future__ import annotations

import html
from collections import Counter
from itertools import pairwise

import qt
from slicer.i18n import tr as _

from .colours import AMBER, GREY, RED
from .remedies import panelFix, panelRemedy

_COLOURS = {"unusable": RED, "warning": AMBER, "note": GREY}


class FindingsSection:
    """Findings as cards, the worst first.

    Args:
        ui: the widgets of the panel by name.
        fix: called with an `ASLDenoiseLib.inspecting.fixes.Fix` when its button is clicked.
    """

    def __init__(self, ui, fix):
        self._ui, self._fix = ui, fix
        self._cards, self._kept, self._last = [], (), None
        self.buttons = {}  # by name of the fix

    def say(self, text) -> None:
        """Show one line in place of findings: why there are none yet."""
        self._clear()
        self._last = None
        self._ui.findingsLabel.text = text

    def keep(self, findings) -> None:
        """Show the findings of a finished run with those of its series; none for no run."""
        if tuple(findings) == self._kept:
            return
        self._kept = tuple(findings)
        if self._last is not None:
            self.show(*self._last)

    def show(self, findings, fixes=(), more=False) -> None:
        """Show findings, and those that are kept of a run; the fixes that answer one stand below it.

        Args:
            findings: as the inspection gives them.
            fixes: what can be done about them by a click.
            more: the images are still being inspected; what can be fixed is known only then.
        """
        self._clear()
        self._last = (findings, fixes, more)
        findings = self._merged(findings)
        counts = Counter(finding.severity.value for finding in findings)
        texts = {
            "unusable": _("{count} in the way of a run"),
            "warning": _("{count} to look at"),
            "note": _("{count} worth knowing"),
        }
        parts = [text.format(count=counts[kind]) for kind, text in texts.items() if counts[kind]]
        text = ", ".join([*parts, *([_("still inspecting the images...")] if more else [])])
        self._ui.findingsLabel.text = text[:1].upper() + text[1:] if text else _("Nothing wrong was found.")
        for finding in findings:
            self._addCard(finding, [fix for fix in fixes if fix.finding == finding.code])
        stops = [self._ui.findingsCollapsibleButton, *self.buttons.values()]
        for before, button in pairwise(stops):  # a new button would be the last of the whole panel
            qt.QWidget.setTabOrder(before, button)

    def setEnabled(self, enabled) -> None:
        """Enable or disable the buttons of the fixes."""
        for button in self.buttons.values():
            button.enabled = enabled

    def _clear(self) -> None:
        layout = self._ui.findingsList.layout()
        for card in self._cards:
            layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards, self.buttons = [], {}

    def _merged(self, findings) -> list:
        """With those of the run under other codes, the worst first."""
        codes = {finding.code for finding in findings}
        merged = [*findings, *(finding for finding in self._kept if finding.code not in codes)]
        return sorted(merged, key=lambda finding: list(_COLOURS).index(finding.severity.value))

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
    style = "" if finding.severity.value == "note" else f' style="color:{colour}"'  # grey is faint on light or on dark
    what = f"<b{style}>{html.escape(_sentence(finding.what))}</b>"
    why = f"<br>{html.escape(_sentence(finding.why))}" if finding.why else ""
    remedy = f"<br><i>{html.escape(_sentence(panelRemedy(finding.remedies)))}</i>" if finding.remedies else ""
    return what + why + remedy


def _sentence(text) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")
