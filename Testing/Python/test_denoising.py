import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ASLDenoiseLib.denoising.catalogue import find_model, list_models, load_model  # noqa: E402
from ASLDenoiseLib.denoising.domain import domain_findings  # noqa: E402
from ASLDenoiseLib.denoising.inference import denoise_pairs, run_network  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.preparing.averaging import mean_difference  # noqa: E402
from ASLDenoiseLib.running.device import resolve_device  # noqa: E402
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume  # noqa: E402

GRID = Geometry((40, 44, 6), (3.4, 3.4, 5.0))


def truth_and_brain() -> tuple[np.ndarray, Volume]:
    """Bands of 30 and 10 units 5 voxels wide in an ellipse."""
    _, j, i = np.indices(GRID.shape)
    inside = ((i - 20) / 17) ** 2 + ((j - 22) / 19) ** 2 < 1
    return np.where((i // 5) % 2 == 0, 30.0, 10.0) * inside, Volume(inside.astype(float), GRID)


def noisy_pairs(n: int = 6, *, sigma: float = 10.0, scale: float = 1.0) -> tuple[ASLSeries, np.ndarray, Volume]:
    truth, brain = truth_and_brain()
    noise = np.random.default_rng(0).normal(0, sigma, (n, *GRID.shape))
    return ASLSeries(scale * (truth + noise), GRID, ("deltam",) * n), truth, brain


@pytest.fixture(scope="module")
def card():
    return find_model("dwan-lfn")


def error(array: np.ndarray, truth: np.ndarray, brain: Volume) -> float:
    return float(np.sqrt(np.mean((array - truth)[brain.array > 0] ** 2)))


def test_the_shipped_model_removes_noise_it_has_never_seen(card):
    pairs, truth, brain = noisy_pairs()
    denoised = denoise_pairs(pairs, brain, card).difference
    assert error(denoised.array, truth, brain) < 0.75 * error(mean_difference(pairs).array, truth, brain)


def test_the_output_keeps_the_units_of_the_input_at_any_scale(card):
    pairs, _, brain = noisy_pairs()
    large, _, _ = noisy_pairs(scale=1000.0)
    one, thousand = (denoise_pairs(p, brain, card).difference.array for p in (pairs, large))
    np.testing.assert_allclose(thousand, 1000 * one, rtol=1e-3, atol=1.0)


def test_denoising_groups_and_averaging_after_uses_every_pair(card):
    pairs, truth, brain = noisy_pairs(7)
    denoised = denoise_pairs(pairs, brain, card, group=3)
    assert len(denoised.scales) == 3
    assert error(denoised.difference.array, truth, brain) < error(mean_difference(pairs).array, truth, brain)


def test_a_voxel_that_was_not_measured_stays_not_measured(card):
    pairs, _, brain = noisy_pairs()
    array = pairs.array.copy()
    array[0, 3, 22, 20] = np.nan
    holed = ASLSeries(array, GRID, pairs.context)
    denoised = denoise_pairs(holed, brain, card).difference.array
    assert np.isnan(denoised[3, 22, 20])
    assert np.isfinite(denoised[brain.array > 0]).sum() == (brain.array > 0).sum() - 1


def test_an_empty_difference_is_refused(card):
    _, _, brain = noisy_pairs()
    with pytest.raises(InputError, match="empty in the brain mask"):
        denoise_pairs(ASLSeries(np.zeros((2, *GRID.shape)), GRID, ("deltam",) * 2), brain, card)


class Hungry(torch.nn.Module):
    """Runs out of memory above four slices at once."""

    def forward(self, x):
        if len(x) > 4:
            raise torch.OutOfMemoryError("too many slices")
        return 2 * x


def test_running_out_of_memory_retreats_to_smaller_batches_and_says_so(caplog):
    stack = torch.arange(20.0).reshape(20, 1, 1, 1)
    result, device = run_network(Hungry(), stack, device="cpu")
    assert torch.equal(result, 2 * stack) and device == "cpu"
    assert "Out of memory" in caplog.text


def test_every_shipped_bundle_states_its_weights_domain_licence_and_use():
    cards = list_models()
    assert cards[0].name == "dwan-lfn"
    for card in cards:
        load_model(card)  # checks the SHA256
        assert card.metadata["licence"] and "Research use only" in card.metadata["intended_use"]
        assert {"voxel_in_plane_mm", "slice_thickness_mm", "mean_snr"} <= set(card.domain)
        assert len((card.folder / "docs" / "README.md").read_text()) > 1000


def test_a_bundle_loads_with_monais_own_parser_to_the_same_network(card):
    from monai.bundle import ConfigParser

    parser = ConfigParser(json.loads((card.folder / "configs" / "inference.json").read_text()))
    parser["bundle_root"] = str(card.folder)
    parser["device"] = "$torch.device('cpu')"
    network = parser.get_parsed_content("network_def")
    network.load_state_dict(parser.get_parsed_content("checkpoint"))
    x = torch.randn(1, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(x), load_model(card)(x))


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="choose one of: dwan-lfn"):
        find_model("nonsense")


def test_input_inside_the_domain_gives_no_finding_and_large_voxels_give_one(card):
    pairs, _, brain = noisy_pairs()
    assert domain_findings(card, pairs, brain) == []
    wide = Geometry(GRID.size, (6.0, 6.0, 5.0))
    coarse = ASLSeries(pairs.array, wide, pairs.context)
    findings = domain_findings(card, coarse, Volume(brain.array, wide))
    assert [f.code for f in findings] == ["outside-model-domain"] and "6 mm" in findings[0].what


def test_a_device_that_is_not_there_is_refused_in_words():
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(InputError, match="no device 'abacus'"):
        resolve_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="--device cpu"):
            resolve_device("cuda")


@pytest.mark.gpu
def test_cuda_and_cpu_agree(card):
    pairs, _, brain = noisy_pairs()
    on_cpu, on_gpu = (denoise_pairs(pairs, brain, card, device=d).difference.array for d in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-2, atol=0.05)
