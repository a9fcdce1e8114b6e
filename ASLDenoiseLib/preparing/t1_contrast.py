"""What contrast an image given as T1 has, by its levels where the template has CSF, grey and white matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..findings import Finding, FindingKind
from ..remedies import Advice, GiveImage
from ..series import Volume
from ..spatial.masks import depth
from .template import Template

_INSIDE = 8.0  # mm below the brain's edge, where neither skull nor the CSF around the brain is
_FEWEST = 100  # voxels
_MARGIN = 0.05  # of grey matter; T1s have white matter brighter by 10 to 70 %

T1_RANKS = (0, 1, 2)  # of CSF, grey and white matter in a T1, the darkest first
# T1, FLAIR, and T2, proton density or an inverted T1; any other order is a template that lies wrong, and no contrast
_USUAL_RANKS = (T1_RANKS, (0, 2, 1), (2, 1, 0))

CONTRAST = FindingKind(
    "t1-contrast",
    "The image given as T1 is not T1-weighted: {looks}",
    "where the template has CSF, grey and white matter its signal is {csf:.2f}, {gm:.2f} and {wm:.2f} of the "
    "brightest; in a T1 it rises in this order",
    Advice("tissue was named by its place, not by its brightness; look at the tissue maps before using their figures"),
    GiveImage("t1", "give a T1-weighted image of this head"),
    GiveImage("masks", "give tissue masks"),
)


@dataclass(frozen=True)
class Levels:
    """Signal of the tissues in an anatomical image, any unit, where the template has them."""

    csf: float
    gm: float
    wm: float

    @property
    def t1_weighted(self) -> bool:
        """Whether it rises from CSF to grey to white matter by a clear margin."""
        return self.csf < self.gm < self.wm and not self.alike

    @property
    def alike(self) -> bool:
        """Whether grey and white matter cannot be told apart."""
        return abs(self.wm - self.gm) <= _MARGIN * max(self.gm, self.wm)

    @property
    def ranks(self) -> tuple[int, int, int]:
        """The place (0 darkest) of CSF, grey and white matter by brightness: 0, 1, 2 in a T1, and of no usual image."""
        order = np.argsort([self.csf, self.gm, self.wm], kind="stable")
        found = tuple(int(n) for n in np.argsort(order))
        return found if found in _USUAL_RANKS else T1_RANKS

    @property
    def looks(self) -> str:
        """What an image of this contrast usually is."""
        if self.csf > max(self.gm, self.wm):
            if self.alike:
                return "CSF is brightest and grey and white matter are alike, as in a proton density or M0 image"
            kind = "a T2, a proton density image, a T1 map or an inverted T1" if self.gm > self.wm else "no usual image"
            darkest = "white" if self.gm > self.wm else "grey"
            return f"CSF is brightest and {darkest} matter darkest, as in {kind}"
        if self.alike:
            return "grey and white matter are alike, as in a FLAIR, a CT, an angiogram or a poor T1"
        if self.gm > self.wm:
            return "grey matter is brighter than white, as in a FLAIR or another image with suppressed CSF"
        return "CSF is brighter than grey matter, as in no usual image"


def levels_of(image: Volume, template: Template) -> Levels | None:
    """The signal of each tissue, by least squares with the template's fractions inside the brain; None without brain.

    Mixed voxels and gyri that lie elsewhere than in the template pull the three levels together, and keep their order.

    Args:
        image: (K, J, I), without bias.
        template: on the same grid.
    """
    brain = template.brain.array > 0.5
    inside = depth(brain, image.geometry) > _INSIDE
    if inside.sum() < _FEWEST:
        return None
    grey, white = (np.clip(each.array[inside], 0, 1) for each in (template.gm, template.wm))
    shares = np.stack([np.clip(1 - grey - white, 0, 1), grey, white], axis=1)
    values = image.array[inside]
    low, high = np.percentile(values, (1, 99))
    found, *_ = np.linalg.lstsq(shares, np.clip(values, low, high), rcond=None)
    return Levels(*(float(level) for level in found))


def ranks_of(levels: Levels | None) -> tuple[int, int, int]:
    """`Levels.ranks`, of a T1 where nothing is known."""
    return T1_RANKS if levels is None else levels.ranks


def contrast_findings(levels: Levels | None) -> list[Finding]:
    """A warning where the levels are not those of a T1; none without levels, as of tissue that was given."""
    if levels is None or levels.t1_weighted:
        return []
    top = max(levels.csf, levels.gm, levels.wm)
    shares = {name: max(getattr(levels, name), 0.0) / top for name in ("csf", "gm", "wm")}
    return [CONTRAST.finding(looks=levels.looks, **shares)]
