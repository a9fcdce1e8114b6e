"""The page on methods says of every number what the library holds it to."""

from __future__ import annotations

from dataclasses import fields

from ASLDenoiseLib.ranges import RANGES
from ASLDenoiseLib.series import Acquisition


def test_the_table_of_ranges_on_the_page_is_the_librarys(repo_root):
    page = (repo_root / "Docs" / "methods.md").read_text("utf-8")
    table = page[page.index("| value | unit | possible |") :].split("\n\n")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    told = {first: rest for first, *rest in cells}
    for field in fields(Acquisition):
        if field.name not in RANGES:
            continue
        limits, (unit, possible, usual, others) = RANGES[field.name], told[f"`{field.metadata['bids']}`"]
        assert unit == field.metadata["unit"]
        assert possible == f"{limits.possible[0]:g} to {limits.possible[1]:g}{' or 0' if limits.zero else ''}"
        assert usual == (f"{limits.usual[0]:g} to {limits.usual[1]:g}" if limits.usual else "")
        assert others == ", ".join(unit.name for unit in limits.others)
    assert len(told) == len(RANGES)
