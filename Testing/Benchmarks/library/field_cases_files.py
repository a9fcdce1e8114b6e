"""Field cases of files and volumes: folders, DICOM, order, gaps, and a T1 that is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .field_phantom import SPACING, MadeScan, Protocol, centred, head, made, save
from .field_rules import MASKS, FieldCase, Named, Outcome, Refused, Right, as_it_is, scan
from .shell_runs import QUICK, shell, written

_DEFAULT = Protocol()
_GE_TOLD = ("--labeling", "PCASL", "--pld", "2.025", "--label-duration", "1.45", "--efficiency", "0.6923")
_FINE = 2.5  # mm, of a T1


def _data_set(below: str):
    """A BIDS data set with one series, given by one of its folders."""

    def write(folder: Path) -> list[object]:
        part = made()
        part.name = "sub-01_ses-1"
        part.write(folder / "sub-01" / "ses-1" / "perf")
        (folder / "dataset_description.json").write_text('{"Name": "made up", "BIDSVersion": "1.9.0"}')
        for name in ("gm", "wm"):
            save(folder / f"{name}.nii.gz", getattr(part, name), part.affine, np.uint8)
        return [folder / below if below else folder]

    return write


def _two_subjects(folder: Path) -> list[object]:
    """A data set of two subjects, given by its root."""
    for subject in ("sub-01", "sub-02"):
        part = made()
        part.name = subject
        part.write(folder / subject / "perf")
    (folder / "dataset_description.json").write_text('{"Name": "made up", "BIDSVersion": "1.9.0"}')
    return [folder]


def _bad_voxels(value: float) -> MadeScan:
    holes = made()
    holes.volumes[8:10, 12:14, 8:10, 3] = value
    return holes


def _dummy_first() -> MadeScan:
    """The first pair before the steady state, called control and label: OASIS, no M0, no suppression."""
    first = made(replace(_DEFAULT, pulses=0, m0="control", pairs=8))
    first.volumes[..., 0] *= 1.6
    first.volumes[..., 1] *= 1.25
    return first


def _dummies_marked() -> MadeScan:
    marked = made(replace(_DEFAULT, pairs=8))
    marked.volumes[..., :2] *= 1.6
    marked.words[:2] = ["n/a", "n/a"]
    return marked


def _broken_off() -> MadeScan:
    """The last label was not acquired any more."""
    part = made()
    part.volumes, part.words = part.volumes[..., :-1], part.words[:-1]
    return part


def _exchanged() -> MadeScan:
    wrong = made()
    wrong.words = [{"control": "label", "label": "control"}[word] for word in wrong.words]
    return wrong


def _context_short() -> MadeScan:
    short = made()
    short.words = short.words[:-2]
    return short


def _fewer_pairs_than_acquired() -> MadeScan:
    """A difference averaged over 30 pairs, which TotalAcquiredPairs states."""
    return scan(Protocol(content="deltam", pairs=2), TotalAcquiredPairs=30)


def _t1_of(values: np.ndarray, name: str):
    def write(folder: Path) -> list[object]:
        series = made().write(folder)
        size = tuple(int(n * mm / _FINE) for n, mm in zip((22, 26, 18), SPACING, strict=True))
        tissues = head(size, (_FINE,) * 3)
        array = sum(value * tissues[tissue] for tissue, value in zip(("gm", "wm", "csf"), values, strict=True))
        save(folder / f"{name}.nii.gz", array, centred(size, (_FINE,) * 3), np.uint8)
        return [series, "--t1", folder / f"{name}.nii.gz"]

    return write


def _ge_dicom(*, m0: bool):
    """GE's export in one folder: the difference as a derived image, 96 times, and the M0 as an original one."""

    def write(folder: Path) -> list[object]:
        part = made(
            Protocol(delay=2.025, duration=1.45, pulses=4, vendor="GE", content="deltam", m0="included", pairs=2)
        )
        for name in ("gm", "wm"):
            save(folder / f"{name}.nii.gz", getattr(part, name), part.affine, np.uint8)
        exported, start = folder / "dicom", 1
        start = _write_dicom(exported, part.volumes[..., 1] * 96, "DERIVED\\PRIMARY\\ASL\\PERFUSION\\ASL", start)
        if m0:
            _write_dicom(exported, part.volumes[..., 0], "ORIGINAL\\PRIMARY\\ASL", start)
        context = [] if m0 else ["--context", "deltam", "--m0", "1000"]
        return [exported, *_GE_TOLD, *context, *(["--m0-scale", "96"])]

    return write


def _write_dicom(folder: Path, volume: np.ndarray, kind: str, first: int) -> int:
    """One volume (I, J, K) as a series of classic MR images; returns the next instance's number."""
    import SimpleITK as sitk

    folder.mkdir(parents=True, exist_ok=True)
    writer, root = sitk.ImageFileWriter(), "1.2.826.0.1.3680043.2.1125.77"
    writer.KeepOriginalImageUIDOn()
    stored = np.clip(np.round(volume), 0, 32767).astype(np.int16)
    corner = [-(n - 1) / 2 * mm for n, mm in zip(volume.shape, SPACING, strict=True)]
    for k in range(volume.shape[2]):
        place = (corner[0], corner[1], corner[2] + k * SPACING[2])
        image = sitk.GetImageFromArray(stored[:, ::-1, k].T[None])
        image.SetSpacing(SPACING)
        image.SetOrigin(place)
        number = first + k
        tags = {
            "0008|0008": kind,
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0018": f"{root}.6.{number}",
            "0008|0020": "20200101",
            "0008|0021": "20200101",
            "0008|0030": "100000",
            "0008|0031": "100600",
            "0008|0032": "100600",
            "0008|0033": "100600",
            "0008|0060": "MR",
            "0008|0070": "GE MEDICAL SYSTEMS",
            "0008|103e": "3D ASL",
            "0010|0010": "Made^Up",
            "0010|0020": "X",
            "0018|0020": "RM",
            "0018|0021": "NONE",
            "0018|0023": "3D",
            "0018|0050": f"{SPACING[2]:g}",
            "0018|0080": "6000",
            "0018|0081": "10.5",
            "0018|0087": "3",
            "0018|0088": f"{SPACING[2]:g}",
            "0018|1030": "3D ASL",
            "0018|5100": "HFS",
            "0020|000d": f"{root}.1",
            "0020|000e": f"{root}.6",
            "0020|0011": "6",
            "0020|0012": "1",
            "0020|0013": str(number),
            "0020|0032": "\\".join(f"{value:.3f}" for value in place),
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0052": f"{root}.7",
        }
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"IM{number:04d}.dcm"))
        writer.SetImageIO("GDCMImageIO")
        writer.Execute(image)
    return first + volume.shape[2]


@dataclass(frozen=True)
class _SharedFolderCase(FieldCase):
    """Two subjects, one after the other into one folder: nothing of the first may be lost."""

    def run(self, folder: Path) -> Outcome:
        from ASLDenoiseLib.reporting.dataset import BIDSIGNORE, DESCRIPTION, README

        study, runs, before = folder / "study", [], {}
        for subject in ("sub-01", "sub-02"):
            part = made(seed=3)
            part.name = subject
            series = part.write(folder / subject)
            masks = [option.replace("{folder}", str(folder / subject)) for option in MASKS]
            runs.append(shell("quantify", series, *masks, *QUICK, "--out", study))
            if not before:
                before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
        of_the_data_set = (DESCRIPTION, README, BIDSIGNORE)
        lost = [
            path.name
            for path, content in before.items()
            if path.name not in of_the_data_set and (not path.is_file() or content not in path.read_bytes())
        ]
        result = written(study, head()["gm"], head()["wm"]) if runs[1].status == 0 else None
        return Outcome(*runs, result, f"of the first subject's files replaced: {', '.join(lost)}" if lost else "")


_BIDS = "BIDS applications are given the root of a data set (fMRIPrep, ASLPrep)"
_LINES = "public forum and tracker reports of masks given as T1"
_GAPS = "ASLPrep 314: strange values (1e13) from divisions by zero upstream"

CASES = (
    FieldCase("bids-root", _BIDS, _data_set(""), (Right(), Refused(("sub-01_ses-1_asl.nii.gz",)))),
    FieldCase("bids-subject", _BIDS, _data_set("sub-01"), (Right(), Refused(("sub-01_ses-1_asl.nii.gz",)))),
    FieldCase("bids-session", _BIDS, _data_set("sub-01/ses-1"), (Right(),)),
    FieldCase("bids-two-subjects", _BIDS, _two_subjects, (Refused(("several", "sub-02")),), masks=False),
    _SharedFolderCase(
        "two-subjects-one-folder",
        "fMRIPrep and ASLPrep write a study into one folder",
        lambda folder: [],
        (Right(), Refused(("sub-01",))),
    ),
    FieldCase("infinite-voxels", _GAPS, as_it_is(lambda: _bad_voxels(np.inf)), (Right(),), prepared=True),
    FieldCase("nan-voxels", _GAPS, as_it_is(lambda: _bad_voxels(np.nan)), (Right(),), prepared=True),
    FieldCase(
        "t1-is-a-mask",
        _LINES,
        _t1_of((1, 1, 1), "mask"),
        (Refused(("T1", "mask")),),
        masks=False,
    ),
    FieldCase(
        "t1-is-a-label-map",
        _LINES,
        _t1_of((2, 3, 1), "labels"),
        (Refused(("T1", "label")),),
        masks=False,
    ),
    FieldCase(
        "ge-dicom-both",
        "ExploreASL 421",
        _ge_dicom(m0=True),
        (Right(), Refused(("difference", "M0"))),
    ),
    FieldCase(
        "ge-dicom-difference",
        "ExploreASL 421",
        _ge_dicom(m0=False),
        (Right(gm=60.0, wm=16.0), Named("brain-mask-doubtful")),
    ),
    FieldCase(
        "first-volumes-brighter",
        "ExploreASL 699, 748: OASIS, no steady state in the first volumes",
        as_it_is(_dummy_first),
        (Named("dummy-volumes"),),
    ),
    FieldCase(
        "first-volumes-left-out",
        "ExploreASL 699",
        as_it_is(_dummy_first, "--fix", "dummy-volumes"),
        (Named("m0-absent"),),
        unsaid=("do not look like the rest",),
    ),
    FieldCase("dummies-marked", "BIDS specification 1762: n/a for dummies", as_it_is(_dummies_marked), (Right(),)),
    FieldCase(
        "broken-off",
        "ASLPrep 40: unequal numbers of control and label",
        as_it_is(_broken_off),
        (Named("count-mismatch"), Refused(("controls",))),
    ),
    FieldCase(
        "control-and-label-exchanged",
        "ExploreASL 1169: which comes first",
        as_it_is(_exchanged),
        (Named("control-label-swapped"),),
    ),
    FieldCase(
        "control-and-label-exchanged-fixed",
        "ExploreASL 1169",
        as_it_is(_exchanged, "--swap"),
        (Right(),),
    ),
    FieldCase(
        "context-shorter-than-series",
        "BIDS specification 1060: aslcontext not consistent",
        as_it_is(_context_short),
        (Refused(("aslcontext", "10", "12")),),
    ),
    FieldCase(
        "vendor-cbf-alone",
        "ExploreASL 1111, 1750: Philips exports a CBF map only",
        as_it_is(lambda: made(Protocol(vendor="Philips", content="cbf", pairs=2))),
        (Right(),),
    ),
    FieldCase(
        "difference-of-thirty-pairs",
        "BIDS specification 2236: TotalAcquiredPairs of deltam",
        as_it_is(_fewer_pairs_than_acquired),
        (Right(),),
        unsaid=("The number of pairs is not the stated one",),
    ),
)
