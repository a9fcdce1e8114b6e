"""A methods paragraph of a run, ready for a paper: what was done, with what, and the sources of exactly that.

Each sentence rests on a fact of the result: a parameter, a finding, a map, a model. What was not done is not said; what
was done by default is. No name, path or patient enters, so that the text can be handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...software import HOME, HOST, NAME, software_versions
from .acquired import acquisition_said, pairs_said
from .anatomy import brain_in, brain_said, t1_said, template_said, tissue_said
from .denoised import (
    LEARNS,
    audit_said,
    by_monai,
    by_network,
    denoising_said,
    halves_said,
    superresolution_said,
    uncertainty_said,
)
from .prepared import averaging_said, motion_said, nuisance_said, outliers_said
from .quantified import arrival_said, quantification_said
from .references import REFERENCES
from .statement import Facts, Statement, listed

if TYPE_CHECKING:
    from .. import Result

_CITATION = re.compile(r"\[(@[a-z0-9]+(?:;@[a-z0-9]+)*)\]")
_SAID = (
    *(acquisition_said, pairs_said, motion_said, outliers_said, nuisance_said, averaging_said),
    *(quantification_said, arrival_said, brain_said, t1_said, tissue_said),
    *(denoising_said, audit_said, superresolution_said, uncertainty_said, template_said, halves_said),
)
_PURPOSE = "The software is for research use only."


@dataclass(frozen=True)
class Methods:
    """The sentences of a methods paragraph, in order.

    Args:
        statements: with the keys of their sources.
    """

    statements: tuple[Statement, ...]

    @property
    def text(self) -> str:
        """The paragraph, then the sources it names, numbered in the order in which it names them."""
        order: dict[str, int] = {}

        def numbered(found: re.Match[str]) -> str:
            keys = [key.removeprefix("@") for key in found[1].split(";")]
            return f"[{', '.join(map(str, sorted(order.setdefault(key, len(order) + 1) for key in keys)))}]"

        paragraph = _CITATION.sub(numbered, " ".join(each.text for each in self.statements))
        sources = [f"{n}. {REFERENCES[key]}" for key, n in order.items()]
        return "\n".join([paragraph, *(["", "References", *sources] if sources else [])]) + "\n"

    def to_plain(self) -> list[dict[str, object]]:
        """As JSON holds it."""
        return [{"text": each.text, "of_scan": each.of_scan} for each in self.statements]

    @classmethod
    def from_plain(cls, plain: Iterable[Mapping[str, object]]) -> Methods:
        """What `to_plain` gave; LookupError, TypeError or AttributeError where it is none."""
        return cls(tuple(Statement(str(each["text"]), bool(each["of_scan"])) for each in plain))


def methods_of(result: Result, versions: Mapping[str, str] | None = None) -> Methods:
    """The methods of a run.

    Args:
        result: finished.
        versions: of the software; None: of what is installed here.
    """
    facts = Facts(result)
    versions = software_versions() if versions is None else versions
    said = [each for say in _SAID for each in say(facts)]
    return Methods((*said, *_software(facts, versions), *_doubts(facts)))


def common_methods(each: Sequence[Methods]) -> Methods:
    """The methods of a study: what was done to all scans, and what to some of them with how many they were.

    Figures of single scans are left out. Sentences stand in the order of the scan in which they come first.
    """
    shared = [[s for s in methods.statements if not s.of_scan] for methods in each]
    counts: dict[Statement, int] = {}
    for statements in shared:
        for statement in dict.fromkeys(statements):
            counts[statement] = counts.get(statement, 0) + 1
    total = len(each)
    everywhere = [s for s, n in counts.items() if n == total]
    somewhere = [Statement(f"In {n} of {total} scans: {s.text}") for s, n in counts.items() if n < total]
    return Methods((*everywhere, *somewhere))


def _software(facts: Facts, versions: Mapping[str, str]) -> Iterator[Statement]:
    """What all runs are done with, last; before it, one by one, what scans of a study may differ in."""
    used = []
    motion, how = facts.result.motion, facts.value("t1_alignment")
    resampled = motion is not None and not motion.still
    if resampled or how in ("found", "given start") or brain_in(facts):  # whose bias N4 takes away
        used.append("SimpleITK")
    if by_network(facts) or facts.value("superresolution") in LEARNS or _tissue_by(facts, "network"):
        used.append("torch")
    if by_monai(facts):
        used.append("monai")
    if _by_ants(facts):
        used.append("antspyx")
    yield from (Statement(_USED[name].format(versions[name])) for name in used if name in versions)
    known = [f"{_CALLED[name]} {versions[name]}" for name in _CALLED if name in versions]
    inside = f" in {HOST} {versions[HOST]} [@fedorov2012]" if HOST in versions else ""
    with_what = f", with {listed(known)}" if known else ""
    yield Statement(
        f"All of this was done with {NAME} {versions.get(NAME, '')} ({HOME}){inside}{with_what}. {_PURPOSE}"
    )


_CALLED = {"Python": "Python", "numpy": "NumPy", "scipy": "SciPy"}
_USED = {
    "SimpleITK": "Images were filtered, resampled or registered by SimpleITK {}.",
    "torch": "Networks were run by PyTorch {}.",
    "monai": "Layers of networks were those of MONAI {} [@cardoso2022].",
    "antspyx": "Images were registered to templates by ANTs (antspyx) {}.",
}


def _tissue_by(facts: Facts, *words: str) -> bool:
    """Whether a tissue says one of these words of its source."""
    segmented = facts.result.t1_tissue
    sources = facts.result.tissue.source, "" if segmented is None else segmented.source
    return any(word in source for word in words for source in sources)


def _by_ants(facts: Facts) -> bool:
    return _tissue_by(facts, "Atropos", "N4", "ANTs") or any(key.startswith("space-MNI") for key in facts.result.maps)


def _doubts(facts: Facts) -> Iterator[Statement]:
    if facts.warnings:
        told = "; ".join(dict.fromkeys(w.rstrip(".") for w in facts.warnings))
        yield Statement(f"The software warned of this scan: {told}.", of_scan=True)
