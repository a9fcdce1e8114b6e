"""Is the input like what a model was trained on? What is not becomes a finding.

A model that was adapted to a site says in its metadata (``site``) how its scans were labelled and read out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..findings import Finding, FindingKind
from ..preparing.averaging import mean_difference, standard_error
from ..remedies import Advice
from ..series import ASLSeries, Volume
from .catalogue import ModelCard

_WORDS = {
    "voxel_in_plane_mm": "in-plane voxel size",
    "slice_thickness_mm": "slice thickness",
    "mean_snr": "signal-to-noise ratio of the mean difference",
    "pairs": "number of pairs",
}
_OF_THE_SITE = {"labeling": "labelling", "readout": "readout"}
_OUTSIDE = FindingKind(
    "outside-model-domain",
    "The {figure} is {value}, outside what model {model} was trained on",
    "it was trained on {domain}",
    Advice("compare the denoised map with the raw one with care, or choose another model"),
)


def input_figures(pairs: ASLSeries, brain: Volume) -> dict[str, float]:
    """The figures of an input that a model's domain is stated in; an unknown one is left out.

    ``mean_snr`` is the brain mean of the mean difference over the median of its standard error (three pairs or more).
    """
    sx, sy, sz = pairs.geometry.spacing
    figures = {"voxel_in_plane_mm": (sx + sy) / 2, "slice_thickness_mm": sz, "pairs": float(len(pairs.context))}
    error = standard_error(pairs)
    if error is not None:
        inside = (brain.array > 0) & np.isfinite(error.array) & (error.array > 0)
        if inside.any():
            mean = float(np.nanmean(mean_difference(pairs).array[inside]))
            figures["mean_snr"] = mean / float(np.median(error.array[inside]))
    return figures


def domain_findings(card: ModelCard, pairs: ASLSeries, brain: Volume) -> list[Finding]:
    """One warning for each figure of the input outside what the model was trained on."""
    findings = []
    for name, value in input_figures(pairs, brain).items():
        low, high = card.domain.get(name, (-np.inf, np.inf))
        if low <= value <= high:
            continue
        unit = " mm" if name.endswith("_mm") else ""
        said, domain = f"{value:.3g}{unit}", f"{low:g} to {high:g}{unit}"
        findings.append(_OUTSIDE.finding(figure=_WORDS[name], value=said, model=card.name, domain=domain))
    return [*findings, *_site_findings(card, pairs)]


def _site_findings(card: ModelCard, pairs: ASLSeries) -> Iterator[Finding]:
    """A warning where labelling or readout are stated, and none that the site had."""
    site = card.metadata.get("site")
    for name, words in _OF_THE_SITE.items():
        value = getattr(pairs.acquisition, name)
        seen = site.get(name) if isinstance(site, Mapping) else None
        said = getattr(value, "value", value)
        if seen and said and said not in seen:
            yield _OUTSIDE.finding(figure=words, value=said, model=card.name, domain=", ".join(map(str, seen)))
