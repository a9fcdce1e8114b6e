"""A simulated study from one command: killed and resumed, what it costs, and what its tables show; writes cohort.md.

Each part keeps its figures in the folder of --work, so that parts can be measured at different times; a part that is
there is not measured again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ASLDenoiseLib.pipeline.request_json import FORMAT

from .library.cohort_figures import errors, read_table, repeatability, sound, voxelwise, with_truth
from .library.cohort_runs import (
    Progressed,
    Running,
    cohort,
    leftovers,
    map_differences,
    scan_process,
    table_differences,
    told,
    worker_process,
)
from .library.command import Command, begin, options, say
from .library.delay_kept import Kept, Rows
from .library.octants import write_octants
from .library.simulated_study import PAIRS, PEOPLE, SESSIONS, Design, write_study
from .library.tables import answer, table, text_table

if TYPE_CHECKING:
    import pandas as pd

TIMED = (1, 7, 2, 9)  # people whose first session is timed: both scanners, nothing spoilt
QUICK_PEOPLE, QUICK_PAIRS = 2, 2
LEVELS = ("participant", "group")


class Parts:
    """The parts of the benchmark, each of which measures something and keeps it."""

    def __init__(self, command: Command) -> None:
        args = command.args
        self.work, self.rounds, self.workers = args.work, args.rounds, args.workers
        self.study = args.study or args.work / "study"
        self.people = QUICK_PEOPLE if command.quick else args.people
        self.pairs = QUICK_PAIRS if command.quick else None
        self.timed = [person for person in TIMED if person <= self.people][: args.scans]
        self.log = self.work / "log.txt"
        self.work.mkdir(parents=True, exist_ok=True)
        self.kept = Kept(self.work / "measured.json")

    @property
    def whole(self) -> Path:
        """The cohort that nobody interrupted."""
        return self.work / "whole"

    def make_study(self) -> None:
        """The data set, where it is not there."""
        if not (self.study / "dataset_description.json").is_file():
            write_study(self.study, Design(self.people, pairs=self.pairs), workers=self.workers)

    def uninterrupted(self) -> Rows:
        """The whole study at once."""
        seconds = self._ended(self._all(self.whole))
        scans = read_table(self.whole / "group" / "scans.tsv")
        figures = {"scans": len(scans), "done": int((scans["status"] == "done").sum()), "minutes": seconds / 60}
        return {"figures": figures | {"GiB a scan": float(scans["memory_gib"].max())}}

    def killed(self) -> Rows:
        """The same into another folder, killed after a third of the scans, and started again."""
        out = self.work / "killed"
        shutil.rmtree(out, ignore_errors=True)
        third = max(1, len(Progressed.of(self.whole).done) // 3)
        run = self._all(out)
        before_end = run.killed(lambda: len(Progressed.of(out).done) >= third, victim=lambda family: run.process.pid)
        run.process.wait()
        gone, before = run.seconds_to_vanish(), Progressed.of(out)
        seconds = self._ended(self._all(out))
        after = Progressed.of(out)
        different = table_differences(self.whole, out)
        for line in different:
            say(f"differs: {line}")
        return {
            "figures": {
                "killed before its end": before_end,
                "scans done before": len(before.done),
                "seconds until no process was left": gone,
                "scans done after": len(after.done),
                "finished scans done again": len(before.done_again(after)),
                "minutes of the second run": seconds / 60,
                "columns that differ": len(different),
                "maps that differ": len(map_differences(self.whole, out)),
                "unfinished files left": len(leftovers(out)),
            }
        }

    def dead_process(self, what: str, victim: Callable[[dict[int, str]], int | None]) -> Rows:
        """A few scans, of which one loses a process while it runs."""
        out = self.work / f"dead-{what}"
        shutil.rmtree(out, ignore_errors=True)
        run = self._few(out, workers=self.workers)
        started = time.monotonic()
        hit = run.killed(lambda: time.monotonic() - started > 20, victim=victim)
        run.ended()
        first = Progressed.of(out)
        self._ended(self._few(out, workers=self.workers))
        second = Progressed.of(out)
        return {
            "figures": {
                "killed before its end": hit,
                "scans": len(self.timed),
                "done at once": len(first.done),
                "told as failed": len(first.failed),
                "done once it was started again": len(second.done),
                "finished scans done again": len(first.done_again(second)),
            }
        }

    def overhead(self, number: int) -> Rows:
        """A round: single runs one after the other, a cohort of one worker, and one of all workers, in turn."""
        out, figures = self.work / "timed", {}
        ways: dict[str, Callable[[], float]] = {
            "single runs": lambda: sum(self._single(person, out) for person in self.timed),
            "a cohort, 1 worker": lambda: self._ended(self._few(out, workers=1)),
            f"a cohort, {self.workers} workers": lambda: self._ended(self._few(out, workers=self.workers)),
        }
        names = list(ways)
        for name in names[number % 3 :] + names[: number % 3]:  # none is always first, or after the same one
            shutil.rmtree(out, ignore_errors=True)
            figures[name] = ways[name]()
            say(f"round {number + 1}, {name}: {figures[name]:.1f} s")
        return {"seconds": {name: figures[name] for name in names}}

    def _all(self, out: Path) -> Running:
        """The whole study, with regions of a small atlas."""
        labels, names = write_octants(self.work / "atlas")
        regions = ("--atlas", labels, "--atlas-names", names)
        return cohort(self.study, out, *LEVELS, workers=self.workers, log=self.log, options=regions)

    def _few(self, out: Path, *, workers: int) -> Running:
        """The timed scans without MNI space, whose warp would hide in its minutes what a cohort adds."""
        template = self.work / "plain_request.json"
        template.write_text(json.dumps({"format": FORMAT, "denoising": {}, "outputs": {"mni": False, "scene": True}}))
        chosen = ("--participant-label", *(f"{person:02}" for person in self.timed), "--session-label", SESSIONS[0])
        options = ("--request", template, *chosen)
        return cohort(self.study, out, LEVELS[0], workers=workers, log=self.log, options=options)

    def _single(self, person: int, out: Path) -> float:
        folder = self.study / f"sub-{person:02}" / f"ses-{SESSIONS[0]}"
        [series], [t1] = (sorted(folder.glob(pattern)) for pattern in ("perf/*_asl.nii.gz", "anat/*_T1w.nii.gz"))
        settings = ("--t1", t1, "--device", "cpu", "--progress", "none")
        return self._ended(Running.of("denoise", series, *settings, "--out", out / f"sub-{person:02}", log=self.log))

    def _ended(self, run: Running) -> float:
        seconds = run.ended()
        if run.process.returncode not in (0, 1):  # 1: a scan failed, which is counted
            told(self.log)
            raise SystemExit(f"The command ended with {run.process.returncode}; {self.log} has what it said.")
        return seconds


def cost_blocks(rounds: list[Rows], workers: int, scans: int) -> list[str]:
    """The section on what a cohort costs."""
    names = list(rounds[0]["seconds"])
    seconds = np.array([[each["seconds"][name] for name in names] for each in rounds])
    single, one, several = seconds.T
    rows = {
        name: {
            **{f"round {n + 1} (s)": value for n, value in enumerate(column)},
            "a scan (s)": float(column.mean()) / scans,
        }
        for name, column in zip(names, seconds.T, strict=True)
    }
    overhead, ratio = 100 * (one.sum() / single.sum() - 1), one.sum() / several.sum()
    asked = [
        ["one worker over single runs", f"{overhead:+.1f} %", "under 5 %", answer(bool(overhead < 5))],
        [f"{workers} workers over one", f"{ratio:.2f} x", "1.8 x", answer(bool(ratio >= 1.8))],
    ]
    return [table(rows, first="way"), text_table(["what", "measured", "asked", "reached"], asked)]


def figures_table(rows: dict[str, Rows]) -> str:
    """Figures of parts as a table: one line a figure."""
    lines = [[part, name, _word(value)] for part, row in rows.items() for name, value in row["figures"].items()]
    return text_table(["part", "what", "figure"], lines)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return answer(value)
    return f"{value:g}" if isinstance(value, int) else f"{value:.1f}"


def shown_blocks(parts: Parts) -> list[str]:
    """The sections on what the tables of the whole study show."""
    scans, order = with_truth(parts.whole, parts.study), order_of(parts.whole)
    apart = {scan for scan, why in order.items() if why}
    fine = sound(scans)
    like = fine[~fine["participant"].isin(set(scans.loc[scans.index.isin(apart), "participant"]))]
    blocks = [
        "## The spoilt scans",
        f"Every scan of {len(scans)} that the group's page sets apart, in its order, with the first of its reasons.",
        text_table(["place", "scan", "spoilt by", "why it is set apart"], list(_apart_rows(order, scans))),
        "## Sessions against people",
        "Readouts of people with two sessions each. SDs in the unit of the readout: within a person, and between "
        "people once the sessions' share is taken off. The truth is the noise-free map in the true tissue: what it "
        "varies by is the simulated person. A readout's tissue is what the run found in the T1.",
    ]
    for which, chosen in (("a spoilt scan", fine), ("a scan that the page sets apart", like)):
        if chosen.empty or (chosen is like and len(like) == len(fine)):
            continue
        blocks += [
            f"The {chosen['participant'].nunique()} people without {which}:",
            table(repeatability(chosen), first="readout"),
            "Medians over the voxels of grey matter in MNI space, ml/100g/min:",
            table(voxelwise(parts.whole, chosen), first="where"),
            "Against the truth, over scans:",
            table(errors(chosen), first="readout, scanner"),
        ]
    return blocks


def _apart_rows(order: dict[str, str], scans: pd.DataFrame) -> Iterator[list[str]]:
    spoilt = scans["truth_spoilt"].dropna().to_dict()
    for place, (scan, why) in enumerate(order.items(), start=1):
        if why or scan in spoilt:
            yield [str(place), scan, spoilt.get(scan, "-"), why or "-"]


def order_of(out: Path) -> dict[str, str]:
    """The scans in the order in which the group's page says to look at them; why, where it sets one apart."""
    from ASLDenoiseLib.group.ranking import rank_scans
    from ASLDenoiseLib.group.record import read_records
    from ASLDenoiseLib.group.tables import scans_table

    ranked = rank_scans(scans_table(read_records(out)))
    return {each.scan: each.reasons[0].words if each.set_apart else "" for each in ranked}


def measured_before(command: Command, kept: Sequence[Rows]) -> Command:
    """The command with the time that its parts took, now or in an earlier call."""
    minutes = [value for rows in kept for name, value in rows.get("figures", {}).items() if name.startswith("minutes")]
    seconds = 60 * sum(minutes) + sum(sum(rows.get("seconds", {}).values()) for rows in kept)
    return replace(command, started=min(command.started, time.perf_counter() - seconds))


PARTS = ("study", "whole", "killed", "dead", "overhead", "figures")


def main() -> None:
    parser = options(__doc__, quick=f"{QUICK_PEOPLE} people and {QUICK_PAIRS} pairs")
    parser.add_argument("--part", choices=PARTS, action="append", help="measure this one alone (may be repeated)")
    parser.add_argument("--work", type=Path, default=Path("out/cohort"), help="the folder of data, results and figures")
    parser.add_argument("--study", type=Path, help="the simulated study; default: made in --work")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"of a study that is made (default: {PEOPLE})")
    parser.add_argument("--workers", type=int, default=2, help="of the cohorts (default: 2)")
    parser.add_argument("--scans", type=int, default=len(TIMED), help=f"that are timed, at most {len(TIMED)}")
    parser.add_argument("--rounds", type=int, default=1, help="of the timing (default: 1)")
    command = begin(__file__, parser)
    parts, wanted = Parts(command), command.args.part or PARTS
    made: dict[str, Rows] = {}
    if "study" in wanted or not parts.study.is_dir():
        parts.make_study()
    if "whole" in wanted:
        made["uninterrupted"] = parts.kept.of("whole", parts.uninterrupted)
    if "killed" in wanted:
        made["killed, and started again"] = parts.kept.of("killed", parts.killed)
    if "dead" in wanted:
        for what, victim in (("scan", scan_process), ("worker", worker_process)):
            made[f"the process of a {what} killed"] = parts.kept.of(
                f"dead {what}", lambda what=what, victim=victim: parts.dead_process(what, victim)
            )
    rounds = range(parts.rounds if "overhead" in wanted else 0)
    timed = [parts.kept.of(f"round {n}", lambda n=n: parts.overhead(n)) for n in rounds]
    blocks = [figures_table(made)] if made else []
    if timed:
        blocks += [
            "## What it costs",
            "Scans without MNI space, each way after the other in one run. The minutes of the parts above are no "
            "measure of speed: other work may have run beside them.",
            *cost_blocks(timed, parts.workers, len(parts.timed)),
        ]
    if "figures" in wanted:
        blocks += shown_blocks(parts)
    scans = len(SESSIONS) * parts.people
    measured_before(command, [*made.values(), *timed]).publish(
        "A study from one command",
        f"{scans} simulated scans ({parts.people} people, {len(SESSIONS)} sessions, two scanners, "
        f"{parts.pairs or PAIRS} pairs; of 24 three are spoilt), made by `library/simulated_study.py`; the default "
        f"model, MNI space and scene, {parts.workers} workers of one thread. 'Killed' is SIGKILL of the command alone "
        "after a third of the scans; time and memory are left out of the comparison of tables.",
        *blocks,
        kept=set(wanted) == set(PARTS),
    )


if __name__ == "__main__":
    main()
