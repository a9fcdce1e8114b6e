"""Results of statistics in words, as papers give them."""

from __future__ import annotations

import math

from ..result.table import format_value
from .repeatability import Concordance, Repeatability
from .statistics import FEWEST, PairedTest


def p_text(p: float) -> str:
    """A p value with its relation.

    >>> [p_text(p) for p in (0.0002, 0.0312, 0.5, float("nan"))]
    ['p < 0.001', 'p = 0.031', 'p = 0.50', 'p n/a']
    """
    if not math.isfinite(p):
        return "p n/a"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def interval_text(ends: tuple[float, float]) -> str:
    """Both ends of a 95 % confidence interval; nothing where there is none."""
    return f"[{format_value(ends[0])}, {format_value(ends[1])}]" if all(map(math.isfinite, ends)) else ""


def change_text(test: PairedTest, unit: str = "") -> str:
    """The mean difference with its interval and unit."""
    return " ".join(filter(None, (signed(test.difference), unit, interval_text(test.interval))))


def t_text(test: PairedTest) -> str:
    """The paired t-test with Cohen's dz."""
    if not math.isfinite(test.t):
        return "t-test n/a"
    dz = " ".join(filter(None, (f"{test.dz:.2f}", interval_text(test.dz_interval))))
    return f"t({test.n - 1}) = {test.t:.2f}, {p_text(test.t_p)}, dz = {dz}"


def wilcoxon_text(test: PairedTest) -> str:
    """Wilcoxon's test with the rank-biserial correlation."""
    if not math.isfinite(test.w):
        return "Wilcoxon n/a"
    return f"Wilcoxon W = {test.w:g}, {p_text(test.w_p)}, r = {test.rank_biserial:+.2f}"


def both_tests_text(test: PairedTest, unit: str = "") -> str:
    """Both tests in a line."""
    if test.n < FEWEST:
        return f"n = {test.n}: too few participants to test"
    if not math.isfinite(test.t):
        return f"n = {test.n}: all differences are {signed(test.difference)}, which leaves nothing to test"
    return f"n = {test.n}: {change_text(test, unit)}; {t_text(test)}; {wilcoxon_text(test)}"


def with_unit(label: str, unit: str) -> str:
    """A label with its unit behind it, where it has one."""
    return f"{label} ({unit})" if unit else label


def signed(value: float) -> str:
    """A number with its sign."""
    return f"{'+' if value > 0 else ''}{format_value(value)}"


def concordance_text(found: Concordance, unit: str = "") -> str:
    """Bias, limits of agreement and concordance in a line."""
    agreement = found.agreement
    if agreement.count < FEWEST:
        return f"n = {agreement.count}: too few to tell"
    low, high = map(format_value, agreement.limits)
    bias = f"bias {signed(agreement.bias)}{f' {unit}' if unit else ''}"
    return f"n = {agreement.count}: {bias}, 95 % limits of agreement {low} to {high}, CCC {found.ccc:.3f}"


def repeatability_text(found: Repeatability, unit: str = "") -> str:
    """Spread within and between participants, and the ICC, in a line."""
    if not math.isfinite(found.icc):
        return f"n = {found.participants}: too few participants with two sessions"
    unit = f" {unit}" if unit else ""
    icc = " ".join(filter(None, (f"{found.icc:.2f}", interval_text(found.icc_interval))))
    return (
        f"n = {found.participants}: within {format_value(found.within)}{unit} ({found.within_cv:.1f} %), "
        f"between {format_value(found.between)}{unit} ({found.between_cv:.1f} %), ICC {icc}, "
        f"repeatability coefficient {format_value(found.coefficient)}{unit}"
    )
