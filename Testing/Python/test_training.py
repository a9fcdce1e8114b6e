from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ASLDenoiseLib.denoising.catalogue import build_network, load_model, read_card  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.bundle import write_bundle  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings  # noqa: E402
from ASLDenoiseLib.learning.recipe import Recipe, read_recipe  # noqa: E402
from ASLDenoiseLib.learning.slices import Slices  # noqa: E402
from ASLDenoiseLib.learning.training import loss_of, sample_batch, train  # noqa: E402

TINY = Recipe(
    name="tiny",
    network="dwan",
    batch=2,
    steps=4,
    phantoms_per_anatomy=1,
    validation=("head-b",),
    phantom=PhantomSettings(size=(16, 16, 6), spacing_xy=(9.0, 9.0), spacing_z=(20.0, 20.0), lesions=0),
)


def test_dwan_has_the_published_number_of_parameters_and_keeps_the_slice_size():
    network = build_network("dwan")
    assert sum(p.numel() for p in network.parameters()) == 592_011
    assert network(torch.zeros(1, 1, 37, 50)).shape == (1, 1, 37, 50)


def test_the_wide_convolutions_of_the_global_pathway_are_dilated_2_4_8_16():
    network = build_network("dwan")
    assert [block.widen.dilation[0] for block in network.global_path] == [2, 4, 8, 16]
    assert [block.widen.dilation[0] for block in network.local_path] == [1, 1, 1, 1]


def slices() -> Slices:
    perfusion = torch.rand(6, 16, 16)
    return Slices(perfusion, torch.ones(6, 16, 16, dtype=torch.bool), torch.full((6,), 1.3))


def test_learning_from_noise_never_shows_the_truth_to_the_loss():
    recipe = replace(TINY, target="noisy", batch=6)
    noisy, target, truth, _ = sample_batch(slices(), recipe, torch.Generator().manual_seed(1), "cpu")
    residuals = torch.stack([(noisy - truth).flatten(), (target - truth).flatten()])
    assert float(residuals[1].std()) > 0.05
    assert abs(float(torch.corrcoef(residuals)[0, 1])) < 0.15


def test_a_clean_target_is_the_truth():
    noisy, target, truth, _ = sample_batch(
        slices(), replace(TINY, target="clean"), torch.Generator().manual_seed(1), "cpu"
    )
    assert torch.equal(target, truth) and not torch.equal(noisy, truth)


def test_l1_settles_on_the_median_of_noisy_targets_and_l2_on_the_mean():
    targets = torch.tensor([1.0, 1.0, 1.0, 1.0, 10.0])
    guesses = torch.linspace(0, 5, 501)
    weight = torch.ones(5)
    best = {
        k: float(guesses[torch.stack([loss_of(k, g, targets, weight) for g in guesses]).argmin()]) for k in ("l1", "l2")
    }
    assert best["l1"] == pytest.approx(1.0, abs=0.01)
    assert best["l2"] == pytest.approx(2.8, abs=0.01)


@pytest.fixture(scope="module")
def anatomy_folder(tmp_path_factory):
    import nibabel

    folder = tmp_path_factory.mktemp("anatomy")
    z, y, x = np.mgrid[-60:61, -60:61, -60:61]
    radius = np.sqrt(x**2 + y**2 + z**2)
    labels = np.zeros(radius.shape, np.int16)
    labels[radius < 50] = 3
    labels[radius < 35] = 2
    for name in ("head-a", "head-b"):
        nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), folder / f"{name}_labels.nii.gz")
    return folder


def test_a_stopped_training_resumes_and_ends_where_an_unbroken_one_does(anatomy_folder, tmp_path):
    whole = train(TINY, anatomy=anatomy_folder, work=tmp_path / "whole")
    first = train(TINY, anatomy=anatomy_folder, work=tmp_path / "broken", max_minutes=0)
    assert first.steps == 1 and not first.finished
    second = train(TINY, anatomy=anatomy_folder, work=tmp_path / "broken")
    assert second.finished and second.steps == whole.steps
    for name, weight in whole.weights.items():
        torch.testing.assert_close(second.weights[name], weight, rtol=1e-3, atol=1e-4)


def test_a_finished_training_becomes_a_bundle_that_loads_and_refuses_damaged_weights(anatomy_folder, tmp_path):
    trained = train(TINY, anatomy=anatomy_folder, work=tmp_path / "work")
    card = read_card(write_bundle(TINY, trained, tmp_path / "tiny"))
    loaded = load_model(card)
    for name, weight in trained.weights.items():
        assert torch.equal(loaded.state_dict()[name], weight)
    weights = card.folder / "models" / "model.pt"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="damaged"):
        load_model(card)


def test_the_recipe_of_the_shipped_model_learns_from_noise_with_l1_and_keeps_its_test_anatomies_out():
    recipe = read_recipe("dwan-lfn")
    assert (recipe.target, recipe.loss) == ("noisy", "l1")
    assert set(recipe.held_out) == {"brain-16", "brain-17"}


@pytest.mark.parametrize(
    "text", ["{", '{"name": "x", "network": "dwan", "nonsense": 1}', '{"name": "x", "network": "dwan", "loss": "l3"}']
)
def test_a_broken_recipe_is_refused_in_words(tmp_path, text):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"recipe|keys"):
        read_recipe(path)
