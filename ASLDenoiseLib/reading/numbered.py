"""Which of several series in a folder is meant: by number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..remedies import Choose

_LISTED = 12


def listed(items: Sequence[object]) -> str:
    """The first dozen, and how many more."""
    more = f"; {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return "; ".join(map(str, items[:_LISTED])) + more


def index_of(number: int | None, *, numbers: Sequence[int], labels: Sequence[str], folder: Path) -> int:
    """The place of the series that is meant; the only one where no number is given.

    Args:
        number: as the user gave it.
        numbers, labels: of the series in the folder, one or more.

    Raises:
        InputError: there are several and no number, or none has this number; the sentence lists them.
    """
    if number is None and len(numbers) == 1:
        return 0
    if number in numbers:
        return numbers.index(number)
    found = listed([f"{n}: {label}" for n, label in zip(numbers, labels, strict=True)])
    choice = Choose("series", str(numbers[0]), "give the number of one of them, e.g.")
    if number is None:
        raise InputError(f"Several ASL series are in {folder} ({found})", [choice])
    raise InputError(f"There is no ASL series {number} in {folder} ({found})", [choice])
