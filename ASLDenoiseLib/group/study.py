"""A study as its page and figures need it: the scans that are done, in one unit, and those that are set apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..reporting.listing import REPORT
from ..result.maps import kind_of
from .columns import PERFUSION, READOUTS
from .ranking import Ranked, rank_scans, scanner_of
from .record import ScanRecord, Status
from .region_tables import regions_table
from .statistics import Comparison, compare_readouts
from .tables import done, scans_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Study:
    """The records of a cohort, and what follows from them.

    Args:
        out: the folder of the cohort.
        records: of all its scans, by their names.
    """

    out: Path
    records: Sequence[ScanRecord]

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a scan, failed ones too."""
        return scans_table(self.records)

    @cached_property
    def finished(self) -> pd.DataFrame:
        """A row a scan whose run ended well."""
        return done(self.table)

    @cached_property
    def unit(self) -> str:
        """The unit that most scans have."""
        counts = Counter(self.finished["unit"])
        return max(sorted(counts), key=lambda unit: counts[unit]) if counts else ""

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Of the finished scans those in `unit`, which alone can be averaged."""
        return self.finished[self.finished["unit"] == self.unit].reset_index(drop=True)

    @cached_property
    def ranked(self) -> tuple[Ranked, ...]:
        """The finished scans in the order to look at them."""
        return rank_scans(self.finished)

    @cached_property
    def apart(self) -> frozenset[str]:
        """The names of scans that are set apart."""
        return frozenset(each.scan for each in self.ranked if each.set_apart)

    @cached_property
    def sound(self) -> pd.DataFrame:
        """`compared` without the scans that are set apart."""
        return self.compared[~self.compared["scan"].isin(self.apart)].reset_index(drop=True)

    @cached_property
    def regions(self) -> pd.DataFrame:
        """A row a region a scan, of the finished scans."""
        return regions_table(self.records)

    @cached_property
    def comparisons(self) -> Mapping[str, tuple[Comparison, ...]]:
        """Raw against processed by readout: of ``all`` compared scans, and of those that are ``sound`` where others are
        set apart; empty where the scans were only averaged.
        """
        return {name: compare_readouts(scans) for name, scans in self.sets.items()} if self.processing else {}

    @cached_property
    def sets(self) -> Mapping[str, pd.DataFrame]:
        """The scans that figures are told of: ``all``, and those that are ``sound`` where others are set apart."""
        some = len(self.sound) if len(self.sound) < len(self.compared) else 0
        return {"all": self.compared} | ({"sound": self.sound} if some else {})

    @cached_property
    def people_apart(self) -> frozenset[str]:
        """Participants with a scan that is set apart."""
        return frozenset(self.finished.loc[self.finished["scan"].isin(self.apart), "participant"])

    @property
    def failed(self) -> tuple[ScanRecord, ...]:
        """The records of scans whose run failed."""
        return tuple(record for record in self.records if record.status is not Status.DONE)

    @cached_property
    def scanners(self) -> tuple[str, ...]:
        """The scanner of each of the `compared` scans, in words."""
        return tuple(scanner_of(row) or "not stated" for row in self.compared.to_dict("records"))

    @cached_property
    def processing(self) -> str:
        """What the processed maps are called: ``denoised``; empty where the scans were only averaged."""
        raw, processed = (set(self.compared[name]) for name in ("raw_map", "processed_map"))
        if processed <= raw:
            return ""
        if len(processed) > 1:
            return "processed"
        key = next(iter(processed))
        return kind_of(key, [*raw, key]).label.lower()

    @property
    def ends(self) -> Mapping[str, str]:
        """What the compared maps are called, by how their columns begin: ``raw``, and ``processed`` if there is one."""
        return {"raw": "raw"} | ({"processed": self.processing} if self.processing else {})

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of each readout, by its name."""
        return {readout.name: self.unit if readout.unit == PERFUSION else readout.unit for readout in READOUTS}

    def report_of(self, scan: str) -> str:
        """The scan's own report as a link from the page in ``group``; empty where it is not there."""
        path = f"{self._folders.get(scan, '')}/{scan}_{REPORT}"
        return quote(f"../{path}") if (self.out / path).is_file() else ""

    @cached_property
    def _folders(self) -> Mapping[str, str]:
        return {record.name: record.folder for record in self.records}
