"""Lists and dictionaries that write themselves to the parameter node at each change."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import Any


class ObservedList(MutableSequence):
    def __init__(self, node: Any, serializer: Any, name: str, values: list) -> None:
        self._node, self._serializer, self._name, self._list = node, serializer, name, values

    def _saved(self) -> None:
        try:
            self._serializer.write(self._node, self._name, self._list)
        finally:
            self._list = self._serializer.read(self._node, self._name)._list

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, index: Any) -> Any:
        return self._list[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._list[index] = value
        self._saved()

    def __delitem__(self, index: Any) -> None:
        del self._list[index]
        self._saved()

    def insert(self, index: int, value: Any) -> None:
        self._list.insert(index, value)
        self._saved()

    def sort(self, **how: Any) -> None:
        self._list.sort(**how)
        self._saved()

    def __add__(self, other: Any) -> Any:
        raise NotImplementedError("Adding an ObservedList is not supported. However, += is supported.")

    __radd__ = __add__

    def __eq__(self, other: object) -> bool:
        return self._list == (other._list if isinstance(other, ObservedList) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ObservedList({self._list})"


class ObservedDict(MutableMapping):
    def __init__(self, node: Any, serializer: Any, name: str, values: dict) -> None:
        self._node, self._serializer, self._name, self._dict = node, serializer, name, values

    def _saved(self) -> None:
        try:
            self._serializer.write(self._node, self._name, self._dict)
        finally:
            self._dict = dict(self._serializer.read(self._node, self._name).items())

    def __len__(self) -> int:
        return len(self._dict)

    def __iter__(self) -> Iterator:
        return iter(self._dict)

    def __getitem__(self, key: Any) -> Any:
        return self._dict[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._dict[key] = value
        self._saved()

    def __delitem__(self, key: Any) -> None:
        del self._dict[key]
        self._saved()

    def get(self, key: Any) -> Any:
        """Slicer's takes no default."""
        return self._dict.get(key)

    def __eq__(self, other: object) -> bool:
        return self._dict == (other._dict if isinstance(other, ObservedDict) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ObservedDict({self._dict})"
