"""What a network or a prior made of the mean, and what was checked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import maps
from .statement import Facts, Statement, number

_PRIOR = "spatial prior"
_BY_NETWORK = {
    "dwan": "@xie2020",
    "dilated-net": "@kim2018;@xie2020",
    "unet2d": "@xie2020",
    "deepasl": "@ulas2018",
    "slab-transformer": "@shou2024;@liang2021",
    "diffusion": "@song2021;@meng2022",
}
_GAN = "a multi-scale generative adversarial network trained on this scan [@cui2020;@shaham2019]"
_METHODS = {
    "nearest": "by nearest neighbour",
    "linear": "by trilinear interpolation",
    "spline": "by cubic B-spline interpolation [@unser1999]",
    "gaussian": "by a Gaussian as wide as the noise asks for [@stein1981] and cubic B-splines [@unser1999]",
    "smooth": "by smooth fields fitted through a model of the acquisition, without the T1",
    "guided": "by smooth fields of CBF by the T1's brightness, fitted through a model of the acquisition [@unser1999]",
    "network": "by a small network of map and T1, trained through a model of the acquisition on this scan alone",
    "pyramid-fast": f"by {_GAN}, shortened",
    "pyramid-paper": f"by {_GAN}",
}
_INTERPOLATIONS = ("nearest", "linear", "spline", "gaussian")
LEARNS = ("network", "pyramid-fast", "pyramid-paper")
_OF_MONAI = ("diffusion", "slab-transformer")  # networks with layers of MONAI; of the methods, those that learn


def by_network(facts: Facts) -> bool:
    """Whether a network made the denoised map."""
    name = facts.result.model.get("name")
    return bool(name) and name != _PRIOR


def by_monai(facts: Facts) -> bool:
    """Whether layers of MONAI were part of what made a map."""
    return (by_network(facts) and facts.result.model.get("network") in _OF_MONAI) or _resolved_by(facts) in LEARNS


def denoising_said(facts: Facts) -> Iterator[Statement]:
    """Model, weights, guides, pairs averaged before, adaptation."""
    model = facts.result.model
    if model.get("name") == _PRIOR:
        yield Statement(
            "Delays were denoised together by a prior of space and tissue over CBF and arterial transit time, whose "
            "widths were learned from the series; no network was used."
        )
        return
    if not by_network(facts):
        return
    version = f", bundle version {model['version']}" if model.get("version") else ""
    weights = f", weights SHA-256 {str(model['sha256'])[:12]}" if model.get("sha256") else ""
    cited = _BY_NETWORK.get(str(model.get("network", "")), "")
    cited = f" [{cited}]" if cited else ""
    what = "map" if facts.result.series.holds_cbf else "mean difference"
    of = " of each delay" if facts.result.delays is not None else ""
    yield Statement(f"The {what}{of} was denoised by the network '{model['name']}'{version}{weights}{cited}.")
    yield from _adapted_before(model.get("adapted_from"))
    if model.get("data_source"):
        yield Statement(f"The training data of the network: {str(model['data_source']).rstrip('.')}.")
    guides = facts.value("guides")
    if guides == "none":
        yield Statement("No other image guided the network.")
    elif guides:
        stand_in = {} if facts.result.series.m0 is not None else {"M0": "the mean control image"}
        images = " and ".join(stand_in.get(name, name) for name in str(guides).split("+"))
        yield Statement(
            f"The network was guided by local regressions of the {what} on the contrast of {images} "
            "[@asllani2008;@he2010], which say where perfusion may change and not how much there is."
        )
    if facts.by_user("pre_average"):
        yield Statement(
            f"The network was given means of {facts.value('pre_average')} pairs, and what it made of them was averaged."
        )
    adaptation = facts.result.adaptation
    if adaptation is not None:
        yield Statement(
            "Beforehand, gains of the network were learned from the noise of the scan's own pairs [@mohan2021], to be "
            "used only if pairs apart showed that they helped."
        )
        yield Statement(f"They were {'used' if adaptation.used else 'not used'}.", of_scan=True)


def _adapted_before(start: object) -> Iterator[Statement]:
    """What a model of the user's own had learned before this run, and from which it began."""
    if not isinstance(start, Mapping):
        return
    weights = f" (weights SHA-256 {str(start['sha256'])[:12]})" if start.get("sha256") else ""
    yield Statement(
        f"The network had been adapted from '{start.get('name', '')}'{weights} to the noise of scans of one site: "
        "gains of its channels were learned first [@mohan2021], and the rest as far as that lowered the error on "
        "pairs that taught nothing [@marcosmorales2023]."
    )


def audit_said(facts: Facts) -> Iterator[Statement]:
    """Whether the residual was audited, and what became of the tissue means."""
    audit = facts.result.audit
    if audit is None:
        asked = facts.result.request.get("denoising")
        if by_network(facts) and isinstance(asked, Mapping) and asked.get("audit") is False:
            yield Statement("What the network took away was not audited, by choice.")
        return
    if audit.means and audit.pairs < 2:
        yield Statement(
            "What denoising took from the means of grey and white matter was put back whole, as one image tells no "
            "standard error."
        )
        return
    if facts.result.model.get("name") == _PRIOR:
        yield Statement(
            "What the prior took from the means of grey and white matter, beyond the noise of all delays, was put back "
            "to their CBF by the fractions of tissue."
        )
    else:
        yield Statement(
            "What denoising took away was audited: local and tissue averages of the residual beyond the noise that the "
            "pairs show were put back."
        )
    found = audit.sentence.removeprefix("Residual audit: ").rstrip()
    found = f"Over all delays: {found}" if facts.result.delays is not None else found[:1].upper() + found[1:]
    yield Statement(found, of_scan=True)


def uncertainty_said(facts: Facts) -> Iterator[Statement]:
    """Whether an error was estimated voxel by voxel, and by what."""
    if maps.named(maps.UNCERTAINTY, facts.result.maps) not in facts.result.maps:
        return
    if _resolved_by(facts):
        text = "The SD of the error of the super-resolved map was estimated voxel by voxel [@papandreou2010]."
    elif by_network(facts):
        text = "The SD of the error of the denoised map was estimated voxel by voxel, by the network."
    else:
        text = "The SD of the error of the denoised map was estimated voxel by voxel, from the fit."
    yield Statement(text)


def superresolution_said(facts: Facts) -> Iterator[Statement]:
    """Whether a finer map was made, how, and on which grid."""
    method = _resolved_by(facts)
    key = maps.named(maps.SUPERRESOLVED, facts.result.maps)
    if not method or key not in facts.result.maps:
        return
    spacing = " x ".join(number(s) for s in facts.result.maps[key].geometry.spacing)
    how = _METHODS.get(method, f"by the method '{method}'")
    yield Statement(f"The map was super-resolved to voxels of {spacing} mm {how}; finer detail is an estimate.")
    width = facts.value("point_spread")
    if method in _INTERPOLATIONS or not width:
        return
    spread = " x ".join(map(number, width))
    yield Statement(
        f"The readout's point spread was taken to be {spread} mm FWHM along the acquired axes; averaged over the "
        "acquired voxels, the finer map was made to agree with the acquired one within its noise."
    )


def halves_said(facts: Facts) -> Iterator[Statement]:
    """Odd against even pairs, and how many pairs are enough, where that was measured."""
    if facts.result.split_half is not None:
        yield Statement("Reproducibility was measured by processing odd and even pairs apart.")
    if facts.result.pairs_needed is not None:
        yield Statement(
            "How many pairs are enough was measured by denoising random subsets against the pairs left out."
        )


def _resolved_by(facts: Facts) -> str:
    return str(facts.value("superresolution", ""))
