"""How late blood arrives, and what of its label is in the tissue when the image is read."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..quantifying.constants import t1_blood
from ..quantifying.kinetic_model import share_arrived
from ..quantifying.kinetics import single_delay
from ..series import Acquisition, Labeling, M0Type
from .lesions import LEFT_CAROTID, TERRITORIES
from .smooth import Waves, draw_waves, uniform


def arrival_factor(
    att: torch.Tensor, acquisition: Acquisition, *, delay: float | torch.Tensor | None = None
) -> torch.Tensor:
    """Label in tissue over what the consensus formula assumes, by arterial transit time `att` (s); 0..1.

    `delay` (s, broadcast over `att`) stands in for the acquisition's where slices are read one after another.

    The general kinetic model (Buxton et al. 1998, equations 1-3) with label that decays with the T1 of blood
    throughout, the assumption of Alsop et al. 2015: 1 as long as the whole bolus has arrived.

    Raises:
        InputError: the acquisition states no or several delays.
    """
    delay = single_delay(acquisition) if delay is None else delay
    if acquisition.labeling is Labeling.PASL:
        return share_arrived(delay - att, acquisition.bolus_duration, None, maths=torch)
    blood, duration = float(t1_blood(acquisition).value), acquisition.label_duration
    return share_arrived(duration + delay - att, duration, blood, maths=torch)


def draw_acquisition(generator: torch.Generator, *, delay: tuple[float, float] = (1.0, 2.5)) -> Acquisition:
    """A labelling and its timing: two thirds pCASL, the rest CASL or PASL.

    `delay` is the range of the PLD, s; the inversion time of PASL, which covers the bolus as well, is 0.7 s longer and
    at most 2.6 s.
    """
    kind = uniform(generator, 0, 1)
    pld, duration, bolus = (uniform(generator, *ends) for ends in (delay, (1.4, 2.0), (0.6, 0.9)))
    if kind < 0.17:
        pld = min(pld + 0.7, 2.6)
        labeling, duration = Labeling.PASL, None
    else:
        labeling, bolus = (Labeling.CASL if kind < 0.33 else Labeling.PCASL), None
    return Acquisition(
        labeling=labeling,
        post_labeling_delay=pld,
        label_duration=duration,
        bolus_duration=bolus,
        field_strength=3.0,
        m0_type=M0Type.SEPARATE,
    )


@dataclass(frozen=True, eq=False)
class Arrival:
    """Arterial transit times: territories, late borders between them, white matter later than grey.

    Args:
        seeds: (T, 3) ends of the arteries in relative coordinates.
        delays: (T,) s, of each territory.
        border: s by which the middle of a border zone is later.
        white: s by which white matter is later.
        variation: a smooth field, s.
    """

    seeds: torch.Tensor
    delays: torch.Tensor
    border: float
    white: float
    variation: Waves

    def __call__(self, points: torch.Tensor, relative: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Transit times (...), s, of grey and white matter at points (..., 3) mm and their relative places."""
        distance = torch.cdist(relative, self.seeds)
        weight = torch.softmax(-distance / 0.06, -1)  # a border is crossed within a centimetre or so
        nearest = distance.topk(2, dim=-1, largest=False).values
        zone = torch.exp(-(((nearest[..., 1] - nearest[..., 0]) / 0.15) ** 2))
        grey = weight @ self.delays + self.border * zone + self.variation(points)[..., 0]
        return grey.clamp(0.5, 3.0), (grey + self.white).clamp(0.5, 3.0)


def draw_seeds(generator: torch.Generator, *, device: str = "cpu") -> torch.Tensor:
    """The ends of the arteries (T, 3) of one head."""
    seeds = torch.tensor(TERRITORIES)
    return (seeds + 0.1 * torch.randn(seeds.shape, generator=generator)).to(device)


def draw_arrival(
    seeds: torch.Tensor, generator: torch.Generator, *, late: float = 0.2, stenosis: float = 0.0
) -> Arrival:
    """Transit times of one head.

    Args:
        seeds: (T, 3), ends of the arteries (`draw_seeds`).
        generator: where the draws come from (CPU).
        late: chance that blood arrives late everywhere or in one territory.
        stenosis: s, the transit time of the left anterior and middle territories in any case; 0: as drawn.
    """
    device = str(seeds.device)
    delays = uniform(generator, 0.6, 1.4) + 0.08 * torch.randn(len(seeds), generator=generator)
    where, one = uniform(generator, 0, 1), int(uniform(generator, 0, len(seeds) - 0.001))
    more = uniform(generator, 0.3, 1.2)
    if where < 0.5 * late:
        delays = delays + more
    elif where < late:
        delays[one] += more
    if stenosis > 0:
        delays[list(LEFT_CAROTID)] = stenosis
    variation = draw_waves(1, (50.0, 150.0), generator, device=device, sd=0.1)
    border, white = uniform(generator, 0.1, 0.7), uniform(generator, 0.05, 0.4)
    return Arrival(seeds, delays.to(device), border, white, variation)
