"""Bent inputs by the thousand, through `inspect` and `quantify`; writes fuzz.md.

Each case is a sound phantom scan bent one to three times, given by a seed and a number. It is as it should be when no
exception and no warning comes out; exit 2 is one sentence and leaves nothing behind; and every number that is printed
is right (GM within 10 %) or comes with a finding that names the cause. A stopped campaign goes on where it was.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path

from .library.command import begin, options, say
from .library.field_phantom import GM_CBF
from .library.tables import text_table

_SORTS = ("traceback", "warning", "status", "sentence", "refused", "left behind", "silent")


def line_of(verdict) -> str:
    """One case as a line of JSON."""
    return json.dumps(asdict(verdict))


def read_lines(path: Path):
    """The cases that are done."""
    from Testing.Python.fuzz_cases import Verdict

    names = [field.name for field in fields(Verdict)]
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        content = json.loads(line)
        values = (tuple(v) if isinstance(v, list) else v for v in (content[name] for name in names))
        yield Verdict(*values)


def campaign(seed: int, numbers: Iterable[int], work: Path) -> list:
    """Run the cases that are not done; each that has a fault leaves a JSON of its own in ``failures``."""
    from Testing.Python.fuzz_cases import run_case
    from Testing.Python.fuzz_speed import find_brains_once

    failures = work / "failures"
    failures.mkdir(parents=True, exist_ok=True)
    find_brains_once(work / "brains")
    done = {verdict.number: verdict for verdict in read_lines(work / "cases.jsonl")}
    with (work / "cases.jsonl").open("a", encoding="utf-8") as kept, tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            if number in done:
                continue
            verdict = done[number] = run_case(seed, number, Path(folder))
            print(line_of(verdict), file=kept, flush=True)
            if verdict.faults:
                command = f"python -m Testing.Benchmarks.fuzz --seed {seed} --case {number}"
                report = {"reproduce": command, **asdict(verdict)}
                (failures / f"{seed}-{number}.json").write_text(json.dumps(report, indent=1) + "\n")
                say(number, *verdict.bends, "|", *verdict.faults)
    return [done[number] for number in sorted(done)]


def rows(verdicts) -> list[tuple[str, ...]]:
    """The table: a line a bend, and all together."""
    from Testing.Python.fuzz_cases import BENDS, tally

    kinds, lines, total = {bend.name: bend.kind for bend in BENDS}, [], Counter()
    for name, row in tally(verdicts).items():
        lines.append((name, kinds.get(name, "-"), *_counts(row)))
    for verdict in verdicts:
        total["inputs"] += 1
        total[f"exit {verdict.quantify}"] += 1
        total.update({fault.split(":")[0].split(" (")[0] for fault in verdict.faults})
    return [("**all**", "", *_counts(total)), *lines]


def _counts(row: Counter) -> tuple[str, ...]:
    other = sum(row[sort] for sort in _SORTS[1:-1])
    return tuple(str(n) for n in (row["inputs"], row["exit 0"], row["exit 2"], row["silent"], row["traceback"], other))


def main() -> None:
    """Run one case, or a campaign."""
    parser = options(__doc__)
    parser.add_argument("--seed", type=int, default=11, help="of the campaign (11)")
    parser.add_argument("--count", type=int, default=2000, help="cases (2000)")
    parser.add_argument("--part", metavar="I/N", help="every N-th case from the I-th (0/4 to 3/4, at once); no page")
    parser.add_argument("--case", type=int, metavar="K", help="this case alone, printed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="with --case: write its files there, and run nothing")
    parser.add_argument("--work", type=Path, metavar="DIR", help="what is done, and failures (out/fuzz-SEED)")
    os.environ.setdefault("MPLBACKEND", "Agg")
    command = begin(__file__, parser)
    args = command.args
    if args.case is not None:
        one(args.seed, args.case, args.keep)
        return
    work = args.work or Path("out") / f"fuzz-{args.seed}"
    first, step = map(int, (args.part or "0/1").split("/"))
    verdicts = campaign(args.seed, range(first, args.count, step), work)
    if args.part:
        return
    head = ("bend", "kind", "inputs", "exit 0", "exit 2", "silent wrongs", "tracebacks", "other faults")
    faulty = sum(bool(verdict.faults) for verdict in verdicts)
    seconds = sum(verdict.seconds for verdict in verdicts)
    right = sum(verdict.quantify == 0 and abs(verdict.gm / GM_CBF - 1) <= 0.1 for verdict in verdicts)
    ended = Counter(verdict.quantify for verdict in verdicts)
    replace(command, started=time.perf_counter() - seconds).publish(
        "Fuzz campaign",
        f"{len(verdicts)} cases of seed {args.seed}, {faulty} with a fault; minutes are of the CPU, in `inspect` and "
        f"`quantify`. {ended[2]} were refused in one sentence, {ended[0]} quantified: GM of {right} within 10 % of the "
        "truth, of the others with a finding that names the cause. A case with several bends counts under each. Other "
        "faults: warnings of numpy, refusals that are not one sentence or not needed, files left behind, exit statuses "
        "without a reason. Every eleventh case draws the pictures of its report.",
        text_table(head, rows(verdicts)),
    )


def one(seed: int, number: int, keep: Path | None) -> None:
    """Print what is done in one case, and what comes of it."""
    from Testing.Python.fuzz_cases import make_case, run_case

    case = make_case(seed, number)
    print(case.scan.protocol, *case.done, sep="\n  ")
    if keep is not None:
        print(case.scan.write(keep), *case.scan.options, *case.scan.run_options)
        return
    with tempfile.TemporaryDirectory() as folder:
        verdict = run_case(seed, number, Path(folder))
    for field in fields(verdict):
        print(f"{field.name}: {getattr(verdict, field.name)}")


if __name__ == "__main__":
    main()
