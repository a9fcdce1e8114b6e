"""What callers give, as the type that is declared: paths as text, numbers of numpy, lists, dictionaries; or refused.

One place for it: `settle` fits the fields of a dataclass when it is made, `fitted` the arguments of a function when it
is called, both by their annotations.
"""

from __future__ import annotations

import collections.abc
import inspect
import os
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial, wraps
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from .errors import InputError
from .remedies import Remedy

_Function = TypeVar("_Function", bound=Callable[..., Any])
_SHOWN = 80  # letters of a value in a sentence
_WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    np.ndarray: "a 4x4 matrix",
    "ASLSeries": "an ASL series (ad.read reads one)",
    "Volume": "an image (ad.read_image reads one)",
    "Result": "the result of a run",
}


class _Misfit(Exception):
    """A value is of another type than is declared."""


def settle(thing: object, *, leave: tuple[str, ...] = (), remedy: Callable[[str, str], Remedy] | None = None) -> None:
    """Fit every field of a frozen dataclass but those to `leave` to its declared type; first in ``__post_init__``.

    Args:
        thing: the dataclass.
        leave: names of fields that it checks itself.
        remedy: what would put a field right, by its name and a text, as data; None: the sentence says it.

    Raises:
        InputError: a field is of another type.
    """
    kind = type(thing)
    for name, hint in _hints(kind).items():
        if name in leave:
            continue
        value = getattr(thing, name)
        how = None if remedy is None else partial(remedy, name)
        fit = _required(value, hint, f"'{name}' of {kind.__name__}", how)
        if fit is not value:
            object.__setattr__(thing, name, fit)


def fitted(function: _Function) -> _Function:
    """A function whose arguments are fitted to their annotations; `InputError` where one cannot be."""

    @wraps(function)
    def called(*args: object, **options: object) -> object:
        bound = inspect.signature(function).bind(*args, **options)
        hints = _hints(function)
        for name, value in bound.arguments.items():
            bound.arguments[name] = _required(value, hints[name], f"'{name}'")
        return function(*bound.args, **bound.kwargs)

    return called


@cache
def _hints(thing: object) -> dict[str, Any]:
    if isinstance(thing, type):
        hints = get_type_hints(thing)
        return {f.name: hints[f.name] for f in fields(thing) if f.init}
    told = {name: text for name, text in thing.__annotations__.items() if name != "return"}  # imported late, at times
    return {name: eval(text, thing.__globals__) if isinstance(text, str) else text for name, text in told.items()}


def _required(value: object, hint: Any, called: str, remedy: Callable[[str], Remedy] | None = None) -> Any:
    try:
        return _fit(value, hint)
    except _Misfit:
        pass
    shown = repr(value).replace("\n", " ")
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    what, text = f"{called} is {shown} ({type(value).__name__})", f"give {_words(hint)}"
    raise InputError(f"{what}; {text}.") if remedy is None else InputError(what, [remedy(text)])


def _fit(value: Any, hint: Any) -> Any:
    """The value as its hint has it.

    Raises:
        _Misfit: it cannot be meant so.
        InputError: it is a dictionary whose entries make no dataclass.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return value
    if origin in (Union, types.UnionType):
        return _fit_one(value, parts)
    if origin is tuple:
        return _fit_tuple(value, parts)
    if origin is collections.abc.Callable:
        return _unless(callable(value), value)
    if origin is collections.abc.Sequence and isinstance(value, np.ndarray):
        return value.tolist()
    if origin is not None:  # Mapping, Sequence, ...
        return _unless(isinstance(value, origin), value)
    if hint is type(None):
        return _unless(value is None, value)
    if isinstance(value, np.ndarray) and value.ndim == 0 and hint is not np.ndarray:
        value = value.item()
    plain = _PLAIN.get(hint)
    if plain is not None:
        return plain(value)
    if isinstance(value, hint):
        return value
    if issubclass(hint, Enum):
        return _unless(value in {each.value for each in hint}, value) and hint(value)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return _built(hint, value)
    raise _Misfit


def _fit_one(value: Any, parts: tuple[Any, ...]) -> Any:
    """By the first part of a union that takes the value: as it is where one does, else by conversion."""
    for part in parts:
        if isinstance(part, type) and isinstance(value, part) and not isinstance(value, (bool, np.ndarray)):
            return _fit(value, part)
    for part in parts:
        try:
            return _fit(value, part)
        except _Misfit:
            continue
    raise _Misfit


def _fit_tuple(value: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        raise _Misfit
    if parts[1:] == (...,):
        parts = parts[:1] * len(value)
    if len(parts) != len(value):
        raise _Misfit
    fit = tuple(_fit(item, part) for item, part in zip(value, parts, strict=True))
    same = isinstance(value, tuple) and all(a is b for a, b in zip(fit, value, strict=True))
    return value if same else fit


def _built(kind: type, entries: Mapping[str, Any]) -> Any:
    """A dataclass of a dictionary of its fields."""
    known = [f.name for f in fields(kind)]
    unknown = [str(name) for name in entries if name not in known]
    if unknown:
        raise InputError(f"{kind.__name__} has no '{unknown[0]}'; use of {', '.join(known)}.")
    try:
        return kind(**entries)
    except TypeError as error:  # one is missing
        raise InputError(f"{kind.__name__} is incomplete ({error}); give every entry it needs.") from error


def _unless(good: bool, value: Any) -> Any:
    if not good:
        raise _Misfit
    return value


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else bool(_unless(isinstance(value, np.bool_), value))


def _number(value: Any) -> float:
    _unless(isinstance(value, Real) and not isinstance(value, (bool, np.bool_)), value)
    try:
        number = float(value)
    except OverflowError as error:  # a whole number of more than 308 digits
        raise _Misfit from error
    return value if type(value) in (int, float) else number


def _whole(value: Any) -> int:
    number = _number(value)
    return value if type(value) is int else int(_unless(float(number).is_integer(), number))


def _text(value: Any) -> str:
    return _unless(isinstance(value, str), value)


def _path(value: Any) -> Path:
    _unless(isinstance(value, (str, os.PathLike)) and os.fspath(value) not in ("", b""), value)
    return Path(os.fsdecode(value))


def _matrix(value: Any) -> np.ndarray:
    """4x4 numbers, affine and invertible."""
    try:
        matrix = np.asarray(value, float)
    except (TypeError, ValueError) as error:
        raise _Misfit from error
    affine = matrix.shape == (4, 4) and np.isfinite(matrix).all() and np.allclose(matrix[3], (0, 0, 0, 1))
    _unless(affine and abs(np.linalg.det(matrix[:3, :3])) > 1e-6, value)
    return value if isinstance(value, np.ndarray) else matrix


_PLAIN: dict[Any, Callable[[Any], Any]] = {
    bool: _boolean,
    int: _whole,
    float: _number,
    str: _text,
    Path: _path,
    np.ndarray: _matrix,
}


def _words(hint: Any) -> str:
    """What a hint asks for, in words."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(part) for part in parts))
    if origin is tuple:
        return f"a list of {_plural(parts)}"
    if origin is collections.abc.Callable:
        return "a function"
    if origin is not None:
        return "a dictionary" if issubclass(origin, collections.abc.Mapping) else "a list"
    if hint is type(None):
        return "None"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"one of {', '.join(str(each.value) for each in hint)}"
    name = getattr(hint, "__name__", str(hint))
    return _WORDS.get(hint) or _WORDS.get(name) or f"ad.{name}"


def _plural(parts: tuple[Any, ...]) -> str:
    each = _words(parts[0]).removeprefix("a ").removeprefix("an ")
    count = "" if parts[1:] == (...,) else f"{len(parts)} "
    return f"{count}{each}" if each in ("text",) else f"{count}{each}s"
