"""Annotations on a parameter: validators, defaults, how a widget shows a number."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any


class Validator:
    """Raises where a value may not be kept."""

    def validate(self, value: Any) -> None:
        raise NotImplementedError("validate is not implemented")


class NotNone(Validator):
    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


class IsNone(Validator):
    def validate(self, value: Any) -> None:
        if value is not None:
            raise ValueError("Value must be None")


@dataclass
class IsInstance(Validator):
    classtype: Any

    def validate(self, value: Any) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'")


@dataclass
class WithinRange(Validator):
    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum or value > self.maximum or value != value:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclass
class Minimum(Validator):
    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be greater than {self.minimum}, is {value}")


@dataclass
class Maximum(Validator):
    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be greater than {self.maximum}, is {value}")


@dataclass
class Choice(Validator):
    choices: Any

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


@dataclass
class Exclude(Validator):
    excludedValues: Any

    def validate(self, value: Any) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value is {value}, but must not be an excluded value: {self.excludedValues}")


@dataclass
class RangeBounds(Validator):
    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if value.minimum < self.minimum or value.maximum > self.maximum:
            raise ValueError(
                f"Range must be within the bound of [{self.minimum}, {self.maximum}], is "
                f"[{value.minimum}, {value.maximum}]"
            )


class Default:
    """The first value of a parameter, fixed or made anew each time."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value, self._generator = value, generator

    @property
    def value(self) -> Any:
        return self._value if self._generator is None else self._generator()


@dataclass
class Decimals:
    """Digits after the point in a bound widget."""

    value: int


@dataclass
class SingleStep:
    """Step of a bound widget."""

    value: float


@dataclass
class Label:
    """What a generated widget says; has no effect on a .ui file's."""

    label: str


def split(possiblyAnnotatedType: Any) -> tuple[Any, tuple]:
    """The type itself, and its annotations."""
    if typing.get_origin(possiblyAnnotatedType) is Annotated:
        inner, *notes = typing.get_args(possiblyAnnotatedType)
        return inner, tuple(notes)
    return possiblyAnnotatedType, ()


def unannotated(possiblyAnnotatedType: Any) -> Any:
    return split(possiblyAnnotatedType)[0]


def first(annotationsList: Iterable[Any], annotationType: type) -> Any:
    """The first annotation of that class, or None."""
    return next((note for note in annotationsList if isinstance(note, annotationType)), None)


def head_and_rest(name: str) -> tuple[str, str | None]:
    """`x.y.z` is `x`, then `y.z`."""
    head, dot, rest = name.partition(".")
    return head, rest if dot else None
