"""The T1, grey and white matter, and MNI space."""

from __future__ import annotations

from collections.abc import Iterator

from .statement import Facts, Statement

# words in what a tissue says of its source, and what they refer to
_CITED = {
    "N4": "tustison2010",
    "ICBM": "fonov2011",
    "Atropos": "avants2011",
    "SynthSeg": "billot2023",
    "template": "fonov2011",
    "network": "billot2023",
}
_GUESSED = "guessed"


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
            "Without a T1-weighted image grey and white matter were estimated from perfusion, with a template's tissue "
            "maps as priors [@ashburner1997;@fonov2011]; figures by tissue are rough."
        )
    elif source:
        yield Statement(f"Grey and white matter: {source}{_cited(source)}.")
    if segmented is not None and segmented.source and segmented.source != source:
        yield Statement(f"The T1-weighted image was segmented, too: {segmented.source}{_cited(segmented.source)}.")


def _cited(source: str) -> str:
    keys = dict.fromkeys(key for word, key in _CITED.items() if word in source)
    return f" [{';'.join(f'@{key}' for key in keys)}]" if keys else ""


def template_said(facts: Facts) -> Iterator[Statement]:
    """Whether maps were brought to MNI space."""
    if any(key.startswith("space-MNI") for key in facts.result.maps):
        yield Statement(
            "Perfusion maps were brought to MNI space (ICBM 2009a) by affine and symmetric diffeomorphic registration "
            "of the T1-weighted image [@fonov2011;@avants2008]."
        )
