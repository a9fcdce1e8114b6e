"""The diffusion benchmark tells what samples add and whether it is there: by hand-made maps and a known network."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")
from ASLDenoiseLib.networks.diffusion import DiffusionDenoiser, Sampling  # noqa: E402
from ASLDenoiseLib.series import Geometry, Volume  # noqa: E402
from Testing.Benchmarks.library.diffusion_samples import ADDED, ALIKE, TRUE, OneSample, added_by  # noqa: E402

GRID = Geometry((30, 30, 10), (3.0, 3.0, 5.0))


@pytest.fixture
def case():
    """Grey matter of 60 everywhere in a block."""
    inside = np.zeros(GRID.shape, bool)
    inside[2:8, 4:26, 4:26] = True
    return SimpleNamespace(
        truth=Volume(60.0 * inside, GRID), brain=Volume(1.0 * inside, GRID), inside=inside, gm=inside
    )


def blob(case, k: int, j: int, i: int) -> np.ndarray:
    """A lesion of 15 mm that doubles perfusion."""
    added = np.zeros(GRID.shape)
    added[k - 1 : k + 2, j - 2 : j + 3, i - 2 : i + 3] = 60.0
    return added * case.inside


def test_what_is_missing_and_found_is_true_and_no_false_region(case):
    missing = blob(case, 5, 10, 10)
    start = case.truth.array - missing
    row = added_by([case.truth.array, case.truth.array], start, case)
    assert row[TRUE] == pytest.approx(1) and row[ADDED] == pytest.approx(1) and row[ALIKE] == pytest.approx(1)
    assert row["regions added"] == 1 and row["false regions, one sample"] == 0
    assert row["false regions, the start"] == 1


def test_what_each_sample_shows_elsewhere_is_invented(case):
    start = case.truth.array
    samples = [start + blob(case, 5, 10, 10), start + blob(case, 5, 20, 20)]
    row = added_by(samples, start - blob(case, 5, 20, 8), case)
    assert row[ALIKE] < 0.7 and row[TRUE] < 0.8
    assert row["false regions, one sample"] == 1 and row["regions added"] == 2
    assert row["false regions, their mean"] == 2, "half of each is still a lesion"


def test_a_sample_by_itself_and_the_mean_are_of_the_same_samples_as_the_network_draws():
    torch.manual_seed(0)
    network = DiffusionDenoiser(widths=(8, 8), sampling=Sampling(steps=2, stride=100, samples=3)).eval()
    seen = torch.randn((1, 11, 3, 8, 8))
    seen[:, -4:] = 1
    kept: dict = {}
    with torch.no_grad():
        drawn, (mean, sd) = network.samples(seen), network(seen)
        second, _ = OneSample(network, kept, 1)(seen)
        all_of_them, spread = OneSample(network, kept)(seen)
    assert torch.equal(second, drawn[1]) and len(kept) == 1
    assert torch.allclose(all_of_them, mean, atol=1e-5) and torch.allclose(spread, sd, atol=1e-5)
