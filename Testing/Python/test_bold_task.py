"""What predicts CBF from BOLD is trained on: which channels see what, targets of the same moment, and the controls."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from training_builders import TINY, pool, write_heads  # noqa: E402

from ASLDenoiseLib.bold.family import BOLD_NETWORKS, CHANGE, UNIT, BoldCourse, find_bold_family  # noqa: E402
from ASLDenoiseLib.denoising.families import NETWORKS, DenoiserFamily, find_family  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.recipe import read_recipe  # noqa: E402
from ASLDenoiseLib.learning.tasks import build_task  # noqa: E402
from ASLDenoiseLib.learning.training import train  # noqa: E402

RECIPE = replace(TINY, name="bold-tiny", network="bold-change", batch=8)


def course(change: torch.Tensor) -> BoldCourse:
    """A run (1, T, 2, 4, 4) of a checkerboard whose images change alike by `change` (T,)."""
    rest = 100.0 + 20.0 * torch.randn((1, 1, 2, 4, 4), generator=torch.Generator().manual_seed(0))
    images = rest * (1 + change)[None, :, None, None, None]
    return BoldCourse(images, torch.ones(1, 2, 4, 4), images.mean((1, 2, 3, 4)))


def test_bold_networks_are_no_denoisers() -> None:
    assert not {*BOLD_NETWORKS} & {*NETWORKS}
    assert all(isinstance(family, DenoiserFamily) for family in NETWORKS.values())
    assert not any(isinstance(family, DenoiserFamily) for family in BOLD_NETWORKS.values())
    with pytest.raises(InputError, match="no network 'bold-change'"):
        find_family("bold-change")
    with pytest.raises(InputError, match="no BOLD network 'dwan'"):
        find_bold_family("dwan")


def test_every_bold_network_says_that_it_is_experimental_and_what_it_sees() -> None:
    for name, family in BOLD_NETWORKS.items():
        assert "EXPERIMENTAL" in family.purpose and "not measured" in family.purpose
        seen = family.channels(course(torch.zeros(6)), torch.tensor([0, 3]))
        assert seen.shape == (1, 2, 2, len(family.inputs()), 4, 4)
        assert family.build(name)(seen.flatten(0, 2)).shape == (4, 1, 4, 4)


def test_the_change_is_seen_relative_to_the_run_and_without_linear_drift() -> None:
    time = torch.linspace(-1, 1, 20)
    blocks = torch.where(torch.arange(20) % 4 < 2, 0.01, -0.01)
    family = BOLD_NETWORKS["bold-change"]
    drifting = family.channels(course(0.02 * time), torch.arange(20))[:, :, :, 1]
    assert float(drifting.abs().max()) < 0.02
    seen = family.channels(course(blocks + 0.02 * time), torch.arange(20))[0, :, 0, 1, 1, 1]
    assert torch.corrcoef(torch.stack([seen, blocks]))[0, 1] > 0.98
    assert float(seen.std()) == pytest.approx(CHANGE * float(blocks.std()), rel=0.1)


def test_the_anatomy_network_sees_the_same_at_every_moment_and_the_others_do_not() -> None:
    run = course(0.02 * torch.randn(8, generator=torch.Generator().manual_seed(1)))
    for family in BOLD_NETWORKS.values():
        one, other = family.channels(run, torch.tensor([1, 5]))[0]
        assert torch.equal(one, other) != family.moves


def test_targets_are_the_noisy_cbf_of_the_moment_on_one_scale_for_every_subject() -> None:
    batch = build_task(RECIPE).batch(pool(), torch.Generator().manual_seed(0), "cpu")
    assert batch.inputs[0].shape == (8, 2, 16, 16)
    assert batch.target.shape == batch.truth.shape == (8, 1, 16, 16)
    assert torch.equal(batch.target, batch.noisy)
    level = UNIT * float(batch.truth[batch.brain > 0].mean())
    assert 20 < level < 110  # ml/100g/min
    error = (batch.target - batch.truth)[batch.brain > 0]
    assert float(error.std()) > float(batch.truth.mean())  # a single pair
    assert abs(float(error.mean())) < 0.3 * float(error.std())  # a few runs of drift and motion


def test_shuffled_targets_are_of_another_subject() -> None:
    recipe = replace(RECIPE, options={"shuffled": True})
    batch = build_task(recipe).batch(pool(), torch.Generator().manual_seed(0), "cpu")
    plain = build_task(RECIPE).batch(pool(), torch.Generator().manual_seed(0), "cpu")
    assert torch.equal(batch.inputs[0], plain.inputs[0])
    assert torch.equal(batch.truth, plain.truth) and torch.equal(batch.noisy, plain.noisy)
    assert not torch.equal(batch.target, plain.target)


@pytest.mark.parametrize("name", ["bold-dwan", "bold-volume", "bold-anatomy", "bold-shuffled"])
def test_recipes_of_bold_networks_say_experimental_and_share_their_phantoms(name) -> None:
    recipe = read_recipe(name)
    assert recipe.summary.startswith("EXPERIMENTAL")
    assert recipe.loss == "l1" and "brain-16" in recipe.held_out
    reference = read_recipe("bold-dwan")
    assert (recipe.phantom, recipe.pool_seed, recipe.phantoms) == (
        reference.phantom,
        reference.pool_seed,
        reference.phantoms,
    )


@pytest.mark.trains
def test_the_training_loop_trains_a_bold_network(tmp_path) -> None:
    trained = train(RECIPE, anatomy=write_heads(tmp_path), work=tmp_path / "work")
    assert trained.finished and trained.steps == 4
    assert trained.weights["head.weight"].shape[1] == 2
