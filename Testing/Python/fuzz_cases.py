"""Cases of the fuzz campaign: from a seed and a number, a sound scan, bent one to three times; and their judge."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from Testing.Benchmarks.library.field_phantom import GM_CBF, MadeScan, Protocol, made
from Testing.Benchmarks.library.shell_runs import CBF, QUICK, Told, shell, written
from Testing.Python import fuzz_delays, fuzz_faces, fuzz_images, fuzz_m0, fuzz_order, fuzz_sidecar
from Testing.Python.fuzz_bends import Bend, InapplicableError, Random, pick
from Testing.Python.fuzz_speed import pictures

BENDS: tuple[Bend, ...] = tuple(
    bend for part in (fuzz_sidecar, fuzz_images, fuzz_order, fuzz_m0, fuzz_faces, fuzz_delays) for bend in part.BENDS
)
TOLERANCE = 0.10  # of the true GM CBF
_TRIES = 500  # protocols, for one that a bend can change
_PICTURED = 11  # of so many cases, one has its report's pictures drawn; no divisor of the number of bends


@dataclass(frozen=True, eq=False)
class Case:
    """One input: what it was made of, and what was done to it."""

    seed: int
    number: int
    scan: MadeScan
    bends: tuple[Bend, ...]
    done: tuple[str, ...]

    @property
    def named(self) -> frozenset[str]:
        """The codes that name a cause."""
        return frozenset(code for bend in self.bends for code in bend.named)


@dataclass(frozen=True)
class Verdict:
    """What came of a case; `faults` is empty where it is as it should be.

    A fault begins with its sort: ``traceback``, ``warning``, ``status``, ``sentence``, ``refused``, ``left behind``
    or ``silent``.
    """

    number: int
    protocol: str
    bends: tuple[str, ...]
    done: tuple[str, ...]
    inspect: int | None
    quantify: int | None
    gm: float
    codes: tuple[str, ...]
    sentence: str
    faults: tuple[str, ...]
    seconds: float


def drawn_protocol(random: Random) -> Protocol:
    """A scan as the three vendors make them."""
    labeling = str(random.choice(["PCASL", "PASL", "CASL"], p=[0.6, 0.32, 0.08]))
    vendor = str(pick(random, ("Siemens", "GE", "Philips")))
    content = str(random.choice(["control,label", "label,control", "deltam", "cbf"], p=[0.45, 0.25, 0.2, 0.1]))
    if vendor == "GE":
        content = str(random.choice(["deltam", "control,label", "cbf"], p=[0.6, 0.25, 0.15]))
    paired = "control" in content
    m0 = str(random.choice(["separate", "included", "number", "control"], p=[0.6, 0.2, 0.1, 0.1]))
    if content == "cbf":
        m0 = "separate"
    elif not paired and m0 in ("number", "control"):
        m0 = "included"
    delay, duration = [(1.8, 1.8), (2.0, 1.5), (2.025, 1.45), (1.8, 1.4), (2.0, 0.7)][int(random.integers(5))]
    if labeling == "PASL":
        delay, duration = [(1.8, 0.7), (2.0, 0.8), (1.99, 0.7)][int(random.integers(3))]
    return Protocol(
        labeling=labeling,
        delay=delay,
        duration=duration,
        field=float(random.choice([3.0, 1.5, 7.0], p=[0.6, 0.2, 0.2])),
        readout=str(pick(random, ("3D", "3D", "2D"))),
        pulses=0 if m0 in ("control", "number") else int(pick(random, (0, 2, 4))),
        vendor=vendor,
        content=content,
        m0=m0,
        m0_time=2.0 if vendor == "GE" else float(pick(random, (6.0, 6.0, 3.0))),
        pairs=int(pick(random, (6, 8, 10))),
    )


def make_case(seed: int, number: int) -> Case:
    """The case of a number: the first bend goes round all, up to two more are drawn."""
    random = np.random.default_rng([seed, number])
    first = BENDS[number % len(BENDS)]
    for _ in range(_TRIES):
        protocol = drawn_protocol(random)
        scan = _with_options(made(protocol, seed=1 + int(random.integers(8))), random)
        try:
            done = [first.apply(scan, random) or first.name]
        except InapplicableError:
            continue
        bends = [first]
        for _ in range(int(random.choice([0, 1, 2], p=[0.6, 0.3, 0.1]))):
            _add(bends, done, scan, random)
        return Case(seed, number, scan, tuple(bends), tuple(done))
    raise RuntimeError(f"The bend '{first.name}' fits none of {_TRIES} protocols.")


def _with_options(scan: MadeScan, random: Random) -> MadeScan:
    """Mostly without preparation, which takes time and has tests of its own; mostly with the true masks."""
    scan.run_options = list(QUICK[:-1] if random.random() < 0.8 else ("--no-motion", "--no-scene", "--progress"))
    scan.run_options.append("none")
    if random.random() < 0.7:
        scan.run_options += ["--gm", "{folder}/gm.nii.gz", "--wm", "{folder}/wm.nii.gz"]
    return scan


def _add(bends: list[Bend], done: list[str], scan: MadeScan, random: Random) -> None:
    """One more bend of another kind, where one of a few that are drawn can change the scan."""
    for _ in range(8):
        bend = pick(random, [b for b in BENDS if b.kind not in {other.kind for other in bends}])
        before = deepcopy(scan)
        try:
            said = bend.apply(scan, random)
        except (InapplicableError, ValueError, IndexError, TypeError):  # what an earlier bend left does not suit it
            vars(scan).update(vars(before))
            continue
        bends.append(bend)
        done.append(said or bend.name)
        return


def judge(case: Case, folder: Path) -> Verdict:
    """Write the case to an empty folder, inspect and quantify it, and say what is not as it should be."""
    scan = case.scan
    series = scan.write(folder)
    before = _everything_in(folder)
    given = [option.replace("{folder}", str(folder)) for option in scan.options]
    run_given = [option.replace("{folder}", str(folder)) for option in scan.run_options]
    looked = shell("inspect", series, *given)
    faults = [*_of_any(looked, "inspect"), *_of_inspect(looked)]
    out = folder / "out"
    ran = shell("quantify", series, *given, *run_given, "--out", out)
    faults += _of_any(ran, "quantify")
    gm, codes, found = float("nan"), (), ()
    if ran.status == 0:
        try:
            result = written(out, scan.gm, scan.wm)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            faults.append(f"left behind: not everything was written ({type(error).__name__})")
        else:
            gm, codes, found = result.gm, result.codes, result.findings
            if result.unit == CBF:
                faults += _of_number(case, gm, found)
            elif "m0-absent" not in codes:
                faults.append(f"silent: the map is in '{result.unit}', which no finding says")
    else:
        left = sorted(_everything_in(folder) - before)
        faults += [f"left behind: {', '.join(left)}"] if left else []
    if ran.status == 2 and all(bend.harmless for bend in case.bends):
        faults.append(f"refused: {ran.sentence}")
    if ran.status in (1, 2) and ran.unclear:
        faults.append(f"sentence: {ran.unclear}")
    faults += [f"left behind: {name}" for name in sorted(_everything_in(folder)) if name.endswith(".partial")]
    return Verdict(
        case.number,
        " ".join(str(value) for value in asdict(scan.protocol).values()),
        tuple(bend.name for bend in case.bends),
        case.done,
        looked.status,
        ran.status,
        gm,
        codes,
        ran.sentence if ran.status else "",
        tuple(faults),
        looked.seconds + ran.seconds,
    )


def _everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _of_any(told: Told, command: str) -> list[str]:
    """An exception, warnings, a status that means nothing."""
    faults = []
    for trouble in told.trouble:
        sort = "traceback" if "Traceback" in trouble else "warning"
        faults.append(f"{sort} ({command}): {trouble.strip()}")
    if told.status not in (0, 1, 2) and not told.trouble:
        faults.append(f"status ({command}): {told.status}")
    return faults


def _of_inspect(told: Told) -> list[str]:
    """Status 2 is one sentence on stderr, or a finding that says unusable; 1 is a warning; 0 neither."""
    if told.status == 2 and "unusable:" not in told.out and told.unclear:
        return [f"sentence (inspect): {told.unclear}"]
    if told.status == 1 and "warning:" not in told.out:
        return ["status (inspect): 1 without a warning"]
    return []


def _of_number(case: Case, gm: float, findings: Iterable[tuple[str, str]]) -> list[str]:
    """A number that is wrong needs a finding that names the cause."""
    if abs(gm - GM_CBF) <= TOLERANCE * GM_CBF:
        return []
    findings = tuple(findings)
    said = {code for code, _ in findings}
    said |= {f"warning:{code}" for code, text in findings if text.startswith("warning")}
    if said & case.named:
        return []
    return [f"silent: GM {gm:.1f} for {GM_CBF:g}, findings: {', '.join(sorted(c for c, _ in findings)) or 'none'}"]


def run_case(seed: int, number: int, folder: Path) -> Verdict:
    """Make, judge and clear away one case."""
    target = folder / f"case-{seed}-{number}"
    shutil.rmtree(target, ignore_errors=True)
    try:
        with pictures(drawn=number % _PICTURED == 0):
            return judge(make_case(seed, number), target)
    finally:
        shutil.rmtree(target, ignore_errors=True)


def simpler(seed: int, number: int) -> Case:
    """The same case with its first bend alone, to see whether that is the cause."""
    case = make_case(seed, number)
    return replace(case, bends=case.bends[:1])


def tally(verdicts: Iterable[Verdict]) -> dict[str, Counter]:
    """By bend: inputs, exits 0 and 2, and each sort of fault."""
    counts: dict[str, Counter] = {bend.name: Counter() for bend in BENDS}
    for verdict in verdicts:
        for name in verdict.bends:
            row = counts.setdefault(name, Counter())
            row["inputs"] += 1
            row[f"exit {verdict.quantify}"] += 1
            row.update({fault.split(":")[0].split(" (")[0] for fault in verdict.faults})
    return counts
