"""How values of several parts stand in a parameter node: `name.0`, `name.len`, `name.type`."""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Sequence
from typing import Any

import slicer

from .observed import ObservedDict, ObservedList
from .serializers import (
    NoneSerializer,
    NumberSerializer,
    Serializer,
    StringSerializer,
    ValidatedSerializer,
    parameterNodeSerializer,
    serializer_for,
)


@parameterNodeSerializer
class ListSerializer(Serializer):
    """`name.len`, and each element under `name.<index>`."""

    def __init__(self, elementTypeSerializer: Serializer) -> None:
        self._element, self._length = elementTypeSerializer, NumberSerializer(int)

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is list or type_ is list

    @staticmethod
    def create(type_: Any) -> Serializer:
        arguments = typing.get_args(type_) or (Any,)
        return ListSerializer(serializer_for(arguments[0])[0])

    def default(self) -> list:
        return []

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._length.isIn(parameterNode, f"{name}.len")

    def _count(self, parameterNode: Any, name: str) -> int:
        return self._length.read(parameterNode, f"{name}.len") if self.isIn(parameterNode, name) else 0

    def write(self, parameterNode: Any, name: str, values: Any) -> None:
        with slicer.util.NodeModify(parameterNode):
            before = list(self.read(parameterNode, name)) if self.isIn(parameterNode, name) else None
            count = self._count(parameterNode, name)
            try:
                for index, value in enumerate(values):
                    self._element.write(parameterNode, f"{name}.{index}", value)
                self._length.write(parameterNode, f"{name}.len", len(values))
                for index in range(len(values), count):
                    self._element.remove(parameterNode, f"{name}.{index}")
            except Exception:
                if before is None:
                    self.remove(parameterNode, name)
                else:
                    self.write(parameterNode, name, before)
                raise

    def read(self, parameterNode: Any, name: str) -> ObservedList:
        count = self._count(parameterNode, name)
        values = [self._element.read(parameterNode, f"{name}.{index}") for index in range(count)]
        return ObservedList(parameterNode, self, name, values)

    def remove(self, parameterNode: Any, name: str) -> None:
        with slicer.util.NodeModify(parameterNode):
            for index in range(self._count(parameterNode, name)):
                self._element.remove(parameterNode, f"{name}.{index}")
            self._length.remove(parameterNode, f"{name}.len")

    def supportsCaching(self) -> bool:
        return self._element.supportsCaching()


class _OfMembers(Serializer):
    """Several serializers, each under the name and its number."""

    _members: list[Serializer]

    def remove(self, parameterNode: Any, name: str) -> None:
        for index, member in enumerate(self._members):
            member.remove(parameterNode, f"{name}.{index}")

    def supportsCaching(self) -> bool:
        return all(member.supportsCaching() for member in self._members)


@parameterNodeSerializer
class TupleSerializer(_OfMembers):
    """Each member under `name.<index>`."""

    def __init__(self, serializers: Sequence[Serializer]) -> None:
        self._members = list(serializers)

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is tuple

    @staticmethod
    def create(type_: Any) -> Serializer:
        return TupleSerializer([serializer_for(kind)[0] for kind in typing.get_args(type_)])

    def default(self) -> tuple:
        return tuple(member.default() for member in self._members)

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._members[0].isIn(parameterNode, f"{name}.0")

    def write(self, parameterNode: Any, name: str, values: Any) -> None:
        values = tuple(values)
        if len(values) != len(self._members):
            raise ValueError("Unexpected number of tuple values")
        with slicer.util.NodeModify(parameterNode):
            for index, (member, value) in enumerate(zip(self._members, values, strict=True)):
                member.write(parameterNode, f"{name}.{index}", value)

    def read(self, parameterNode: Any, name: str) -> tuple:
        return tuple(member.read(parameterNode, f"{name}.{index}") for index, member in enumerate(self._members))


@parameterNodeSerializer
class DictSerializer(Serializer):
    """A list of (key, value) tuples."""

    def __init__(self, keySerializer: Serializer, valueSerializer: Serializer) -> None:
        self._pairs = ListSerializer(TupleSerializer([keySerializer, valueSerializer]))

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is dict or type_ is dict

    @staticmethod
    def create(type_: Any) -> Serializer:
        key, value = typing.get_args(type_) or (Any, Any)
        return DictSerializer(serializer_for(key)[0], serializer_for(value)[0])

    def default(self) -> dict:
        return {}

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._pairs.isIn(parameterNode, name)

    def write(self, parameterNode: Any, name: str, dictionary: Any) -> None:
        self._pairs.write(parameterNode, name, list(dictionary.items()))

    def read(self, parameterNode: Any, name: str) -> ObservedDict:
        return ObservedDict(parameterNode, self, name, dict(self._pairs.read(parameterNode, name)))

    def remove(self, parameterNode: Any, name: str) -> None:
        self._pairs.remove(parameterNode, name)

    def supportsCaching(self) -> bool:
        return self._pairs.supportsCaching()


@parameterNodeSerializer
class UnionSerializer(_OfMembers):
    """The value under `name.<index of its type in the union>`."""

    def __init__(self, serializers: Sequence[Serializer]) -> None:
        self._members = [ValidatedSerializer(s, []) for s in serializers]

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is typing.Union or isinstance(type_, types.UnionType)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return UnionSerializer([serializer_for(kind)[0] for kind in typing.get_args(type_)])

    def default(self) -> Any:
        optional = len(self._members) == 2 and isinstance(self._members[1].serializer, NoneSerializer)
        return None if optional else self._members[0].default()

    def _holder(self, parameterNode: Any, name: str) -> tuple[ValidatedSerializer, str] | None:
        named = ((member, f"{name}.{index}") for index, member in enumerate(self._members))
        return next(((m, n) for m, n in named if m.isIn(parameterNode, n)), None)

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._holder(parameterNode, name) is not None

    def _chosen(self, value: Any) -> int:
        refused: Exception | None = None
        for index, member in enumerate(self._members):
            if member.serializer.canSerialize(type(value)):
                try:
                    member.validate(value)
                except Exception as error:
                    refused = error
                else:
                    return index
        raise refused or TypeError(f"Unable to write value '{value}' of type '{type(value)}'")

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        index = self._chosen(value)
        with slicer.util.NodeModify(parameterNode):
            self.remove(parameterNode, name)
            self._members[index].write(parameterNode, f"{name}.{index}", value)

    def read(self, parameterNode: Any, name: str) -> Any:
        holder = self._holder(parameterNode, name)
        if holder is None:
            raise KeyError(f"Unable to find value for name: {name}")
        return holder[0].read(parameterNode, holder[1])


@parameterNodeSerializer
class AnySerializer(Serializer):
    """Module and class of the value under `name.type`, the value under `name.value`."""

    def __init__(self) -> None:
        self._type = TupleSerializer([StringSerializer(), StringSerializer()])

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is Any

    @staticmethod
    def create(type_: Any) -> Serializer:
        return AnySerializer()

    def default(self) -> None:
        return None

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._type.isIn(parameterNode, f"{name}.type")

    def _inner(self, parameterNode: Any, name: str) -> Serializer:
        module, cls = self._type.read(parameterNode, f"{name}.type")
        kind = type(None) if cls == "NoneType" else getattr(importlib.import_module(module), cls)
        return serializer_for(kind)[0]

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        self.remove(parameterNode, name)
        serializer_for(type(value))[0].write(parameterNode, f"{name}.value", value)
        self._type.write(parameterNode, f"{name}.type", (type(value).__module__, type(value).__name__))

    def read(self, parameterNode: Any, name: str) -> Any:
        return self._inner(parameterNode, name).read(parameterNode, f"{name}.value")

    def remove(self, parameterNode: Any, name: str) -> None:
        if self.isIn(parameterNode, name):
            self._inner(parameterNode, name).remove(parameterNode, f"{name}.value")
            self._type.remove(parameterNode, f"{name}.type")
