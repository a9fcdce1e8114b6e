"""Every figure in a table of the documentation is the one of the card or the benchmark that it quotes."""

from __future__ import annotations

import pytest
from docs_pages import PAGES, ROOT, quoted_tables, section, table_rows

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard, list_models, models_not_installed
from ASLDenoiseLib.quantifying.constants import labeling_efficiency, partition_coefficient, t1_blood, t1_tissue
from ASLDenoiseLib.series import Acquisition, Labeling

CARDS = "the cards"
MODELS = (*list_models(), *models_not_installed())
TABLES = [
    pytest.param(table, id=f"{page.stem}-{table.source.rpartition('/')[2]}")
    for page in PAGES
    for table in quoted_tables(page)
    if table.source != CARDS
]


def card_row(card: ModelCard) -> str:
    """A model as the catalogue's page has it."""
    saw = card.metadata["training"]["saw"]
    cells = (
        f"[{card.name}](../Resources/Models/{card.name}/docs/README.md)",
        card.summary,
        saw["target"],
        f"{saw['phantoms']:,}",
        f"{saw['samples']:,}",
        f"{card.metadata['parameters']:,}",
        f"{card.metadata['seconds_64x64x24']['cpu']:.2g}",
    )
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_the_catalogue_has_each_model_as_its_card_describes_it(card):
    assert card_row(card) in (ROOT / "Docs" / "models.md").read_text("utf-8")


def test_the_catalogue_has_no_other_models_and_the_default_first():
    table = next(t for t in quoted_tables(ROOT / "Docs" / "models.md") if t.source == CARDS)
    names = [label[1:].partition("]")[0] for label in table.rows]
    assert names[0] == DEFAULT_MODEL and sorted(names) == sorted(card.name for card in MODELS)


@pytest.mark.parametrize("table", TABLES)
def test_a_quoted_table_has_the_figures_of_its_benchmark(table):
    source, _, heading = table.source.partition(": ")
    measured = measured_rows(section(ROOT / source, heading))
    for label, cells in table.rows.items():
        assert label in measured, f"{source} has no row '{label}'"
        there = {column: measured[label][column] for column in cells}
        assert cells == there


def measured_rows(text: str) -> dict[str, dict[str, str]]:
    """Rows of a benchmark's table; where it has one model after another, the default's with a T1, as a run has it."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    if not rows[0].startswith("| model | figure"):
        return table_rows("\n".join(rows))
    ways = (f"| {DEFAULT_MODEL}, T1+M0, audited | ", f"| {DEFAULT_MODEL}, T1+M0 | ")
    first = next(way for way in ways if way in text)
    kept = [line.replace(first, "| ") for line in rows[2:] if line.startswith(first)]
    return table_rows("\n".join([rows[0].replace("| model | ", "| "), rows[1], *kept]))


def test_the_constants_on_the_page_are_those_that_are_used():
    page = (ROOT / "Docs" / "methods.md").read_text("utf-8")
    for field in (1.5, 3.0, 7.0):
        assert f"{t1_blood(Acquisition(field_strength=field)).value:g} s at {field:g} T" in page
    for labeling in Labeling:
        assert f"{labeling.value} {labeling_efficiency(Acquisition(labeling=labeling)).value:g}" in page
    assert f"| {partition_coefficient(Acquisition()).value:g} mL/g |" in page
    tissue = [f"{t1_tissue(Acquisition(field_strength=b)).value:g} s at {b:g} T" for b in (1.5, 3.0, 7.0)]
    assert f"| {', '.join(tissue)}, else interpolated |" in page
    one, none = (labeling_efficiency(Acquisition(suppression_pulses=pulses)).value for pulses in (1, 0))
    assert f"α × {one / none:g} a pulse" in page


def test_every_domain_on_the_page_is_that_of_every_card():
    fine = (DEFAULT_MODEL, "diffusion")
    for card in MODELS:
        assert card.domain["voxel_in_plane_mm"] == (1.6 if card.name in fine else 1.8, 4.5)
        assert card.domain["slice_thickness_mm"] == (2.0, 8.0)
        assert card.domain["pairs"] == (1.0, 60.0)
    page = (ROOT / "Docs" / "models.md").read_text("utf-8")
    said = (
        "in-plane voxels of 1.8 to 4.5 mm, slices of 2 to 8 mm, 1 to 60 pairs; the default, and the diffusion that "
        "starts from it, voxels of 1.6 mm"
    )
    assert said in " ".join(page.split())
