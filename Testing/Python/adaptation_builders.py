"""Adaptations as `adapting.one_scan` gives them, made by hand: of the default's weights, earned or not."""

from __future__ import annotations

from ASLDenoiseLib.adapting.adaptation import Adaptation, Tuned
from ASLDenoiseLib.denoising.catalogue import ModelCard, load_model
from ASLDenoiseLib.result.adaptation import ScanAdaptation
from ASLDenoiseLib.verdict import Figure, Verdict

BELOW, SURELY = "unseen pairs: error below that of the raw mean", "more than before by more than 2 standard errors"
GAIN = Figure("pairs_gain", BELOW, "dB", 9.6, 10.31, 0.2, SURELY, True)
SMALL = Figure("pairs_gain", BELOW, "dB", 9.6, 9.7, 0.2, SURELY, False)
MEAN = Figure("gm_mean", "GM mean against raw", "%", -1.2, 0.4, float("nan"), "within 2 %", True)
EARNED = ScanAdaptation("guided-unet", 24, 742, 120, 31.5, 0, Verdict((GAIN, MEAN)))
REFUSED = ScanAdaptation("guided-unet", 24, 742, 120, 31.5, 0, Verdict((SMALL, MEAN)))


def adaptation(card: ModelCard, *, earned: bool = True, factor: float | None = None) -> Adaptation:
    """The bundle's own weights, every one a tenth smaller."""
    weights = {name: 0.9 * value for name, value in load_model(card).state_dict().items()}
    tuned = Tuned(weights, "gains", 120, 31.5, 742, factor)
    return Adaptation(tuned, Verdict((GAIN if earned else SMALL, MEAN)))


class Taught:
    """Stands in for `adapting.one_scan.adapt_to_scan`, and remembers what it was given."""

    def __init__(self, **made: object) -> None:
        self.made, self.calls = made, []

    def __call__(self, card, scan, **options):
        self.calls.append((card, scan, options))
        return adaptation(card, **self.made)
