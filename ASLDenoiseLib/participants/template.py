"""What a cohort does with every scan: a request without series, head and place, and the request of each scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import require_file
from ..given import settle
from ..pipeline.request import Atlas, DelayFit, Denoising, Head, Outputs, Request, SeriesFile, SuperResolution
from ..pipeline.request_json import parts_of, plain_of_file, plain_request, understood
from ..preparing.choices import Preparation
from ..reading.atlas import atlas_names
from ..reading.bids import read_context
from .scan import CohortScan

_EACH = Path("each_asl.nii.gz")  # in the place of a series
_KEPT = ("preparation", "denoising", "superresolution", "fit", "device")
_OWN_M0 = "each scan's own is found (_m0scan)"
_OWN_T1 = "each scan is aligned with its own T1"
_MASKS = "give label maps of all by --labels-from"
# What belongs to one scan: part and field, what it is, and what a cohort has in its place
_OF_ONE_SCAN = (
    ("series", "m0", "an M0 image", _OWN_M0),
    ("head", "gm", "a mask of grey matter", _MASKS),
    ("head", "wm", "a mask of white matter", _MASKS),
    ("head", "labels", "a label map", _MASKS),
    ("head", "tissue", "tissue", _MASKS),
    ("head", "t1_to_asl", "a transform of the T1", _OWN_T1),
    ("head", "t1_start", "a transform of the T1", _OWN_T1),
    ("preparation", "taken_out", "pairs taken out by hand", "outliers are sought in each scan"),
    ("preparation", "put_back", "pairs put back by hand", "outliers are sought in each scan"),
    ("superresolution", "like", "the grid of an image", "give a spacing instead"),
    ("outputs", "regions", "regions drawn on its images", "give an atlas in MNI space instead"),
)


@dataclass(frozen=True, eq=False)
class Template:
    """The choices of a cohort: those of a `Request`, but for what each scan has of its own.

    Args:
        series: context, values, fixes, swap, and a number for the M0; its path stands for each scan's.
        preparation, denoising, superresolution, device, fit: as of a `Request`.
        outputs: atlases in MNI space, and whether MNI space and scenes are wanted.

    Raises:
        InputError: a part is of another type, or an atlas does not lie in MNI space.
    """

    series: SeriesFile = field(default_factory=lambda: SeriesFile(_EACH))
    preparation: Preparation = field(default_factory=Preparation)
    denoising: Denoising | None = field(default_factory=Denoising)
    superresolution: SuperResolution | None = None
    outputs: Outputs = field(default_factory=lambda: Outputs(mni=True, scene=True))
    device: str = "auto"
    fit: DelayFit = field(default_factory=DelayFit)

    def __post_init__(self) -> None:
        settle(self)
        for atlas in self.outputs.atlases:
            if atlas.space != "mni":
                raise InputError(f"The atlas {_called(atlas)} lies on one scan; give one in MNI space (FILE@mni).")


def read_template(path: Path) -> Template:
    """The template of a ``*_request.json``: its series, T1 and places, if any, are replaced by those of each scan.

    Raises:
        InputError: there is no such file, it is no request, or names something that belongs to one scan.
    """
    with understood(path):
        return _template(plain_of_file(path), path.absolute().parent, f"The template {path}")


def template_of(request: Request) -> Template:
    """The template that a request is, likewise; raises as `read_template`."""
    plain = {key: value for key, value in plain_request(request).items() if key != "format"}
    return _template(plain, Path.cwd(), "The request")


def require_files(template: Template) -> None:
    """Refuse a template whose own files are not there: once, and not for each scan.

    Raises:
        InputError: an atlas, the names of its labels or the context cannot be read.
    """
    if isinstance(template.series.context, Path):
        read_context(template.series.context)
    for atlas in template.outputs.atlases:
        if isinstance(atlas.labels, Path):
            require_file(atlas.labels, what="atlas")
        if isinstance(atlas.names, Path):
            atlas_names(atlas.names)


def request_of(scan: CohortScan, template: Template, out: Path) -> Request:
    """What is to be done with one scan; `left_out` says what of the template is not.

    Args:
        scan: whose series, T1 and label map are taken.
        template: the choices.
        out: the folder of the cohort; results go to the scan's place in it.

    Raises:
        InputError: a choice needs a T1 that the scan has not, and there is no doing without.
    """
    wanted, has_t1 = template.outputs, scan.t1 is not None
    labels = scan.labels if has_t1 else None
    head = Head(scan.t1, labels=labels, tissue_space="asl" if labels is None else "t1")
    atlases = wanted.atlases if has_t1 else ()
    if labels is not None:
        from ..reading.segmentations import segmentation_names

        atlases = (*atlases, Atlas(labels, segmentation_names(labels), "t1"))
    place = {"folder": out / scan.place, "dataset": out, "name": scan.name}
    return Request(
        replace(template.series, path=scan.series),
        head,
        template.preparation,
        template.denoising,
        template.superresolution,
        replace(wanted, mni=wanted.mni and has_t1, atlases=atlases, **place),
        template.device,
        template.fit,
    )


def left_out(scan: CohortScan, template: Template) -> tuple[str, ...]:
    """A sentence on what of a template is not done with a scan, since it has no T1."""
    if scan.t1 is not None:
        return ()
    wanted = [("MNI space", template.outputs.mni), ("the regions of the atlas", bool(template.outputs.atlases))]
    missing = [what for what, asked in (*wanted, ("its label map", scan.labels is not None)) if asked]
    return (f"It runs without {' and '.join(missing)}, for want of a T1.",) if missing else ()


def _template(plain: Mapping[str, Any], folder: Path, called: str) -> Template:
    unknown = sorted(plain.keys() - {f.name for f in fields(Request)})
    if unknown:
        known = ", ".join(f.name for f in fields(Request))
        raise InputError(f"{called} names '{unknown[0]}', which is no part of a request; use of {known}.")
    for part, name, what, instead in _OF_ONE_SCAN:
        value = (plain.get(part) or {}).get(name) if isinstance(plain.get(part), Mapping) else None
        if value and not isinstance(value, (int, float)):
            raise InputError(f"{called} names {what}, which belongs to one scan; leave it out: {instead}.")
    if plain.get("arrival") is not None:
        raise InputError(f"{called} names an arrival time map, which belongs to one scan; leave it out.")
    series = plain.get("series")
    on_disk = isinstance(series, Mapping) and "voxels" not in series  # else what is stated of it came from its sidecar
    stated = {k: v for k, v in series.items() if k not in ("path", "series")} if on_disk else {}
    outputs = dict(plain.get("outputs") or {})
    for name in ("folder", "dataset", "name", "command"):
        outputs.pop(name, None)
    kept = {name: plain[name] for name in _KEPT if plain.get(name) is not None}
    parts = parts_of({**kept, "series": {**stated, "path": {"file": str(_EACH)}}, "outputs": outputs}, folder)
    return Template(**{"denoising": None, **parts})


def _called(atlas: Atlas) -> str:
    return getattr(atlas.labels, "name", "") or "that is given"
