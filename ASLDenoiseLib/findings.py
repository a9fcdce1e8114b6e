"""Findings: what is wrong or doubtful about a series or a run, why it is thought so, and what would put it right.

Every finding is of a `FindingKind`, which stands in the module of its check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

from .remedies import Remedy, remedies_from_json, remedies_to_json, sentence_of


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


def finding_to_plain(finding: Finding) -> dict[str, object]:
    """A finding with its remedies as plain JSON."""
    remedies = remedies_to_json(finding.remedies)
    return {**vars(finding), "severity": finding.severity.value, "remedies": remedies}


def finding_from_plain(mapping: Mapping[str, object]) -> Finding:
    """The finding that `finding_to_plain` gave; ValueError, TypeError or LookupError where it is none."""
    severity, remedies = Severity(mapping["severity"]), remedies_from_json(mapping["remedies"])
    return Finding(**{**mapping, "severity": severity, "remedies": remedies})


class FindingKind:
    """One code, and what is said under it. `Docs/troubleshooting.md` lists them all.

    Args:
        code: stable.
        what: what it is; `finding` fills in ``{values}`` here and in `why`.
        why: why it is thought so.
        remedies: what would put it right; a finding may have its own, of the same sort.
        severities: how much it may matter, the usual first.
        meaning: for Docs, where `what` and `why` say too little without their values.
    """

    def __init__(
        self, code: str, what: str, why: str, *remedies: Remedy, severities: str = "warning", meaning: str = ""
    ) -> None:
        self.code, self.what, self.why, self.remedies, self.meaning = code, what, why, remedies, meaning
        self.severities = tuple(map(Severity, severities.split(" or ")))

    def finding(
        self, *remedies: Remedy, severity: str = "", what: str = "", why: str = "", **values: object
    ) -> Finding:
        """A finding of this kind; severity, texts and remedies are the usual ones unless they are given."""
        severity = Severity(severity) if severity else self.severities[0]
        if severity not in self.severities:
            raise ValueError(f"'{self.code}' is never a matter of '{severity.value}'.")
        what, why = what or self.what.format(**values), why or self.why.format(**values)
        return Finding(self.code, severity, what, why, remedies or self.remedies)


note_kind = partial(FindingKind, severities="note")
unusable_kind = partial(FindingKind, severities="unusable")
