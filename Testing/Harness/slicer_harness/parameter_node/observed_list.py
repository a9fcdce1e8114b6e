"""A list that writes itself to the parameter node at each change."""

from __future__ import annotations

from collections.abc import MutableSequence
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

    def __add__(self, other: Any) -> Any:
        raise NotImplementedError("Adding an ObservedList is not supported. However, += is supported.")

    __radd__ = __add__

    def __eq__(self, other: object) -> bool:
        return self._list == (other._list if isinstance(other, ObservedList) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ObservedList({self._list})"
