"""The check of a series of which nothing states what its volumes are (loaded in Slicer, say)."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, unusable_kind
from ..reading.bids import expanded_context
from ..reading.volume_order import propose_order
from ..remedies import ApplyFix, SetField
from ..series import PERFUSION_KINDS, ASLSeries, VolumeType

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
    return not series.indices(*sum(PERFUSION_KINDS, ()))


def proposed_orders(series: ASLSeries) -> dict[str, tuple[VolumeType, ...]]:
    """The orders that the images show, the likeliest first: pattern and volume types."""
    proposal = propose_order(series.array)
    patterns = () if proposal is None else proposal.patterns
    return {pattern: expanded_context(pattern.split(","), len(series.array)) for pattern in patterns}


def order_findings(series: ASLSeries) -> Iterator[Finding]:
    """The finding on an order that nothing states; the fixes of its proposals are ``order-1``, ``order-2``."""
    if not is_unordered(series):
        return
    proposal, (give, take) = propose_order(series.array), _UNKNOWN_ORDER.remedies
    if proposal is None:
        yield _UNKNOWN_ORDER.finding(give, why="nothing says which are controls, labels or M0")
        return
    remedies = [SetField(give.field, proposal.patterns[0], give.text)]
    remedies += [ApplyFix(f"order-{n}", take.text) for n in range(1, len(proposal.patterns) + 1)]
    yield _UNKNOWN_ORDER.finding(*remedies, patterns=" or ".join(proposal.patterns), seen=proposal.why)
