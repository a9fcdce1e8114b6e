"""CBF of one delay by the arrival times of another scan: before the pairs are cleaned, so that every map has it."""

from __future__ import annotations

import re

import numpy as np

from ..findings import FindingKind, note_kind
from ..measuring.masks import grey_matter
from ..preparing.arrival_map import laid_arrival
from ..preparing.averaging import mean_difference
from ..preparing.brain_mask import brain_mask, mask_of_perfusion
from ..preparing.pairs import difference_volumes
from ..preparing.registration import RigidRegistration, register_rigid
from ..progress import Progress
from ..quantifying.arrival_correction import LEAST_SHARE, MOST_ERROR, arrived_label, corrected
from ..quantifying.kinetic_model import kinetic_model
from ..remedies import Advice, GiveImage
from ..result import maps
from ..series import CBF_UNIT, Origin, Parameter, Volume
from .preparation_steps import alignment_target
from .state import RunState

_PERFUSION = re.compile(r"cbf|pwi|perfusion|deltam", re.IGNORECASE)
_DOUBTFUL_SHARE = 5.0  # % of the brain that cannot be measured: more is a matter of warning
_CORRECTED = note_kind(
    "arrival-corrected",
    "CBF is corrected for the arrival times of another scan: {moved}",
    "{late:.0f} % of the brain had less than 95 % of its label at a delay of {delay:g} s; {error}",
    Advice("the map desc-uncorrected is the mean without it, desc-used the arrival times as they lie on the series"),
    meaning="An arrival time map of another scan was given; how far it moved the mean of grey matter, and whether its "
    "own error is carried along.",
)
_TOO_LATE = FindingKind(
    "arrival-too-late",
    "CBF is not measured in {share:.1f} % of the brain, by what the arrival times tell",
    f"in {{late:.1f}} % less than {LEAST_SHARE:.0%} of the label had arrived, in {{unsure:.1f}} % the SD of the "
    f"arrival time would make one of more than {MOST_ERROR:.0%} of CBF",
    Advice("see late blood in a scan of a longer delay, or of several; uncertain times are better known denoised"),
    severities="note or warning",
)
_NOT_REACHED = FindingKind(
    "arrival-not-reached",
    "CBF is not measured in {share:.1f} % of the brain, of which no arrival time is known",
    "the arrival time map does not reach it, or holds none there",
    Advice("the map desc-uncorrected has these places, as if all label had arrived"),
    severities="note or warning",
)
_REGISTRATION = FindingKind(
    "arrival-registration-doubtful",
    "The arrival time map may not lie on the series",
    "{doubt}",
    Advice("look at desc-used over the series"),
    GiveImage("att-reference", "give another image of that scan"),
    meaning="The registration of the scan that the arrival time map is from did not pass its own checks.",
)


def correct_for_arrival(run: RunState, progress: Progress) -> None:
    """Lay the arrival times on the series, and quantify by the label that had arrived.

    Raises:
        InputError: the map does not reach the brain, or its reference image cannot be registered.
    """
    images, asked = run.arrival_images, run.request.arrival
    transform = {"t1": run.t1_to_asl}.get(asked.space)
    if asked.space == "scan":
        found = _registered(run, images.reference)
        transform = found.matrix
        _tell_registration(run, found)
    progress(0.9, "correcting for arrival times")
    how = {"asl": "lies on the series", "t1": "lies with the T1"}.get(asked.space, "registered")
    given = {"map": images.att, "sd": images.error, "reference": images.reference}
    run.parameters += [
        Parameter(f"arrival_{name}", image.name or "given", "", Origin.USER, how if name == "map" else "")
        for name, image in given.items()
        if image is not None
    ]
    run.arrival = laid_arrival(images.att, images.error, run.brain, transform=transform)
    acquisition = run.aligned.acquisition
    model, parameters = kinetic_model(acquisition, kinetics=run.request.fit.kinetics)
    run.tell(parameters)
    sd = None if run.arrival.error is None else run.arrival.error.array
    arrived = arrived_label(acquisition, model, run.arrival.att.array, sd)
    run.uncorrected, run.quantification = run.quantification, corrected(run.quantification, arrived)
    _tell_correction(run, arrived.share, arrived.enough)


def _registered(run: RunState, reference: Volume) -> RigidRegistration:
    """The other scan to the series, by an image of each, brains alone.

    Like is registered with like: perfusion, known by its unit or name, with the mean CBF of the series, anatomy with
    anatomy. On two simulated heads CBF came within 0.3 to 0.6 mm of its place by CBF (denoised; as acquired at an SNR
    of 1, 1.4 mm and doubted), and 2 to 4 mm by an M0; an M0 within 0.2 mm by an M0.
    """
    if is_perfusion(reference):
        brain = mask_of_perfusion(reference)
        target = run.quantification.cbf(mean_difference(difference_volumes(run.aligned)))
    else:
        brain, target = brain_mask(reference), alignment_target(run.aligned, run.raw)
    return register_rigid(reference, target, moving_mask=brain, fixed_mask=run.brain)


def is_perfusion(reference: Volume) -> bool:
    """Whether an image is one of perfusion, by its unit or name."""
    return reference.unit == CBF_UNIT or bool(_PERFUSION.search(reference.name))


def _tell_registration(run: RunState, found: RigidRegistration) -> None:
    inside = np.argwhere(run.brain.array > 0)[:, ::-1]
    points = run.brain.geometry.affine_lps @ np.c_[inside, np.ones(len(inside))].T
    moved = np.linalg.norm(((np.linalg.inv(found.matrix) - np.eye(4)) @ points)[:3], axis=0).mean()
    note = f"from where its header has it; starts that rival the best end up to {found.spread:.1f} mm apart"
    information = round(found.mutual_information, 3)
    run.parameters += [
        Parameter("arrival_moved", round(float(moved), 1), "mm", Origin.IMAGE, note),
        Parameter("arrival_mutual_information", information, "nats", Origin.IMAGE, "agreement of both scans"),
    ]
    if found.warning:
        run.findings.append(_REGISTRATION.finding(doubt=found.warning))


def _tell_correction(run: RunState, share: np.ndarray, enough: np.ndarray) -> None:
    """What was corrected, and how much of the brain is not measured, and why."""
    measured = (run.brain.array > 0) & np.isfinite(run.uncorrected.factor.array)
    total, known = max(int(measured.sum()), 1), measured & np.isfinite(share)
    grey = grey_matter(run.tissue) & known & enough & np.isfinite(run.raw.array)
    moved = "grey matter is too small to say by how much"
    if grey.any():
        before, after = (float(q.cbf(run.raw).array[grey].mean()) for q in (run.uncorrected, run.quantification))
        moved = f"the grey-matter mean by {100 * (after / before - 1):+.0f} %" if before > 0 else moved
    continued = 100 * int((run.arrival.continued & measured).sum()) / total
    error = "the SD of the arrival time is carried along"
    if run.arrival.error is None:
        error = "no SD of the arrival time is known, so that the SDs of CBF leave its error out"
    if continued:
        error += f"; {continued:.0f} % of the brain, beside the map, has the time of its nearest voxel"
    late = 100 * int((share[known] < 0.95).sum()) / total
    delay = float(np.atleast_1d(run.aligned.acquisition.delays)[0])
    run.findings.append(_CORRECTED.finding(moved=moved, late=late, delay=delay, error=error))
    few = 100 * int((share[known] < LEAST_SHARE).sum()) / total
    for kind, lost in ((_TOO_LATE, known & ~enough), (_NOT_REACHED, measured & ~known)):
        part = 100 * int(lost.sum()) / total
        if part:
            severity = "warning" if part > _DOUBTFUL_SHARE else "note"
            run.findings.append(kind.finding(severity=severity, share=part, late=few, unsure=part - few))


def arrival_maps(run: RunState) -> dict[str, Volume]:
    """The mean without the correction, and the arrival times that were used; none of a run that corrects none."""
    if run.arrival is None:
        return {}
    found = {maps.UNCORRECTED: run.uncorrected.cbf(run.raw)}
    inside = run.brain.array > 0
    for key, volume in ((maps.USED_ATT, run.arrival.att), (maps.USED_ATT_ERROR, run.arrival.error)):
        if volume is not None:
            found[key] = volume.with_array(np.where(inside, volume.array, np.nan))
    return found
