"""A function of several items on several threads, for what releases Python's lock: ITK, scipy, most of numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_Item, _Output = TypeVar("_Item"), TypeVar("_Output")


def in_threads(function: Callable[[_Item], _Output], items: Iterable[_Item]) -> list[_Output]:
    """`function` of every item, in order, on as many threads as ITK uses."""
    from concurrent.futures import ThreadPoolExecutor

    import SimpleITK as sitk

    with ThreadPoolExecutor(sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()) as threads:
        return list(threads.map(function, items))
