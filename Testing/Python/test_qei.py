"""The quality evaluation index."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.quality_index import qei_from_terms, quality_evaluation_index
from ASLDenoiseLib.series import Geometry, Tissue, Volume

GRID = Geometry((20, 20, 10), (3.0, 3.0, 4.0))


@pytest.fixture
def tissue() -> Tissue:
    brain, gm = np.ones(GRID.shape), np.zeros(GRID.shape)
    gm[:, :, :8] = 1
    return Tissue(*(Volume(a, GRID) for a in (gm, brain - gm)), None, Volume(brain, GRID), source="test")


@pytest.mark.parametrize(
    ("terms", "expected"),
    [((1, 0, 0), 0.98334), ((0.8, 5, 0), 0.86598), ((0.7, 10, 0.01), 0.70467), ((0.5, 20, 0.05), 0.46100)],
)
def test_the_published_formula_to_five_digits(terms, expected):
    assert qei_from_terms(*terms) == pytest.approx(expected, abs=5e-6)


def test_the_index_falls_with_noise_and_with_the_wrong_pattern(tissue):
    clean = 50 * tissue.gm.array + 20 * tissue.wm.array
    rng = np.random.default_rng(0)
    values = [
        quality_evaluation_index(Volume(clean + rng.normal(0, sd, GRID.shape), GRID), tissue) for sd in (0, 30, 200)
    ]
    assert values[0] > 0.85 and values == sorted(values, reverse=True)
    assert quality_evaluation_index(Volume(70 - clean, GRID), tissue) == 0


def test_a_map_without_anything_measured_has_no_index(tissue):
    assert np.isnan(quality_evaluation_index(Volume(np.full(GRID.shape, np.nan), GRID), tissue))


def test_tissue_on_another_grid_is_refused(tissue):
    with pytest.raises(InputError, match="grid"):
        quality_evaluation_index(Volume(np.zeros((2, 2, 2)), Geometry((2, 2, 2), (1, 1, 1))), tissue)
