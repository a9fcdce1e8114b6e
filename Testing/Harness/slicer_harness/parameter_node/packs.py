"""`parameterPack`: some typed values kept together under `name.member`."""

from __future__ import annotations

import typing
from typing import Any

import slicer

from .annotations import NotNone, Validator, head_and_rest, split, unannotated
from .serializers import (
    Serializer,
    ValidatedSerializer,
    default_of,
    parameterNodeSerializer,
    serializer_for,
)


class Member:
    """One typed member of a pack or a wrapper."""

    def __init__(self, owner: type, name: str, kind: Any) -> None:
        self.basename, self.unalteredType = name, kind
        self.serializer, notes = serializer_for(kind)
        self.default = default_of(self.serializer, notes)
        if hasattr(owner, name):
            from .annotations import Default

            self.default = Default(getattr(owner, name))


def isParameterPack(obj: Any) -> bool:
    return getattr(obj, "_is_parameterPack", False)


def _key(name: str) -> str:
    return f"_parameterPack_{name}_impl"


def _property(member: Member) -> property:
    def put(self: Any, value: Any) -> None:
        member.serializer.validate(value)
        object.__setattr__(self, _key(member.basename), value)
        saver = self.__dict__.get("_saver")
        if saver is not None:
            saver(self)

    return property(lambda self: getattr(self, _key(member.basename)), put)


def _initialise(self: Any, *values: Any, **named: Any) -> None:
    members = self.allParameters
    given = dict(zip(members, values, strict=False)) | named
    unknown = set(given) - set(members)
    if unknown:
        raise TypeError(f"__init__() got an unexpected keyword argument '{min(unknown)}'")
    for name, member in members.items():
        setattr(self, name, given.get(name, member.default.value))


def _get(self: Any, membername: str) -> Any:
    head, rest = head_and_rest(membername)
    if head not in self.allParameters:
        raise ValueError(f"{self} has no member '{head}'")
    value = getattr(self, head)
    return value if rest is None else value.getValue(rest)


def _set(self: Any, membername: str, value: Any) -> None:
    head, rest = head_and_rest(membername)
    if head not in self.allParameters:
        raise ValueError(f"{self} has no member '{head}'")
    if rest is None:
        setattr(self, head, value)
    else:
        getattr(self, head).setValue(rest, value)


def _equal(self: Any, other: Any) -> bool:
    same = isParameterPack(other) and type(other).allParameters.keys() == self.allParameters.keys()
    return same and all(getattr(self, name) == getattr(other, name) for name in self.allParameters)


def _text(self: Any) -> str:
    def shown(value: Any) -> str:
        return f'"{value}"' if isinstance(value, str) else str(value)

    return f"{type(self).__name__}({', '.join(f'{n}={shown(getattr(self, n))}' for n in self.allParameters)})"


def parameterPack(classtype: type | None = None) -> Any:
    """Class decorator: annotated members become validated properties."""

    def process(cls: type) -> type:
        kinds = typing.get_type_hints(cls, include_extras=True)
        if not kinds:
            raise ValueError("Unable to find any members in parameterPack")
        members = {name: Member(cls, name, kind) for name, kind in kinds.items()}
        for member in members.values():
            try:
                member.serializer.validate(member.default.value)
            except Exception as error:
                raise ValueError(
                    f"The default parameter of '{member.default.value}' fails the validation checks:\n  {error}"
                ) from error
            setattr(cls, member.basename, _property(member))
        own = vars(cls).get("__init__")
        if own is None:
            cls.__init__ = _initialise
        else:

            def both(self: Any, *args: Any, **kwargs: Any) -> None:
                _initialise(self)
                own(self, *args, **kwargs)

            cls.__init__ = both
        cls.allParameters, cls._is_parameterPack = members, True
        cls.getValue, cls.setValue = _get, _set
        cls.dataType = staticmethod(lambda membername: data_type(members, membername))
        for name, function in (("__eq__", _equal), ("__str__", _text), ("__repr__", _text)):
            if name not in vars(cls) or name == "__eq__":
                setattr(cls, name, function)
        cls.__hash__ = None
        return cls

    return process if classtype is None else process(classtype)


def data_type(members: dict[str, Member], name: str) -> Any:
    """The annotated type of a member, `x.y` of one inside a pack."""
    head, rest = head_and_rest(name)
    if head not in members:
        raise ValueError(f"Cannot find a param with the given name: {head}")
    kind = members[head].unalteredType
    return kind if rest is None else unannotated(kind).dataType(rest)


def nestedParameterNames(parameterPackClassOrInstance: Any) -> list[str]:
    given = parameterPackClassOrInstance
    kind = given if isParameterPack(given) else unannotated(given)
    names = []
    for name, member in kind.allParameters.items():
        inner = split(member.unalteredType)[0]
        names += [f"{name}.{sub}" for sub in nestedParameterNames(inner)] if isParameterPack(inner) else [name]
    return names


class _IsPack(Validator):
    def __init__(self, kind: type) -> None:
        self.kind = kind

    def validate(self, value: Any) -> None:
        if not isinstance(value, self.kind):
            raise ValueError(f"Value must be of type '{self.kind}', is type '{type(value)}'")


@parameterNodeSerializer
class ParameterPackSerializer(Serializer):
    """Each member under `name.<member>`; what is read writes itself at each change."""

    def __init__(self, type_: type) -> None:
        self.type = type_

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isParameterPack(type_)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(ParameterPackSerializer(type_), [NotNone(), _IsPack(type_)])

    def default(self) -> Any:
        return self.type()

    def _named(self, name: str) -> list[tuple[str, Member]]:
        return [(f"{name}.{own}", member) for own, member in self.type.allParameters.items()]

    def isIn(self, parameterNode: Any, name: str) -> bool:
        full, member = self._named(name)[0]
        return member.serializer.isIn(parameterNode, full)

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        with slicer.util.NodeModify(parameterNode):
            for full, member in self._named(name):
                member.serializer.write(parameterNode, full, getattr(value, member.basename))

    def read(self, parameterNode: Any, name: str) -> Any:
        pack = object.__new__(self.type)
        _initialise(pack, **{m.basename: m.serializer.read(parameterNode, full) for full, m in self._named(name)})
        object.__setattr__(pack, "_saver", lambda value: self.write(parameterNode, name, value))
        return pack

    def remove(self, parameterNode: Any, name: str) -> None:
        for full, member in self._named(name):
            member.serializer.remove(parameterNode, full)

    def supportsCaching(self) -> bool:
        return all(member.serializer.supportsCaching() for member in self.type.allParameters.values())


@parameterPack
class FloatRange:
    """Two numbers in order."""

    minimum: float = 0.0
    maximum: float = 0.0

    def __init__(self, minimum: float = 0, maximum: float = 0) -> None:
        self.setRange(minimum, maximum)

    @staticmethod
    def checkRange(minimum: float, maximum: float) -> None:
        if minimum > maximum:
            raise ValueError(f"FloatRange must have minimum <= maximum: {minimum} <= {maximum}")

    def setRange(self, minimum: float, maximum: float) -> None:
        self.checkRange(minimum, maximum)
        self.minimum, self.maximum = minimum, maximum
