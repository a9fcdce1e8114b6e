"""The benchmark of CBF from BOLD: what following a change is, what a lesion that BOLD misses is, and its verdicts."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from training_builders import pool  # noqa: E402

from ASLDenoiseLib.bold.model import CONTROL, MODEL, experimental_folder, load_bold_model  # noqa: E402
from ASLDenoiseLib.learning.dual_echo import DualEchoSettings  # noqa: E402
from ASLDenoiseLib.learning.dual_echo_run import draw_head, draw_run  # noqa: E402
from ASLDenoiseLib.series import Geometry  # noqa: E402
from Testing.Benchmarks import bold  # noqa: E402
from Testing.Benchmarks.library.bold_figures import (  # noqa: E402
    EXPLAINED,
    R_TIME,
    R_VOXELS,
    SLOPE,
    SNR,
    Interval,
    figures,
    within,
)
from Testing.Benchmarks.library.bold_runs import SimulatedRun  # noqa: E402

TRUE = np.array([[1.0, -2.0, 1.0, 0.0], [3.0, 0.0, -3.0, 0.0]])


@pytest.fixture(scope="module")
def simulated() -> SimulatedRun:
    generator = torch.Generator().manual_seed(0)
    volumes = pool(1)[:]
    volumes.gm[:] = (torch.rand(volumes.gm.shape, generator=generator) > 0.5).float()
    volumes.wm[:] = 1 - volumes.gm
    head = draw_head(volumes, DualEchoSettings(), generator)
    run = draw_run(head, DualEchoSettings(), torch.Generator().manual_seed(500_003))
    return SimulatedRun("a run", head, run, Geometry((16, 16, 6), (4.0, 4.0, 5.0)), 3)


def test_half_of_a_change_has_slope_a_half_and_explains_three_quarters() -> None:
    found = within(0.5 * TRUE, TRUE)
    assert (found[SLOPE], found[EXPLAINED]) == (pytest.approx(0.5), pytest.approx(75.0))
    assert found[R_TIME] == pytest.approx(1.0)


def test_what_does_not_change_follows_nothing() -> None:
    found = within(np.zeros_like(TRUE), TRUE)
    assert (found[SLOPE], found[EXPLAINED]) == (0.0, 0.0)
    assert np.isnan(found[R_TIME])


def test_noise_over_time_explains_less_than_nothing() -> None:
    assert within(TRUE + 3 * TRUE[::-1], TRUE)[EXPLAINED] < -100


def test_the_truth_itself_has_every_figure_at_its_best(simulated) -> None:
    found = figures(simulated, simulated.truth + 1e-3)
    assert found[R_VOXELS] > 0.999 and found[R_TIME] > 0.999
    assert found[EXPLAINED] > 99.9 and found[SNR] > 60


def test_a_lesion_changes_cbf_and_hardly_bold(simulated) -> None:
    other, lesion = simulated.with_lesion(0.4)
    assert lesion.sum() > 20
    true = other.truth[:, lesion] / simulated.truth[:, lesion]
    assert np.allclose(true, 0.4, rtol=1e-4)
    assert np.allclose(other.truth[:, ~lesion], simulated.truth[:, ~lesion], rtol=1e-5)
    bold_change = other.echoes.bold.mean(1) / simulated.echoes.bold.mean(1) - 1
    assert float(bold_change[0].numpy()[lesion].mean()) == pytest.approx(0.0, abs=0.01)


def rows(**columns: list[float]) -> list[dict[str, float]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def found(explained: float, slope: float, shown: float) -> bold.Rows:
    around = np.array([-0.01, 0.0, 0.01])
    still = {R_VOXELS: list(0.8 + around), SLOPE: [0.0] * 3, EXPLAINED: [0.0] * 3, bold.SHOWN: list(around)}
    one = {SLOPE: list(slope + around), EXPLAINED: list(explained + around), bold.SHOWN: list(shown + around)}
    return {bold.MODEL: rows(**{**still, **one}), bold.CONTROL: rows(**still)}


def test_the_verdicts_say_whether_anatomy_is_beaten_and_the_lesion_missed() -> None:
    good = {line[0]: line[-1] for line in bold.verdicts(found(30.0, 0.4, 1.0))}
    assert good["beats anatomy-only within subjects"] == "yes"
    assert good["follows a subject's own modulation"] == "yes"
    assert good["a CBF lesion without BOLD change is missed"] == "yes"
    poor = {line[0]: line[-1] for line in bold.verdicts(found(-5.0, 0.02, 60.0))}
    assert poor["beats anatomy-only within subjects"] == "**no**"
    assert poor["follows a subject's own modulation"] == "**no**"
    assert poor["a CBF lesion without BOLD change is missed"] == "**no**"


def test_an_interval_of_runs_is_students() -> None:
    interval = Interval.of([1.0, 2.0, 3.0])
    assert interval.mean == 2.0
    assert interval.high == pytest.approx(2 + 4.303 / 3**0.5, abs=1e-3)
    assert np.isnan(Interval.of([1.0]).low)


@pytest.mark.parametrize("name", [MODEL, CONTROL])
def test_the_bundle_and_its_card_say_experimental_and_what_the_controls_showed(name) -> None:
    card = load_bold_model(name).card
    assert card.summary.startswith("EXPERIMENTAL")
    assert "not measured" in str(card.metadata["task"]) and "never real" in str(card.metadata["data_source"])
    text = (experimental_folder() / name / "docs" / "README.md").read_text("utf-8")
    assert "EXPERIMENTAL" in text and "not measured" in text
    assert "anatomy-only" in text and "lesion" in text
    assert "denoise SERIES" not in text
