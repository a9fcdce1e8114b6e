"""What was found of a study as tables beside its page: the tests, what repeats, and the ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .repeatability import repeats
from .sessions_html import REPEATED
from .study import Study

if TYPE_CHECKING:
    import pandas as pd

STATISTICS, REPEATABILITY, RANKING = "statistics", "repeatability", "ranking"
_SETS = "all, or sound: without those that are set apart in ranking.tsv"
_UNIT = "Unit of means, SDs and changes; n/a of a ratio."
_95 = "end of the 95 % confidence interval"
_TOLD = {
    STATISTICS: {
        "scans": f"Which scans: {_SETS}.",
        "readout": "Name of the readout, as in the columns raw_ and processed_ of scans.tsv.",
        "unit": _UNIT,
        "participants": "Participants that were compared, each with the mean over sessions.",
        "number_of_scans": "Scans that those means are of.",
        "raw_mean": "Mean over participants, raw.",
        "raw_sd": "SD over participants, raw.",
        "processed_mean": "Mean over participants, processed.",
        "processed_sd": "SD over participants, processed.",
        "change": "Mean of processed minus raw.",
        "change_low": f"Lower {_95} of the change.",
        "change_high": f"Upper {_95} of the change.",
        "t": "Paired t statistic.",
        "t_p": "Its two-sided p.",
        "w": "Wilcoxon's signed-rank statistic, the smaller sum of ranks.",
        "w_p": "Its two-sided p.",
        "dz": "Cohen's dz: mean change over the SD of the changes.",
        "dz_low": f"Lower {_95} of dz, from the noncentral t distribution.",
        "dz_high": f"Upper {_95} of dz.",
        "rank_biserial": "Matched-pairs rank-biserial correlation, -1 to 1.",
    },
    REPEATABILITY: {
        "scans": f"Which scans: {_SETS}.",
        "readout": "Name of the readout, as in the columns raw_ and processed_ of scans.tsv.",
        "map": "raw or processed.",
        "unit": _UNIT,
        "participants": "Participants with two sessions or more.",
        "number_of_scans": "Their scans.",
        "mean": "Mean over participants.",
        "within_sd": "SD of sessions of one participant.",
        "within_cv": "The same, % of the mean.",
        "between_sd": "SD of participants' own values, without what sessions put into it.",
        "between_cv": "The same, % of the mean.",
        "icc": "Intraclass correlation, ICC(1,1) of Shrout & Fleiss (1979).",
        "icc_low": f"Lower {_95} of it.",
        "icc_high": f"Upper {_95} of it.",
        "repeatability_coefficient": "1.96 sqrt(2) times the SD within.",
    },
    RANKING: {
        "place": "From 1, the scan to look at first: those with something grave, then by score.",
        "scan": "Name of the scan.",
        "score": "Sum of what its reasons weigh.",
        "set_apart": "Whether something grave was said of it, or two kinds of its figures stand out.",
        "held_against": "The scans that it was held against.",
        "reasons": "Why, separated by '; '.",
    },
}


def results_tables(study: Study) -> dict[str, tuple[pd.DataFrame, Mapping[str, object]]]:
    """Each table with its sidecar, by the stem of its name; those of comparisons only where there is something to
    compare.
    """
    import pandas as pd

    rows = {STATISTICS: _tests(study), REPEATABILITY: _repeated(study), RANKING: _ranking(study)}
    tables = {}
    for name, of_table in rows.items():
        found = list(of_table)
        if found:
            sidecar = {column: {"Description": text} for column, text in _TOLD[name].items()}
            tables[name] = pd.DataFrame(found, columns=list(sidecar)), sidecar
    return tables


def _tests(study: Study) -> Iterator[dict[str, object]]:
    for scans, compared in study.comparisons.items():
        for one in compared:
            test = one.test
            row: dict[str, object] = {"scans": scans, "readout": one.readout.name}
            row |= {"unit": study.units[one.readout.name], "participants": test.n, "number_of_scans": one.scans}
            for end, mean, sd in zip(("raw", "processed"), test.means, test.deviations, strict=True):
                row |= {f"{end}_mean": mean, f"{end}_sd": sd}
            row |= {"change": test.difference, "change_low": test.interval[0], "change_high": test.interval[1]}
            row |= {"t": test.t, "t_p": test.t_p, "w": test.w, "w_p": test.w_p, "dz": test.dz}
            row |= {"dz_low": test.dz_interval[0], "dz_high": test.dz_interval[1], "rank_biserial": test.rank_biserial}
            yield row


def _repeated(study: Study) -> Iterator[dict[str, object]]:
    for scans, table in study.sets.items():
        for name in REPEATED:
            for end in study.ends:
                if f"{end}_{name}" not in table:
                    continue
                found = repeats(table, f"{end}_{name}")
                if found.participants < 2:
                    continue
                yield {
                    "scans": scans,
                    "readout": name,
                    "map": end,
                    "unit": study.units[name],
                    "participants": found.participants,
                    "number_of_scans": found.scans,
                    "mean": found.mean,
                    "within_sd": found.within,
                    "within_cv": found.within_cv,
                    "between_sd": found.between,
                    "between_cv": found.between_cv,
                    "icc": found.icc,
                    "icc_low": found.icc_interval[0],
                    "icc_high": found.icc_interval[1],
                    "repeatability_coefficient": found.coefficient,
                }


def _ranking(study: Study) -> Iterator[dict[str, object]]:
    for place, each in enumerate(study.ranked, start=1):
        yield {
            "place": place,
            "scan": each.scan,
            "score": each.score,
            "set_apart": each.set_apart,
            "held_against": each.peers,
            "reasons": "; ".join(reason.words for reason in each.reasons),
        }
