"""What a run is asked for, as one noun: shell, console, panel and ``*_request.json`` all say it with these.

Images are given by path, or as they are in memory; nothing is opened here. `request_json` writes and reads a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..denoising.adaptable import check_adaptable
from ..denoising.catalogue import DEFAULT_MODEL, find_model
from ..errors import InputError
from ..given import settle
from ..preparing.choices import Preparation
from ..remedies import Choose, GiveImage
from ..series import ASLSeries, Geometry, Tissue, Volume
from ..superresolving import DEFAULT_METHOD, PointSpread, method_of
from ..superresolving.grid_choice import check_grid_choice

Image = Path | Volume
Matrix = Path | np.ndarray  # 4x4, LPS mm
SPACES = {"asl": "the series", "t1": "the T1, with which it goes to the series"}
ATLAS_SPACES = {**SPACES, "mni": "MNI space (ICBM 2009a), to which the T1 is warped"}
ARRIVAL_SPACES = {"scan": "another scan of the head, which is registered", **SPACES}


@dataclass(frozen=True)
class SeriesFile:
    """A series on disk, and what is known of it besides.

    Args:
        path, m0, context, values, series: as `reading.read.read_series` takes them.
        swap: control and label are the wrong way round.
        fixes: names of fixes (`inspecting.fixes`), applied in their order.

    Raises:
        InputError: the path is none, or something else is of a wrong type.
    """

    path: Path
    m0: Path | float | None = None
    context: Path | str | tuple[str, ...] | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    swap: bool = False
    fixes: tuple[str, ...] = ()
    series: int | None = None

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True, eq=False)
class Head:
    """What is known of the head besides the series.

    Args:
        t1: a T1-weighted image (or the folder it lies in), for tissue, overlay and guides; None guesses tissue from
            perfusion and the M0.
        gm, wm: grey and white matter, masks or fractions; they come together.
        labels: a label map (FreeSurfer, SynthSeg, or 1/2/3) in their place.
        tissue: tissue on the grid of the series, in their place.
        t1_to_asl: takes points of the T1 to the series, used as it is, and judged; None finds it.
        t1_start: the same, rigid, from which alone the search for it starts.
        tissue_space: where given tissue lies: ``asl``, with the series, or ``t1``, with the T1, with which it is
            aligned.

    Raises:
        InputError: the images do not go together.
    """

    t1: Image | None = None
    gm: Image | None = None
    wm: Image | None = None
    labels: Image | None = None
    tissue: Tissue | None = None
    t1_to_asl: Matrix | None = None
    t1_start: Matrix | None = None
    tissue_space: str = "asl"

    def __post_init__(self) -> None:
        settle(self)
        _check_space(self.tissue_space, SPACES, "given tissue")
        if self.t1 is None and self.tissue_space == "t1":
            raise InputError("Tissue in the space of the T1 was given without the T1", [GiveImage("t1", "give it")])
        if (self.gm is None) != (self.wm is None):
            raise InputError("Masks of grey and white matter belong together", [GiveImage("masks", "give both")])
        if self.t1_to_asl is not None and self.t1_start is not None:
            either = [Choose(name, text="give one of them") for name in ("t1-to-asl", "t1-start")]
            raise InputError("Two transforms of the T1 exclude each other", either)
        if self.t1 is None and (self.t1_to_asl is not None or self.t1_start is not None):
            raise InputError("A transform of the T1 was given without a T1", [GiveImage("t1", "give it")])

    @property
    def tissue_given(self) -> bool:
        """Whether tissue need not be found."""
        return any(each is not None for each in (self.gm, self.labels, self.tissue))


@dataclass(frozen=True)
class Denoising:
    """Which network denoises, and how.

    Args:
        model: a name of the catalogue (`denoising.catalogue.list_models`).
        group: pairs averaged before the network; None all chosen ones (see `denoising.inference.denoise_pairs`).
        interleaved: how groups are taken.
        audit: put back what the residual holds beyond noise (`auditing`).
        pairs_needed: measure how many pairs are enough (`measuring.pairs_needed`): some twenty times the network.
        split_half: compare odd with even pairs (`result.split_half`): twice the network.
        adapt: learn gains of the network from the noise of the scan's own pairs (`adapting.one_scan`), and use them if
            they earn it.

    Raises:
        InputError: there is no such model, it cannot be adapted, or a group of no pairs.
    """

    model: str = DEFAULT_MODEL
    group: int | None = None
    interleaved: bool = False
    audit: bool = True
    pairs_needed: bool = False
    split_half: bool = False
    adapt: bool = False

    def __post_init__(self) -> None:
        settle(self)
        card = find_model(self.model)
        if self.adapt:
            check_adaptable(card)
        if self.group is not None and self.group < 1:
            raise InputError(f"To pre-average {self.group} pairs averages nothing; give 1 or more.")


KINETICS = {
    "white-paper": "label decays with the T1 of blood throughout, as the formula of one delay has it",
    "general": "label that has arrived decays with the T1 of tissue",
}


@dataclass(frozen=True)
class DelayFit:
    """How CBF and arrival time are fitted to several delays; a series of one needs none of it.

    Args:
        kinetics: of `KINETICS`.
        macrovascular: fit arterial blood volume as well.
        spatial: fit the denoised maps with a prior of space and tissue; else every voxel alone.

    Raises:
        InputError: there is no such model.
    """

    kinetics: str = "white-paper"
    macrovascular: bool = False
    spatial: bool = True

    def __post_init__(self) -> None:
        settle(self)
        if self.kinetics not in KINETICS:
            raise InputError(f"There is no kinetic model '{self.kinetics}'; choose one of {', '.join(KINETICS)}.")


@dataclass(frozen=True, eq=False)
class ArrivalMap:
    """Arrival times that were measured by another scan of the head, to correct the CBF of a series of one delay.

    Args:
        att: arterial transit time, s.
        error: the SD of its error, s; None: the SD map beside a result of ours, else it counts as exact.
        reference: an image of the scan that the map came from, which lies with it: CBF (known by its unit or name), M0
            or mean control; None: the CBF map beside the file of the map.
        space: where the map lies: with the ``scan`` that it came from, which is registered by `reference`; or
            registered already, ``asl`` with the series, ``t1`` with the T1.

    Raises:
        InputError: there is no such space.
    """

    att: Image
    error: Image | None = None
    reference: Image | None = None
    space: str = "scan"

    def __post_init__(self) -> None:
        settle(self)
        _check_space(self.space, ARRIVAL_SPACES, "arrival time map")


@dataclass(frozen=True, eq=False)
class SuperResolution:
    """A finer map than was acquired.

    Args:
        method: of `superresolving.METHODS`.
        spacing: mm along the acquired axes; None the T1's grid, or that of `like`.
        like: an image in the space of the T1 (without one, of the series), or a grid.
        point_spread: FWHM (mm) of the acquisition beyond its voxels, along its axes; None what the readout usually has.

    Raises:
        InputError: there is no such method, or the grid or the point spread cannot be used.
    """

    method: str = DEFAULT_METHOD
    spacing: tuple[float, float, float] | None = None
    like: Path | Geometry | None = None
    point_spread: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.point_spread, PointSpread):
            object.__setattr__(self, "point_spread", self.point_spread.fwhm)
        settle(self)
        method_of(self.method, with_t1=True)
        check_grid_choice(self.spacing, self.like)
        if self.point_spread is not None:
            PointSpread(self.point_spread)


@dataclass(frozen=True)
class Region:
    """A region to read out: a mask, above zero inside, on any grid; it may fill voxels of the series in part.

    Args:
        name, mask: what it is called, and where it is.
        space: what it was drawn on: ``asl``, the images of the series, or ``t1``, the T1, with which it is aligned.

    Raises:
        InputError: there is no such space.
    """

    name: str
    mask: Image
    space: str = "asl"

    def __post_init__(self) -> None:
        settle(self)
        _check_space(self.space, SPACES, f"region '{self.name}'")


@dataclass(frozen=True)
class Atlas:
    """Regions to read out, all labels of an image: vascular territories, lobes, a segmentation.

    Args:
        labels: whole numbers, 0 outside, on any grid.
        names: label to name; a BIDS ``_dseg.tsv`` (columns index and name), a colour table of Slicer, FreeSurfer or
            ITK-SNAP; None calls them by number.
        space: as of `Region`, or ``mni``.
        template: of labels in MNI space, the template that they were drawn on, by its name in TemplateFlow; empty: not
            known.

    Raises:
        InputError: there is no such space.
    """

    labels: Image
    names: Path | Mapping[str, str] | None = None
    space: str = "asl"
    template: str = ""

    def __post_init__(self) -> None:
        settle(self)
        _check_space(self.space, ATLAS_SPACES, "atlas")


def _check_space(space: str, known: Mapping[str, str], what: str) -> None:
    if space not in known:
        told = ", ".join(f"'{name}' ({text})" for name, text in known.items())
        raise InputError(f"The {what} is in '{space}', which is no space of a run; choose {told}.")


@dataclass(frozen=True)
class Outputs:
    """What is made of the maps, and where it goes.

    Args:
        regions: read out beside grey and white matter; `atlases` likewise, a region a label.
        mni: CBF in MNI space as well (needs a T1).
        folder: where results are written; None: nowhere.
        name: what file and node names begin with; empty: the series'.
        scene: a Slicer scene and an overlay picture beside them.
        command: what was typed, for provenance.
        dataset: the root of the BIDS derivative that `folder` lies in, if somebody else (a cohort) keeps its
            description, ``.bidsignore`` and README; None: `folder` is a data set of its own.
    """

    regions: tuple[Region, ...] = ()
    mni: bool = False
    folder: Path | None = None
    name: str = ""
    scene: bool = False
    command: str = ""
    atlases: tuple[Atlas, ...] = ()
    dataset: Path | None = None

    def __post_init__(self) -> None:
        settle(self)
        if self.dataset is not None and (
            self.folder is None or self.dataset.absolute() not in (self.folder / "x").absolute().parents
        ):
            raise InputError(f"The results' folder lies outside of the data set {self.dataset}; give one inside of it.")
        if any(letter in self.name for letter in '/\\:*?"<>|\0'):
            raise InputError(f"The name '{self.name}' cannot begin a file name; leave out / \\ : * ? \" < > |.")


@dataclass(frozen=True, eq=False)
class Request:
    """All of a run: inputs, choices, outputs. `run.run` does it.

    Args:
        series: on disk or in memory; with `superresolution` one CBF map is a series of one ``cbf`` volume.
        head: T1, tissue, transforms.
        preparation: which pairs, and what is done to them.
        denoising: None: the mean as it is.
        superresolution: None: the grid of the series.
        outputs: regions, MNI space, files.
        device: where networks run: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        fit: of a series of several delays.
        arrival: arrival times of another scan, for a series of one delay; None: all label counts as arrived.

    Raises:
        InputError: the parts do not go together.
    """

    series: SeriesFile | ASLSeries
    head: Head = field(default_factory=Head)
    preparation: Preparation = field(default_factory=Preparation)
    denoising: Denoising | None = None
    superresolution: SuperResolution | None = None
    outputs: Outputs = field(default_factory=Outputs)
    device: str = "auto"
    fit: DelayFit = field(default_factory=DelayFit)
    arrival: ArrivalMap | None = None

    def __post_init__(self) -> None:
        if isinstance(self.series, (str, Path)):
            object.__setattr__(self, "series", SeriesFile(self.series))
        if isinstance(self.arrival, (str, Path, Volume)):
            object.__setattr__(self, "arrival", ArrivalMap(self.arrival))
        settle(self)
        if self.outputs.mni and self.head.t1 is None:
            raise InputError("MNI space needs a T1 to find the way there", [GiveImage("t1")])
        placed = {region.space for region in (*self.outputs.regions, *self.outputs.atlases)}
        if self.head.t1 is None and placed - {"asl"}:
            raise InputError("A region that was drawn on the T1, or in MNI space, needs the T1", [GiveImage("t1")])
        if self.head.t1 is None and self.arrival is not None and self.arrival.space == "t1":
            raise InputError("An arrival time map in the space of the T1 was given without the T1", [GiveImage("t1")])
        finer = self.superresolution
        if finer is not None:
            method_of(finer.method, with_t1=self.head.t1 is not None)
            check_grid_choice(finer.spacing, finer.like, has_t1=self.head.t1 is not None)

    @property
    def inputs(self) -> dict[str, object]:
        """What it holds in memory, by name: a result that holds it again need not send it back."""
        regions = {f"regions/{region.name}": region.mask for region in self.outputs.regions}
        atlases = {f"atlases/{number}": atlas.labels for number, atlas in enumerate(self.outputs.atlases)}
        arrival = {} if self.arrival is None else {f"arrival/{k}": v for k, v in vars(self.arrival).items()}
        held = {"series": self.series, **vars(self.head), **regions, **atlases, **arrival}
        return {name: thing for name, thing in held.items() if isinstance(thing, (ASLSeries, Volume, Tissue))}
