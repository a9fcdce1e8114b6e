"""Outliers among pairs, and slices of pairs: found, and left out of the mean or given less weight, with their reasons.

`find_outliers` runs one of `METHODS` on an `OutlierContext` and gives an `OutlierReport`. Indices count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ...errors import InputError
from ...remedies import Choose, GiveImage
from ...series import CBF_UNIT
from .adaptive import AdaptiveSettings, adaptive
from .by_hand import decide_by_hand as decide_by_hand
from .context import OutlierContext
from .context import PairMotion as PairMotion
from .huber import HuberSettings, huber
from .prior_guided import PriorGuidedSettings, prior_guided
from .report import OutlierReport, report_rejections
from .report import Rejection as Rejection
from .report import fewest_kept as fewest_kept
from .score import ScoreSettings, score
from .zscore import ZScoreSettings, zscore

FEWEST_PAIRS = 5  # with fewer, an outlier cannot be told from its neighbours


@dataclass(frozen=True)
class OutlierMethod:
    """A way to find outliers.

    Args:
        name: as given to ``--outliers``.
        summary: one line for people, with the source.
        run: from the context and the settings to the report.
        settings: their class.
        needs_cbf: whether it judges by limits in ml/100g/min.
    """

    name: str
    summary: str
    run: Callable[..., OutlierReport]
    settings: type
    needs_cbf: bool = False


def _keep_all(context: OutlierContext, settings: object) -> OutlierReport:
    return report_rejections("none", context, ())


_ALL = (
    OutlierMethod("none", "The plain mean: only what was not measured is left out.", _keep_all, object),
    OutlierMethod(
        "aoc",
        "Adaptive outlier cleaning (Wang 2013): drops pairs by motion, global CBF and likeness to the mean map.",
        adaptive,
        AdaptiveSettings,
        needs_cbf=True,
    ),
    OutlierMethod(
        "score",
        "SCORE (Dolui 2017): drops pairs of extreme grey-matter CBF, then those that make the tissues uneven.",
        score,
        ScoreSettings,
    ),
    OutlierMethod(
        "paocsl",
        "PAOCSL (Li 2018): drops slices of pairs that are unlike what grey and white matter predict.",
        prior_guided,
        PriorGuidedSettings,
        needs_cbf=True,
    ),
    OutlierMethod(
        "huber",
        "Huber's M-estimator (Maumet 2014): weighs down, voxel by voxel, pairs far from the others; drops none.",
        huber,
        HuberSettings,
    ),
    OutlierMethod(
        "zscore",
        "Robust z-scores (after Tan 2009): drops slices of pairs whose noise is out of proportion. Needs no tissue.",
        zscore,
        ZScoreSettings,
    ),
)
METHODS: Mapping[str, OutlierMethod] = MappingProxyType({m.name: m for m in _ALL})
DEFAULT_METHOD = "zscore"


def find_outliers(
    name: str, context: OutlierContext, *, settings: object | None = None, fewest: int = FEWEST_PAIRS
) -> OutlierReport:
    """Find what corrupts the mean of the pairs, by one method.

    A series of fewer than `fewest` pairs keeps them all, and a note says so. Every slice keeps at least `fewest_kept`
    of its pairs. A slice without brain is never judged; a pair measured in less than half of a slice's brain is left
    out of that slice whatever the method.

    Args:
        name: a key of `METHODS`.
        context: the pairs and what they may be judged by.
        settings: the method's own settings (`AdaptiveSettings` ...); None is its defaults.
        fewest: pairs below which nothing is rejected.

    Raises:
        InputError: there is no method of that name, it needs CBF and the pairs have none, or no voxel of the brain is
            measured.
    """
    if name not in METHODS:
        raise InputError(f"There is no outlier method '{name}'; choose one of {', '.join(METHODS)}.")
    if METHODS[name].needs_cbf and context.unit != CBF_UNIT:
        others = ", ".join(other.name for other in _ALL if not other.needs_cbf)
        what = f"The outlier method '{name}' judges by CBF, which a series without an M0 does not have"
        raise InputError(what, [GiveImage("m0"), Choose("outliers", text=f"choose one of {others}")])
    if not context.inside.any():
        raise InputError("No voxel of the brain is measured in any pair; correct the brain mask or the M0.")
    note = ""
    if context.count < fewest:
        word = "pair is" if context.count == 1 else "pairs are"
        note = f"{context.count} {word} too few to tell outliers by: nothing was rejected."
    elif not context.judged.any():
        note = "No slice has enough brain that every pair measured: nothing was rejected."
    if note and name != "none":
        return report_rejections(name, context, (), (note,))
    return METHODS[name].run(context, settings or METHODS[name].settings())
