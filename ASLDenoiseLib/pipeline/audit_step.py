"""After the network: what it took away must be noise, and what is more goes back."""

from __future__ import annotations

from ..findings import FindingKind, note_kind
from ..progress import Progress
from ..remedies import Advice, Choose
from ..result.audit import AuditVerdict
from ..series import Origin, Parameter
from .delays import gather
from .state import RunState

_MUCH = 10.0  # per cent of a tissue's mean, and
_SURELY = 2.0  # standard errors of it: beyond both, the network does not suit the scan
_ONE_IMAGE = note_kind(
    "audit-one-image",
    "One image tells no standard error, so that what the network took from tissue was put back whole",
    "a lesion that looks like another tissue on the T1 or the M0 gets that tissue's perfusion in part",
    Advice("where the two disagree, believe the raw map; desc-restored shows what was put back, and where"),
    Choose("no-audit", text="leave it out"),
)
_MOVED = FindingKind(
    "network-moved-mean",
    "The network alone moved the {tissue} mean by {percent} %, from {raw} to {network} {unit}",
    "the residual audit put back what is more than noise; a scan unlike those that the model was trained on is the "
    "usual reason",
    Advice("look at desc-restored, and compare the denoised map with the raw one with care, or choose another model"),
)
_NOT_KEPT = FindingKind(
    "audit-mean-not-kept",
    "The {tissue} mean of the denoised map is {audited}, and {raw} ± {error} {unit} before denoising",
    "the residual audit could not bring it within its standard error",
    Advice("read the mean off the raw map"),
)


def audit_denoised(run: RunState, progress: Progress) -> None:
    """Ask the residual of the denoised mean, of each delay; what is found is told among parameters and findings."""
    for n, one in enumerate(run.each):
        audit_mean(one)
        progress((n + 1) / len(run.each), "asked what the network took away")
    gather(run)


def audit_mean(run: RunState) -> None:
    """Audit the denoised mean of a run, or of one of its delays, whatever the model."""
    from ..auditing import audit_residual

    quantification = run.quantification
    run.audit = audit_residual(
        run.denoised.difference,
        run.pairs,
        run.brain,
        tissue=run.tissue,
        factor=quantification.factor,
        weights=run.weights,
        uncertainty=run.denoised.uncertainty,
    )
    places = ""
    if run.audit.places is not None:
        choice, gain = run.audit.places.choice, run.audit.places
        where = f"over {choice.fwhm:g} mm" if choice.fwhm else "voxel by voxel"
        places = f"{where}, what exceeds {choice.caution:g} times its noise"
        note = f"pairs left out are nearer by {gain.gain:.3g} ± {gain.error:.2g} ({quantification.unit})^2"
        run.parameters.append(Parameter("audit_places", places, "", Origin.IMAGE, note))
    run.verdict = AuditVerdict(run.audit.means, quantification.unit, len(run.pairs.array), places)
    _tell(run)


def _tell(run: RunState) -> None:
    verdict = run.verdict
    if verdict.pairs < 2:
        run.findings.append(_ONE_IMAGE.finding())
    for mean in verdict.means:
        figures = {name: f"{getattr(mean, name):.3g}" for name in ("raw", "network", "audited")}
        told = {"tissue": mean.tissue, "unit": verdict.unit, **figures}
        surely = abs(mean.network - mean.raw) > _SURELY * mean.error
        if verdict.pairs > 1 and surely and abs(mean.moved) > _MUCH:
            run.findings.append(_MOVED.finding(percent=f"{mean.moved:+.0f}", **told))
        if not mean.kept:
            run.findings.append(_NOT_KEPT.finding(error=f"{mean.error:.2g}", **told))
