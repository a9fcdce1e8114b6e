"""Checks a module's Python source against the surface: names, properties, signals, calls and their arguments.

Types are known where the source makes them plain: constructions, assignments, annotations, the widgets of a .ui file
under `ui`, and what some methods return. Elsewhere a name that is called must at least exist somewhere.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from . import surface

# Known from the record of behaviour, and listed nowhere else.
_QT_BESIDES = {"Qt", "Signal", "QAbstractItemView", "QByteArray"}
_SLICER_MODULES = ("util", "packaging", "i18n", "ScriptedLoadableModule", "parameterNodeWrapper")
_UI_NAMES = {"ui", "_ui"}
# What parameterNodeWrapper adds to the classes it wraps.
_OF_WRAPPERS = {
    *("connectGui", "connectParametersToGui", "disconnectGui", "getValue", "setValue", "dataType", "isCached"),
    *("default", "StartModify", "EndModify", "AddObserver", "RemoveObserver", "Modified"),
}
# What Slicer declares of the C++ halves of scripted readers and dialogs of files, of which the desktop that was
# introspected made none (Base/QTCore/qSlicerIO.h, Base/QTGUI/qSlicerScriptedFileDialog.h).
_DECLARED = {"userMessages", "acceptMimeData"}
# What listed methods give back.
_RETURNS = {
    ("slicer.app", "layoutManager"): "slicer.qSlicerLayoutManager",
    ("slicer.app", "userSettings"): "qt.QSettings",
    ("slicer.app", "settings"): "qt.QSettings",
    ("slicer.app", "clipboard"): "qt.QClipboard",
    ("slicer.app", "moduleManager"): "slicer.qSlicerModuleManager",
    ("slicer.util", "mainWindow"): "slicer.qSlicerMainWindow",
    ("slicer.qSlicerLayoutManager", "sliceWidget"): "slicer.qMRMLSliceWidget",
    ("slicer.qSlicerLayoutManager", "plotWidget"): "slicer.qMRMLPlotWidget",
    ("slicer.qMRMLPlotWidget", "plotView"): "slicer.qMRMLPlotView",
    ("qt.QTableWidget", "item"): "qt.QTableWidgetItem",
    ("qt.QTableWidget", "horizontalHeader"): "qt.QHeaderView",
    ("qt.QTableWidget", "verticalHeader"): "qt.QHeaderView",
    ("qt.QMenu", "addAction"): "qt.QAction",
    ("qt.QApplication", "clipboard"): "qt.QClipboard",
    ("qt.QDropEvent", "mimeData"): "qt.QMimeData",
}


@dataclass(frozen=True)
class Problem:
    """Something that a real Slicer would not understand."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass
class Known:
    """What the whole source says beside one file.

    Attributes:
        ui: listed class of each widget of the .ui files.
        own: names that the source itself defines.
        elsewhere: names of VTK, MRML and Python objects; empty where slicer-core is missing, and unknown then.
        modules: own modules, by their lower-case name in slicer.modules.
    """

    ui: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    elsewhere: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()


def source_problems(text: str, place: str, known: Known) -> list[Problem]:
    """Every problem of one file, in the order of its lines."""
    checker = _Checker(place, known)
    tree = ast.parse(text)
    checker.learn(tree)
    checker.visit(tree)
    return sorted(set(checker.problems), key=lambda p: (int(p.place.rsplit(":", 1)[1]), p.text))


def defined_names(paths: list[Path]) -> set[str]:
    """Functions, classes, attributes, arguments and keywords that some files define."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
    return names


@cache
def names_elsewhere() -> frozenset[str]:
    """Attributes of Python's own types, NumPy's arrays, VTK's and MRML's classes; none where slicer-core is missing."""
    import collections
    import logging
    import pathlib
    import re
    import subprocess
    import threading
    import unittest
    import zipfile

    import numpy

    things = [*vars(builtins).values(), pathlib.Path, re.compile(""), re.match("", ""), logging.getLogger()]
    things += [
        unittest.TestCase,
        zipfile.ZipFile,
        subprocess.Popen,
        threading.Thread,
        numpy.ndarray,
        numpy.generic,
        collections.deque,
        collections.Counter,
    ]
    names = {name for thing in things for name in dir(thing)}
    try:
        import slicer
        import vtk
    except ImportError:
        return frozenset()
    for module in (slicer, vtk):
        for thing in vars(module).values():
            if isinstance(thing, type) and thing.__name__.startswith("vtk"):
                names.update(dir(thing))
    return frozenset(names)


@cache
def names_anywhere() -> frozenset[str]:
    """Attributes of any listed class, the Python ones of Slicer included."""
    python = {key.split(".")[3] for key in surface.functions() if key.count(".") == 3}
    listed = {name for cls in surface.classes() for name in surface.all_names(cls)}
    return frozenset(listed | python | _OF_WRAPPERS) | surface.application_names()


@cache
def signals_anywhere() -> frozenset[str]:
    return frozenset(signal for cls in surface.classes() for signal in surface.signals_of(cls))


@cache
def module_names(module: str) -> frozenset[str]:
    """Functions and classes of `slicer.util`, `slicer.packaging`, ..."""
    return frozenset(key.split(".")[2] for key in surface.functions() if key.startswith(f"slicer.{module}."))


def dotted(node: ast.expr) -> str | None:
    """`slicer.util.loadUI` of an attribute chain on a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return None if base is None else f"{base}.{node.attr}"
    return None


class _Checker(ast.NodeVisitor):
    def __init__(self, place: str, known: Known) -> None:
        self.place, self.known, self.problems = place, known, []
        self.names: dict[str, str] = {}
        self.attributes: dict[str, str | None] = {}
        self.imported: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.foreign: set[str] = set()
        self.callees: set[int] = set()

    def report(self, node: ast.AST, text: str) -> None:
        self.problems.append(Problem(f"{self.place}:{node.lineno}", text))

    def _dotted(self, node: ast.expr) -> str | None:
        """A dotted name, with what was imported from Slicer under its full name."""
        name = dotted(node)
        head, dot, rest = (name or "").partition(".")
        return f"{self.aliases[head]}{dot}{rest}" if head in self.aliases else name

    # --- what has which type ------------------------------------------------------------------------------------

    def learn(self, tree: ast.AST) -> None:
        """Types of names and of attributes of self; one that is given two types has none."""
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imported |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "slicer" and node.level == 0:
                self.aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        for _ in range(2):  # an assignment may rest on a later one
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        self._assign(target, node.value)
                elif isinstance(node, ast.AnnAssign):
                    kind = self._dotted(node.annotation)
                    if kind in surface.classes():
                        self._give(node.target, kind)
                elif isinstance(node, ast.arg) and node.annotation is not None:
                    kind = self._dotted(node.annotation)
                    if kind in surface.classes():
                        self.names[node.arg] = kind

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._assign(one, its)
        else:
            self._give(target, self.typeof(value))
            if isinstance(target, ast.Name) and self._from_elsewhere(value):
                self.foreign.add(target.id)

    def _from_elsewhere(self, value: ast.expr) -> bool:
        """Whether a value is made by a module that is not Slicer's."""
        root = (self._dotted(value.func) or "").split(".")[0] if isinstance(value, ast.Call) else ""
        return root in self.imported and root not in ("qt", "ctk", "slicer")

    def _give(self, target: ast.expr, kind: str | None) -> None:
        if isinstance(target, ast.Name):
            if kind is not None and self.names.get(target.id, kind) == kind:
                self.names[target.id] = kind
            else:
                self.names.pop(target.id, None)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            before = self.attributes.get(target.attr, kind)
            self.attributes[target.attr] = kind if before == kind else None

    def typeof(self, node: ast.expr) -> str | None:
        """The listed class of an expression, `slicer.app`, or None where it is not plain."""
        if isinstance(node, ast.Call):
            return self._returned(node)
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            name = self._dotted(node)
            if name in ("slicer.app", "slicer.util"):
                return name
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                return self.attributes.get(node.attr)
            if (self._dotted(node.value) or "").split(".")[-1] in _UI_NAMES:
                return self.known.ui.get(node.attr)
        return None

    def _returned(self, call: ast.Call) -> str | None:
        name = self._dotted(call.func)
        if name in surface.classes():
            return name
        if isinstance(call.func, ast.Attribute):
            kind = self.typeof(call.func.value)
            if name is not None and name.startswith("slicer.util."):
                kind = "slicer.util"
            if kind is not None:
                return _RETURNS.get((kind, call.func.attr))
            if isinstance(call.func.value, ast.Attribute) and self._dotted(call.func.value) in surface.classes():
                return _RETURNS.get((self._dotted(call.func.value), call.func.attr))
        return None

    # --- what is looked up --------------------------------------------------------------------------------------

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = (node.module or "").split(".")
        if module[0] == "slicer" and len(module) == 2 and node.level == 0:
            for alias in node.names:
                if module[1] in _SLICER_MODULES and alias.name not in module_names(module[1]):
                    self.report(node, f"slicer.{module[1]} has no {alias.name}")
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if node.attr.startswith("__"):
            pass
        elif name is not None and name.split(".")[0] in ("qt", "ctk", "slicer"):
            self._check_module(node, name)
        else:
            kind = self.typeof(node.value)
            if kind in surface.classes():
                self._check_member(node, kind)
            elif kind is None and id(node) in self.callees:
                self._check_unknown(node)
        self.generic_visit(node)

    def _check_module(self, node: ast.Attribute, name: str) -> None:
        parts = name.split(".")
        if len(parts) == 2 and parts[0] in ("qt", "ctk"):
            besides = _QT_BESIDES if parts[0] == "qt" else set()
            if name not in surface.classes() and parts[1] not in besides:
                self.report(node, f"{name} is not listed")
        elif len(parts) == 2 and parts[1].startswith(("qMRML", "qSlicer")) and name not in surface.classes():
            self.report(node, f"{name} is not listed")
        elif len(parts) == 3 and parts[0] == "slicer":
            self._check_slicer(node, parts)
        elif len(parts) == 3 and f"{parts[0]}.{parts[1]}" in surface.classes():
            self._check_on_class(node, f"{parts[0]}.{parts[1]}", parts[2])

    def _check_on_class(self, node: ast.Attribute, kind: str, own: str) -> None:
        if own not in surface.all_names(kind):
            self.report(node, f"{kind}.{own} is not listed")

    def _check_slicer(self, node: ast.Attribute, parts: list[str]) -> None:
        name, (_, module, own) = ".".join(parts), parts
        if module == "app" and own not in surface.application_names():
            self.report(node, f"{name} is not listed")
        elif module == "modules":
            base = own.removesuffix("Widget").removesuffix("Instance").lower()
            if own not in surface.module_names() and base not in self.known.modules:
                self.report(node, f"{name} is not listed")
        elif module in _SLICER_MODULES and own not in module_names(module):
            self.report(node, f"{name} is not listed")

    def _check_member(self, node: ast.Attribute, kind: str) -> None:
        if node.attr not in surface.all_names(kind):
            self.report(node, f"{kind} has no {node.attr}")
            return
        meant = surface.PYTHONQT_NAMES.get(node.attr, node.attr)
        lineage = surface.lineage(kind)
        is_property = any(meant in own.properties for own in lineage)
        sorted_out = all(own.sorted_out for own in lineage)
        if isinstance(node.ctx, ast.Store):
            if any(meant in own.read_only for own in lineage):
                self.report(node, f"{kind}.{node.attr} is read only")
            elif not is_property and sorted_out:
                self.report(node, f"{kind}.{node.attr} is a method and cannot be set")
        elif is_property and id(node) in self.callees:
            self.report(node, f"{kind}.{node.attr} is a property and cannot be called")

    def _check_unknown(self, node: ast.Attribute) -> None:
        root = node.value
        while isinstance(root, (ast.Attribute, ast.Call)):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        if isinstance(root, ast.Name) and root.id in (self.imported | self.foreign) - {"qt", "ctk", "slicer"}:
            return
        if isinstance(node.value, ast.Call) and self._dotted(node.value.func) == "super":
            return
        if not self.known.elsewhere:
            return
        everywhere = names_anywhere() | self.known.own | self.known.elsewhere | _DECLARED
        if node.attr not in everywhere and node.attr not in surface.PYTHONQT_NAMES:
            self.report(node, f"nothing has a method {node.attr}()")

    # --- what is called -----------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        self.callees.add(id(node.func))
        name = self._dotted(node.func) or ""
        if name in surface.functions():
            self._check_arguments(node, name, surface.functions()[name])
        elif name in surface.classes() and node.keywords:
            self.report(node, f"{name}() takes no keyword arguments under PythonQt")
        if isinstance(node.func, ast.Attribute):
            self._check_connection(node, node.func)
            kind = self.typeof(node.func.value)
            if node.keywords and kind in surface.classes():
                self.report(node, f"{kind}.{node.func.attr}() takes no keyword arguments under PythonQt")
        self.generic_visit(node)

    def _check_connection(self, node: ast.Call, function: ast.Attribute) -> None:
        if function.attr not in ("connect", "disconnect") or not node.args:
            return
        first = node.args[0]
        kind = self.typeof(function.value)
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and "(" in first.value:
            known = surface.signals_of(kind) if kind in surface.classes() else signals_anywhere()
            sorted_out = kind not in surface.classes() or all(own.sorted_out for own in surface.lineage(kind))
            if first.value not in known and sorted_out and kind != "slicer.app":
                self.report(node, f"{kind or 'nothing'} has no signal {first.value}")
        elif isinstance(function.value, ast.Attribute):
            owner = self.typeof(function.value.value)
            names = {s.split("(")[0] for s in surface.signals_of(owner)} if owner in surface.classes() else None
            if names is not None and function.value.attr not in names and surface.classes()[owner].sorted_out:
                self.report(node, f"{owner} has no signal {function.value.attr}")

    def _check_arguments(self, node: ast.Call, name: str, signature: str) -> None:
        unbound = name.count(".") == 3  # a method of a class, called with its object
        for text in argument_problems(node, signature, with_self=unbound):
            self.report(node, f"{name}(): {text}")


def argument_problems(call: ast.Call, signature: str, *, with_self: bool = False) -> Iterator[str]:
    """What in a call does not fit a signature's text."""
    arguments = surface.arguments_of(signature)
    positional = [a.arg for a in [*arguments.posonlyargs, *arguments.args] if with_self or a.arg != "self"]
    names = {*positional, *(a.arg for a in arguments.kwonlyargs)}
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in names and arguments.kwarg is None:
            yield f"takes no argument {keyword.arg}"
    starred = any(isinstance(a, ast.Starred) for a in call.args)
    if len(call.args) > len(positional) and arguments.vararg is None and not starred:
        yield f"takes {len(positional)} positional arguments, not {len(call.args)}"
