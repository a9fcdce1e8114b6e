import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ASLDenoiseLib.compute import Compute  # noqa: E402
from ASLDenoiseLib.denoising import inference  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model, list_models, load_model  # noqa: E402
from ASLDenoiseLib.denoising.domain import domain_findings  # noqa: E402
from ASLDenoiseLib.denoising.families import find_family  # noqa: E402
from ASLDenoiseLib.denoising.families.mean import Prediction  # noqa: E402
from ASLDenoiseLib.denoising.inference import denoise_pairs  # noqa: E402
from ASLDenoiseLib.denoising.memory import run_network, run_on_volume  # noqa: E402
from ASLDenoiseLib.devices import resolve_device  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.preparing.averaging import mean_difference  # noqa: E402
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume  # noqa: E402
from ASLDenoiseLib.spatial.smoothing import blur  # noqa: E402

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


def test_a_network_that_is_given_denoises_in_the_place_of_the_bundles_weights(card):
    pairs, _, brain = noisy_pairs()
    own, other = load_model(card), load_model(card).train()
    for parameter in other.parameters():
        parameter.data *= 0.9
    plain, same, changed = (
        denoise_pairs(pairs, brain, card, network=each).difference.array for each in (None, own, other)
    )
    assert np.array_equal(plain, same)
    assert np.abs(changed - plain).max() > 0.1
    assert not other.training


class Answer(torch.nn.Module):
    """A network in its simplest form, that remembers what it was given."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.seen = answer, []

    def forward(self, x):
        self.seen.append(x.clone())
        return self.answer(x)


def run_with(monkeypatch, network: str, answer, pairs, brain, *, metadata=None, **options):
    """`denoise_pairs` with a hand-made network of a family, through the family's own channels; and that network."""
    module = Answer(answer)
    monkeypatch.setattr(inference, "load_model", lambda card, device: module)
    card = ModelCard("by-hand", Path(), network, "", "", {}, metadata or {})
    return denoise_pairs(pairs, brain, card, **options), module


def test_networks_of_slices_see_the_mean_divided_by_its_brain_mean(monkeypatch):
    pairs, _, brain = noisy_pairs()
    denoised, network = run_with(monkeypatch, "dwan", lambda x: x, pairs, brain)
    mean = mean_difference(pairs).array
    scale = mean[brain.array > 0].mean()
    assert denoised.scales == pytest.approx([scale])
    box = (slice(0, 6), slice(0, 44), slice(0, 40))  # the brain and its margin are the whole slice here
    np.testing.assert_allclose(torch.cat(network.seen)[:, 0].numpy(), mean[box] / scale, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(denoised.difference.array, mean, rtol=1e-4, atol=1e-3)
    assert denoised.uncertainty is None


def test_deepasl_sees_the_mean_after_its_in_plane_gaussian(monkeypatch):
    pairs, _, brain = noisy_pairs()
    denoised, _ = run_with(monkeypatch, "deepasl", lambda x: x, pairs, brain, metadata={"input_smoothing_mm": 4.0})
    mean = mean_difference(pairs).array
    expected = np.stack([blur(s[None], (3.4, 3.4, 1e6), 4.0)[0] for s in mean])
    inner = (slice(None), slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(denoised.difference.array[inner], expected[inner], rtol=0.02, atol=0.05)


def test_slabs_are_the_neighbours_of_each_slice_with_the_outermost_repeated(monkeypatch):
    pairs, _, brain = noisy_pairs()
    denoised, network = run_with(monkeypatch, "slab-transformer", lambda x: x[:, 1:2], pairs, brain)
    slabs = torch.cat(network.seen)
    assert slabs.shape[:2] == (6, 3)
    assert torch.equal(slabs[0, 0], slabs[0, 1]) and torch.equal(slabs[5, 2], slabs[5, 1])
    assert torch.equal(slabs[2, 0], slabs[1, 1]) and torch.equal(slabs[2, 2], slabs[3, 1])
    np.testing.assert_allclose(denoised.difference.array, mean_difference(pairs).array, rtol=1e-4, atol=1e-3)


def test_slabs_reach_past_the_brain_mask_where_the_scan_does(monkeypatch):
    pairs, _, brain = noisy_pairs()
    lower = Volume(brain.array * (np.arange(6) < 3)[:, None, None], GRID)
    _, network = run_with(monkeypatch, "slab-transformer", lambda x: x[:, 1:2], pairs, lower)
    slabs = torch.cat(network.seen)
    assert len(slabs) == 3 and not torch.equal(slabs[2, 2], slabs[2, 1])


def test_a_volume_is_given_whole_and_its_m0_divided_by_its_brain_mean(monkeypatch):
    pairs, _, brain = noisy_pairs()
    m0 = Volume(1000 + 50 * np.indices(GRID.shape)[0].astype(float), GRID)
    denoised, network = run_with(monkeypatch, "unet3d-m0", lambda x: x[:, :1], pairs, brain, m0=m0)
    (seen,) = network.seen
    assert seen.shape[:3] == (1, 2, 6)
    inside = brain.array > 0
    assert float(seen[0, 1].numpy()[inside].mean()) == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(denoised.difference.array, mean_difference(pairs).array, rtol=1e-4, atol=1e-3)


def test_a_model_that_needs_the_m0_says_so_when_there_is_none(monkeypatch):
    pairs, _, brain = noisy_pairs()
    with pytest.raises(InputError, match="needs the M0 image"):
        run_with(monkeypatch, "unet3d-m0", lambda x: x[:, :1], pairs, brain)
    with pytest.raises(InputError, match="M0 image is empty"):
        run_with(monkeypatch, "unet3d-m0", lambda x: x[:, :1], pairs, brain, m0=Volume(np.zeros(GRID.shape), GRID))


@pytest.mark.parametrize("network", ["dwan", "slab-transformer", "unet3d"])
def test_every_family_keeps_what_was_not_measured_and_refuses_what_is_empty(monkeypatch, network):
    def middle(x):
        return x[:, x.shape[1] // 2 : x.shape[1] // 2 + 1]

    pairs, _, brain = noisy_pairs()
    array = pairs.array.copy()
    array[:, 3, 22, 20] = np.nan
    denoised, _ = run_with(monkeypatch, network, middle, ASLSeries(array, GRID, pairs.context), brain)
    assert np.argwhere(np.isnan(denoised.difference.array)).tolist() == [[3, 22, 20]]
    empty = Volume(np.zeros(GRID.shape), GRID)
    with pytest.raises(InputError, match="empty"):
        run_with(monkeypatch, network, middle, pairs, empty)


def test_the_uncertainty_of_groups_adds_up_as_independent_errors_do(monkeypatch):
    pairs, _, brain = noisy_pairs(6)

    def predict(family, mean, network, compute):
        return Prediction(mean.array, 1.0, np.full(GRID.shape, 2.0, np.float32))

    monkeypatch.setattr(type(find_family("guided-unet")), "predict", predict)
    denoised, _ = run_with(monkeypatch, "guided-unet", None, pairs, brain, group=4)  # groups of four and two
    expected = 2.0 * np.sqrt((4 / 6) ** 2 + (2 / 6) ** 2)
    np.testing.assert_allclose(denoised.uncertainty.array, expected, rtol=1e-5)


class Hungry(torch.nn.Module):
    """Runs out of memory above a number of voxels in one go."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def forward(self, x):
        if x.numel() > self.most:
            raise torch.OutOfMemoryError("too much at once")
        return 2 * x


class Graphics(torch.nn.Module):
    """A card without room, and the same network on the CPU, which has it."""

    def __init__(self):
        super().__init__()
        self.where = "card"

    def to(self, device):
        self.where = device
        return self

    def forward(self, x):
        if self.where != "cpu":
            raise torch.OutOfMemoryError("too much at once")
        return 2 * x


def test_running_out_of_memory_retreats_to_smaller_batches_and_says_so():
    stack, told = torch.arange(20.0).reshape(20, 1, 1, 1), []
    compute = Compute("cpu", told.append)
    assert torch.equal(run_network(Hungry(4), stack, compute), 2 * stack)
    assert compute.device == "cpu"
    assert compute.fallbacks == ["8 slices at once on cpu", "4 slices at once on cpu"]
    assert told == [f"memory ran out, going on with {fallback}" for fallback in compute.fallbacks]


def test_a_volume_that_does_not_fit_is_done_in_patches_and_blended_without_seams():
    volume, compute = torch.rand(1, 1, 4, 70, 80), Compute("cpu")
    torch.testing.assert_close(run_on_volume(Hungry(4 * 40 * 40), volume, compute), 2 * volume)
    assert compute.device == "cpu" and compute.fallbacks == ["patches of 40 voxels on cpu"]


def test_a_device_without_room_for_the_smallest_portion_gives_way_to_the_cpu_with_full_portions():
    # 'meta' stands in for a graphics card: tensors go there, and nothing comes back
    compute, stack = Compute("meta"), torch.arange(3.0).reshape(3, 1, 1, 1)
    assert torch.equal(run_network(Graphics(), stack, compute), 2 * stack)
    assert (compute.device, compute.moved_from) == ("cpu", "meta")
    assert compute.fallbacks[-2:] == ["1 slices at once on meta", "16 slices at once on cpu"]


def test_what_a_network_gives_in_parts_comes_back_as_channels_in_one_piece_or_in_patches():
    class Parts(Hungry):
        def forward(self, x):
            return super().forward(x), x + 1

    volume = torch.rand(1, 1, 4, 70, 80)
    for most in (10**6, 4 * 40 * 40):
        torch.testing.assert_close(
            run_on_volume(Parts(most), volume, Compute("cpu")), torch.cat([2 * volume, volume + 1], dim=1)
        )


def test_memory_that_never_suffices_is_an_error_not_an_endless_retreat():
    with pytest.raises(torch.OutOfMemoryError):
        run_network(Hungry(0), torch.zeros(3, 1, 4, 4), Compute("cpu"))
    with pytest.raises(torch.OutOfMemoryError):
        run_on_volume(Hungry(0), torch.zeros(1, 1, 4, 70, 80), Compute("cpu"))


def test_the_result_says_where_it_was_denoised_in_the_end_and_the_compute_what_was_retreated_to(monkeypatch):
    pairs, _, brain = noisy_pairs()
    compute = Compute("cpu")
    denoised, _ = run_with(monkeypatch, "dwan", Hungry(4 * 40 * 44), pairs, brain, compute=compute)
    assert denoised.device == "cpu" and compute.fallbacks[-1] == "4 slices at once on cpu"


def test_every_shipped_bundle_states_its_weights_domain_licence_and_use():
    cards = list_models()
    assert cards[0].name == DEFAULT_MODEL
    for card in cards:
        load_model(card)  # checks the SHA256
        assert card.metadata["licence"] and "Research use only" in card.metadata["intended_use"]
        assert {"voxel_in_plane_mm", "slice_thickness_mm", "mean_snr"} <= set(card.domain)
        assert len((card.folder / "docs" / "README.md").read_text("utf-8")) > 1000


def test_a_bundle_loads_with_monais_own_parser_to_the_same_network(card):
    from monai.bundle import ConfigParser

    parser = ConfigParser(json.loads((card.folder / "configs" / "inference.json").read_text("utf-8")))
    parser["bundle_root"] = str(card.folder)
    parser["device"] = "$torch.device('cpu')"
    network = parser.get_parsed_content("network_def")
    network.load_state_dict(parser.get_parsed_content("checkpoint"))
    x = torch.randn(1, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(x), load_model(card)(x))


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=f"choose one of: {DEFAULT_MODEL}"):
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
