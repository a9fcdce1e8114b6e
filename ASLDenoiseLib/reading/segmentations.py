"""The label map of a person's T1 that another program made: FreeSurfer, FastSurfer, SynthSeg, BIDS derivatives.

All are in the space of that T1 and have FreeSurfer's numbers (`freesurfer_names`), from which tissue is told too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from .atlas import atlas_names
from .freesurfer_names import freesurfer_names
from .images import entity, image_stem

_VOLUMES = ("aparc+aseg.mgz", "aparc.DKTatlas+aseg.mgz", "aparc.DKTatlas+aseg.deep.mgz", "aseg.mgz", "aseg.auto.mgz")
_ENDINGS = (".nii.gz", ".nii", ".mgz")
_DESCRIBED = ("aparcaseg", "aparcdktaseg", "aseg", "synthseg")  # BIDS' desc, the finest first
_WHITE = {2, 41}  # numbers of both hemispheres' white matter, which no other scheme has so


def find_segmentation(folder: Path, participant: str, session: str = "") -> Path | None:
    """The label map of a person (and session) in what a program has written; None where there is none.

    Looked for in this order: FreeSurfer's (a ``SUBJECTS_DIR``: ``sub-01_ses-1/mri/aparc+aseg.mgz``, or
    ``sub-01/ses-1/mri``, and the same without a session, of the person), SynthSeg's (``sub-01_..._synthseg.nii.gz``,
    anywhere down to ``sub-01/ses-1/anat``), BIDS derivatives' (``sub-01_..._desc-aparcaseg_dseg.nii.gz``). One of
    another session is never taken, nor one of FreeSurfer's longitudinal stream (``.long.``), which lies in the space of
    that person's template and not in that of a T1.

    Args:
        folder: that holds them.
        participant, session: labels, with or without ``sub-`` and ``ses-``; no session: that of the person.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} of label maps; give a SUBJECTS_DIR or a derivatives folder.")
    person, visit = f"sub-{participant.removeprefix('sub-')}", session.removeprefix("ses-")
    visits = (f"ses-{visit}", "") if visit else ("",)
    for find in (_freesurfer, _synthseg, _bids):
        for each in visits:
            found = next(find(folder, person, each), None)
            if found is not None:
                return found
    return None


def segmentation_names(path: Path) -> Path | dict[str, str]:
    """What names the labels of such a map: the ``_dseg.tsv`` of BIDS where there is one, else FreeSurfer's names."""
    table = _table_of(path)
    return table if table is not None else {str(number): name for number, name in freesurfer_names().items()}


def _freesurfer(folder: Path, person: str, session: str) -> Iterator[Path]:
    subjects = (f"{person}_{session}", f"{person}/{session}") if session else (person,)
    for subject in subjects:
        yield from (path for name in _VOLUMES if (path := folder / subject / "mri" / name).is_file())


def _synthseg(folder: Path, person: str, session: str) -> Iterator[Path]:
    for place in _places(folder, person, session):
        found = _named(place, "_synthseg", person, session)
        yield from (path for path in found if _is_of_t1(path))


def _bids(folder: Path, person: str, session: str) -> Iterator[Path]:
    found = [path for place in _places(folder, person, session) for path in _named(place, "_dseg", person, session)]
    found = [path for path in found if entity(path, "space") in ("", "T1w")]
    described = [path for path in found if entity(path, "desc").lower() in _DESCRIBED]
    yield from sorted(described, key=lambda path: _DESCRIBED.index(entity(path, "desc").lower()))
    # A plain dseg has its own numbers (1 grey, 2 white, 3 CSF, not as elsewhere): only where a table shows FreeSurfer's
    yield from (path for path in found if path not in described and _numbered_so(path))


def _places(folder: Path, person: str, session: str) -> tuple[Path, ...]:
    below = folder / person / session if session else folder / person
    return tuple(place for place in (below / "anat", below, folder / "anat", folder) if place.is_dir())


def _named(place: Path, ending: str, person: str, session: str) -> list[Path]:
    """Images in a folder whose name is of that person and session and ends so, the shortest first."""
    found = [path for end in _ENDINGS for path in place.glob(f"{person}*{ending}{end}")]
    found = [path for path in found if f"{image_stem(path)}_".startswith(f"{person}_")]
    wanted = session.removeprefix("ses-")
    return sorted((p for p in found if entity(p, "ses") == wanted), key=lambda p: (len(p.name), p.name))


def _is_of_t1(path: Path) -> bool:
    """Whether a map was made of a T1, or its name does not say of what: one of a T2 need not lie on the T1."""
    of = image_stem(path).split("_")[-2]
    return of == "T1w" or "-" in of


def _numbered_so(path: Path) -> bool:
    table = _table_of(path)
    try:
        return table is not None and atlas_names(table).keys() >= _WHITE
    except InputError:
        return False


def _table_of(path: Path) -> Path | None:
    """The ``_dseg.tsv`` that holds for an image by the inheritance rule, looked for up to the data set's root."""
    if not image_stem(path).endswith("_dseg"):
        return None
    own = set(image_stem(path).split("_"))
    for folder in list(path.absolute().parents)[:4]:
        tables = [t for t in folder.glob("*dseg.tsv") if set(t.stem.split("_")) <= own]
        if tables:
            return max(tables, key=lambda table: len(table.stem.split("_")))
        if (folder / "dataset_description.json").is_file():
            return None
    return None
