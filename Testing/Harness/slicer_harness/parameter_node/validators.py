"""What refuses a value that may not be kept, in Slicer's words."""

from __future__ import annotations

import typing
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


def split(possibly_annotated: Any) -> tuple[Any, tuple]:
    """The type itself, and its annotations."""
    if typing.get_origin(possibly_annotated) is Annotated:
        inner, *notes = typing.get_args(possibly_annotated)
        return inner, tuple(notes)
    return possibly_annotated, ()
