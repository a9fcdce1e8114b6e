"""The brain, the T1, grey and white matter, and MNI space."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...preparing.tissue_network import weights_folder
from ...series import VolumeType
from .statement import Facts, Statement

_GUESSED, _NETWORK, _CLASSICAL = "guessed", "tissue network", "Atropos"
_TISSUES = "grey matter (GM) and white matter (WM)"


def brain_in(facts: Facts) -> str:
    """The image that the brain was found in; empty of perfusion images alone."""
    series = facts.result.series
    if series.m0 is not None:
        return "M0 image"
    return "mean control image" if series.indices(VolumeType.CONTROL) else ""


def brain_said(facts: Facts) -> Iterator[Statement]:
    """Where the brain was found."""
    image = brain_in(facts)
    if image:
        yield Statement(
            f"The brain was found in the {image} by its brightness, bias corrected by N4 [@tustison2010], and by the "
            "shape of a template's brain [@fonov2011]."
        )


def t1_said(facts: Facts) -> Iterator[Statement]:
    """How the T1 came to lie on the series."""
    if facts.result.t1 is None:
        return
    how = facts.value("t1_alignment")
    if how == "given":
        yield Statement("The T1-weighted image was laid on the series by a transform that was given.")
    elif how is not None:
        start = "from a start set by hand" if how == "given start" else "from many starts"
        yield Statement(
            f"The T1-weighted image was registered rigidly to the series by mutual information, {start} [@mattes2003]."
        )


def tissue_said(facts: Facts) -> Iterator[Statement]:
    """Where grey and white matter came from."""
    result, source = facts.result, facts.result.tissue.source
    segmented = result.t1_tissue
    if _GUESSED in source:
        yield Statement(
            f"Without a T1-weighted image {_TISSUES} were estimated from perfusion, with a template's tissue maps as "
            "priors [@ashburner1997;@fonov2011]; figures by tissue are rough."
        )
    elif how := _segmented_by(source):
        yield Statement(f"Fractions of {_TISSUES} were found in the T1-weighted image by {how}.")
    elif source:
        yield Statement(f"Fractions of {_TISSUES} were given ({source}).")
    if segmented is not None and segmented.source != source and (how := _segmented_by(segmented.source)):
        yield Statement(f"The T1-weighted image was segmented, too, by {how}.")


def _segmented_by(source: str) -> str:
    """How an image was segmented, by what a tissue says of its source; empty where it was not."""
    if _CLASSICAL in source:
        why = ", as the tissue network found no upright head" if _NETWORK in source else ""
        return f"N4 [@tustison2010], priors of ICBM 2009a [@fonov2011] and Atropos [@avants2011]{why}"
    if _NETWORK in source:
        return (
            f"the tissue network of the software{_weights()}, trained on label maps painted in random contrasts as "
            "SynthSeg was [@billot2023], and refined by the image's brightness"
        )
    return ""


def _weights() -> str:
    """Those of the tissue network, with a blank before them; empty where its bundle cannot be read."""
    try:
        told = json.loads((weights_folder() / "configs" / "metadata.json").read_text("utf-8"))
        return f" (bundle version {told['version']}, weights SHA-256 {told['sha256'][:12]})"
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def template_said(facts: Facts) -> Iterator[Statement]:
    """Whether maps were brought to MNI space."""
    if any(key.startswith("space-MNI") for key in facts.result.maps):
        yield Statement(
            "Perfusion maps were brought to MNI space (ICBM 2009a) by affine and symmetric diffeomorphic registration "
            "of the T1-weighted image [@fonov2011;@avants2008]."
        )
