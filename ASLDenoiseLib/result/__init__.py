"""The result of a run: maps, readouts, findings, and the origin of every number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..findings import Finding
from ..notebook import html_of
from ..series import CBF_UNIT, SCANNER_UNIT, ASLSeries, Parameter, Tissue, Volume
from ..spatial.regions import Drawing, PlacedRegion
from .maps import MapKind, Role, furthest, is_relative, kind_of, raw_of
from .pairs_used import pairs_used

if TYPE_CHECKING:
    from ..preparing.course import PairCourse
    from ..preparing.motion import Motion
    from ..preparing.outliers import OutlierReport
    from ..preparing.series_fit import SeriesFit
    from .adaptation import ScanAdaptation
    from .audit import AuditVerdict
    from .delay_curves import DelayCurves
    from .pair_errors import PairErrors
    from .pairs_needed import PairsNeeded
    from .split_half import SplitHalf


RAW_PAIRS, PREPARED_PAIRS = "raw", "prepared"
_BRIGHTEST = 98.0  # percentile of the brain, at which a window ends that no unit can set


def errors_of(errors: Mapping[str, PairErrors], key: str, maps: Collection[str]) -> PairErrors | None:
    """What the pairs move a map's mean by; None of a map that is no mean of pairs.

    The error of what a denoiser has made is not that of the mean it was given, and is not known from the pairs.

    Args:
        errors: of a result.
        key: the map's.
        maps: the keys of all maps of that result.
    """
    own = {Role.RAW: RAW_PAIRS, Role.PREPARED: PREPARED_PAIRS}.get(kind_of(key, maps).role, "")
    return errors.get(own)


@dataclass(frozen=True)
class Readout:
    """One number a map is judged by.

    Args:
        name: stable key, e.g. ``gm_mean`` or ``roi_thalamus_mean``.
        label: for people, e.g. ``GM mean``.
        value: NaN where it could not be measured.
        unit: empty for ratios.
        meaning: one sentence, how it is computed and how to read it.
    """

    name: str
    label: str
    value: float
    unit: str
    meaning: str = field(default="", repr=False)


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run.

    Args:
        series: what was processed (the series as read).
        maps: by the keys of `result.maps`, in the order to show them, the raw one (`raw`) always first; all on the
            grid of the series but ``desc-superres_cbf`` and, beside it, its uncertainty.
        readouts: one tuple of readouts for each perfusion map, by the same keys; same names in the same order.
        tissue: the tissue the readouts were taken in, on the grid of the series.
        findings: what the inspection and the run found wrong, doubtful or worth knowing.
        parameters: every value that entered, with unit and origin.
        regions: given ROIs by name, as fractions of the voxels of the series; `drawings` as they were drawn, where the
            T1 has taken them on the series; `atlas`: of those that are labels of an atlas, by name, which one it is,
            and of the labels that the series does not reach too.
        t1: the T1 as given, on its own grid, or None.
        t1_to_asl: 4x4, LPS mm: takes a point of the T1 to the same anatomy in the series; identity when none.
        model: what denoised (name, sha256, one line for people, ...), empty for `quantify`.
        timings: seconds a step, in order.
        motion: of every control and label; None where it was not estimated.
        outliers: what was left out of the mean, and why; None where no run looked for any.
        t1_tissue: tissue in the space of the T1, as segmented; None without a T1.
        in_t1_space: keys of maps that lie where the T1 lies: `t1_to_asl` takes them to the others.
        request: what was asked for, as `pipeline.request_json.plain_request` gives it; empty where no request was.
        pairs_needed: how many pairs are enough; None where that was not asked, or cannot be told.
        audit: whether the residual audit kept the means of tissues; None where none was made.
        split_half: how odd and even pairs agree; None where that was not asked, or cannot be told.
        course: perfusion and motion of every pair; None where no run looked at them.
        fit: whether the T1 belongs to the series; None without a T1.
        brain: 0/1, the brain as it was found in the images of the series; None where no run looked for it.
        pair_errors: what each pair moves the raw mean by (`RAW_PAIRS`), and the prepared one where it is another
            (`PREPARED_PAIRS`): how well the mean of any region is known (`errors_of`).
        mirror: 4x4, LPS mm, takes a point of the series to the other half of the brain; None where it is not known.
        delays: what regions measured at each of several delays, and the curves fitted; None of a series of one.
        adaptation: whether the network was adapted to the scan, and the figures that decided; None where that was not
            asked, or not tried.
    """

    series: ASLSeries
    maps: Mapping[str, Volume]
    readouts: Mapping[str, tuple[Readout, ...]]
    tissue: Tissue
    findings: tuple[Finding, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    regions: Mapping[str, PlacedRegion] = field(default_factory=dict)
    t1: Volume | None = None
    t1_to_asl: np.ndarray = field(default_factory=lambda: np.eye(4))
    model: Mapping[str, object] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    motion: Motion | None = None
    outliers: OutlierReport | None = None
    t1_tissue: Tissue | None = None
    in_t1_space: frozenset[str] = frozenset()
    request: Mapping[str, object] = field(default_factory=dict, repr=False)
    pairs_needed: PairsNeeded | None = None
    audit: AuditVerdict | None = None
    course: PairCourse | None = None
    split_half: SplitHalf | None = None
    fit: SeriesFit | None = None
    brain: Volume | None = None
    drawings: Mapping[str, Drawing] = field(default_factory=dict, repr=False)
    atlas: Mapping[str, str] = field(default_factory=dict)
    pair_errors: Mapping[str, PairErrors] = field(default_factory=dict, repr=False)
    mirror: np.ndarray | None = field(default=None, repr=False)
    delays: DelayCurves | None = None
    adaptation: ScanAdaptation | None = None

    @property
    def relative(self) -> bool:
        """Whether the series had no M0, so that the maps are perfusion differences in scanner units, not CBF."""
        return is_relative(self.maps)

    @property
    def unit(self) -> str:
        """Of the perfusion maps: ml/100g/min, or scanner units where nothing calibrates them."""
        return SCANNER_UNIT if self.relative else CBF_UNIT

    @property
    def raw(self) -> str:
        """The key of the raw map."""
        return raw_of(self.maps)

    @property
    def processed(self) -> str | None:
        """The key of the map the run was for; None where the series was only averaged."""
        return furthest(self.maps)

    @property
    def on_series(self) -> str:
        """The key of the furthest map on the grid of the series: denoised, else prepared, else raw."""
        return furthest(self.maps, on_series=True) or self.raw

    def kind(self, key: str) -> MapKind:
        """The kind of a map of the run; its label names the map that it is of, where that depends on the run.

        Where pairs were left out, the label also says which ones the map is the mean of. The window of maps in
        scanner units follows the furthest map on the grid of the series.
        """
        kind = kind_of(key, self.maps)
        pairs = self.pairs.get(kind.role)
        kind = replace(kind, label=f"{kind.label} ({pairs})") if pairs else kind
        return kind.scaled(self._brightest) if kind.unit == SCANNER_UNIT and kind.window is not None else kind

    @cached_property
    def pairs(self) -> Mapping[Role, str]:
        """In words, the pairs that maps of each role average; empty where all have the same (`pairs_used`)."""
        return pairs_used(self)

    @cached_property
    def _brightest(self) -> float:
        """The value that few voxels of the brain exceed, in the unit of the maps; 1 where none is positive."""
        array = self.maps[self.on_series].array[self.tissue.brain.array > 0.5]
        bright = array[np.isfinite(array) & (array > 0)]
        return float(np.percentile(bright, _BRIGHTEST)) if bright.size else 1.0

    def values(self, key: str | None = None) -> dict[str, float]:
        """The readouts of one map as name to number; of the map the run was for where no key is given.

        Raises:
            KeyError: that map was not measured.
        """
        return {readout.name: readout.value for readout in self.readouts[key or self.processed or self.raw]}

    @property
    def methods_text(self) -> str:
        """A methods paragraph of this run for a paper, with its references numbered (`result.methods`)."""
        from .methods import methods_of

        return methods_of(self).text

    def __str__(self) -> str:
        """The readouts as a table, raw beside processed, then the findings, as the shell prints them."""
        from .table import readouts_table

        return readouts_table(self)

    def __repr__(self) -> str:
        count = len(self.findings)
        return f"<Result of {self.series.name}: {', '.join(self.maps)}; {count} finding{'' if count == 1 else 's'}>"

    def _repr_html_(self) -> str:
        return html_of(self)
