"""Stops of the Tab key where Slicer's own widgets have none."""

from __future__ import annotations

import qt


def giveTabStops(contents) -> None:
    """Have the Tab key stop at every node selector in a widget.

    A qMRMLNodeComboBox makes itself the focus proxy of the list in it and takes no focus from the keyboard, so that
    the Tab key passes it by.
    """
    for selector in contents.findChildren("qMRMLNodeComboBox"):
        for box in selector.findChildren(qt.QComboBox):
            box.setFocusProxy(None)
