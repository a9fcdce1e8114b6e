"""What a field case is, and when its outcome is right: the number, one clear sentence, or a finding that names why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .field_phantom import GM_CBF, WM_CBF, MadeScan, Protocol, made
from .shell_runs import CBF, QUICK, Told, Written, shell, written

MASKS = ("--gm", "{folder}/gm.nii.gz", "--wm", "{folder}/wm.nii.gz")
_WITHIN = {"GM": 0.02, "WM": 0.03}  # of the truth


@dataclass(frozen=True)
class Outcome:
    """What came of a case: how inspection and run ended, what the run left, and what was said."""

    looked: Told
    ran: Told
    result: Written | None
    trouble: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        return self.result.codes if self.result else ()

    @property
    def said(self) -> str:
        """Everything that was said about the input."""
        found = "\n".join(text for _, text in self.result.findings) if self.result else ""
        return "\n".join([self.looked.out, self.looked.err, self.ran.err, found])


@dataclass(frozen=True)
class Right:
    """Mean CBF over the true tissues, ml/100g/min; NaN is not judged."""

    gm: float = GM_CBF
    wm: float = WM_CBF

    def __str__(self) -> str:
        return " and ".join(f"{name} {value:g}" for name, value in self._wanted.items())

    @property
    def _wanted(self) -> dict[str, float]:
        return {name: v for name, v in (("GM", self.gm), ("WM", self.wm)) if not math.isnan(v)}

    def holds(self, outcome: Outcome) -> bool:
        if outcome.ran.status != 0 or outcome.result is None or outcome.result.unit != CBF:
            return False
        found = {"GM": outcome.result.gm, "WM": outcome.result.wm}
        return all(abs(found[name] / value - 1) <= _WITHIN[name] for name, value in self._wanted.items())


@dataclass(frozen=True)
class Refused:
    """Exit 2 with one sentence that holds all these words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"exit 2: {', '.join(self.words)}"

    def holds(self, outcome: Outcome) -> bool:
        told = outcome.ran
        words = all(word.lower() in told.sentence.lower() for word in self.words)
        return told.status == 2 and not told.unclear and words


@dataclass(frozen=True)
class Named:
    """A finding of this code whose text holds all these words."""

    code: str
    words: tuple[str, ...] = ()
    severity: str = "warning"

    def __str__(self) -> str:
        return f"{self.severity} `{self.code}`"

    def holds(self, outcome: Outcome) -> bool:
        found = outcome.result.findings if outcome.result else ()
        return outcome.ran.status == 0 and any(
            code == self.code and text.startswith(self.severity) and all(word in text for word in self.words)
            for code, text in found
        )


Rule = Right | Refused | Named


@dataclass(frozen=True)
class FieldCase:
    """One input that a public report describes.

    Args:
        name: unique, lower case with dashes.
        report: the public report it stands for.
        make: writes the input into a folder and returns what `quantify` and `inspect` are given: the series first.
        rules: any of them makes the outcome right.
        options: of the run alone.
        unsaid: words that would be wrong to say about this input.
        prepared: whether the run prepares the series as it does by default.
        masks: whether the true masks are given.
        command: of the shell.
    """

    name: str
    report: str
    make: Callable[[Path], list[object]]
    rules: tuple[Rule, ...]
    options: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    prepared: bool = False
    masks: bool = True

    @property
    def right(self) -> str:
        wanted = ", or ".join(map(str, self.rules))
        return wanted + (f"; never said: {', '.join(self.unsaid)}" if self.unsaid else "")

    def run(self, folder: Path) -> Outcome:
        """Write the input below a folder, inspect and quantify it."""
        from .field_phantom import head

        place, out = folder / self.name, folder / f"{self.name}-out"
        given = self.make(place)
        preparation = QUICK[5:] if self.prepared else QUICK
        options = [o.replace("{folder}", str(place)) for o in (*self.options, *(MASKS if self.masks else ()))]
        looked = shell("inspect", *given)
        ran = shell("quantify", *given, *options, *preparation, "--out", out)
        result = written(out, head()["gm"], head()["wm"]) if ran.status == 0 else None
        return Outcome(looked, ran, result, "; ".join((*looked.trouble, *ran.trouble)))

    def judged(self, outcome: Outcome) -> bool:
        """Whether it came out right, without a traceback and without a word that would be wrong."""
        unsaid = not any(word in outcome.said for word in self.unsaid)
        return not outcome.trouble and unsaid and any(rule.holds(outcome) for rule in self.rules)


_DEFAULT = Protocol()


def scan(protocol: Protocol = _DEFAULT, **keys: object) -> MadeScan:
    """A sound scan with keys of its sidecar changed; None removes one."""
    made_scan = made(protocol)
    made_scan.keys = {key: value for key, value in {**made_scan.keys, **keys}.items() if value is not None}
    return made_scan


def as_it_is(make: Callable[[], MadeScan], *options: object) -> Callable[[Path], list[object]]:
    """What writes a made scan and gives its series, with options."""

    def write(folder: Path) -> list[object]:
        return [make().write(folder), *options]

    return write
