"""The pages of documentation, read as data: examples to run, tables to compare, words to look up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted((ROOT / "Docs").glob("*.md")))
_EXAMPLE = re.compile(
    r"<!-- run(?P<kind> slow| slicer)? -->\n```(?P<language>\w+)\n(?P<text>.*?)\n```"
    r"(?:\n\n<!-- prints -->\n```text\n(?P<prints>.*?)\n```)?",
    re.DOTALL,
)
_QUOTED = re.compile(r"<!-- from (?P<source>.+?) -->\n(?P<table>(?:\|.*\n)+)")
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A block that is run as it stands, the lines it is said to print, and whether it is ``slow`` or of ``slicer``."""

    language: str
    text: str
    prints: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """The cells of a table: by row label, by column heading."""

    source: str
    rows: dict[str, dict[str, str]]


def examples(page: Path) -> tuple[Example, ...]:
    """The examples of a page in their order."""
    return tuple(
        Example(
            found["language"], found["text"], tuple((found["prints"] or "").splitlines()), (found["kind"] or "").strip()
        )
        for found in _EXAMPLE.finditer(page.read_text("utf-8"))
    )


def quoted_tables(page: Path) -> Iterator[Table]:
    """Tables that name the place they were taken from."""
    for found in _QUOTED.finditer(page.read_text("utf-8")):
        yield Table(found["source"], table_rows(found["table"]))


def table_rows(text: str) -> dict[str, dict[str, str]]:
    """Rows of the first table in a text, by their first cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, *body = (_cells(line) for line in (lines[0], *lines[2:]))
    return {cells[0]: dict(zip(head, cells, strict=True)) for cells in body}


def section(path: Path, heading: str) -> str:
    """The text below a second-level heading of a page, up to the next."""
    parts = re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)
    return next(part.partition("\n")[2] for part in parts if part.partition("\n")[0].strip() == heading)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
