"""What the tests of a user's own models share: one made from a model that came along, and scans to adapt to."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bids_builders import data_set

from ASLDenoiseLib.adapting.adaptation import Adaptation, Attempt, Tuned
from ASLDenoiseLib.adapting.scan import AdaptationScan
from ASLDenoiseLib.denoising.catalogue import ModelCard, find_model, load_model
from ASLDenoiseLib.verdict import Figure, Verdict

NINE = ("label", "control") * 9
PEOPLE = ("sub-01", "sub-02", "sub-03")


def own_model(folder: Path, name: str = "mysite", *, start: str = "dwan-lfn", **told: object) -> Path:
    """A model of the user's own with the weights of one that came with ASLDenoise; `told` goes into its metadata."""
    card = find_model(start)
    shutil.copytree(card.folder, folder / name)
    path = folder / name / "configs" / "metadata.json"
    adapted = {"name": start, "sha256": card.sha256, "version": card.metadata["version"]}
    path.write_text(json.dumps({**card.metadata, "name": name, "adapted_from": adapted, **told}))
    return folder / name


GAIN = Figure("gain_held_out", "unbiased error, held-out scan", "dB", 0.0, 0.62, 0.11, "above 0 by one error", True)
MEANS = Figure("gm_mean", "GM mean against raw, held-out scan", "%", 0.4, 3.1, math.nan, "within 2 %", False)


class Learned:
    """In the place of `adapting.adapt.adapt_to_scans`: the weights as they are, times 1.5, with a verdict at once.

    Attributes:
        seen: the scans of the last call, with what else it was given.
    """

    def __init__(self, *figures: Figure) -> None:
        self._verdict = Verdict(figures or (GAIN,))
        self.seen: Sequence[AdaptationScan] = ()
        self.given: dict[str, Any] = {}

    def __call__(self, card: ModelCard, scans: Sequence[AdaptationScan], **given: Any) -> Adaptation:
        self.seen, self.given = scans, given
        weights = {name: 1.5 * weight for name, weight in load_model(card).state_dict().items()}
        tuned = Tuned(weights, "gains", 240, 63.0, 96, uncertainty_factor=1.3, curve=((0, 1.0), (20, 0.94)))
        tried = Attempt("gains", 240, 0.27, 0.1, True, weights), Attempt("all weights", 40, 0.02, 0.04, False, weights)
        tuned = replace(tuned, tried=tried)
        return Adaptation(tuned, self._verdict, {"held_out": scans[-1].name, "pairs_that_taught": [5, 5]})


def site(root: Path, *places: str, **how: object) -> list[Path]:
    """The series of a BIDS data set of small scans of nine pairs, by the order of their places."""
    data_set(root, *(places or PEOPLE), **{"words": NINE, **how})
    return [next((root / place / "perf").glob("*_asl.nii.gz")) for place in places or PEOPLE]
