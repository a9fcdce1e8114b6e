"""Commands of the shell, run in this process: what they said, what they wrote, and whether it is right."""

from __future__ import annotations

import io
import json
import re
import time
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CBF = "ml/100g/min"
QUICK = ("--no-motion", "--outliers", "none", "--nuisance", "none", "--no-scene", "--progress", "none")
_HIDDEN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)  # as Python hides them
_SECOND_SENTENCE = re.compile(r"[.!?] +[A-Z]")


@dataclass(frozen=True)
class Told:
    """How one command ended: its exit status (None where an exception came out), and what it printed.

    Args:
        trouble: the traceback, and warnings of numpy and others that a user would see.
        seconds: of the CPU.
        usage: whether argparse refused the options, which it does with the usage and a line.
    """

    status: int | None
    out: str
    err: str
    trouble: tuple[str, ...]
    seconds: float
    usage: bool = False

    @property
    def sentence(self) -> str:
        """What stands on stderr, in one line."""
        return " ".join(self.err.split())

    @property
    def unclear(self) -> str:
        """Why a refusal is not one sentence on stderr; '' where it is."""
        if self.usage:
            return ""
        lines = [line for line in self.err.splitlines() if line.strip()]
        if len(lines) != 1:
            return f"{len(lines)} lines on stderr"
        line = lines[0]
        return "" if line.endswith(".") and not _SECOND_SENTENCE.search(line) else f"not one sentence: {line}"


def shell(*arguments: object) -> Told:
    """Run one command of the shell."""
    from ASLDenoiseLib.__main__ import main

    out, err, trouble, usage = io.StringIO(), io.StringIO(), [], False
    started = time.process_time()
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status, usage = (end.code if isinstance(end.code, int) else 1), True
        except Exception:
            status = None
            trouble.append(traceback.format_exc(limit=-4))
    trouble += sorted({f"{w.category.__name__}: {w.message} ({_place(w)})" for w in seen if _shown(w)})
    if "Traceback" in err.getvalue():
        trouble.append(err.getvalue())
    return Told(status, out.getvalue(), err.getvalue(), tuple(trouble), time.process_time() - started, usage)


def _shown(warning: warnings.WarningMessage) -> bool:
    return not issubclass(warning.category, _HIDDEN)


def _place(warning: warnings.WarningMessage) -> str:
    return f"{'/'.join(Path(warning.filename).parts[-2:])}:{warning.lineno}"


@dataclass(frozen=True, eq=False)
class Written:
    """What a run left: findings by code with their text, and the mean of its map over the true tissues, in its unit."""

    findings: tuple[tuple[str, str], ...]
    gm: float
    wm: float
    unit: str = CBF

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(code for code, _ in self.findings))


def written(out: Path, gm: np.ndarray, wm: np.ndarray) -> Written:
    """Read the newest run's findings, and its prepared or else raw mean over boolean tissues (I, J, K)."""
    import nibabel as nib

    newest = max(out.rglob("*readouts.json"), key=lambda path: path.stat().st_mtime_ns)
    told = json.loads(newest.read_text("utf-8"))
    findings = tuple((f["code"], f"{f['severity']}: {f['what']} ({f['why']})") for f in told["findings"])
    shown = told["maps"][told["processed"] or told["raw"]]
    array = np.asarray(nib.load(newest.with_name(shown["file"])).dataobj, float)
    return Written(findings, _mean(array[gm]), _mean(array[wm]), shown["unit"])


def _mean(values: np.ndarray) -> float:
    """Over what was measured: NaN is not, an infinite value is."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")
