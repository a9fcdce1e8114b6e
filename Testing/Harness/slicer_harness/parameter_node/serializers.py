"""How values stand in a vtkMRMLScriptedModuleNode: Slicer's own encoding, so that a scene saved here opens there."""

from __future__ import annotations

import enum
import pathlib
import types
import typing
from collections.abc import Callable
from typing import Any

import slicer

from ..special_members import NotStoodIn
from .observed_list import ObservedList
from .validators import IsInstance, NotNone, Validator, split


class Serializer:
    """Writes values of one kind to a node and reads them, once its validators let them pass."""

    def __init__(self, default: Any, *validators: Validator) -> None:
        self._default, self.validators = default, list(validators)

    def default(self) -> Any:
        return self._default

    def validate(self, value: Any) -> None:
        for validator in self.validators:
            validator.validate(value)

    def isIn(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        self._put(node, name, value)

    def _put(self, node: Any, name: str, value: Any) -> None:
        raise NotImplementedError

    def read(self, node: Any, name: str) -> Any:
        raise NotImplementedError

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)


class TextSerializer(Serializer):
    """Values that are one text in the node, and never None."""

    def __init__(self, default: Any, kind: Any, write: Callable[[Any], str], read: Callable[[str], Any]) -> None:
        super().__init__(default, NotNone(), IsInstance(kind))
        self._write, self._read = write, read

    def _put(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, self._write(value))

    def read(self, node: Any, name: str) -> Any:
        return self._read(node.GetParameter(name))


class NodeSerializer(Serializer):
    """A node reference of the parameter's name; an empty parameter beside it says that it was set."""

    def __init__(self, kind: type) -> None:
        super().__init__(None, IsInstance(kind))

    def _put(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, None if value is None else value.GetID())

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        super().remove(node, name)
        node.RemoveNodeReferenceIDs(name)


class UnionOfNodesSerializer(Serializer):
    """Slicer accepts the type, and then has no member of the union to write its default None as."""

    def write(self, node: Any, name: str, value: Any) -> None:
        raise TypeError(f"Unable to write value '{value}' of type '{type(value)}'")


class ListSerializer(Serializer):
    """`name.len`, and each element under `name.<index>`."""

    def __init__(self, element: Serializer) -> None:
        super().__init__([])
        self._element, self._length = element, _of_type(int)

    def isIn(self, node: Any, name: str) -> bool:
        return self._length.isIn(node, f"{name}.len")

    def _count(self, node: Any, name: str) -> int:
        return self._length.read(node, f"{name}.len") if self.isIn(node, name) else 0

    def _put(self, node: Any, name: str, values: Any) -> None:
        with slicer.util.NodeModify(node):
            before = list(self.read(node, name)) if self.isIn(node, name) else None
            count = self._count(node, name)
            try:
                for index, value in enumerate(values):
                    self._element.write(node, f"{name}.{index}", value)
                self._length.write(node, f"{name}.len", len(values))
                for index in range(len(values), count):
                    self._element.remove(node, f"{name}.{index}")
            except Exception:
                if before is None:
                    self.remove(node, name)
                else:
                    self.write(node, name, before)
                raise

    def read(self, node: Any, name: str) -> ObservedList:
        values = [self._element.read(node, f"{name}.{index}") for index in range(self._count(node, name))]
        return ObservedList(node, self, name, values)

    def remove(self, node: Any, name: str) -> None:
        with slicer.util.NodeModify(node):
            for index in range(self._count(node, name)):
                self._element.remove(node, f"{name}.{index}")
            self._length.remove(node, f"{name}.len")


def serializer_for(kind: Any) -> Serializer:
    """The serializer of a type that may be annotated: its validators speak after those of the type itself."""
    inner, notes = split(kind)
    foreign = [note for note in notes if not isinstance(note, Validator)]
    if foreign:
        raise NotStoodIn(f"The harness knows no annotation {foreign[0]!r} of a parameter yet.")
    made = _of_type(inner)
    made.validators += notes
    return made


def _of_type(kind: Any) -> Serializer:
    if kind in (int, float):
        return TextSerializer(0, (int, float) if kind is float else int, str, kind)
    if kind is str:
        return TextSerializer("", str, str, str)
    if kind is bool:
        return TextSerializer(False, bool, lambda value: "True" if value else "False", lambda text: text == "True")
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _of_enum(kind)
    if isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode):
        return NodeSerializer(kind)
    if typing.get_origin(kind) is list:
        return ListSerializer(serializer_for(typing.get_args(kind)[0]))
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        members = typing.get_args(kind)
        if all(isinstance(member, type) and issubclass(member, slicer.vtkMRMLNode) for member in members):
            return UnionOfNodesSerializer(None)
    _refuse_what_slicer_takes(kind)
    raise Exception(f"Unable to create serializer for type: {kind}")


def _of_enum(kind: type[enum.Enum]) -> Serializer:
    def member(key: str) -> enum.Enum:
        try:
            return kind[key]
        except KeyError as error:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {kind!r}") from error

    return TextSerializer(next(iter(kind)), kind, lambda value: value.name, member)


def _refuse_what_slicer_takes(kind: Any) -> None:
    """Say of a kind that Slicer can keep that it is the harness which cannot."""
    origin = typing.get_origin(kind) or kind
    path = isinstance(origin, type) and issubclass(origin, pathlib.PurePath)
    if path or origin in (typing.Union, types.UnionType, dict, tuple, list, Any):
        raise NotStoodIn(f"Slicer keeps a parameter of type {kind}, but the harness does not yet.")
