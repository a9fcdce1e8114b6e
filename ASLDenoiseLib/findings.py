"""Findings: what is wrong or doubtful about a series or a run, why it is thought so, and what would put it right.

Every finding is of a `FindingKind` that stands in the module that makes it; `Docs/make_troubleshooting.py` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .remedies import Remedy, sentence_of


class Severity(str, Enum):
    """How much a finding matters; the exit status of `inspect` follows the worst."""

    NOTE = "note"
    WARNING = "warning"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Finding:
    """Something wrong or doubtful: a stable code, how much it matters, what it is, why it is thought so, remedies."""

    code: str
    severity: Severity
    what: str
    why: str
    remedies: tuple[Remedy, ...] = ()

    @property
    def remedy(self) -> str:
        """What would put it right, as the shell says it."""
        sentence = sentence_of(self.remedies)
        return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""

    @property
    def mend(self) -> str:
        """`remedy`, by the name it had; deprecated."""
        return self.remedy

    def __str__(self) -> str:
        return f"{self.severity.value}: {self.what} ({self.why}) {self.remedy}".rstrip()

    def to_json(self) -> dict[str, str]:
        """Its texts, for files; `mend` is `remedy` by the name it had, deprecated."""
        texts = {"code": self.code, "severity": self.severity.value, "what": self.what, "why": self.why}
        return {**texts, "remedy": self.remedy, "mend": self.remedy}


class FindingKind:
    """One code: what may be found under it.

    Args:
        code: stable.
        severities: how much it may matter, the usual first: ``warning or note``.
        meaning: what it means, in a sentence for `Docs/troubleshooting.md`, where Markdown may stand.
        remedies: what would put it right; a finding may have its own, of the same sort.
    """

    def __init__(self, code: str, severities: str, meaning: str, *remedies: Remedy) -> None:
        self.code, self.meaning, self.remedies = code, meaning, remedies
        self.severities = tuple(map(Severity, severities.split(" or ")))

    def finding(self, what: str, why: str, *remedies: Remedy, severity: str = "") -> Finding:
        """A finding of this kind; remedies and severity are the usual ones unless they are given."""
        severity = Severity(severity) if severity else self.severities[0]
        if severity not in self.severities:
            raise ValueError(f"'{self.code}' is never a matter of '{severity.value}'.")
        return Finding(self.code, severity, what, why, remedies or self.remedies)
