"""Where the files that come with ASLDenoise lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .errors import InputError


def resources_folder() -> Path:
    """``Resources``: inside the package when installed so, else beside it in the source tree."""
    package = Path(__file__).resolve().parent
    inside = package / "Resources"
    return inside if inside.is_dir() else package.parent / "Resources"


@dataclass(frozen=True)
class SampleData:
    """The sample series, its T1 and the CBF it was simulated from."""

    asl: Path
    t1: Path
    truth: Path


def sample_data() -> SampleData:
    """The sample data.

    Raises:
        InputError: they are not installed.
    """
    folder = resources_folder() / "SampleData" / "sub-phantom"
    sample = SampleData(
        folder / "perf" / "sub-phantom_asl.nii.gz",
        folder / "anat" / "sub-phantom_T1w.nii.gz",
        folder / "perf" / "sub-phantom_desc-truth_cbf.nii.gz",
    )
    if not sample.asl.exists() or not sample.t1.exists():
        raise InputError("The sample data are not installed; take the source tree, which has them in Resources.")
    return sample
