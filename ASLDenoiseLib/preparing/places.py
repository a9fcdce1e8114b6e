"""Pairs, and slices of pairs, in words: ``3,7-9,12/5-6`` is pairs 3, 7, 8 and 9, and slices 5 and 6 of pair 12.

Counted from 1: pairs as the series has them (`pairs.pair_members`), whatever choice of them a run makes; slices along
k.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..remedies import Choose

_RANGE = r"(\d+)(?:-(\d+))?"
_PLACE = re.compile(rf"{_RANGE}(?:/{_RANGE})?")


@dataclass(frozen=True)
class Place:
    """Some pairs, or some slices of them; both counted from 1, `slices` None for all."""

    pairs: range
    slices: range | None


def places_of(text: str | None, *, setting: str) -> tuple[Place, ...]:
    """The places that a text names; none for None and for white space.

    Args:
        text: as above.
        setting: what it is given as, as the shell's option is called; for the error.

    Raises:
        InputError: it cannot be read.

    >>> places_of("3,12/5-6", setting="take-out")
    (Place(pairs=range(3, 4), slices=None), Place(pairs=range(12, 13), slices=range(5, 7)))
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    found = []
    for part in parts:
        match = _PLACE.fullmatch(part.replace(" ", ""))
        ranges = [] if match is None else [_range(*match.group(1, 2)), _range(*match.group(3, 4))]
        if not ranges or ranges[0] is None or any(each is not None and not _good(each) for each in ranges):
            how = "give pairs such as 3 or 7-9, and slices of a pair such as 12/5 or 12/5-8, with commas between"
            raise InputError(f"The places '{text}' are not understood", [Choose(setting, text=how)])
        found.append(Place(*ranges))
    return tuple(found)


def flags_at(text: str | None, *, numbers: Sequence[int], total: int, slices: int, setting: str) -> np.ndarray:
    """Bool (N, K): the places that a text names among N pairs of K slices.

    Args:
        text, setting: as `places_of`.
        numbers: of the N pairs in the series, from 1; those that a run leaves aside are not among them.
        total: pairs of the series.
        slices: K.

    Raises:
        InputError: it cannot be read, or names a pair or a slice that the series does not have.
    """
    flags = np.zeros((len(numbers), slices), bool)
    where = {number: n for n, number in enumerate(numbers)}
    for place in places_of(text, setting=setting):
        _require(place.pairs, total, "pair", text, setting)
        at = slice(None)
        if place.slices is not None:
            _require(place.slices, slices, "slice", text, setting)
            at = slice(place.slices.start - 1, place.slices.stop - 1)
        for number in place.pairs:
            if number in where:
                flags[where[number], at] = True
    return flags


def words_of(flags: np.ndarray, numbers: Sequence[int]) -> str:
    """The text that names the places of `flags`, bool (N, K), of pairs with these numbers; empty for none.

    >>> words_of(np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 0]], bool), (3, 4, 5, 6))
    '3-4,5/2-3'
    """
    whole = [number for number, row in zip(numbers, flags, strict=True) if row.all()]
    parts = [_words(each) for each in _runs(whole)]
    for number, row in zip(numbers, flags, strict=True):
        if row.any() and not row.all():
            parts += [f"{number}/{_words(each)}" for each in _runs((np.flatnonzero(row) + 1).tolist())]
    return ",".join(parts)


def _range(first: str | None, last: str | None) -> range | None:
    return None if first is None else range(int(first), int(last or first) + 1)


def _good(numbers: range) -> bool:
    return len(numbers) > 0 and numbers[0] > 0


def _require(asked: range, count: int, what: str, text: str | None, setting: str) -> None:
    if asked[-1] > count:
        how = f"the series has {what}s 1 to {count}: correct it"
        raise InputError(f"The places '{text}' name {what} {asked[-1]}", [Choose(setting, text=how)])


def _runs(numbers: Sequence[int]) -> Iterator[range]:
    """Ascending numbers as ranges of neighbours."""
    start = None
    for n, number in enumerate(numbers):
        start = number if start is None else start
        if n + 1 == len(numbers) or numbers[n + 1] != number + 1:
            yield range(start, number + 1)
            start = None


def _words(numbers: range) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
