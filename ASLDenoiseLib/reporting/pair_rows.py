"""The time line of a run: a row a pair, with its perfusion, its motion, and what of it is not in the mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..result import Result
from ..result.pairs_used import left_out as left_out

LEFT_OUT, TAKEN_OUT, PUT_BACK = "left out", "taken out by the user", "put back by the user"


@dataclass(frozen=True)
class PairRow:
    """A pair in the time line.

    Args:
        number: of the pair in the series, from 1.
        volumes: of its members, from 0, as text.
        perfusion: mean over the brain; NaN where none was measured.
        motion: mm, between control and label; NaN where it is not known.
        position: mm, from the reference; likewise.
        left_out: share that is not in the mean, 0..1; NaN where no outliers were looked for.
        decision: who left it out, or put it back; empty where it is in the mean as a matter of course.
        delay: s, post-labelling delay (PASL: inversion time); NaN of a series of one delay.
    """

    number: int
    volumes: str
    perfusion: float
    motion: float
    position: float
    left_out: float
    decision: str
    delay: float = math.nan


def pair_rows(result: Result) -> tuple[PairRow, ...]:
    """Every pair of the run, in the order of the series; none where no run looked at them."""
    course, lost = result.course, left_out(result)
    if course is None:
        return ()
    decisions, delays = _decisions(result), _delays(result)
    return tuple(
        PairRow(
            number,
            "-".join(map(str, course.members[n])),
            float(course.perfusion[n]),
            float(course.motion[n]),
            float(course.position[n]),
            math.nan if lost is None else float(lost[n].mean()),
            ", ".join(decisions.get(n, ())),
            delays.get(n, math.nan),
        )
        for n, number in enumerate(course.numbers)
    )


def decided(result: Result) -> list[tuple]:
    """What was rejected or put back (`preparing.outliers.Rejection`), and in words what was decided about it."""
    report = result.outliers
    if report is None:
        return []
    rejected = [(r, TAKEN_OUT if r.by_user else LEFT_OUT) for r in report.rejections]
    return [*rejected, *((r, PUT_BACK) for r in report.put_back)]


def _delays(result: Result) -> dict[int, float]:
    """The delay of each pair by its place among the pairs; empty where all have the same, or none is stated."""
    found = {n: result.series.timing(members[0])[0] for n, members in enumerate(result.course.members)}
    several = None not in found.values() and len(set(found.values())) > 1
    return found if several else {}


def _decisions(result: Result) -> dict[int, list[str]]:
    """What was decided about a pair or its slices, by its place among the pairs; each decision once."""
    found: dict[int, list[str]] = {}
    for rejection, words in decided(result):
        about = found.setdefault(rejection.pair, [])
        about += [words] * (words not in about)
    return found
