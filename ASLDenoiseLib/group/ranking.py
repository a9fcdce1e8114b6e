"""Which scans of a study to look at first, and why.

A scan is held against its peers: those of the same maker, labelling, readout, field strength and unit where there are
five or more, else all of its unit. A figure counts where it lies on the bad side of their median by more than `cut_off`
robust SDs (1.4826 times the median absolute deviation; Iglewicz & Hoaglin 1993) and by more than what matters in
practice, so that neither the farthest of a number of sound scans is accused, nor a trifle in a very even study.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .columns import PERFUSION, column, number_in, unit_of
from .flags import codes, grave_flags, unusual_perfusion

if TYPE_CHECKING:
    import pandas as pd

FEWEST_PEERS = 5
_SAME_SCANNER = ("manufacturer", "labeling", "readout", "field_strength_t", "unit")
# What a reason weighs: a grave flag, a figure at the most, perfusion that few people have, a rare warning.
_GRAVE, _MOST_OUT, _UNUSUAL, _RARE = 10.0, 5.0, 2.0, 1.0
_RARE_SHARE = 0.25  # of the peers that have a warning, at the most: one that more have is of the protocol
_SET_APART = 2  # kinds of figures out of range that set a scan apart without a grave flag


@dataclass(frozen=True)
class Judged:
    """A column that scans are ranked by.

    Args:
        name: of the column.
        kind: columns of one kind say much the same, and count once, by the worst.
        bad: ``low``, ``high`` or ``both``.
        matters: distance from the median that is worth a look, in the column's unit, or of the median where `share`.
    """

    name: str
    kind: str
    bad: str
    matters: float
    share: bool = False


JUDGED = (
    Judged("motion_mean_fd_mm", "motion", "high", 0.3),
    Judged("motion_max_fd_mm", "motion", "high", 1.0),
    Judged("motion_max_mm", "motion", "high", 2.0),
    Judged("outlier_percent", "outliers", "high", 5.0),
    Judged("pairs_total", "pairs", "low", 0.2, share=True),
    Judged("raw_qei", "quality", "low", 0.1),
    Judged("processed_qei", "quality", "low", 0.1),
    Judged("raw_snr", "noise", "low", 0.3, share=True),
    Judged("raw_tsnr", "noise", "low", 0.3, share=True),
    Judged("raw_spatial_cov", "noise", "high", 0.3, share=True),
    Judged("raw_negative_gm_fraction", "negative", "high", 5.0),
    Judged("raw_gm_mean", "perfusion", "both", 0.3, share=True),
    Judged("processed_gm_mean", "perfusion", "both", 0.3, share=True),
    Judged("raw_wm_mean", "perfusion", "both", 0.4, share=True),
    Judged("raw_gm_wm_contrast", "contrast", "low", 0.25, share=True),
    Judged("processed_gm_wm_contrast", "contrast", "low", 0.25, share=True),
    Judged("fit_score", "fit", "low", 2.0),
    Judged("registration_nats", "fit", "low", 0.3, share=True),
    Judged("brain_coverage_percent", "coverage", "low", 5.0),
    Judged("mni_gm_overlap", "template", "low", 0.03),
)


@dataclass(frozen=True)
class Reason:
    """Why to look at a scan.

    Args:
        kind: of what is wrong; reasons of one kind count once.
        words: with figures.
        weight: what it adds to the score.
        grave: it sets the scan apart by itself.
    """

    kind: str
    words: str
    weight: float
    grave: bool = False


def reason_sentence(words: str) -> str:
    """The words of a reason with a capital and a full stop; a name like tSNR stays as it is written."""
    return f"{words if words[1:2].isupper() else words[:1].upper() + words[1:]}."


@dataclass(frozen=True)
class Ranked:
    """A scan in the order to look at scans.

    Args:
        scan: its name.
        reasons: the weightiest first; none: nothing about it stands out.
        score: of the weights, the largest of each kind.
        peers: whom it was held against, in words.
    """

    scan: str
    reasons: tuple[Reason, ...]
    score: float
    peers: str

    @property
    def grave(self) -> bool:
        """Whether something was said of it that needs no others to be held against."""
        return any(reason.grave for reason in self.reasons)

    @property
    def set_apart(self) -> bool:
        """Whether it is unlike the others: something grave, or two kinds of figures out of range."""
        out = {reason.kind for reason in self.reasons if reason.weight > _RARE}
        return self.grave or len(out) >= _SET_APART


def cut_off(count: int) -> float:
    """Robust SDs from the median beyond which a value stands out among `count`.

    Of so many values of one normal distribution the farthest lies beyond it once in some 200 times; the usual 3.5 would
    accuse one in a tenth of studies, for each of the figures.

    >>> [round(cut_off(n), 1) for n in (6, 12, 24, 200)]
    [10.7, 7.3, 5.7, 4.2]
    """
    return 4.0 + 40.0 / count


def rank_scans(table: pd.DataFrame) -> tuple[Ranked, ...]:
    """The scans in the order to look at them, those alike by their names.

    Args:
        table: of scans that are done (`tables.done`).
    """
    return rank_rows(table.to_dict("records"))


def rank_rows(rows: Sequence[Mapping[str, object]]) -> tuple[Ranked, ...]:
    """The scans in the order to look at them: those with something grave, then by score, those alike by their names.

    Without pandas, as the panel has them.

    Args:
        rows: of the table of scans, of those that are done: words and numbers by the names of columns.
    """
    ranked = [_ranked(row, peers) for row, peers in zip(rows, _peers(rows), strict=True)]
    return tuple(sorted(ranked, key=lambda each: (not each.grave, -each.score, each.scan)))


@dataclass(frozen=True)
class _Peers:
    """Those that a scan is held against, itself among them.

    Args:
        words: who they are.
        count: how many.
        spreads: of each judged column that enough of them have: median, robust SD, and how many have it.
        having: how many have a finding, by its code.
    """

    words: str
    count: int
    spreads: Mapping[str, tuple[float, float, int]]
    having: Mapping[str, int]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, object]], words: str) -> _Peers:
        spreads = {}
        for judged in JUDGED:
            values = np.array([number_in(row, judged.name) for row in rows])
            values = values[np.isfinite(values)]
            if values.size >= FEWEST_PEERS:
                spreads[judged.name] = (*centre_and_spread(values), int(values.size))
        return cls(words, len(rows), spreads, Counter(code for row in rows for code in set(codes(row))))


def _ranked(row: Mapping[str, object], peers: _Peers) -> Ranked:
    reasons = [Reason(kind, said, _GRAVE, grave=True) for kind, said in grave_flags(row)]
    reasons += [Reason("perfusion", said, _UNUSUAL) for said in unusual_perfusion(row)]
    reasons += _out_of_range(row, peers)
    reasons += _rare_warnings(row, peers, {reason.kind for reason in reasons})
    reasons.sort(key=lambda reason: -reason.weight)
    worst: dict[str, float] = {}
    for reason in reasons:
        worst[reason.kind] = max(worst.get(reason.kind, 0.0), reason.weight)
    return Ranked(str(row["scan"]), tuple(reasons), round(sum(worst.values()), 2), peers.words)


def _peers(rows: Sequence[Mapping[str, object]]) -> list[_Peers]:
    """For each row those that it is held against; worked out once for all that are held against the same."""
    scanners: dict[tuple[str, ...], list[Mapping[str, object]]] = defaultdict(list)
    units: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    keys = [(tuple(str(row.get(name, "")) for name in _SAME_SCANNER), str(row.get("unit", ""))) for row in rows]
    for row, (scanner, unit) in zip(rows, keys, strict=True):
        scanners[scanner].append(row)
        units[unit].append(row)
    known: dict[tuple[str, ...] | str, _Peers] = {}
    found = []
    for scanner, unit in keys:
        same = len(scanners[scanner]) >= FEWEST_PEERS
        key = scanner if same else unit
        if key not in known:
            among = scanners[scanner] if same else units[unit]
            named = scanner_of(among[0]) if same else ""
            words = f"{len(among)} scans{f' of {named}' if named else ''}"
            known[key] = _Peers.of(among, words if same else f"all {len(among)} scans in {unit or 'this unit'}")
        found.append(known[key])
    return found


def scanner_of(row: Mapping[str, object]) -> str:
    """The scanner of a row of the table of scans in words: maker, labelling, readout, field strength; empty where none
    of them is known.
    """
    field = number_in(row, "field_strength_t")
    words = [str(row.get(name) or "") for name in ("manufacturer", "labeling", "readout")]
    return " ".join(filter(None, [*words, f"{field:g} T" if math.isfinite(field) else ""]))


def _out_of_range(row: Mapping[str, object], peers: _Peers) -> Iterator[Reason]:
    for judged in JUDGED:
        own = number_in(row, judged.name)
        if not math.isfinite(own) or judged.name not in peers.spreads:
            continue
        middle, spread, count = peers.spreads[judged.name]
        away = own - middle
        matters = judged.matters * abs(middle) if judged.share else judged.matters
        side, limit = "low" if away < 0 else "high", cut_off(count)
        if judged.bad not in (side, "both") or abs(away) < matters or abs(away) <= limit * spread:
            continue
        times = abs(away) / spread if spread > 0 else math.inf
        yield Reason(judged.kind, _words(judged.name, row, own, middle, times), min(_MOST_OUT, _RARE + times / limit))


def centre_and_spread(values: np.ndarray) -> tuple[float, float]:
    """Median, and robust SD: 1.4826 MAD, or 1.2533 times the mean absolute deviation where half are the same."""
    middle = float(np.median(values))
    away = np.abs(values - middle)
    spread = 1.4826 * float(np.median(away))
    return middle, spread if spread > 0 else 1.2533 * float(away.mean())


def _words(name: str, row: Mapping[str, object], own: float, middle: float, times: float) -> str:
    shown = column(name)
    unit = unit_of(name, str(row.get("unit") or "")) if shown.unit == PERFUSION else shown.unit
    figures = f"{own:.3g} against a median of {middle:.3g}{f' {unit}' if unit else ''}"
    return f"{shown.label} {figures}" + (f", {times:.0f} robust SDs away" if math.isfinite(times) else "")


def _rare_warnings(row: Mapping[str, object], peers: _Peers, told: set[str]) -> Iterator[Reason]:
    """Warnings that few of the peers have."""
    for code in codes(row):
        having = peers.having[code]
        if code not in told and having <= _RARE_SHARE * peers.count:
            yield Reason(code, f"warning '{code}', which {having} of {peers.count} scans have", _RARE)
