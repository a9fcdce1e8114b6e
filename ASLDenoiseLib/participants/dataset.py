"""OUT as one BIDS derivative: its description, ``.bidsignore`` and README, from the listings of all its scans."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..errors import InputError
from ..group.record import FOLDER
from ..reporting.dataset import README, Study, root_texts
from ..reporting.derivatives import check_destination
from ..reporting.listing import Listing, beside_maps, file_digest, listings_in
from ..reporting.staging import move_into_place, staging_for
from ..scene.attachments import PICTURE, SCENE
from ..software import NAME
from ..windows_paths import same_place

_KEPT = f"{FOLDER}/dataset.json"  # in OUT: the README as we left it, so that one that was changed stays
_FORMAT = "ASLDenoise cohort data set 1"
_CONTENTS = {
    f"{FOLDER}/": "a record a scan: how its run ended, and what was measured in it",
    "group/": "all scans together: tables, figures, maps, and one page, `group/report.html`",
}


def check_place(bids: Path, out: Path) -> None:
    """Refuse an OUT that cannot or must not be written to.

    Raises:
        InputError: it is the data set itself, lies in a participant's folder or around the data set, or
            `reporting.derivatives.check_destination` refuses it.
    """
    bids, out = bids.resolve(), out.resolve()
    if same_place(out, bids):
        better = bids / "derivatives" / NAME
        raise InputError(f"{out} is the BIDS data set itself; give another folder for the results, such as {better}.")
    if any(same_place(out, above) for above in bids.parents):
        raise InputError(f"The BIDS data set lies inside of {out}; give a folder of its own for the results.")
    below = next(
        (part for part, above in zip(out.parts[:0:-1], out.parents, strict=True) if same_place(above, bids)), ""
    )
    if below.startswith("sub-"):
        raise InputError(f"{out} lies in a participant's folder of the BIDS data set; give one outside of it.")
    check_destination(out)


def describe(out: Path, bids: Path) -> None:
    """Write the files at the root of OUT, all or none; a README that somebody changed stays.

    Args:
        out: the folder of the cohort; made where absent.
        bids: the data set that its scans are of, named by its path from `out`.

    Raises:
        OSError: the disk failed; what stood there stays.
    """
    folders = [path for pattern in ("sub-*/perf", "sub-*/ses-*/perf") for path in sorted(out.glob(pattern))]
    found = [(folder, listing) for folder in folders for listing in listings_in(folder).values()]
    listings: dict[str, Listing] = {listing.series: listing for _, listing in found}
    study = Study(
        name=f"{NAME}: perfusion of a study",
        source=_path_to(bids, out),
        folders={listing.series: f"{folder.relative_to(out).as_posix()}/" for folder, listing in found},
        contents=_CONTENTS,
        expected=tuple(beside_maps((SCENE, PICTURE))),
    )
    texts = root_texts(out, listings, known=_known(out), study=study)
    with staging_for(out) as staging:
        (staging / FOLDER).mkdir()
        for name, text in texts.items():
            (staging / name).write_text(text, encoding="utf-8", newline="\n")
        if README in texts:
            kept = {"format": _FORMAT, README: file_digest(staging / README)}
            (staging / _KEPT).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8", newline="\n")
        move_into_place(staging, [Path(name) for name in (*([_KEPT] if README in texts else []), *texts)], out)


def _path_to(bids: Path, out: Path) -> str:
    """From OUT to the data set, as a relative URI; its name alone where no relative path leads there (Windows)."""
    try:
        path = os.path.relpath(bids.resolve(), out.resolve())
    except ValueError:  # another drive
        path = bids.resolve().name
    return Path(path).as_posix()


def _known(out: Path) -> set[str]:
    try:
        kept = json.loads((out / _KEPT).read_text("utf-8"))
        return {str(kept[README])} if kept["format"] == _FORMAT else set()
    except (OSError, ValueError, TypeError, KeyError):
        return set()
