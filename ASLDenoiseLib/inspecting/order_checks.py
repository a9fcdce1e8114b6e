"""The check of a series of which nothing states what its volumes are (loaded in Slicer, say)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..findings import Finding, unusable_kind
from ..reading.bids import expanded_context
from ..remedies import ApplyFix, SetField
from ..series import PERFUSION, ASLSeries, VolumeType

if TYPE_CHECKING:
    from .inspection import Inspection

_UNKNOWN_ORDER = unusable_kind(
    "order-unknown",
    "It is not stated what the volumes are",
    "they look like {patterns}: {seen}",
    SetField("context", "control,label", "give their order, e.g."),
    ApplyFix("order-1", "take the order that the images show"),
    meaning="Nothing states which volumes are control, label or M0; where the images show it, an order is proposed.",
)


def is_unordered(series: ASLSeries) -> bool:
    """Whether no volume is stated to be a control, a label, a difference or CBF."""
    return not series.indices(*PERFUSION)


def proposed_orders(inspection: Inspection) -> dict[str, tuple[VolumeType, ...]]:
    """The orders that the images show, the likeliest first: pattern and volume types."""
    proposal, volumes = inspection.order, len(inspection.series.array)
    patterns = () if proposal is None else proposal.patterns
    return {pattern: expanded_context(pattern.split(","), volumes) for pattern in patterns}


def order_findings(inspection: Inspection) -> Iterator[Finding]:
    """The finding on an order that nothing states; the fixes of its proposals are ``order-1``, ``order-2``."""
    proposal, (give, take) = inspection.order, _UNKNOWN_ORDER.remedies
    if proposal is None:
        yield _UNKNOWN_ORDER.finding(give, why="nothing says which are controls, labels or M0")
        return
    remedies = [SetField(give.field, proposal.patterns[0], give.text)]
    remedies += [ApplyFix(f"order-{n}", take.text) for n in range(1, len(proposal.patterns) + 1)]
    yield _UNKNOWN_ORDER.finding(*remedies, patterns=" or ".join(proposal.patterns), seen=proposal.why)
