"""The real and phantom series beside the checkout, each through `denoise` from one end to the other."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .real_scans import series_path, t1_path
from .shell_runs import CBF, shell

_TOLD = ("--labeling", "PCASL", "--pld", "1.8", "--label-duration", "1.8")
_SEVERAL = [0.25 * (1 + n // 8) for n in range(48)]


@dataclass(frozen=True)
class RealCase:
    """A series: what `denoise` is given, made below a folder of its own where it is not given as it lies there.

    Args:
        needs: what must be there, below the data.
        arguments: from the data and an empty folder.
    """

    name: str
    needs: str
    arguments: Callable[[Path, Path], list[object]]


def _real(name: str, *options: str) -> RealCase:
    return RealCase(name, "real", lambda data, folder: [series_path(data, name), "--t1", t1_path(data), *options])


def _study(data: Path, folder: Path) -> list[object]:
    with tarfile.open(data / "dicom" / "siemens-xa30i-phantom-study.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return [folder]


def _several_delays(data: Path, folder: Path) -> list[object]:
    """Under BIDS names, with what its README says."""
    shutil.copy(data / "multipld" / "asldata_diff.nii.gz", folder / "sub-01_asl.nii.gz")
    keys = {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": _SEVERAL, "LabelingDuration": 1.4}
    keys |= {"MRAcquisitionType": "2D", "SliceTiming": [round(0.0452 * k, 4) for k in range(24)]}
    keys |= {"BackgroundSuppression": False, "MagneticFieldStrength": 3, "M0Type": "Absent"}
    (folder / "sub-01_asl.json").write_text(json.dumps(keys))
    (folder / "sub-01_aslcontext.tsv").write_text("\n".join(["volume_type", *["deltam"] * 48]) + "\n")
    return [folder / "sub-01_asl.nii.gz"]


REAL = (
    _real("acq-grase"),
    _real("acq-epi"),
    _real("acq-picore"),
    RealCase(
        "philips-phantom-pcasl-3d",
        "dicom/philips-phantom-pcasl-3d",
        lambda data, folder: [data / "dicom" / "philips-phantom-pcasl-3d", *_TOLD],
    ),
    RealCase("siemens-xa30i-phantom-study", "dicom/siemens-xa30i-phantom-study.tar.gz", _study),
    RealCase(
        "siemens-xa30i-phantom-study, told",
        "dicom/siemens-xa30i-phantom-study.tar.gz",
        lambda data, folder: [*_study(data, folder), "--context", "m0scan,label,control"],
    ),
    RealCase(
        "philips-2d-pcasl-30pairs",
        "phantom/philips-2d-pcasl-30pairs.nii.gz",
        lambda data, folder: [data / "phantom" / "philips-2d-pcasl-30pairs.nii.gz"],
    ),
    RealCase(
        "philips-2d-pcasl-30pairs, told",
        "phantom/philips-2d-pcasl-30pairs.nii.gz",
        lambda data, folder: [
            *(data / "phantom" / "philips-2d-pcasl-30pairs.nii.gz", *_TOLD),
            *("--context", "label,control", "--suppression-pulses", "0"),
        ],
    ),
    RealCase("multipld", "multipld", _several_delays),
    RealCase(
        "multipld, one delay", "multipld", lambda data, folder: [*_several_delays(data, folder), "--fix", "pld-1.5"]
    ),
)

# What the findings are worth, judged by hand on the series as they are; by the name of the case
JUDGED = {
    "acq-grase": "All true. Its DICOM states suppression without the number of pulses, its M0 has a short repetition "
    "time, one dummy is marked; eight pairs are too few for six nuisances. CBF as expected of a healthy adult.",
    "acq-epi": "True: a delay of 0.2 s is what the warning is for, and the numbers are not to be read as CBF.",
    "acq-picore": "True as far as can be known. That the bolus cut-off in its sidecar is an assumption nobody can see; "
    "CBF of grey matter is low.",
    "philips-phantom-pcasl-3d": "True but one: no M0, no perfusion, two volumes without suppression. `motion-large` is "
    "false: a gel does not move, the brighter volumes were fitted differently. The mean in scanner units is noise.",
    "siemens-xa30i-phantom-study": "Right: nothing states the order and a gel has no perfusion to tell it by.",
    "siemens-xa30i-phantom-study, told": "True: the scanner's map and the image in colour are named; a gel has no CBF.",
    "philips-2d-pcasl-30pairs": "Right, as above.",
    "philips-2d-pcasl-30pairs, told": "True: no perfusion, no slice timing, no M0 but the mean control.",
    "multipld": "True: all six delays are fitted; no M0, so no CBF, and the brain is sought in the differences alone.",
    "multipld, one delay": "True: no M0, so no CBF; slices of a 2D readout cannot be brought to one delay without it, "
    "and the brain is sought in the differences alone.",
}


def _with_unit(readout: dict) -> str:
    """A mean in ml/100g/min, or with the unit that it has instead."""
    unit = "" if readout["unit"] == CBF else f" {readout['unit']}"
    return "-" if readout["value"] is None else f"{readout['value']:.1f}{unit}"


def real_row(case: RealCase, data: Path, folder: Path) -> tuple[str, ...]:
    """Name, exit, GM and WM as printed, and the findings or the sentence; what is not there is skipped."""
    if not (data / case.needs).exists():
        return case.name, "skipped", "-", "-", f"{case.needs} is not beside the checkout"
    folder.mkdir()
    out = folder / "out"
    given = folder / "given"
    given.mkdir()
    told = shell("denoise", *case.arguments(data, given), "--no-scene", "--progress", "none", "--out", out)
    trouble = "; ".join(told.trouble)
    if told.status != 0:
        sentence = told.sentence.replace(str(given), "DIR").replace(str(data), "DATA")
        return case.name, str(told.status), "-", "-", trouble or sentence
    content = json.loads(next(out.rglob("*readouts.json")).read_text("utf-8"))
    readouts = content["readouts"][content["processed"]]
    cells = [_with_unit(readouts[key]) for key in ("gm_mean", "wm_mean")]
    codes = dict.fromkeys(f"`{f['code']}`{'' if f['severity'] == 'note' else ' (!)'}" for f in content["findings"])
    return case.name, "0", *cells, ", ".join(codes) + (f"; {trouble}" if trouble else "")
