"""The losses of the papers, weighted by voxel."""

from __future__ import annotations

import torch

from ..errors import InputError

LOSSES = ("l1", "l2", "l1+dssim", "half-l1+dssim", "kinetic")
_RANGE = 3.0  # of perfusion whose brain mean is 1: about twice the grey matter, for SSIM's constants
_M0_FLOOR = 0.2  # of the M0's mean in the brain: below it, CBF is noise over noise


def check_loss(kind: str) -> None:
    """Raises `InputError` for a name that is not in `LOSSES`."""
    if kind not in LOSSES:
        raise InputError(f"A recipe's loss '{kind}' is not known; correct the recipe to one of: {', '.join(LOSSES)}.")


def loss_of(
    kind: str,
    estimate: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor,
    *,
    m0: torch.Tensor | None = None,
    share: float = 0.2,
) -> torch.Tensor:
    """The loss `kind` of an estimate.

    Args:
        kind: ``l1`` mean absolute difference (settles on the median); ``l2`` mean square (on the mean);
            ``l1+dssim`` L1 + (1 - SSIM) (the 3D denoising article); ``half-l1+dssim`` half of each (Shou 2024);
            ``kinetic`` `kinetic_loss` (DeepASL).
        estimate, target, weight: one shape, (B, 1, J, I) or (B, 1, K, J, I).
        m0: the same shape, mean 1 in the brain; for ``kinetic``.
        share: DeepASL's lambda.
    """
    difference = estimate - target
    if kind == "l2":
        return weighted_mean(difference.square(), weight)
    if kind == "kinetic":
        return kinetic_loss(difference, weight, m0, share=share)
    absolute = weighted_mean(difference.abs(), weight)
    if kind == "l1":
        return absolute
    dissimilarity = 1 - ssim_in_plane(estimate, target)
    return absolute + dissimilarity if kind == "l1+dssim" else 0.5 * (absolute + dissimilarity)


def weighted_mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """sum(weight * values) / sum(weight)."""
    return (weight * values).sum() / weight.sum()


def ssim_in_plane(estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean structural similarity over the slices (11-tap Gaussian of SD 1.5, K 0.01, 0.03; data range 3).

    Volumes count slice by slice, because slices are several times thicker than voxels are wide.
    """
    from monai.metrics.regression import compute_ssim_and_cs

    slices = (x.reshape(-1, 1, *x.shape[-2:]) for x in (estimate, target))
    similarity, _ = compute_ssim_and_cs(
        *slices, spatial_dims=2, kernel_size=(11, 11), kernel_sigma=(1.5, 1.5), data_range=_RANGE
    )
    return similarity.mean()


def cbf_of(difference: torch.Tensor, m0: torch.Tensor) -> torch.Tensor:
    """The pCASL equation, in units of the CBF that brain means of difference and M0 give.

    At one delay CBF is proportional to dM / M0, so in these units the equation's constants cancel.

    Args:
        difference, m0: in units of their brain means; the M0 is clamped from below at 0.2.
    """
    return difference / m0.clamp_min(_M0_FLOOR)


def kinetic_loss(
    difference: torch.Tensor, weight: torch.Tensor, m0: torch.Tensor | None, *, share: float
) -> torch.Tensor:
    """DeepASL's loss: share * |N - N~|^2 + (1 - share) * |f_t - f(dM - N~)|^2, as a weighted mean.

    N - N~ is also estimate minus target (`difference`), and at one delay f is linear, so the second term is the first
    one weighted by 1/M0^2. The balance that `share` strikes depends on units, which the paper does not give: here both
    terms are in units of the brain's mean (`cbf_of`), so that they weigh alike where M0 is average.

    Source: Ulas et al., DeepASL, equations 1 and 2.
    """
    if m0 is None:
        raise ValueError("the kinetic loss needs the M0 of the batch")
    both = share * difference.square() + (1 - share) * cbf_of(difference, m0).square()
    return weighted_mean(both, weight)
