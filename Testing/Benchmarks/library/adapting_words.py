"""What is kept of an adaptation, in words for its page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ASLDenoiseLib.verdict import Figure, Verdict

from .tables import number


def verdict_of(part: Mapping) -> Verdict | None:
    """The verdict of what is kept; None where the scans were refused from the start."""
    return Verdict.from_plain(part["verdict"]) if "verdict" in part else None


def word_of(part: Mapping) -> str:
    """Whether the adapted model was accepted."""
    verdict = verdict_of(part)
    return "accepted" if verdict is not None and verdict.earned else "refused"


def why(part: Mapping) -> str:
    """The figures that an adaptation fell short in, with their numbers, or the sentence that refused its scans."""
    verdict = verdict_of(part)
    if verdict is None:
        return part["refused"]
    told = (f"{f.label}: {number('', f.before)} before, {number('', f.after)} after, {f.unit}".rstrip(", ")
            + f" (asked: {f.asked})" for f in verdict.unmet)  # fmt: skip
    return "; ".join(told) or "-"


def minutes_of(part: Mapping) -> str:
    """The minutes of one core that an adaptation took."""
    return f"{part['time']['CPU (s)'] / 60:.1f}" if "time" in part else "-"


def before_after(figure: Figure | None) -> str:
    """A figure before and after, with the standard error of their difference."""
    if figure is None:
        return "-"
    error = f" (± {figure.error:.2f})" if np.isfinite(figure.error) else ""
    return f"{figure.before:.2f} to {figure.after:.2f} {figure.unit}".rstrip() + error


def told_gain(gains: Mapping[str, float]) -> str:
    """A gain that unseen pairs tell, with its standard error where that is known."""
    return with_error(gains["told (dB)"], gains.get("error (dB)", math.nan))


def with_error(value: float, error: float) -> str:
    """A figure with its standard error, where that is known."""
    return f"{value:+.2f}" + (f" ± {error:.2f}" if np.isfinite(error) else "")


def verdict_figures(part: Mapping) -> Sequence[Figure]:
    """The figures of what is kept; none where the scans were refused from the start."""
    verdict = verdict_of(part)
    return () if verdict is None else verdict.figures
