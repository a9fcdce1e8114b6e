"""The settings of the multi-scale GAN: the paper's, and ones for a machine without a GPU."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PyramidSettings:
    """How the pyramid is built and trained.

    Args:
        epochs: at most, a scale.
        coarsest: voxels along the longest axis of the coarsest scale, at least.
        factor: size of a scale over that of the next finer one.
        channels: of the generator's three levels.
        norm: of the generator; None with patches, whose statistics are not the head's.
        critic: width of the critic.
        patch: edge in voxels of the cube that a step sees where the image is larger; None the whole image.
        rate: of Adam, a tenth of it after four fifths of the epochs (SinGAN).
        steps: of critic and of generator, an epoch.
        penalty: weight of the gradient penalty.
        mse, low_pass: weights of the two squared errors against 1 of the adversarial loss.
        low_pass_sigma: SD in voxels of the finest scale; less on coarser ones, as the head is smaller there.
        noise: SD of the noise, over the RMSE of the scale before.
        mixed: bfloat16 where it is faster, on a graphics card.
        patience: checks, ten a scale, without gain on held-out pairs after which the finest scale ends; 0 never.
        seed: of weights, noise and patches.
    """

    epochs: int = 2000
    coarsest: int = 12
    factor: float = 0.75
    channels: tuple[int, int, int] = (16, 32, 64)
    norm: str | None = "INSTANCE"
    critic: int = 16
    patch: int | None = None
    rate: float = 5e-4
    steps: int = 3
    penalty: float = 0.1
    mse: float = 10.0
    low_pass: float = 10.0
    low_pass_sigma: float = 5.0
    noise: float = 0.1
    mixed: bool = False
    patience: int = 0
    seed: int = 0


PAPER = PyramidSettings()
# Fewer scales and steps, narrower networks and patches: minutes instead of hours on two cores.
FAST = PyramidSettings(
    epochs=200,
    coarsest=20,
    factor=0.6,
    channels=(8, 16, 32),
    norm=None,
    critic=8,
    patch=32,
    rate=2e-3,
    steps=1,
    mse=30.0,
    mixed=True,
    patience=3,
)
