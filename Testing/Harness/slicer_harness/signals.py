"""Signals as PythonQt connects them: by signature string or attribute, and slots that take fewer arguments."""

from __future__ import annotations

import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import SIGNAL, QMetaMethod, QObject

# Qt 5 signal, with what Qt 6 sends in its place and how to turn the one into the other.
_OF_QT5: dict[tuple[str, str], tuple[str, Callable[[Any, Any], Any]]] = {
    ("QComboBox", "currentIndexChanged(QString)"): ("currentIndexChanged(int)", lambda box, i: box.itemText(i)),
    ("QComboBox", "activated(QString)"): ("activated(int)", lambda box, i: box.itemText(i)),
    ("QComboBox", "highlighted(QString)"): ("highlighted(int)", lambda box, i: box.itemText(i)),
    ("QSpinBox", "valueChanged(QString)"): ("textChanged(QString)", lambda box, text: text),
    ("QDoubleSpinBox", "valueChanged(QString)"): ("textChanged(QString)", lambda box, text: text),
}


@dataclass
class SlotError:
    """An exception that a slot raised: Slicer prints it and goes on; a test should look."""

    error: BaseException
    text: str


@dataclass
class _Errors:
    """What slots and event handlers raised since the last `clear`."""

    found: list[SlotError] = field(default_factory=list)

    def record(self, error: BaseException) -> None:
        text = "".join(traceback.format_exception(error))
        self.found.append(SlotError(error, text))
        print(text, file=sys.stderr, end="")


errors = _Errors()


def argument_count(function: Callable[..., Any]) -> int | None:
    """How many arguments PythonQt passes to a slot at most; None for all it has.

    Only plain functions and bound methods are counted, defaults included, as PythonQt does.
    """
    if inspect.ismethod(function):
        code, bound = getattr(function.__func__, "__code__", None), 1
    else:
        code, bound = getattr(function, "__code__", None) if inspect.isfunction(function) else None, 0
    if code is None or code.co_flags & inspect.CO_VARARGS:
        return None
    return code.co_argcount - bound


def guarded(function: Callable[..., Any], convert: Callable[[Any], Any] = lambda value: value) -> Callable[..., Any]:
    """`function` as a slot: given no more arguments than it takes; what it raises is recorded and printed."""
    count = argument_count(function)

    def slot(*arguments: Any) -> Any:
        given = arguments if count is None else arguments[:count]
        try:
            return function(*(convert(value) for value in given))
        except SystemExit:
            raise
        except BaseException as error:
            errors.record(error)
            return None

    functools.update_wrapper(slot, function, assigned=("__name__", "__doc__"), updated=())
    return slot


def normalised(signature: str) -> str:
    """A signature without blanks, `const` and references, as Qt compares them."""
    name, _, rest = signature.replace("const ", "").replace("&", "").partition("(")
    return f"{name.strip()}({rest.replace(' ', '')}"


@functools.cache
def signatures(cls: type[QObject], name: str) -> list[str]:
    """The overloads that the meta object of a PySide6 class has of a signal."""
    meta = cls.staticMetaObject
    methods = (meta.method(i) for i in range(meta.methodCount()))
    found = (m.methodSignature().data().decode() for m in methods if m.methodType() == QMetaMethod.MethodType.Signal)
    return [s for s in found if s.split("(")[0] == name]


def sent_signature(sender: QObject, signature: str) -> tuple[str, Callable[[Any, Any], Any] | None]:
    """The signature under which the sender really sends a signal, and how to convert its argument."""
    wanted = normalised(signature)
    for base in type(sender).__mro__:
        if (base.__name__, wanted) in _OF_QT5:
            return _OF_QT5[base.__name__, wanted]
    offered = signatures(type(sender), wanted.split("(")[0])
    if wanted in offered:
        return wanted, None
    # a stand-in written in Python sends MRML objects and other foreign classes as PyObject
    kinds = wanted[wanted.index("(") + 1 : -1].split(",")
    for candidate in offered:
        own = candidate[candidate.index("(") + 1 : -1].split(",")
        if len(own) == len(kinds) and all(o in (k, "PyObject", "QVariant") for o, k in zip(own, kinds, strict=True)):
            return candidate, None
    raise LookupError(f"{type(sender).__name__} stands in for no signal {signature}; it sends {offered}")


def preferred(listed: list[str]) -> str:
    """The overload that connecting by attribute takes: Qt declares nodes and numbers first, then text, then less."""

    def rank(signature: str) -> tuple[int, int]:
        inside = signature[signature.index("(") + 1 : -1]
        return (-len(inside.split(",")) if inside else 0, 0 if "*" in inside else 2 if inside == "QString" else 1)

    return min(listed, key=rank)


@dataclass
class Connection:
    """One connection of a sender, kept so that it can be found again by what was connected."""

    signature: str
    function: Callable[..., Any]
    handle: Any


def connect(sender: QObject, signature: str, function: Callable[..., Any], convert: Callable[[Any], Any]) -> Connection:
    """Connect by signature; the slot gets its arguments through `convert`."""
    sent, change = sent_signature(sender, signature)
    slot = guarded(function, convert)
    if change is not None:
        inner, target = slot, sender
        slot = lambda value, *_rest: inner(change(target, value))  # noqa: E731  (a slot, not a function of the module)
    handle = QObject.connect(sender, SIGNAL(sent), slot)
    return Connection(normalised(signature), function, handle)
