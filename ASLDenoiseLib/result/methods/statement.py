"""One sentence of a methods paragraph, and the facts of a result that sentences are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...findings import Severity
from ...series import Origin, Parameter

if TYPE_CHECKING:
    from .. import Result


@dataclass(frozen=True)
class Statement:
    """A sentence, in the past tense, of what was done.

    Args:
        text: with its sources as ``[@alsop2015]`` or ``[@kim2018;@xie2020]``, keys of `references.REFERENCES`.
        of_scan: it holds figures of the one scan, so that another scan, processed alike, has others.
    """

    text: str
    of_scan: bool = False


class Facts:
    """A result, and its parameters by name: the first of a name, which is the run's own."""

    def __init__(self, result: Result) -> None:
        self.result = result

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """By name."""
        return {parameter.name: parameter for parameter in reversed(self.result.parameters)}

    @cached_property
    def codes(self) -> frozenset[str]:
        """Of all findings."""
        return frozenset(finding.code for finding in self.result.findings)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What the findings that are more than notes say."""
        return tuple(f.what for f in self.result.findings if f.severity is not Severity.NOTE)

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    def value(self, name: str, otherwise: object = None) -> object:
        """Of a parameter; `otherwise` where the run had none of that name."""
        return self.parameters[name].value if name in self.parameters else otherwise

    def assumed(self, name: str) -> str:
        """Words behind a value that nobody stated, with a blank before them; empty where it was stated."""
        told = self.parameters.get(name)
        if told is None or told.origin is not Origin.DEFAULT:
            return ""
        return f" (assumed: {told.note})" if told.note else " (assumed)"

    def by_user(self, name: str) -> bool:
        """Whether somebody chose the value."""
        return name in self.parameters and self.parameters[name].origin is Origin.USER


def number(value: object) -> str:
    """Up to four digits."""
    return f"{float(value):.4g}"


def numbers(value: object) -> str:
    """One number, or the different ones of a list, ascending: ``0.25, 0.5 and 1``; zeros of M0 volumes left out."""
    values = sorted(set(np.atleast_1d(np.asarray(value, float)).tolist()))
    return listed(number(v) for v in ([v for v in values if v] or values))


def listed(words: Iterable[str]) -> str:
    """``a, b and c``."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def count(many: int, what: str) -> str:
    """``1 pair``, ``2 pairs``."""
    return f"{many} {what}{'' if many == 1 else 's'}"
