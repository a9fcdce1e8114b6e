"""Adapting a model to a single scan: gains alone, in less than a minute, and only where it surely helps."""

from __future__ import annotations

import numpy as np

from ..compute import Compute
from ..denoising.adaptable import check_adaptable
from ..denoising.catalogue import ModelCard
from ..errors import InputError
from ..progress import Progress, silent, span
from ..verdict import Verdict
from .adapt import nothing_gained
from .adaptation import Adaptation
from .caution import as_far_as_lesions_allow, draw_probes
from .figures import errors_of, gain_figure, judged_by_groups, mean_figures
from .groups import FEWEST_ALONE, counted, draw_groups
from .handed_on import adapted, network_as_it_was
from .samples import draw_samples
from .scan import AdaptationScan
from .tuning import TuneSettings, tune
from .watching import watch

SAMPLES = 6
SURELY = 2.0  # standard errors of the gain
SETTINGS = TuneSettings(gain_rate=2e-2, gain_steps=24, weight_steps=0, watch_every=12)


def adapt_to_scan(
    card: ModelCard,
    scan: AdaptationScan,
    *,
    max_seconds: float = 40,
    seed: int = 0,
    compute: Compute,
    progress: Progress = silent,
    settings: TuneSettings = SETTINGS,
) -> Adaptation:
    """Adapt the gains of a model to the pairs of one scan.

    Half of the pairs teach, a quarter says when to stop, a quarter judges what a run hands on of the others. It earns
    its place where the gain is above two of its standard errors and the means of grey and white matter hold.

    Args:
        card: the model; its bundle is left as it is.
        scan: of twelve pairs or more that count.
        max_seconds: of learning; judging comes on top.
        seed: of the groups, halves and crops.
        compute: where.
        progress: told the steps, what they gained, and the time that is left.
        settings: of the tuning.

    Raises:
        InputError: too few pairs, or a model that cannot be adapted.
    """
    check_adaptable(card)
    pairs = len(counted(scan))
    if pairs < FEWEST_ALONE:
        raise InputError(
            f"Adapting to one scan takes {FEWEST_ALONE} pairs or more, and {pairs} of {scan.name} count; leave it out."
        )
    rng = np.random.default_rng(seed)
    groups = draw_groups(scan, rng)
    progress(0.0, "halves of the pairs")
    samples = draw_samples(card, scan, groups.learn, SAMPLES, rng)
    watched = [watch(card, scan, groups.learn, groups.watch)]
    learning = {"compute": compute, "max_seconds": max_seconds, "settings": settings, "seed": seed}
    tuned = tune(card, samples, watched, **learning, progress=span(progress, 0.05, 0.72))
    progress(0.72, "asking how far lesions allow it to go")
    probes = draw_probes(card, [scan], [groups.learn], rng)
    tuned, share = as_far_as_lesions_allow(card, tuned, probes, watched, compute)
    saw: dict[str, object] = {
        "scans": [scan.name],
        "pairs": [pairs],
        "pairs_that_taught": [len(groups.learn)],
        "pairs_that_stopped": [len(groups.watch)],
        "pairs_that_judged": [len(groups.judge)],
        "share_of_learning": share,
    }
    if tuned.way == "nothing":
        return Adaptation(tuned, Verdict((nothing_gained(tuned),)), saw)
    progress(0.8, "judging by pairs that did not teach")
    judged = judged_by_groups(scan, groups, network_as_it_was(card, compute), adapted(card, tuned, compute))
    gain = gain_figure("pairs_gain", f"unseen pairs of {scan.name}", errors_of([[judged]]), surely=SURELY)
    progress(1.0, "judged")
    return Adaptation(tuned, Verdict((gain, *mean_figures(judged.given, judged.before, judged.after))), saw)
