"""What users met with files of real scanners, each as a small made input with a known answer; writes field_cases.md.

The right outcome is the number (GM 60 within 2 %, WM 20 within 3 %), one clear sentence with exit 2, or a finding that
names the cause. The real and phantom series beside the checkout follow, with what is found in them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from .library.command import SHARED, begin, options, say
from .library.field_cases import CASES
from .library.field_real import JUDGED, REAL, real_row
from .library.field_rules import FieldCase, Outcome
from .library.shell_runs import CBF
from .library.tables import answer, text_table

_HEAD = ("case", "public report", "right is", "exit", "findings", "GM", "WM", "as it should be")


def row(case: FieldCase, outcome: Outcome) -> tuple[str, ...]:
    """One line of the table."""
    result, status = outcome.result, outcome.ran.status
    values = (
        ("-", "-")
        if result is None
        else tuple(f"{mean:.1f}{'' if result.unit == CBF else ' (no CBF)'}" for mean in (result.gm, result.wm))
    )
    codes = ", ".join(f"`{code}`" for code in outcome.codes) or "-"
    ended = "traceback" if status is None else str(status)
    return case.name, case.report, case.right, ended, codes, *values, answer(case.judged(outcome))


def main() -> None:
    """Run every case and every series."""
    parser = options(__doc__, quick="the made cases alone")
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose name holds it; prints alone")
    parser.add_argument("--series", type=Path, default=SHARED, metavar="DIR", help="real and phantom series")
    command = begin(__file__, parser)
    rows, right = [], 0
    with tempfile.TemporaryDirectory() as folder:
        chosen = [case for case in CASES if command.args.only in case.name]
        for case in chosen:
            outcome = case.run(Path(folder))
            rows.append(row(case, outcome))
            right += case.judged(outcome)
            say(*rows[-1])
        blocks = [f"{right} of {len(chosen)} come out as they should.", text_table(_HEAD, rows)]
        if not command.quick and not command.args.only:
            found = []
            for number, real in enumerate(REAL):
                found.append(real_row(real, command.args.series, Path(folder) / f"real-{number}"))
                say(*found[-1])
            head = ("series", "exit", "GM as printed", "WM as printed", "findings (! a warning), or the sentence")
            text = "Through `denoise`, with their T1 where there is one."
            judged = [f"- **{name}**: {text}" for name, text in JUDGED.items()]
            blocks += ["## Real and phantom series", text, text_table(head, found), "\n".join(judged)]
    command.publish("Field cases", *blocks, kept=not command.args.only)


if __name__ == "__main__":
    main()
