"""Checks a .ui file against the surface: widget classes, properties, enum values, connections."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from . import surface

# What Qt's form builder takes beside a class's own properties.
_OF_LAYOUTS = {
    *("leftMargin", "topMargin", "rightMargin", "bottomMargin", "margin", "spacing", "sizeConstraint"),
    *("horizontalSpacing", "verticalSpacing", "fieldGrowthPolicy", "rowWrapPolicy", "labelAlignment"),
    *("formAlignment", "objectName"),
}
_OF_SPACERS = {"orientation", "sizeType", "sizeHint"}
_OF_LINES = {"orientation", "frameShadow", "lineWidth", "midLineWidth"}
_DYNAMIC = {"SlicerParameterName", "SlicerPackParameterName"}
_FORM_BUILDERS_OWN = {"Line", "Spacer"}


def full_name(class_name: str) -> str | None:
    """`QLabel` is `qt.QLabel`; None where no such class is listed."""
    return next(
        (f"{m}.{class_name}" for m in ("qt", "ctk", "slicer") if f"{m}.{class_name}" in surface.classes()), None
    )


def widget_classes(tree: ElementTree.Element) -> dict[str, str]:
    """Listed class of every named widget, action and layout."""
    named = ((w.get("name", ""), full_name(w.get("class", ""))) for w in [*tree.iter("widget"), *tree.iter("layout")])
    actions = {a.get("name", ""): "qt.QAction" for a in tree.iter("action")}
    return {name: cls for name, cls in named if cls} | actions


def read_ui(path: str | Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def ui_problems(tree: ElementTree.Element) -> list[str]:
    """What a real Slicer would not understand, a line each."""
    return [
        *_class_problems(tree),
        *(problem for widget in tree.iter("widget") for problem in _property_problems(widget)),
        *_layout_problems(tree),
        *_connection_problems(tree),
    ]


def _class_problems(tree: ElementTree.Element) -> Iterator[str]:
    named = {w.get("class", "") for w in [*tree.iter("widget"), *tree.iter("layout")]}
    custom = {c.findtext("class", "") for c in tree.iter("customwidget")}
    for name in sorted((named | custom) - _FORM_BUILDERS_OWN):
        if full_name(name) is None:
            yield f"the class {name} is not listed"


def _properties(class_name: str) -> set[str]:
    own = surface.lineage(class_name)
    return {name for cls in own for name in cls.properties} | {
        name for cls in own if not cls.sorted_out for name in cls.names
    }


def _property_problems(widget: ElementTree.Element) -> Iterator[str]:
    class_name, name = widget.get("class", ""), widget.get("name", "")
    full = full_name(class_name)
    allowed = _OF_LINES if class_name == "Line" else set() if full is None else _properties(full)
    for item in widget.findall("property"):
        own = item.get("name", "")
        dynamic = item.get("stdset") == "0"
        if full is None and class_name not in _FORM_BUILDERS_OWN:
            continue
        if dynamic and own not in _DYNAMIC and own not in allowed:
            yield f"{name} ({class_name}): the dynamic property {own} means nothing to Slicer"
        elif not dynamic and own not in allowed:
            yield f"{name} ({class_name}): the property {own} is not listed"
        elif full is not None and any(own in cls.read_only for cls in surface.lineage(full)):
            yield f"{name} ({class_name}): the property {own} is read only"
        yield from _enum_problems(name, item)


def _enum_problems(name: str, item: ElementTree.Element) -> Iterator[str]:
    for tag in ("enum", "set"):
        for text in (item.findtext(tag) or "").split("|"):
            scope, _, value = text.rpartition("::")
            full = full_name(scope.split("::")[0]) if scope and scope != "Qt" else None
            if full is not None and value not in surface.all_names(full):
                yield f"{name}: the enum value {text} is not listed"


def _layout_problems(tree: ElementTree.Element) -> Iterator[str]:
    for tag, allowed in (("layout", _OF_LAYOUTS), ("spacer", _OF_SPACERS)):
        for element in tree.iter(tag):
            for item in element.findall("property"):
                if item.get("name") not in allowed:
                    yield f"{element.get('name')}: the {tag} property {item.get('name')} is not known"


def _connection_problems(tree: ElementTree.Element) -> Iterator[str]:
    classes = widget_classes(tree)
    for connection in tree.iter("connection"):
        sender, signal = connection.findtext("sender", ""), connection.findtext("signal", "")
        receiver, slot = connection.findtext("receiver", ""), connection.findtext("slot", "")
        for name in (sender, receiver):
            if name not in classes:
                yield f"a connection names {name}, which is no listed widget"
        if sender in classes and signal not in surface.signals_of(classes[sender]):
            yield f"{sender} ({classes[sender]}) has no signal {signal}"
        if receiver in classes and slot not in surface.slots_of(classes[receiver]):
            yield f"{receiver} ({classes[receiver]}) has no slot {slot}"
