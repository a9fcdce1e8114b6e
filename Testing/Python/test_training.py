import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from training_builders import TINY, pool, write_heads  # noqa: E402

from ASLDenoiseLib.denoising.catalogue import load_model, read_card  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning import training  # noqa: E402
from ASLDenoiseLib.learning.bundle import write_bundle  # noqa: E402
from ASLDenoiseLib.learning.families import find_network_family  # noqa: E402
from ASLDenoiseLib.learning.losses import cbf_of, kinetic_loss, loss_of, ssim_in_plane  # noqa: E402
from ASLDenoiseLib.learning.noise import NoiseSettings, draw_noise_parameters  # noqa: E402
from ASLDenoiseLib.learning.recipe import RECIPES, Recipe, read_recipe  # noqa: E402
from ASLDenoiseLib.learning.targets import TARGETS, draw_means, find_target, smoothed  # noqa: E402
from ASLDenoiseLib.learning.tasks import build_task  # noqa: E402
from ASLDenoiseLib.learning.tasks.augment import augmented, cut  # noqa: E402
from ASLDenoiseLib.learning.training import averaging, learning_rate, train  # noqa: E402
from ASLDenoiseLib.networks.guided_unet import GuidedUNet  # noqa: E402
from ASLDenoiseLib.quantifying.kinetics import pcasl_scale  # noqa: E402

CALM = NoiseSettings(physiological=(0.0, 0.0), motion=(0.0, 0.0), spikes=0.0)


def drawn(name: str, settings: NoiseSettings = CALM, n: int = 40):
    """Noise of inputs and targets (n, voxels) of one kind, and the noise's SD (n,)."""
    generator = torch.Generator().manual_seed(3)
    shape = (8, 16, 16)
    brain = torch.ones(n, 1, *shape)
    draw = draw_noise_parameters(torch.ones(n), shape, settings, generator)
    truth = torch.zeros(n, 1, *shape)
    spacing = torch.full((n, 3), 1e3)  # so wide that smoothing changes nothing
    given, target = draw_means(truth, brain, draw, find_target(name), generator, spacing=spacing)
    return given.flatten(1), target.flatten(1), draw.sigma


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def relative(noise: torch.Tensor, sigma: torch.Tensor) -> float:
    return float((noise / sigma[:, None]).square().mean().sqrt())


def test_learning_from_noise_has_independent_noise_of_equal_strength():
    given, target, sigma = drawn("noisy")
    assert abs(correlation(given / sigma[:, None], target / sigma[:, None])) < 0.02
    assert relative(target, sigma) == pytest.approx(relative(given, sigma), rel=0.03)


def test_the_pseudo_gold_standard_holds_a_quarter_of_the_input():
    given, target, sigma = drawn("pseudo-gold")
    assert relative(target, sigma) == pytest.approx(0.5 * relative(given, sigma), rel=0.03)  # SD 1/sqrt(4)
    assert correlation(given / sigma[:, None], target / sigma[:, None]) == pytest.approx(0.5, abs=0.02)  # sqrt(1/4)


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_the_mean_of_all_pairs_has_the_noise_its_share_says(share, monkeypatch):
    monkeypatch.setitem(TARGETS, "all-pairs", replace(TARGETS["all-pairs"], shares=(share,)))
    given, target, sigma = drawn("all-pairs")
    assert relative(target, sigma) == pytest.approx(share**0.5 * relative(given, sigma), rel=0.03)
    assert correlation(given / sigma[:, None], target / sigma[:, None]) == pytest.approx(share**0.5, abs=0.03)


def test_outliers_stay_in_the_input_and_leave_the_cleaned_target():
    corrupted = replace(CALM, spikes=1.0)
    given, target, sigma = drawn("pseudo-gold", corrupted)
    assert relative(given, sigma) > 2
    assert relative(target, sigma) == pytest.approx(0.5, rel=0.1)
    _, target, sigma = drawn("noisy", corrupted)
    assert relative(target, sigma) > 2


def test_a_clean_target_is_the_truth():
    given, target, _ = drawn("clean")
    assert not target.any() and given.any()


def test_the_references_of_the_article_average_8_16_and_32_time_points():
    pairs = {
        name: [round(n * f) for f in TARGETS[name].shares] for name, n in (("gt25", 8), ("gt50", 16), ("gt100", 32))
    }
    assert pairs == {"gt25": [2, 4], "gt50": [2, 4, 8], "gt100": [2, 4, 8, 16]}


def test_the_smoothing_has_the_width_asked_for():
    point = torch.zeros(1, 1, 1, 41, 41)
    point[..., 20, 20] = 1
    row = smoothed(point, torch.tensor([[5.0, 1.0, 1.0]]), 8.0)[0, 0, 0, 20]
    assert float(row[24]) == pytest.approx(0.5 * float(row[20]), rel=0.01)  # half of the maximum, 4 mm away


def test_l1_settles_on_the_median_of_noisy_targets_and_l2_on_the_mean():
    targets = torch.tensor([1.0, 1.0, 1.0, 1.0, 10.0])
    guesses = torch.linspace(0, 5, 501)
    weight = torch.ones(5)
    best = {
        k: float(guesses[torch.stack([loss_of(k, g, targets, weight) for g in guesses]).argmin()]) for k in ("l1", "l2")
    }
    assert best["l1"] == pytest.approx(1.0, abs=0.01)
    assert best["l2"] == pytest.approx(2.8, abs=0.01)


def test_the_kinetic_loss_by_hand():
    difference, m0 = torch.tensor([0.3, -0.2]), torch.tensor([0.5, 2.0])
    weight = torch.tensor([1.0, 3.0])
    # 0.2 * d^2 + 0.8 * (d / m0)^2: 0.018 + 0.288, 0.008 + 0.008; weighted (0.306 + 3 * 0.016) / 4
    assert float(kinetic_loss(difference, weight, m0, share=0.2)) == pytest.approx(0.0885)
    assert float(kinetic_loss(difference, weight, m0, share=1.0)) == pytest.approx((0.09 + 3 * 0.04) / 4)


def test_the_kinetic_term_is_the_pcasl_equation_over_its_value_for_the_brain_means():
    scale = float(pcasl_scale(post_labeling_delay=1.6, label_duration=1.8, t1_blood=1.65, efficiency=0.85))
    difference, m0 = torch.tensor([1.0, 1.5, -0.4]), torch.tensor([1.0, 0.8, 2.0])
    mean_difference, mean_m0 = 5.3, 1100.0  # scanner units
    cbf = scale * (difference * mean_difference) / (m0 * mean_m0)
    torch.testing.assert_close(cbf_of(difference, m0), cbf / (scale * mean_difference / mean_m0))
    assert float(cbf_of(torch.tensor(1.0), torch.tensor(1e-6))) == pytest.approx(5.0)  # M0 is clamped at 0.2


def test_dssim_is_nothing_for_the_same_image_and_the_losses_weigh_it_as_published():
    a, b = torch.rand(2, 1, 16, 16), torch.rand(2, 1, 16, 16)
    weight = torch.ones_like(a)
    assert float(ssim_in_plane(a, a)) == pytest.approx(1.0)
    absolute, dssim = float((a - b).abs().mean()), 1 - float(ssim_in_plane(a, b))
    assert dssim > 0.01
    assert float(loss_of("l1+dssim", a, b, weight)) == pytest.approx(absolute + dssim, rel=1e-5)
    assert float(loss_of("half-l1+dssim", a, b, weight)) == pytest.approx(0.5 * (absolute + dssim), rel=1e-5)


def test_ssim_of_volumes_is_that_of_their_slices():
    a, b = torch.rand(1, 1, 5, 16, 16), torch.rand(1, 1, 5, 16, 16)
    slices = [float(ssim_in_plane(a[:, :, k], b[:, :, k])) for k in range(5)]
    assert float(ssim_in_plane(a, b)) == pytest.approx(np.mean(slices), rel=1e-5)


BATCHES = {
    "slices": (TINY, (2, 1, 16, 16), (2, 1, 16, 16)),
    "patches": (replace(TINY, patch=(10, 12)), (2, 1, 10, 12), (2, 1, 10, 12)),
    "slabs": (replace(TINY, network="slab-transformer", patch=(12, 12)), (2, 3, 12, 12), (2, 1, 12, 12)),
    "volumes": (replace(TINY, network="unet3d"), (2, 1, 6, 16, 16), (2, 1, 6, 16, 16)),
    "volumes-m0": (replace(TINY, network="unet3d-m0"), (2, 2, 6, 16, 16), (2, 1, 6, 16, 16)),
}


@pytest.mark.parametrize("kind", BATCHES)
def test_a_batch_has_the_shape_its_network_takes_and_noise_on_both_sides(kind):
    recipe, given, wanted = BATCHES[kind]
    batch = build_task(recipe).batch(pool(), torch.Generator().manual_seed(1), "cpu")
    assert batch.inputs[0].shape == given
    for part in (batch.target, batch.truth, batch.noisy, batch.weight, batch.brain, batch.m0):
        assert part.shape == wanted
    assert float((batch.noisy - batch.truth).std()) > 0.03
    assert float((batch.target - batch.truth).std()) > 0.03
    middle = batch.inputs[0][:, 1:2] if kind == "slabs" else batch.inputs[0][:, :1]
    assert torch.equal(middle, batch.noisy)


def test_a_batch_is_fixed_by_its_generator():
    first, second = (build_task(TINY).batch(pool(), torch.Generator().manual_seed(5), "cpu") for _ in range(2))
    assert torch.equal(first.inputs[0], second.inputs[0]) and torch.equal(first.target, second.target)


def test_at_the_end_of_a_volume_the_slab_repeats_its_slice_noise_and_all():
    recipe = replace(TINY, network="slab-transformer", batch=24)
    flat = pool(1, (2, 16, 16))  # every slab lies at an end
    given = build_task(recipe).batch(flat, torch.Generator().manual_seed(1), "cpu").inputs[0]
    repeats = [torch.equal(s[0], s[1]) or torch.equal(s[2], s[1]) for s in given]
    assert all(repeats) and not any(torch.equal(s[0], s[2]) for s in given)


def test_deepasl_is_given_smoothed_images_and_judged_against_the_raw_mean():
    recipe = replace(TINY, input_smoothing_mm=8.0, target="all-pairs")
    batch = build_task(recipe).batch(pool(), torch.Generator().manual_seed(1), "cpu")
    rough = [float((x - x.mean(dim=(2, 3), keepdim=True)).std()) for x in (batch.noisy, batch.inputs[0], batch.target)]
    assert rough[1] < 0.7 * rough[0] and rough[2] < 0.7 * rough[0]


def test_rigid_augmentation_moves_image_and_mask_together_and_keeps_their_size():
    disc = torch.zeros(6, 1, 1, 32, 32)
    disc[..., 13:19, 8:24] = 1
    parts = torch.cat([disc, disc, disc], dim=1)
    moved = augmented(parts, "rigid", torch.Generator().manual_seed(2))
    torch.testing.assert_close(moved[:, 0], moved[:, 1])
    assert not torch.allclose(moved[0], moved[1])  # each sample its own way
    torch.testing.assert_close(moved.sum(dim=(1, 2, 3, 4)), parts.sum(dim=(1, 2, 3, 4)), rtol=0.03, atol=0.0)


def test_cutting_takes_the_same_box_from_all_parts():
    image = torch.arange(400.0).reshape(1, 1, 20, 20).expand(3, -1, -1, -1)
    a, b = cut((image, image + 1), (5, 7), torch.Generator().manual_seed(0))
    assert a.shape == (3, 1, 5, 7) and torch.equal(a + 1, b)


def test_the_rate_warms_up_and_falls_to_nothing_by_steps_or_by_time():
    recipe = replace(TINY, steps=1000, learning_rate=1.0)
    assert learning_rate(recipe, 0, 0.0, None) == pytest.approx(0.02)
    assert learning_rate(recipe, 500, 0.0, None) == pytest.approx(0.5)
    assert learning_rate(recipe, 100, 60.0, 2.0) == pytest.approx(0.5)  # half of the time is gone
    assert learning_rate(recipe, 500, 6.0, 2.0) == pytest.approx(0.5)  # the share of steps is larger
    assert learning_rate(recipe, 100, 120.0, 2.0) == pytest.approx(0.0)


def test_the_average_follows_quickly_at_first_and_slowly_later():
    update = averaging(0.999)
    early, late = [torch.zeros(1)], [torch.zeros(1)]
    update(early, [torch.ones(1)], 1)
    update(late, [torch.ones(1)], 10**6)
    assert float(early[0]) == pytest.approx(1 - 2 / 11) and float(late[0]) == pytest.approx(0.001, rel=1e-3)


@pytest.fixture(scope="module")
def anatomy_folder(tmp_path_factory):
    return write_heads(tmp_path_factory.mktemp("anatomy"))


@pytest.mark.trains
@pytest.mark.parametrize("recipe", [TINY, replace(TINY, network="unet3d", loss="l1")], ids=["2d", "3d-with-dropout"])
def test_a_stopped_training_resumes_and_ends_where_an_unbroken_one_does(recipe, anatomy_folder, tmp_path):
    whole = train(recipe, anatomy=anatomy_folder, work=tmp_path / "whole")
    first = train(recipe, anatomy=anatomy_folder, work=tmp_path / "broken", max_steps=1)
    assert first.steps == 1 and not first.finished
    second = train(recipe, anatomy=anatomy_folder, work=tmp_path / "broken")
    assert second.finished and second.steps == whole.steps == 4
    for name, weight in whole.weights.items():
        torch.testing.assert_close(second.weights[name], weight, rtol=1e-3, atol=1e-4)


def test_a_training_whose_time_is_up_is_finished_and_logged(anatomy_folder, tmp_path):
    trained = train(replace(TINY, steps=10**6), anatomy=anatomy_folder, work=tmp_path, max_minutes=0.01)
    assert trained.finished and 0 < trained.steps < 10**6
    rows = (tmp_path / "tiny.csv").read_text("utf-8").splitlines()
    assert rows[0] == "step,seconds,loss,validation_gain_db" and int(rows[-1].split(",")[0]) == trained.steps
    again = train(replace(TINY, steps=10**6), anatomy=anatomy_folder, work=tmp_path, max_minutes=0.01)
    assert again.steps == trained.steps  # the budget is over all sessions


def test_training_learns(anatomy_folder, tmp_path):
    recipe = replace(TINY, steps=60, batch=8, target="clean", learning_rate=3e-3, average_decay=0.9)
    assert train(recipe, anatomy=anatomy_folder, work=tmp_path).gain_db > 1.0


def test_recipes_that_want_the_same_phantoms_share_them_and_kept_out_anatomies_are_not_among_them(
    anatomy_folder, tmp_path
):
    one = train(replace(TINY, steps=1), anatomy=anatomy_folder, work=tmp_path)
    train(replace(TINY, name="other", network="dwan", steps=1), anatomy=anatomy_folder, work=tmp_path)
    assert len(list(tmp_path.glob("pool-*"))) == 2  # one to train on, one to watch
    assert one.anatomies == ("head-a",)


def test_a_finished_training_becomes_a_bundle_that_loads_and_refuses_damaged_weights(anatomy_folder, tmp_path):
    trained = train(TINY, anatomy=anatomy_folder, work=tmp_path / "work")
    card = read_card(write_bundle(TINY, trained, tmp_path / "tiny"))
    loaded = load_model(card)
    for name, weight in trained.weights.items():
        assert torch.equal(loaded.state_dict()[name], weight)
    saw = card.metadata["training"]["saw"]
    assert saw["samples"] == 8 and saw["anatomies"] == ["head-a"] and "independent" in saw["target"]
    assert card.metadata["parameters"] == 146_785
    assert {"voxel_in_plane_mm", "slice_thickness_mm", "mean_snr", "pairs"} <= set(card.domain)
    assert card.sha256 in (card.folder / "docs" / "README.md").read_text("utf-8")
    weights = card.folder / "models" / "model.pt"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="damaged"):
        load_model(card)


def test_a_model_that_saw_real_strokes_names_their_source_and_one_that_saw_none_does_not(anatomy_folder, tmp_path):
    import nibabel

    masks = tmp_path / "masks"
    masks.mkdir()
    for number in (1, 2, 71):  # the last is held out
        image = nibabel.Nifti1Image(np.ones((40, 40, 40), np.uint8), np.eye(4))
        nibabel.save(image, masks / f"lesion-{number:03d}.nii.gz")
    for strokes, count in ((masks, 2), (None, None)):
        work = tmp_path / f"work-{count}"
        trained = train(TINY, anatomy=anatomy_folder, work=work, lesions=strokes)
        card = read_card(write_bundle(TINY, trained, work / "tiny"))
        assert card.metadata["training"]["saw"].get("stroke_masks") == count
        assert ("StrokeOutcome" in card.metadata["data_source"]) is (count is not None)


def test_a_card_that_people_have_written_is_never_overwritten(anatomy_folder, tmp_path):
    trained = train(TINY, anatomy=anatomy_folder, work=tmp_path / "work")
    card = write_bundle(TINY, trained, tmp_path / "tiny") / "docs" / "README.md"
    card.write_text("by hand")
    write_bundle(TINY, trained, tmp_path / "tiny")
    assert card.read_text("utf-8") == "by hand"


def test_training_starts_from_a_model_and_refuses_one_of_another_network(anatomy_folder, tmp_path, monkeypatch):
    trained = train(TINY, anatomy=anatomy_folder, work=tmp_path / "work")
    card = read_card(write_bundle(TINY, trained, tmp_path / "tiny"))
    monkeypatch.setattr(training, "find_model", lambda name: card)
    start = training.first_weights(replace(TINY, start_from="tiny")).state_dict()
    assert all(torch.equal(start[n], w) for n, w in trained.weights.items())
    with pytest.raises(InputError, match="cannot start from tiny"):
        training.first_weights(replace(TINY, network="dwan", start_from="tiny"))


def test_training_starts_from_a_file_of_weights_and_refuses_what_is_none(tmp_path) -> None:
    earlier = GuidedUNet(channels=10, noise_channels=3)
    torch.save(earlier.state_dict(), tmp_path / "earlier.pt")
    recipe = Recipe("guided", "guided-unet", start_from=str(tmp_path / "earlier.pt"))
    start = training.first_weights(recipe).state_dict()
    assert torch.equal(start["down.1.first.weight"], earlier.state_dict()["down.1.first.weight"])
    assert not start["mixture.weight"][:, 10:].any()
    for bad in (replace(recipe, network="dwan"), replace(recipe, start_from=str(tmp_path / "absent.pt"))):
        with pytest.raises(InputError, match="no file of weights"):
            training.first_weights(bad)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.json")), ids=lambda p: p.stem)
def test_every_recipe_names_itself_builds_its_network_and_keeps_its_test_anatomies_out(path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem and recipe.summary and recipe.source
    assert {"brain-16", "brain-17"} <= set(recipe.held_out) and "brain-15" in recipe.validation
    find_network_family(recipe.network).build(recipe.network)
    build_task(recipe)


def test_the_recipes_of_the_papers_comparisons_differ_in_nothing_else():
    def settings(name: str, *but: str) -> dict:
        values = json.loads((RECIPES / f"{name}.json").read_text("utf-8"))
        return {k: v for k, v in values.items() if k not in ("name", "summary", "source", *but)}

    assert settings("dwan-lfn", "loss") == settings("dwan-lfn-l2", "loss")
    for network in ("dwan", "unet2d", "dilated"):
        assert settings(f"{network}-lfn", "target") == settings(f"{network}-asldn", "target")
    assert settings("dwan-lfn", "network") == settings("unet2d-lfn", "network") == settings("dilated-lfn", "network")
    sweep = [settings(f"deepasl-l{n}", "kinetic_share") for n in ("02", "05", "07", "10")]
    assert all(s == sweep[0] for s in sweep)
    assert [read_recipe(f"deepasl-l{n}").kinetic_share for n in ("02", "05", "07", "10")] == [0.2, 0.5, 0.7, 1.0]
    assert settings("unet3d", "network") == settings("unet3d-m0", "network")
    assert settings("unet3d", "target") == settings("unet3d-gt25", "target") == settings("unet3d-gt50", "target")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"name": "x", "network": "dwan", "nonsense": 1}',
        '{"name": "x", "network": "dwan", "loss": "l3"}',
        '{"name": "x", "network": "dwan", "target": "perfect"}',
        '{"name": "x", "network": "dwan", "task": "chores"}',
        '{"name": "x", "network": "nonsense"}',
        '{"name": "x", "network": "dwan", "noise": {"loudness": 1}}',
    ],
)
def test_a_broken_recipe_is_refused_in_words(tmp_path, text):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"recipe|keys|no network"):
        read_recipe(path)


@pytest.mark.gpu
def test_a_training_begun_on_the_cpu_goes_on_on_cuda(anatomy_folder, tmp_path):
    train(TINY, anatomy=anatomy_folder, work=tmp_path, max_steps=2)
    assert train(TINY, anatomy=anatomy_folder, work=tmp_path, device="cuda").steps == 4
