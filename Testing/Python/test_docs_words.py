"""The documentation speaks the words of the panel, the shell and the library, and its links lead somewhere."""

from __future__ import annotations

import argparse
import ast
import functools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from docs_pages import PAGES, ROOT, prose

from ASLDenoiseLib.__main__ import make_parser
from ASLDenoiseLib.learning.tissue.__main__ import make_parser as tissue_training_parser
from ASLDenoiseLib.preparing.outliers import METHODS as OUTLIERS
from ASLDenoiseLib.superresolving import METHODS as SUPERRESOLUTION

LIBRARY = sorted((ROOT / "ASLDenoiseLib").rglob("*.py"))
PANEL = sorted((ROOT / "ASLDenoise").rglob("*.py"))
TROUBLE = ROOT / "Docs" / "troubleshooting.md"
READ = (ROOT / "README.md", *PAGES)
SLICERS = {"Reload and Test"}  # words of Slicer's own windows
OURS = {"no", "bold"}  # a failed figure; the word itself


def trees(paths: Iterable[Path]) -> Iterator[ast.AST]:
    for path in paths:
        yield from nodes(path)


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def calls(name: str) -> list[ast.Call]:
    return [
        node
        for node in trees(LIBRARY)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def template(node: ast.AST) -> str:
    """A string as written, with … for what is filled in; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def string(node: ast.AST) -> str:
    """A plain string, its own {fields} as written; empty for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def first_cells(heading_word: str) -> list[str]:
    """The first cells, in code marks, of the tables of troubleshooting whose first heading is this."""
    found, inside = [], False
    for line in TROUBLE.read_text("utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith(f"| {heading_word} |"):
            inside = True
        elif inside:
            found += re.findall(r"`([^`]+)`", line.split(" | ")[0])
    return found


@functools.cache
def codes() -> list[str]:
    kinds = ("FindingKind", "note_kind", "unusable_kind")
    return [template(call.args[0]) for kind in kinds for call in calls(kind)]


@functools.cache
def fixes() -> set[str]:
    """Names of fixes: written in the call, or taken in turn from a tuple of them; … for what is filled in."""
    names = {template(call.args[0]) for call in calls("Fix")}
    loops = [node for node in trees([ROOT / "ASLDenoiseLib" / "inspecting" / "fixes.py"]) if isinstance(node, ast.For)]
    taken = {
        constant.value
        for loop in loops
        if any(isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Fix" for call in ast.walk(loop))
        for constant in ast.walk(loop.iter)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }
    return (names - {""}) | taken


def test_the_source_has_findings_and_fixes_to_look_for():
    assert len(codes()) > 40 and "" not in codes()
    assert {"milliseconds", "drop-first", "drop-last", "pld-…", "ge-nex-…"} <= fixes()


def test_every_finding_is_of_a_kind_and_no_two_kinds_have_one_code():
    within = nodes(ROOT / "ASLDenoiseLib" / "findings.py")
    assert [call for call in calls("Finding") if call not in within] == []
    assert len(codes()) == len(set(codes()))


def test_the_page_is_as_its_generator_makes_it_from_the_codes():
    path = ROOT / "Docs" / "make_troubleshooting.py"
    spec = spec_from_file_location(path.stem, path)
    generator = module_from_spec(spec)
    spec.loader.exec_module(generator)
    page = TROUBLE.read_text("utf-8")
    assert generator.page_made(page) == page, "run python Docs/make_troubleshooting.py"


def test_every_finding_that_the_source_can_make_is_on_the_page_and_no_other():
    assert sorted(first_cells("finding")) == sorted(codes())


def test_every_fix_is_on_the_page_and_no_other():
    assert {name.replace("...", "…") for name in first_cells("fix") if name[-1] not in "0123456789"} == fixes()


def test_the_severities_of_findings_on_the_page_are_known_words():
    rows = re.findall(r"^\| `[\w-]+` \| ([a-z ]+) \|", TROUBLE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(codes())
    assert set(" or ".join(rows).split(" or ")) == {"note", "warning", "unusable"}


def test_every_error_on_the_page_is_one_that_the_source_can_say():
    said = [text for node in trees(LIBRARY) if (text := template(node))]
    quoted = first_cells("what it says")
    assert len(quoted) > 20
    for error in quoted:
        parts = [part for part in error.split("…") if part.strip()]
        assert any(in_order(parts, text) for text in said), error


def in_order(parts: list[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part.strip(), at)
        if at < 0:
            return False
        at += len(part.strip())
    return True


@functools.cache
def panel_words() -> set[str]:
    """What the panel can show: its form, every string of its source, and the labels of maps."""
    from ASLDenoiseLib.result.maps import MAPS, kind_of

    form = ElementTree.parse(ROOT / "Resources" / "UI" / "ASLDenoise.ui")
    shown = {element.text or "" for element in form.iter("string")}
    shown |= {string(node) for node in trees(PANEL)} | {kind_of(key).label for key in MAPS}
    shown |= {string(node) for node in trees([ROOT / "ASLDenoiseLib" / "series.py"])}  # labels of the acquisition
    return {text.strip(" '").rstrip(":") for text in shown}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_bold_words_are_the_panels_own(page):
    words = panel_words() | SLICERS
    for bold in re.findall(r"\*\*(.+?)\*\*", prose(page)):
        filled_in = bold.replace("...", "{what}")
        assert {bold, bold.rstrip(":"), filled_in} & words or bold in OURS, f"the panel nowhere says '{bold}'"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def test_every_option_and_command_on_a_page_is_one_of_the_shells():
    every = [*parsers(make_parser()), tissue_training_parser()]
    options = {option for parser in every for action in parser._actions for option in action.option_strings}
    commands = {parser.prog.rpartition(" ")[2] for parser in every[1:]}
    for page in READ:
        text = page.read_text("utf-8")
        text = re.sub(r"<!--.*?-->", "", text)
        strange = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)) - options
        assert not strange, f"{page.name}: {strange}"
        named = set(re.findall(r"-m ASLDenoiseLib (\w+)", text)) - {"COMMAND"}
        assert named <= commands, f"{page.name}: {named - commands}"


@pytest.mark.parametrize(
    ("page", "heading", "methods"),
    [("super-resolution.md", "| method | T1 |", SUPERRESOLUTION), ("methods.md", "| name | panel |", OUTLIERS)],
)
def test_a_table_of_methods_has_every_one_and_no_other(page, heading, methods):
    text = (ROOT / "Docs" / page).read_text("utf-8")
    rows = text[text.index(heading) :].partition("\n\n")[0].splitlines()[2:]
    assert sorted(methods) == sorted(name for row in rows for name in re.findall(r"`([\w-]+)`", row.split(" | ")[0]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_and_picture_leads_to_a_file_and_heading_of_the_checkout(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http:", "https:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_is_reached_from_the_index_and_none_is_long(page):
    index = (ROOT / "Docs" / "README.md").read_text("utf-8")
    assert page.name == "README.md" or f"({page.name})" in index
    made = page.read_text("utf-8").count("| `")  # of tables that are looked things up in, and are generated
    assert len(page.read_text("utf-8").splitlines()) - made <= 200


@pytest.mark.skipif(find_spec("codespell_lib") is None, reason="codespell is not installed; make setup installs it")
def test_the_spelling_of_every_page_is_right():
    pages = [str(page) for page in READ]
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *pages], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
