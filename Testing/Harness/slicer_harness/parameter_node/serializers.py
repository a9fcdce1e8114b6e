"""How values stand in a vtkMRMLScriptedModuleNode: Slicer's own encoding, so that a scene saved here opens there."""

from __future__ import annotations

import enum
import pathlib
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

import slicer

from .annotations import Default, IsInstance, IsNone, NotNone, Validator, split

_registered: list[type[Serializer]] = []


class Serializer:
    """Writes values of one kind to a node and reads them; parameters are named, `name.part` where one takes several."""

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        raise NotImplementedError("canSerialize is not implemented")

    @staticmethod
    def create(type_: Any) -> Serializer | None:
        raise NotImplementedError("create is not implemented")

    def default(self) -> Any:
        raise NotImplementedError("default is not implemented")

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return bool(parameterNode.HasParameter(name))

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        raise NotImplementedError("write is not implemented")

    def read(self, parameterNode: Any, name: str) -> Any:
        raise NotImplementedError("read is not implemented")

    def remove(self, parameterNode: Any, name: str) -> None:
        parameterNode.UnsetParameter(name)

    def supportsCaching(self) -> bool:
        return False


def parameterNodeSerializer(classtype: type | None = None) -> Any:
    """Decorator that registers a serializer; the first that can serialize a type does."""

    def register(cls: type) -> type:
        if not issubclass(cls, Serializer):
            raise Exception("Must be a serializer type.")
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


class ValidatedSerializer(Serializer):
    """A serializer behind validators; the inner ones speak first."""

    def __init__(self, serializer: Serializer, validators: Sequence[Validator]) -> None:
        inner = isinstance(serializer, ValidatedSerializer)
        self.serializer = serializer.serializer if inner else serializer
        self.validators = [*(serializer.validators if inner else ()), *(validators or ())]

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return False

    @staticmethod
    def create(type_: Any) -> Serializer | None:
        raise Exception("ValidatedSerializer does not support create!")

    def validate(self, value: Any) -> None:
        for validator in self.validators:
            (validator() if isinstance(validator, type) else validator).validate(value)

    def default(self) -> Any:
        return self.serializer.default()

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self.serializer.isIn(parameterNode, name)

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        self.validate(value)
        self.serializer.write(parameterNode, name, value)

    def read(self, parameterNode: Any, name: str) -> Any:
        return self.serializer.read(parameterNode, name)

    def remove(self, parameterNode: Any, name: str) -> None:
        self.serializer.remove(parameterNode, name)

    def supportsCaching(self) -> bool:
        return self.serializer.supportsCaching()


def serializer_for(kind: Any) -> tuple[ValidatedSerializer, tuple]:
    """The serializer of an annotated type, and the annotations that are neither validators nor serializers."""
    inner, notes = split(kind)
    if isinstance(inner, types.UnionType):
        inner = typing.Union[typing.get_args(inner)]  # noqa: UP007  (made from a tuple)
    validators = [n for n in notes if _is(n, Validator)]
    given = [n for n in notes if _is(n, Serializer)]
    rest = tuple(n for n in notes if not _is(n, Validator) and not _is(n, Serializer))
    return ValidatedSerializer(given[0] if given else _made(inner), validators), rest


def default_of(serializer: Serializer, notes: tuple) -> Default:
    """The default that annotations name, or the serializer's own."""
    named = [n for n in notes if isinstance(n, Default)]
    if len(named) > 1:
        raise Exception("Multiple defaults found")
    return named[0] if named else Default(serializer.default())


def _is(note: Any, kind: type) -> bool:
    return isinstance(note, kind) or (isinstance(note, type) and issubclass(note, kind))


def _made(kind: Any) -> Serializer:
    for candidate in _registered:
        if candidate.canSerialize(kind):
            return candidate.create(kind)
    raise Exception(f"Unable to create serializer for type: {kind}")


class _Text(Serializer):
    """Values that are one text in the node."""

    def __init__(self, default: Any, write: Callable[[Any], str], read: Callable[[str], Any]) -> None:
        self._default, self._write, self._read = default, write, read

    def default(self) -> Any:
        return self._default() if callable(self._default) else self._default

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        parameterNode.SetParameter(name, self._write(value))

    def read(self, parameterNode: Any, name: str) -> Any:
        return self._read(parameterNode.GetParameter(name))

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class NumberSerializer(_Text):
    def __init__(self, type: type) -> None:
        super().__init__(0, str, type)

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ in (int, float)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(
            NumberSerializer(type_), [NotNone(), IsInstance((int, float) if type_ is float else int)]
        )


@parameterNodeSerializer
class StringSerializer(_Text):
    def __init__(self) -> None:
        super().__init__("", str, str)

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is str

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(StringSerializer(), [NotNone(), IsInstance(str)])


_PATHS = (
    *(pathlib.Path, pathlib.PosixPath, pathlib.WindowsPath),
    *(pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath),
)


@parameterNodeSerializer
class PathSerializer(_Text):
    def __init__(self, pathtype: type) -> None:
        super().__init__(pathtype, str, pathtype)

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ in _PATHS

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(PathSerializer(type_), [NotNone(), IsInstance(type_)])


@parameterNodeSerializer
class BoolSerializer(_Text):
    def __init__(self) -> None:
        super().__init__(False, lambda value: "True" if value else "False", lambda text: text == "True")

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is bool

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(BoolSerializer(), [NotNone(), IsInstance(bool)])


@parameterNodeSerializer
class NodeSerializer(Serializer):
    """A node reference of the parameter's name; an empty parameter beside it says that it was set."""

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isinstance(type_, type) and issubclass(type_, slicer.vtkMRMLNode)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(NodeSerializer(), [IsInstance(type_)])

    def default(self) -> None:
        return None

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        parameterNode.SetParameter(name, "")
        parameterNode.SetNodeReferenceID(name, None if value is None else value.GetID())

    def read(self, parameterNode: Any, name: str) -> Any:
        return parameterNode.GetNodeReference(name)

    def remove(self, parameterNode: Any, name: str) -> None:
        parameterNode.UnsetParameter(name)
        parameterNode.RemoveNodeReferenceIDs(name)

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class NoneSerializer(_Text):
    """None within an Optional."""

    def __init__(self) -> None:
        super().__init__(dict, lambda _value: "True", lambda _text: None)

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is type(None)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(NoneSerializer(), [IsNone()])


@parameterNodeSerializer
class EnumSerializer(_Text):
    """The member's name."""

    def __init__(self, enum_: type[enum.Enum]) -> None:
        if not len(enum_):
            raise ValueError("Cannot serialize empty Enum.")
        self._enum = enum_
        super().__init__(lambda: next(iter(enum_)), lambda value: value.name, self._member)

    def _member(self, key: str) -> enum.Enum:
        try:
            return self._enum[key]
        except KeyError as error:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self._enum!r}") from error

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isinstance(type_, type) and issubclass(type_, enum.Enum)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(EnumSerializer(type_), [IsInstance(type_)])
