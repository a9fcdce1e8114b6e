"""Which regions of an atlas are each other's counterpart in the two halves of the brain, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = {"left": "left", "lh": "left", "right": "right", "rh": "right"}
_LETTERS = {"l": "left", "r": "right"}  # only where a name begins or ends with them
_SPLIT = re.compile(r"[\W_]+")
# Schaefer's parcels of the two hemispheres are counted each for itself: equal numbers are not the same place
_NOT_COUNTERPARTS = re.compile(r"^\d+networks_[lr]h_", re.IGNORECASE)


def side_of(name: str) -> tuple[str, str] | None:
    """The side (``left``, ``right``) that a region's name tells, and the rest of it; None where it tells none, or two.

    >>> side_of("Left Thalamus"), side_of("ctx-rh-insula"), side_of("Precentral_L"), side_of("Brain-Stem")
    (('left', 'thalamus'), ('right', 'ctx insula'), ('left', 'precentral'), None)
    """
    if _NOT_COUNTERPARTS.match(name):
        return None
    words = [word for word in _SPLIT.split(name.lower()) if word]
    sides = [n for n, word in enumerate(words) if word in _WORDS]
    if not sides:
        sides = [n for n in {0, len(words) - 1} if words and words[n] in _LETTERS]
    if len(sides) != 1:
        return None
    word = words.pop(sides[0])
    return _WORDS.get(word) or _LETTERS[word], " ".join(words)


def counterparts(names: Iterable[str]) -> dict[str, str]:
    """Each region's counterpart on the other side, of the names of one atlas; both ways, only where it is one alone.

    >>> counterparts(["Left Thalamus", "Right Thalamus", "Left Caudate", "Brain-Stem"])
    {'Left Thalamus': 'Right Thalamus', 'Right Thalamus': 'Left Thalamus'}
    """
    placed: dict[tuple[str, str], list[str]] = {}
    for name in names:
        told = side_of(name)
        if told is not None:
            placed.setdefault(told, []).append(name)
    found = {}
    for (side, rest), here in placed.items():
        there = placed.get(("right" if side == "left" else "left", rest), [])
        if len(here) == len(there) == 1:
            found[here[0]] = there[0]
    return found
