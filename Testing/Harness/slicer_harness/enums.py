"""Enums as PythonQt gives them: integers that live on the class, here with the PySide6 member they stand for."""

from __future__ import annotations

import enum
import typing
from functools import cache

from PySide6 import QtCore


class EnumValue(int):
    """An int that remembers the PySide6 enum member (or combination of flags) it stands for."""

    member: enum.Enum | None

    def __new__(cls, value: int, member: enum.Enum | None = None) -> EnumValue:
        self = super().__new__(cls, value)
        self.member = member
        return self

    def _combined(self, other: int, operator: str) -> EnumValue:
        value = getattr(int(self), operator)(int(other))
        other_member = getattr(other, "member", None)
        if isinstance(self.member, enum.Flag) and isinstance(other_member, type(self.member)):
            return EnumValue(value, getattr(self.member, operator)(other_member))
        return EnumValue(value)

    def __or__(self, other: int) -> EnumValue:
        return self._combined(other, "__or__")

    def __and__(self, other: int) -> EnumValue:
        return self._combined(other, "__and__")

    def __xor__(self, other: int) -> EnumValue:
        return self._combined(other, "__xor__")

    __ror__, __rand__, __rxor__ = __or__, __and__, __xor__

    def __invert__(self) -> EnumValue:
        return EnumValue(~int(self), ~self.member if isinstance(self.member, enum.Flag) else None)


def value_of(member: enum.Enum) -> EnumValue:
    """The integer of a PySide6 enum member; a plain flag's value, whatever Python class carries it."""
    value = member.value
    return EnumValue(int(value) if isinstance(value, int) else hash(member), member)


def is_enum_class(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, enum.Enum)


def coerced(value: int, kind: type[enum.Enum]) -> enum.Enum:
    """The member of `kind` that `value` stands for; ValueError where there is none."""
    return kind(int(value))


@cache
def enum_parameters(signatures: tuple) -> tuple[dict[int, type[enum.Enum]], ...]:
    """For each overload the positions that take an enum, `self` not counted."""
    found = []
    for signature in signatures:
        parameters = [p for name, p in signature.parameters.items() if name != "self"]
        found.append({i: kind for i, p in enumerate(parameters) if (kind := _enum_in(p.annotation)) is not None})
    return tuple(found)


def _enum_in(annotation: object) -> type[enum.Enum] | None:
    if is_enum_class(annotation):
        return annotation
    return next((a for a in typing.get_args(annotation) if is_enum_class(a)), None)


# Values of Qt 5 that Qt 6 has under no name of its class.
OF_QT5 = {
    "QPrinter": {"A4": 0, "B5": 1, "Letter": 2, "Legal": 3, "A3": 8, "A5": 9, "Portrait": 0, "Landscape": 1},
    "QComboBox": {"AdjustToMinimumContentsLength": 2},
}


class QtNamespace:
    """`qt.Qt`: its enum members, flat, as in Qt 5."""


for _kind in vars(QtCore.Qt).values():
    if is_enum_class(_kind):
        for _member in _kind.__members__.values():  # a flag's zero, such as NoFocus, is no item of it
            setattr(QtNamespace, _member.name, value_of(_member))
QtNamespace.__name__ = QtNamespace.__qualname__ = "Qt"
