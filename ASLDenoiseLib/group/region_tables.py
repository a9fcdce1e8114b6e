"""The table of regions, a tidy row a region a scan, and the means of each region over the participants of a study."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..series import SCANNER_UNIT
from .columns import Column
from .record import ScanRecord, Status
from .region_columns import AVERAGED, MEANS, REPEATED, ROWS
from .repeatability import repeats

if TYPE_CHECKING:
    import pandas as pd

REGIONS, REGION_MEANS = "regions", "region_means"  # .tsv and .json


def regions_table(records: Iterable[ScanRecord]) -> pd.DataFrame:
    """A row a region a scan, by the scans' names; with all columns (`group.region_columns.ROWS`), without rows too."""
    done = (record for record in records if record.status is Status.DONE)
    rows = [
        {**row, "scan": r.name, "participant": r.participant, "session": r.session, "unit": r.values.get("unit", "")}
        for r in sorted(done, key=lambda record: record.name)
        for row in r.regions
    ]
    return _frame(rows, ROWS)


def region_means(table: pd.DataFrame, *, apart: Collection[str] = ()) -> pd.DataFrame:
    """Each region's figures over participants: mean and SD (n - 1), sessions of one averaged first; how they repeat.

    Scans that cover less than half of a region are left out of its figures, and counted. In scanner units there are no
    means over heads, so such scans have no rows.

    Args:
        table: of `regions_table`.
        apart: names of scans that are set apart: there are rows with and without them.
    """
    sets = {"all": table}
    if apart:
        sets["sound"] = table[~table["scan"].isin(apart)]
    rows = []
    for name, scans in sets.items():
        scans = scans[scans["unit"] != SCANNER_UNIT]
        for (unit, atlas, region), of_region in scans.groupby(["unit", "atlas", "region"], sort=False):
            row = {"scans": name, "unit": unit, "atlas": atlas, "region": region}
            rows.append(row | _figures(of_region))
    return _frame(rows, MEANS)


def _figures(of_region: pd.DataFrame) -> dict[str, float]:
    """The figures of one region in the rows of some scans."""
    kept = of_region[of_region["low_coverage"] != "true"]
    people = kept.groupby("participant")[list(AVERAGED)].mean()
    row = {"participants": float(len(people)), "left_out": float(len(of_region) - len(kept))}
    for name in AVERAGED:
        row |= {f"{name}_mean": float(people[name].mean()), f"{name}_sd": float(people[name].std(ddof=1))}
    for name in REPEATED:
        found = repeats(kept, name)
        row |= {f"{name}_within_sd": found.within, f"{name}_icc": found.icc}
    return row


def _frame(rows: Sequence[dict[str, object]], columns: Sequence[Column]) -> pd.DataFrame:
    """A table of words and numbers, NaN where a row has none."""
    import pandas as pd

    return pd.DataFrame(
        {
            c.name: pd.Series([_word(row.get(c.name)) for row in rows], dtype=object)
            if c.words
            else pd.Series([row.get(c.name, np.nan) for row in rows], dtype=np.float64)
            for c in columns
        }
    )


def _word(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    return value if isinstance(value, str) else ""
