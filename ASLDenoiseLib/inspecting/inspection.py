"""Inspection of a series: findings, fixes, and what is worked out for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import InputError
from ..findings import Finding, Severity
from ..given import fitted
from ..reading.volume_order import OrderProposal, propose_order
from ..series import ASLSeries, Volume, VolumeType
from .acquisition_checks import acquisition_findings
from .image_checks import image_findings
from .m0_image_checks import m0_image_findings
from .order_checks import is_unordered, order_findings
from .preview import Preview, preview_of
from .scale_checks import SignalScale, scale_findings, scale_of

if TYPE_CHECKING:
    from ..preparing.m0_fit import M0Position
    from ..quantifying.calibration import Calibration
    from .fixes import Fix


@dataclass(frozen=True, eq=False, repr=False)
class Inspection(Sequence[Finding]):
    """The findings of a series, the worst first, as a sequence; everything is worked out at its first use, and once."""

    series: ASLSeries

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, the worst first."""
        found = [*self.before_scale]
        if not is_unordered(self.series) and self.preview is not None:
            found += scale_findings(self)
        return tuple(sorted(found, key=lambda finding: list(Severity).index(finding.severity), reverse=True))

    @cached_property
    def before_scale(self) -> tuple[Finding, ...]:
        """All findings but those about scale, which ask first what else explains an implausible CBF."""
        told = (*self.series.findings, *acquisition_findings(self.series))
        if is_unordered(self.series):
            return (*told, *order_findings(self))
        return (*told, *image_findings(self), *m0_image_findings(self))

    @cached_property
    def order(self) -> OrderProposal | None:
        """What the volumes look like, of a series that nothing states it of; None where the images do not say."""
        return propose_order(self.series.array)

    @cached_property
    def fixes(self) -> tuple[Fix, ...]:
        """All fixes that the findings propose and that leave nothing to choose."""
        from .fixes import proposed_fixes

        return tuple(proposed_fixes(self))

    @cached_property
    def reference(self) -> Volume:
        """The image in which the brain is sought: M0, else the mean control, else the mean of what there is."""
        if self.series.m0 is not None:
            return self.series.m0
        kinds = (VolumeType.CONTROL,) if self.series.indices(VolumeType.CONTROL) else self.series.perfusion
        return self.series.mean(*kinds)

    @cached_property
    def brain(self) -> Volume | None:
        """The brain in the reference, 0/1, as `preparing.brain_mask` finds it; None where its shape is not found."""
        from ..preparing.brain_mask import brain_mask, mask_of_perfusion, shows_anatomy

        with suppress(InputError):
            return (brain_mask if shows_anatomy(self.series) else mask_of_perfusion)(self.reference)

    @cached_property
    def differences(self) -> ASLSeries | None:
        """The perfusion differences (`preparing.pairs.difference_volumes`); None where nothing can be subtracted."""
        from ..preparing.pairs import difference_volumes

        with suppress(InputError):
            return difference_volumes(self.series)

    @cached_property
    def calibration(self) -> Calibration | None:
        """The M0 as `quantifying.calibrate` gives it; None where there is nothing to calibrate with."""
        from ..quantifying.calibration import calibrate

        with suppress(InputError):
            return calibrate(self.series)

    @cached_property
    def m0_position(self) -> M0Position | None:
        """Where the M0 seems to belong (`preparing.m0_fit`); None where that cannot be told."""
        from ..preparing.m0_fit import m0_position

        return None if self.series.m0 is None or self.brain is None else m0_position(self.series, self.brain)

    @cached_property
    def preview(self) -> Preview | None:
        """The brain and the levels in it that the checks share; None where no brain can be told from air."""
        return preview_of(self)

    @cached_property
    def scale(self) -> SignalScale:
        """Whether M0 and series are on one scale; needs a preview."""
        return scale_of(self)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self.findings[index]

    def __eq__(self, other: object) -> bool:
        return tuple(other) == self.findings if isinstance(other, Sequence) else NotImplemented

    def __repr__(self) -> str:
        return repr(self.findings)


@fitted
def inspect(series: ASLSeries) -> Inspection:
    """The findings of a series, the worst first; its `fixes` need no choice. Nothing is changed and nothing refused.

    The codes of findings are stable; `Docs/troubleshooting.md` lists them.
    """
    inspection = Inspection(series)
    _ = inspection.findings  # worked out here, where a caller expects to wait
    return inspection


def inspection_of(given: ASLSeries | Inspection) -> Inspection:
    """The inspection that is given, or a new one of a series, where nothing is worked out yet."""
    return given if isinstance(given, Inspection) else Inspection(given)


def require_quantifiable(given: ASLSeries | Inspection) -> None:
    """Refuse a series that no honest perfusion can be computed from; call before any processing.

    Of a series only the metadata are checked.

    Raises:
        InputError: the first of the unusable findings, as one sentence with its remedies.
    """
    found = given if isinstance(given, Inspection) else (*given.findings, *acquisition_findings(given))
    for finding in found:
        if finding.severity is Severity.UNUSABLE:
            raise InputError(f"{finding.what} ({finding.why})", finding.remedies)
