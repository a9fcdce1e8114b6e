"""The page of adapting: what stands below its title, of what was measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ASLDenoiseLib.denoising.catalogue import ModelCard
from ASLDenoiseLib.measuring.image_quality import decibels

from .adapting_site_blocks import fit_blocks, head_blocks, site_blocks, way_blocks
from .adapting_sites import SITES, TEACHING, TEACHING_PAIRS, UNSEEN_PAIRS
from .adapting_words import before_after, verdict_of, why, word_of
from .tables import text_table

USUAL = "like the training"
REAL = {"acq-epi": 25, "acq-picore": 24}  # pairs that teach, the first of the series
REAL_SEEN, DRAWS = 5, 4  # pairs that are denoised, of those that did not teach; random choices of them


def page(of: Mapping[str, Mapping[str, Mapping]], card: ModelCard, threads: int = 1) -> list[str]:
    """All that stands below the title."""
    words = "; ".join(f"{name}: {site.words}" for name, site in SITES.items())
    pairs = ", ".join(map(str, TEACHING_PAIRS))
    blocks = [
        f"{card.name} adapted by learning from noise (`adapt`); threads: {threads}. Sites: {words}. Each has "
        f"{len(TEACHING)} simulated scans of {pairs} pairs (four anatomies, voxels of 4x4x6 mm, single-pair GM SNR 1; "
        "the adaptation holds out the last one itself), T1 guides where they belong, and two scans of "
        f"{UNSEEN_PAIRS} pairs of two more anatomies, which neither the model nor the adaptation has seen."
        f"{trained_with(card)}",
        "Of those the truth is known: gain is dB of squared error below the raw mean. Lesions are balls of 4 voxels in "
        "perfusion alone, what comes out over what was put in; false lesions are a scan's, coverage is that of the "
        "95 % interval. All as a run hands it on, its residual audited. An adaptation that is refused leaves the model "
        "as it was: 'after' is what would have been.",
    ]
    if "sites" in of:
        blocks += site_blocks(of["sites"])
    if "ways" in of:
        blocks += way_blocks(of["ways"])
    if "heads" in of:
        blocks += head_blocks(of["heads"], of.get("sites", {}))
    if "fits" in of:
        blocks += fit_blocks(of["fits"])
    if "refusals" in of:
        blocks += ["## Refusals", refusal_block(of["refusals"] | _usual(of))]
    if "real" in of:
        blocks += [
            "## Real series",
            f"The first {' and '.join(f'{n} pairs of {name}' for name, n in REAL.items())} teach: cut by time into "
            "three parts of at least 8, as a site takes three scans (they are one head in one session: no other "
            f"head is held out), or as one scan (`--adapt`). {REAL_SEEN} of the other pairs are denoised and judged by "
            f"the mean of the rest of these, whose own variance is taken off; {DRAWS} random choices. RMSE in "
            "ml/100g/min; the difference with its standard error over choices (jackknife).",
            real_block(of["real"]),
        ]
    if "one" in of:
        blocks += [
            "## One simulated scan",
            "The first of the unseen scans, by itself (`--adapt`).",
            one_block(of["one"]),
        ]
    return blocks


def trained_with(card: ModelCard) -> str:
    """What a model has seen of what differs between the sites, as its card has it."""
    recipe = card.metadata.get("training", {}).get("recipe", {})
    ratio, texture = (recipe.get(k, {}).get(n) for k, n in (("phantom", "gm_wm_ratio"), ("noise", "correlation")))
    if not ratio or not texture:
        return ""
    return (
        f" {card.name} was trained on GM over WM from {ratio[0]:g} to {ratio[1]:g}, on noise correlated by Gaussians "
        f"of an SD up to {texture[1]:g} voxels, and on Gaussian point spreads that do not ring."
    )


def _usual(of: Mapping[str, Mapping[str, Mapping]]) -> dict[str, Mapping]:
    """The site like the training among what should be refused."""
    found = of.get("sites", {}).get(USUAL)
    return {} if found is None else {f"a site {USUAL}": found}


def refusal_block(parts: Mapping[str, Mapping]) -> str:
    """What was refused, and why."""
    return text_table(("scans", "verdict", "by"), [[name, word_of(part), why(part)] for name, part in parts.items()])


def real_block(parts: Mapping[str, Mapping]) -> str:
    """Real series: RMSE against pairs that neither taught nor were seen."""
    from ..real import rmse_apart, root

    body = []
    for series, by_way in parts.items():
        for way, part in by_way.items():
            pairs = part.get("pairs", {})
            row = [f"{series}, {way}", f"{pairs.get('taught')} of {pairs.get('of')} pairs", word_of(part)]
            if "unseen" not in part:
                body.append([*row, "-", "-", "-", "-", "-", why(part)])
                continue
            errors = {name: np.array([*draws.values()]) for name, draws in part["unseen"].items()}
            apart, error = rmse_apart(errors["after"], errors["before"])
            gained = decibels(float(errors["before"].mean()), float(errors["after"].mean()))
            row += [f"{root(errors[n]):.2f}" for n in ("raw mean", "before", "after")]
            body.append([*row, f"{apart:+.2f} ± {error:.2f}", f"{gained:+.2f}", why(part)])
    head = (
        "series, as",
        "taught by",
        "verdict",
        "RMSE of the raw mean",
        "of the model",
        "as adapted",
        "difference",
        "dB",
    )
    return text_table((*head, "what it fell short in"), body)


def one_block(parts: Mapping[str, Mapping]) -> str:
    """One simulated scan."""
    body = []
    for name, part in parts.items():
        gained = f"{part['gains']['true (dB)']:+.2f}" if "gains" in part else "-"
        figures = {} if verdict_of(part) is None else {f.name: f for f in verdict_of(part).figures}
        own = figures.get("pairs_gain")
        told = before_after(own)
        seconds = f"{part['time']['CPU (s)']:.0f}" if "time" in part else "-"
        body.append([name, word_of(part), told, gained, seconds, why(part)])
    head = ("site", "verdict", "as unseen pairs tell it", "true gain of the whole scan (dB)", "CPU seconds")
    return text_table((*head, "what it fell short in"), body)
