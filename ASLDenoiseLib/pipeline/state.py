"""What the steps of one run hand on to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..compute import Compute
from ..preparing.arrival_map import LaidArrival
from ..preparing.course import PairCourse
from ..preparing.delays import Delay
from ..preparing.motion import Motion
from ..preparing.outliers import OutlierReport
from ..preparing.series_fit import SeriesFit
from ..preparing.tissue import SegmentedTissue
from ..quantifying.cbf import Quantification
from ..result import Result
from ..series import ASLSeries, Geometry, Parameter, Tissue, Volume
from ..spatial.regions import Drawing, PlacedRegion
from .request import Request

if TYPE_CHECKING:
    from threading import Thread

    from ..adapting.adaptation import Adaptation
    from ..auditing import ResidualAudit
    from ..denoising.guides import GuideMaps
    from ..denoising.inference import DenoisingResult
    from ..findings import Finding
    from ..fitting.maps import FittedMaps
    from ..inspecting.inspection import Inspection
    from ..preparing.template_space import TemplateSpace
    from ..reporting.derivatives import WrittenFiles
    from ..result.audit import AuditVerdict
    from ..result.delay_curves import DelayCurves
    from ..result.pairs_needed import PairsNeeded
    from ..result.split_half import SplitHalf
    from ..superresolving import SuperResolvedMap
    from ..superresolving.targets import TargetGrid
    from .arrival_files import ArrivalImages
    from .head_store import HeadStore
    from .scene_beside import SceneBeside
    from .segmenting import Segmenting


@dataclass(frozen=True, eq=False)
class Fits:
    """What was fitted to several delays.

    Args:
        raw: to what was acquired.
        prepared: to what was prepared; `raw` itself where nothing was done.
        denoised: to what was denoised; None where nothing was.
        vessels: bool (K, J, I).
        tissues: for each of the three, the CBF that fits the mean curve of a tissue, by ``gm`` and ``wm``.
    """

    raw: FittedMaps
    prepared: FittedMaps
    denoised: FittedMaps | None
    vessels: np.ndarray
    tissues: tuple[dict[str, float], dict[str, float], dict[str, float]]

    @property
    def furthest(self) -> FittedMaps:
        """Of what was worked on most."""
        return self.prepared if self.denoised is None else self.denoised


@dataclass(eq=False)
class RunState:
    """A run on its way: each step reads what earlier ones left, and adds its own.

    Args:
        request: what was asked for.
        compute: where networks run.
        heads: where what a T1 alone determines is kept for other scans; None: nowhere.
        beside: writes scene and picture in a process of their own; None: the run writes them itself.
        segmenting: segments the T1 on another core; None where it does not, or is done.
        loading: loads torch; None once `compute` says where networks run.
        findings, parameters: what is to be told.
        timings: seconds a step.
        series: as read; t1, like, t1_start likewise. `t1_to_asl` is given, found, or the identity.
        given_regions: by name, the space each was drawn in, and what was drawn there.
        drawings, regions: what has been laid on the series so far, in its space, and as fractions of its voxels.
        atlas_names: of the regions that are labels of an atlas, by name, which one that is.
        template: how the T1 lies in MNI space; None where that is not asked.
        mirror: 4x4, LPS mm, takes a point of the series to the other half of the brain; None where that is not known.
        inspection: what is wrong or doubtful, and what inspecting worked out.
        chosen: the chosen pairs, all else n/a.
        acquired_delays: that are fitted together; none of a series of one. `quantifications` are theirs.
        delays: a state a delay, from the step that cleans the pairs on; `delay` is that of such a state.
        fits, curves: of a run of several delays.
        acquired: their differences (N, K, J, I) before anything was done to them; `raw` is their plain mean, of several
            delays the one that shows tissue, until they are fitted.
        brain: 0/1 on the grid of the series.
        aligned: the chosen pairs, corrected for motion, then for nuisances.
        motion: None where it was not, or could not be, estimated.
        m0: what calibrates the pairs; None where they are CBF, or nothing does.
        quantification: differences to ml/100g/min, or as they are where nothing calibrates them.
        arrival_images: what was given of arrival times of another scan; `arrival` is how they lie on the series, and
            `uncorrected` the quantification as if all label had arrived. None of a run that corrects none.
        even_t1: the T1 without its bias field; `t1_tissue` is tissue in its space. None without a T1.
        fit: whether the T1 belongs to the series; None without a T1.
        tissue: on the grid of the series; `tissue_on_t1` what was given in the space of the T1.
        outliers: what was found among the pairs, and what the user decided about them.
        course: figures a pair, before any was left out.
        pairs: the differences (N, K, J, I) that are averaged.
        weights: (N, K, 1, 1) or (N, K, J, I), how much of each difference counts in the mean; None all of all.
        cleaned: the mean difference that is left; `raw` itself where nothing was done to it.
        error: the standard error of `cleaned`; None for fewer than three pairs.
        guides, denoised, audit, verdict: of a run that denoises.
        adaptation: the network that learned from the run's own pairs, with its verdict, of a run that asks it; None
            where it was not tried.
        pairs_needed: how many pairs are enough, of a run that asks it; None where it cannot be told.
        split_half: how odd and even pairs agree, of a run that asks it; `halves` the maps of both, by the keys of
            `result.maps`.
        target, fine: of a run that super-resolves.
        result: what is handed on; `written` its files, `notes` what else to say of them.
    """

    request: Request
    compute: Compute
    heads: HeadStore | None = None
    beside: SceneBeside | None = None
    loading: Thread | None = None
    segmenting: Segmenting | None = None
    findings: list[Finding] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    series: ASLSeries | None = None
    t1: Volume | None = None
    like: Geometry | None = None
    given_regions: dict[str, tuple[str, Drawing]] = field(default_factory=dict)
    drawings: Mapping[str, Drawing] = field(default_factory=dict)
    regions: Mapping[str, PlacedRegion] = field(default_factory=dict)
    atlas_names: dict[str, str] = field(default_factory=dict)
    template: TemplateSpace | None = None
    mirror: np.ndarray | None = None
    t1_start: np.ndarray | None = None
    t1_to_asl: np.ndarray | None = None
    tissue: Tissue | None = None
    tissue_on_t1: Tissue | None = None
    inspection: Inspection | None = None
    chosen: ASLSeries | None = None
    acquired_delays: tuple[Delay, ...] = ()
    quantifications: tuple[Quantification, ...] = ()
    delays: tuple[RunState, ...] = ()
    delay: Delay | None = None
    fits: Fits | None = None
    curves: DelayCurves | None = None
    acquired: ASLSeries | None = None
    raw: Volume | None = None
    brain: Volume | None = None
    aligned: ASLSeries | None = None
    motion: Motion | None = None
    m0: Volume | None = None
    quantification: Quantification | None = None
    arrival_images: ArrivalImages | None = None
    arrival: LaidArrival | None = None
    uncorrected: Quantification | None = None
    even_t1: Volume | None = None
    t1_tissue: SegmentedTissue | None = None
    fit: SeriesFit | None = None
    outliers: OutlierReport | None = None
    course: PairCourse | None = None
    pairs: ASLSeries | None = None
    weights: np.ndarray | None = None
    cleaned: Volume | None = None
    error: Volume | None = None
    guides: GuideMaps | None = None
    adaptation: Adaptation | None = None
    denoised: DenoisingResult | None = None
    audit: ResidualAudit | None = None
    verdict: AuditVerdict | None = None
    pairs_needed: PairsNeeded | None = None
    split_half: SplitHalf | None = None
    halves: dict[str, Volume] = field(default_factory=dict)
    target: TargetGrid | None = None
    fine: SuperResolvedMap | None = None
    result: Result | None = None
    written: WrittenFiles | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def each(self) -> tuple[RunState, ...]:
        """The states of which one delay each is cleaned and denoised: of the delays, else the run's own."""
        return self.delays or (self,)

    def tell(self, parameters: Iterable[Parameter]) -> None:
        """Add parameters that are not told yet, by their names."""
        known = {parameter.name for parameter in self.parameters}
        self.parameters += [parameter for parameter in parameters if parameter.name not in known]

    @property
    def by_prior(self) -> bool:
        """Whether several delays are denoised by the prior of their fit, so that no network is asked."""
        return bool(self.acquired_delays) and self.request.fit.spatial

    @property
    def kept_pairs(self) -> np.ndarray:
        """The differences (N, K, J, I) that are averaged; NaN where one was left out."""
        return self.pairs.array if self.weights is None else np.where(self.weights > 0, self.pairs.array, np.nan)

    @property
    def difference(self) -> Volume:
        """The furthest mean difference: audited, else denoised, else prepared."""
        if self.audit is not None:
            return self.audit.difference
        return self.cleaned if self.denoised is None else self.denoised.difference
