"""The doctor: what is wrong or doubtful about a series, why it is thought so, and what would mend it."""

from __future__ import annotations

from ..errors import InputError
from ..series import ASLSeries, Finding, Severity
from .acquisition_checks import acquisition_findings
from .image_checks import image_findings

_ORDER = (Severity.UNUSABLE, Severity.WARNING, Severity.NOTE)


def inspect(series: ASLSeries) -> tuple[Finding, ...]:
    """Everything worth saying about a series, the worst first. Nothing is changed and nothing refused.

    Codes (stable): ``milliseconds``, ``missing-labeling``, ``missing-pld``, ``missing-label-duration``,
    ``missing-bolus-duration``, ``bolus-not-cut-off``, ``multi-pld``, ``pld-label-duration-doubtful``,
    ``readout-unknown``, ``slice-timing-missing``, ``slice-timing-ignored``, ``slice-timing-doubtful``,
    ``background-suppression-unknown``, ``m0-absent``, ``m0-tr-zero``, ``m0-tr-missing``, ``m0-not-relaxed``,
    ``count-mismatch``, ``few-pairs``, ``difference-only``, ``volumes-left-out``, ``nan-voxels``, ``brain-not-found``,
    ``brain-mask-doubtful``, ``dummy-volumes``, ``order-changes``, ``control-label-swapped``, ``motion-suspected``,
    ``m0-scale``, ``cbf-unit``, ``implausible-cbf``, ``ge-scaling``, ``philips-scaling``. What can be mended without a
    choice is in `mending`.
    """
    found = [*acquisition_findings(series), *image_findings(series)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def require_quantifiable(series: ASLSeries) -> None:
    """Refuse a series that no honest CBF can be computed from; call before any processing.

    Raises:
        InputError: the first of the unusable findings that metadata give, as one sentence with its mend.
    """
    for finding in acquisition_findings(series):
        if finding.severity is Severity.UNUSABLE:
            mend = finding.mend[0].lower() + finding.mend[1:]
            raise InputError(f"{finding.what} ({finding.why}); {mend}")
