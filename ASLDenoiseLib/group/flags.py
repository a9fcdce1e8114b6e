"""What by itself sets a scan apart, whatever the others are like: said by the inspection or the run of that scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..series import CBF_UNIT
from .columns import number_in

_GRAVE = {  # code of a finding: what it says of the scan
    "no-perfusion": "no perfusion can be told from noise",
    "t1-other-head": "the T1 is of another head, or lies wrong",
    "implausible-cbf": "CBF is not what any brain has",
    "implausible-readout": "a mean or a contrast is not what any brain has",
    "audit-mean-not-kept": "the residual audit could not keep a tissue mean",
    "brain-not-found": "no brain was found in the images",
    "order-mixed": "controls and labels are mixed up",
}
# ml/100g/min; 40 to 100 is usual in adults (Alsop et al. 2015), half of it and a quarter more still deserve no word
_LEAST_GM, _MOST_GM = 20.0, 125.0
# mm of mean framewise displacement; studies of the brain's function leave out who moved by 0.55 and more (the lenient
# limit of Parkes et al. 2018, NeuroImage 171:415)
_MOVED = 1.0
_NEGATIVE = 40.0  # % of grey matter below zero; half of it is where there is noise alone


def codes(row: Mapping[str, object]) -> tuple[str, ...]:
    """The codes of the findings of a row of the table of scans."""
    return tuple(code for code in str(row.get("findings") or "").split("; ") if code)


def grave_flags(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What is grave in a row of the table of scans: a kind, the same for what says the same, and words."""
    found = codes(row)
    unusable = number_in(row, "findings_unusable")
    if unusable >= 1:
        yield "unusable", f"{unusable:.0f} finding{'s say' if unusable > 1 else ' says'} that it cannot be used"
    for code in found:
        if code in _GRAVE and not (code == "t1-other-head" and row.get("fit_light") == "red"):
            yield code, f"{_GRAVE[code]} ({code})"
    if row.get("fit_light") == "red":
        yield "t1-other-head", f"{_GRAVE['t1-other-head']} (fit {number_in(row, 'fit_score'):.1f} standard errors)"
    if row.get("audit") == "not kept" and "audit-mean-not-kept" not in found:
        yield "audit-mean-not-kept", _GRAVE["audit-mean-not-kept"]
    moved = number_in(row, "motion_mean_fd_mm")
    if moved >= _MOVED:
        yield "motion", f"the head moved by {moved:.2g} mm between successive volumes, in the mean of the series"
    for which in ("raw", "processed"):
        mean, below = number_in(row, f"{which}_gm_mean"), number_in(row, f"{which}_negative_gm_fraction")
        if mean <= 0:
            yield "negative", f"the {which} mean of grey matter is {mean:.3g} {row.get('unit') or ''}".rstrip()
        elif below >= _NEGATIVE:
            yield "negative", f"{below:.0f} % of grey matter is below zero in the {which} map; in noise alone, half is"


def unusual_perfusion(row: Mapping[str, object]) -> Iterator[str]:
    """In words, a mean of grey matter that hardly anybody has, though it can be."""
    mean = number_in(row, "raw_gm_mean")
    if row.get("unit") == CBF_UNIT and (0 < mean < _LEAST_GM or mean > _MOST_GM):
        yield f"the raw mean of grey matter is {mean:.3g} {CBF_UNIT}, where 40 to 100 is usual"
