"""What an adaptation did where the truth is known, and where unseen pairs judge: before and after, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.adapting.adaptation import Adaptation
from ASLDenoiseLib.adapting.figures import Judged, errors_of
from ASLDenoiseLib.adapting.handed_on import Denoiser, adapted, network_as_it_was
from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.denoising.catalogue import ModelCard
from ASLDenoiseLib.measuring.image_quality import decibels

from .adapting_sites import scan_of
from .cases import Case, halves, true_difference
from .methods import ALL, denoise_with
from .real_scans import Split
from .safety_figures import Way, bias_of, covered, false_lesion_counts, lesions_kept

LESION_VOXELS = 4
LESION_FACTORS = {"lesions x 0.3": 0.3, "lesions x 2": 2.0}

Row = dict[str, float]


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """A model as it was and as adapted, each as a run uses it."""

    before: Denoiser
    after: Denoiser

    @classmethod
    def of(cls, card: ModelCard, adaptation: Adaptation, compute: Compute) -> BeforeAfter:
        """Of an adaptation, whether it earned its place or not."""
        return cls(network_as_it_was(card, compute), adapted(card, adaptation.tuned, compute))

    @property
    def ways(self) -> dict[str, Way]:
        """Both as ways to denoise a case, by name."""
        return {"before": _way("before", self.before), "after": _way("after", self.after)}


def _way(name: str, denoiser: Denoiser) -> Way:
    options = {"audit": True, "network": denoiser.network, "device": denoiser.compute.device}
    return Way(name, ALL, lambda case: denoise_with(denoiser.card, case, ALL, **options))


def true_error(case: Case, difference: np.ndarray) -> float:
    """Mean squared error of a mean difference against the true one in the brain, scanner units squared."""
    return float(np.nanmean(np.square(difference - true_difference(case))[case.inside]))


def gains_told_and_true(cases: Sequence[Case], both: BeforeAfter) -> Row:
    """dB gained on halves of unseen scans: as unseen pairs tell it without truth, its standard error, and as it is."""
    splits, true = [], np.zeros(2)
    for case in cases:
        scale, of_one = true_error(case, case.raw.array), []
        for given, unseen in (halves(case), halves(case)[::-1]):
            answers = [denoise(scan_of(given)) for denoise in (both.before, both.after)]
            of_one.append(Judged(scan_of(given), scan_of(unseen), *answers))
            true += [true_error(case, answer.difference) / scale for answer in answers]
        splits.append(of_one)
    told = errors_of(splits).before_after
    return {"told (dB)": told.gain, "error (dB)": told.gain_error, "true (dB)": decibels(*true)}


def site_rows(cases: Sequence[Case], both: BeforeAfter) -> dict[str, Row]:
    """Figures of scans that the adaptation never saw, before and after, means over them; `gain (dB)` is over raw."""
    rows = {}
    for name, way in both.ways.items():
        errors = [true_error(case, way(case).difference.array) for case in cases]
        raws = [true_error(case, case.raw.array) for case in cases]
        row: Row = {"gain (dB)": decibels(1.0, float(np.mean([e / r for e, r in zip(errors, raws, strict=True)])))}
        biases = [bias_of(way, case) for case in cases]
        row |= {n: float(np.mean([b[n] for b in biases])) for n in ("GM bias (%)", "WM bias (%)")}
        for label, factor in LESION_FACTORS.items():
            row[label] = lesions_kept(way, cases, LESION_VOXELS, factor).passed_on
        row["false lesions"] = false_lesion_counts(way, cases)[0]
        row["coverage (%)"] = 100 * float(np.mean([covered(way, case)["brain"] for case in cases]))
        rows[name] = row
    return rows


def split_rows(splits: Sequence[Split], both: BeforeAfter) -> dict[str, Row]:
    """Noise-corrected RMSE (ml/100g/min) of raw mean, model and adapted model over splits of real pairs."""
    errors = {"raw mean": [each.error_of(each.case.raw) for each in splits]}
    errors |= {n: [each.error_of(way(each.case).difference) for each in splits] for n, way in both.ways.items()}
    return {name: {f"draw {n + 1}": value for n, value in enumerate(each)} for name, each in errors.items()}
