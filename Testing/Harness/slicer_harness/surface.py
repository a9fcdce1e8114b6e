"""What a real Slicer offers, read from the committed facts: the measure of every stand-in here."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent / "surface.json"

# Names that PythonQt adds to what it introspects: the record of behaviour has one, Slicer's own slicer.util the other.
PYTHONQT_NAMES = {"name": "objectName", "exec_": "exec"}


@dataclass(frozen=True)
class ClassSurface:
    """The own names of one class, without those of its bases."""

    name: str
    inherits: str | None
    properties: dict[str, str]
    read_only: frozenset[str]
    signals: tuple[str, ...]
    slots: tuple[str, ...]
    names: frozenset[str]
    sorted_out: bool = field(default=True)
    """False where the class could be listed, but its properties not told from its methods."""

    @property
    def short(self) -> str:
        return self.name.split(".")[-1]


def _class_surface(name: str, entry: dict) -> ClassSurface:
    properties, read_only = {}, set()
    for line in entry.get("properties", ()):
        own, _, kind = line.partition(": ")
        if not kind.endswith(" (read only)"):
            read_only.discard(own)
        elif own not in properties:  # a derived class may make a base's property writable: it is listed twice
            read_only.add(own)
        properties[own] = kind.removesuffix(" (read only)")
    return ClassSurface(
        name=name,
        inherits=entry.get("inherits"),
        properties=properties,
        read_only=frozenset(read_only),
        signals=tuple(entry.get("signals", ())),
        slots=tuple(entry.get("slots", ())),
        names=frozenset(entry.get("names", "").split()),
        sorted_out=bool(entry.get("properties") or entry.get("signals") or entry.get("slots")),
    )


@cache
def _data() -> dict:
    return json.loads(DATA.read_text("utf-8"))


@cache
def classes() -> dict[str, ClassSurface]:
    """Every listed class by its dotted name: `qt.QLabel`, `ctk.ctkSliderWidget`, `slicer.qMRMLWidget`."""
    return {name: _class_surface(name, entry) for name, entry in _data()["classes"].items()}


def lineage(name: str) -> list[ClassSurface]:
    """The class and its listed bases, nearest first; every widget is a QObject, too."""
    found = []
    current: str | None = name
    while current:
        found.append(classes()[current])
        current = classes()[current].inherits or ("qt.QObject" if current == "qt.QWidget" else None)
    return found


def all_names(name: str) -> set[str]:
    """Every attribute that an instance of the class has, PythonQt's own additions included."""
    names: set[str] = set()
    for own in lineage(name):
        names |= own.names | set(own.properties) | {signal.split("(")[0] for signal in own.signals}
    return names | {extra for extra, meant in PYTHONQT_NAMES.items() if meant in names}


def signals_of(name: str) -> set[str]:
    """Signatures of the signals of a class and its bases."""
    return {signal for own in lineage(name) for signal in own.signals}


def slots_of(name: str) -> set[str]:
    """Signatures of the slots of a class and its bases."""
    return {slot for own in lineage(name) for slot in own.slots}


@cache
def functions() -> dict[str, str]:
    """Signatures by dotted name: `slicer.util.loadUI` gives `(path)`."""
    return dict(_data()["functions"])


def arguments_of(signature: str) -> ast.arguments:
    """The arguments in a signature's text; defaults that have no spelling become None."""
    spelt = re.sub(r"<[^>]*>( at 0x[0-9a-f]+>)?", "None", signature)
    return ast.parse(f"def f{spelt}: pass").body[0].args


@cache
def application_names() -> frozenset[str]:
    return frozenset(_data()["slicer_app"].split())


@cache
def module_names() -> frozenset[str]:
    return frozenset(_data()["modules"].split())


@cache
def gui_connectors() -> tuple[str, ...]:
    return tuple(_data()["gui_connectors"])


def slicer_version() -> str:
    return _data()["slicer"].split("-")[0]
