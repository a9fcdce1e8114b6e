"""The group level of a study: everything in ``OUT/group``, from the records and files of its scans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import trouble
from ..progress import Progress, silent
from ..reporting.listing import METHODS
from ..reporting.staging import move_into_place, staging_for
from .maps import group_maps
from .maps_html import maps_html, regions_html
from .methods import study_methods, study_methods_html
from .page import page_html
from .ranking import Ranked
from .record import read_records
from .region_columns import region_column
from .region_tables import REGION_MEANS, REGIONS, region_means
from .results_tables import results_tables
from .study import Study
from .tables import SCANS, sidecar_of, write_tables

FOLDER = "group"  # in OUT
REPORT = "report.html"
_LISTING = "files.json"  # in FOLDER: what we wrote there, so that what is no longer made goes, and nothing else


@dataclass(frozen=True)
class GroupResult:
    """What the group level wrote.

    Args:
        folder: ``OUT/group``.
        files: names in it.
        scans, failed: how many scans are done, and failed.
        ranked: the scans in the order to look at them.
    """

    folder: Path
    files: tuple[str, ...]
    scans: int
    failed: int
    ranked: tuple[Ranked, ...]

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / REPORT

    @property
    def sentence(self) -> str:
        """What was done, in a sentence or two."""
        text = f"{self.scans} scans are in {self.report}"
        text += f"; {self.failed} that failed are told there" if self.failed else ""
        first = [each.scan for each in self.ranked if each.set_apart]
        return f"{text}. Look first at: {', '.join(first)}." if first else f"{text}. No scan is set apart."


def run_group(out: Path | str, progress: Progress = silent) -> GroupResult:
    """Make tables, statistics, figures, maps and the page of the scans of a study, all of them or none.

    Args:
        out: the folder of the cohort.
        progress: told what is being made.

    Raises:
        InputError: no scan is done yet, or the disk failed; what stood in ``OUT/group`` stays.
    """
    out = Path(out)
    study = Study(out, read_records(out))
    if not len(study.finished):
        told = f"; all {len(study.failed)} that were begun failed" if study.failed else ""
        raise InputError(f"No scan in {out} is done{told}, so that there is no group; run the participant level first.")
    try:
        return _written(study, progress)
    except OSError as error:
        sentence = trouble(error)
        raise (InputError(sentence) if sentence else error) from error


def _written(study: Study, progress: Progress) -> GroupResult:
    folder = study.out / FOLDER
    with staging_for(folder) as staging:
        progress(0.1, "tables of the group")
        tables = {SCANS: (study.table, sidecar_of(study.table)), **results_tables(study)}
        regions = study.regions
        means = region_means(regions, apart=study.apart)
        if len(regions):
            of_regions = {REGIONS: regions, REGION_MEANS: means}
            tables |= {name: (table, sidecar_of(table, region_column)) for name, table in of_regions.items()}
        write_tables(staging, tables)
        progress(0.2, "maps of the group")
        maps = group_maps(study.out, study.records, staging, apart=study.apart)
        progress(0.6, "figures of the group")
        methods = study_methods(study)
        if methods:
            (staging / METHODS).write_text(methods, encoding="utf-8", newline="\n")
        names = _files_in(staging)
        more = {"Maps in MNI space": maps_html(maps), "Regions": regions_html(means)}
        more["Methods, for a paper"] = study_methods_html(methods)
        page = page_html(study, more=more, files=names)
        (staging / REPORT).write_text(page, encoding="utf-8", newline="\n")
        names = [*names, REPORT]
        (staging / _LISTING).write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8", newline="\n")
        before = _listed(folder)
        move_into_place(staging, [Path(name) for name in (*names, _LISTING)], folder)
    for name in set(before) - set(names):
        with suppress(OSError):
            (folder / name).unlink()
    progress(1.0, "the group is written")
    return GroupResult(folder, tuple(names), len(study.finished), len(study.failed), study.ranked)


def _files_in(staging: Path) -> list[str]:
    return sorted(path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file())


def _listed(folder: Path) -> Sequence[str]:
    """The names that an earlier run listed; only of files directly in the folder."""
    try:
        names = json.loads((folder / _LISTING).read_text("utf-8"))
        return [name for name in names if isinstance(name, str) and Path(name).name == name]
    except (OSError, ValueError, TypeError):
        return []
