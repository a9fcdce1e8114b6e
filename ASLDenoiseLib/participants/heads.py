"""T1s that several scans share: what one scan finds of a T1 is kept for the next one, as long as one is to come."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..group.record import FOLDER
from ..moving import remove_folder
from .scan import CohortScan
from .task import ScanTask

_HEADS = "heads"  # below OUT/cohort


class SharedHeads:
    """The folders of T1s that more than one scan of a cohort has (`pipeline.head_store`); at the end they are gone.

    Args:
        out: the folder of the cohort.
        scans: all of them, those that are finished as well.
    """

    def __init__(self, out: Path, scans: Iterable[CohortScan]) -> None:
        self._folder = out / FOLDER / _HEADS
        counts = Counter(scan.t1 for scan in scans if scan.t1 is not None)
        self._shared = {t1 for t1, count in counts.items() if count > 1}
        self._left: Counter[Path] = Counter()

    def __enter__(self) -> SharedHeads:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None or not issubclass(kind, KeyboardInterrupt):  # whoever stops will go on
            remove_folder(self._folder)

    def in_order(self, tasks: Sequence[ScanTask], *, abreast: int) -> list[ScanTask]:
        """The tasks with the folder of their T1, so that scans of one T1 follow each other and do not run side by side.

        Args:
            tasks: in the order of their names.
            abreast: how many run at once: of so many T1s the first scans come first, then the second ones, ...
        """
        of_head: dict[object, list[ScanTask]] = defaultdict(list)
        for task in tasks:
            t1 = task.scan.t1
            if t1 in self._shared:
                self._left[t1] += 1
                task = replace(task, heads=self._place(t1))
            of_head[t1 if t1 in self._shared else task.scan.name].append(task)
        groups, ordered = list(of_head.values()), []
        for start in range(0, len(groups), 2 * abreast):
            several = groups[start : start + 2 * abreast]
            for turn in range(max(map(len, several))):
                ordered += [group[turn] for group in several if turn < len(group)]
        return ordered

    def ended(self, task: ScanTask) -> None:
        """Let go of a T1 of which no scan is to come."""
        t1 = task.scan.t1
        if t1 not in self._left:
            return
        self._left[t1] -= 1
        if not self._left[t1]:
            remove_folder(self._place(t1))

    def _place(self, t1: Path) -> Path:
        return self._folder / hashlib.sha256(str(t1).encode()).hexdigest()[:16]
