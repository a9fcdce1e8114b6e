"""Write the tables of findings and of fixes into troubleshooting.md, from their codes in the library.

A block of the page begins with ``<!-- findings of MODULES -->`` (modules of ASLDenoiseLib whose codes it lists) or
``<!-- fixes -->`` and goes on to ``<!-- end -->``. Run ``python Docs/make_troubleshooting.py`` after a change; a test
fails where the page and the library differ.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ASLDenoiseLib.findings import FindingKind
from ASLDenoiseLib.remedies import ApplyFix, GiveImage, Remedy, SetField, sentence_of, shell_option, shell_place
from ASLDenoiseLib.series import Acquisition

PAGE = Path(__file__).with_name("troubleshooting.md")
_BLOCK = re.compile(r"<!-- (findings of (?P<modules>[\w. ]+)|fixes) -->\n.*?<!-- end -->", re.DOTALL)
_IMAGES = {
    "m0": "**M0**",
    "t1": "**T1**",
    "att": "**Arrival times**",
    "att-reference": "**Their scan**",
}  # as the panel calls them; masks come as segments


def kinds_of(module: str) -> tuple[FindingKind, ...]:
    """The codes that a module of ASLDenoiseLib has findings of, in the order they are written in."""
    found = vars(import_module(f"ASLDenoiseLib.{module}")).values()
    return tuple(value for value in found if isinstance(value, FindingKind))


def page_made(text: str) -> str:
    """The page with its blocks as the library has them now."""
    modules = [name for block in _BLOCK.finditer(text) for name in (block["modules"] or "").split()]

    def block(found: re.Match) -> str:
        rows = _finding_rows(found["modules"].split()) if found["modules"] else _fix_rows(modules)
        return "\n".join([found[0].partition("\n")[0], *rows, "<!-- end -->"])

    return _BLOCK.sub(block, text)


def _finding_rows(modules: Sequence[str]) -> Iterator[str]:
    yield from ("| finding | severity | what it means | what to do |", "|---|---|---|---|")
    for kind in (kind for module in modules for kind in kinds_of(module)):
        severities = " or ".join(severity.value for severity in kind.severities)
        yield f"| `{kind.code}` | {severities} | {_meaning(kind)} | {sentence_of(kind.remedies, _place)} |"


def _meaning(kind: FindingKind) -> str:
    """What a finding says, with ... for its values; or what stands for it."""
    return kind.meaning or re.sub(r"\{.*?\}", "…", f"{kind.what}: {kind.why}.")


def _fix_rows(modules: Sequence[str]) -> Iterator[str]:
    yield from ("| fix | answers | does |", "|---|---|---|")
    for kind in (kind for module in modules for kind in kinds_of(module)):
        for fix in (remedy for remedy in kind.remedies if isinstance(remedy, ApplyFix)):
            chosen = re.sub(r"[\d.]+$", "...", fix.name)  # what the finding leaves to choose
            name = f"`{fix.name}`" if chosen == fix.name else f"`{chosen}`, e.g. `{fix.name}`"
            yield f"| {name} | `{kind.code}` | {fix.text} |"


def _place(remedies: Sequence[Remedy]) -> str:
    """Where it is done: the word of the panel in bold, the option of the shell, or in the sidecar."""
    labels = {field.name: field.metadata["label"] for field in fields(Acquisition) if field.metadata}
    places = []
    for remedy in remedies:
        if isinstance(remedy, SetField):
            places.append(f"**{labels.get(remedy.field, 'Order of volumes')}**")
        elif isinstance(remedy, GiveImage) and remedy.image in _IMAGES:
            places.append(_IMAGES[remedy.image])
        option = shell_option(remedy).replace(" and ", "` and `")
        places += [f"`{option}`"] if option else []
    beside = shell_place(remedies).endswith("in the sidecar")
    return f"with {', '.join(places)} or in the sidecar" if beside else f"with {' or '.join(places)}"


if __name__ == "__main__":
    PAGE.write_text(page_made(PAGE.read_text("utf-8")), "utf-8")
