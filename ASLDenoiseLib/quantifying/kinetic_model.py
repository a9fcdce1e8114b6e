"""The general kinetic model (Buxton et al. 1998): how much label is in tissue, and in arteries, when it is read.

All is relative to the formula of one delay (`kinetics`), which assumes that all label has arrived and decays with the
T1 of blood: a perfusion difference times the factor of its own delay is CBF times `KineticModel.arrived`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from ..errors import InputError
from ..remedies import SetField
from ..series import Acquisition, Labeling, Origin, Parameter
from .constants import partition_coefficient, t1_blood, t1_tissue

WHITE_PAPER, GENERAL = "white-paper", "general"
TYPICAL_CBF = 60.0  # ml/100g/min, in the T1 of label in tissue; 20 more or less changes that T1 by 0.5 %
ARTERIES_EARLIER = 0.3  # s by which label fills the arteries of a voxel before it reaches its tissue (BASIL)
_USUAL_ATT = np.linspace(0.5, 2.1, 17)[:, None]  # s
_HOW_USUAL = np.exp(-(((_USUAL_ATT - 1.3) / 0.4) ** 2) / 2)
_BLOOD_VOLUME = 0.02  # of a voxel with an artery in it


def share_arrived(since: object, duration: float | np.ndarray, decay: float | None, *, maths: ModuleType = np):
    """Label in tissue over all of it, where it decays with the T1 of blood throughout; 0..1.

    Args:
        since: s since the front of the label arrived; an array of `maths`.
        duration: s, of the label, of PASL of the bolus.
        decay: s, the T1 of blood; None for PASL, whose label all begins at one time.
        maths: numpy, or torch.
    """
    arrived = maths.clip(since, 0, duration)
    return arrived / duration if decay is None else maths.expm1(arrived / decay) / np.expm1(duration / decay)


@dataclass(frozen=True)
class KineticModel:
    """How label arrives and decays.

    Args:
        labeling: PASL, or CASL and pCASL, which are alike here.
        t1_blood: s.
        t1_tissue: s, of tissue without flow; None lets label decay with the T1 of blood throughout, as the formula of
            one delay does (Alsop et al. 2015).
        partition_coefficient: mL/g.
        cbf: ml/100g/min, in the T1 of label in tissue, 1/T1' = 1/T1 + f/lambda: one for all voxels.
        flip_angle: degrees, of a Look-Locker readout, whose every excitation takes label; None for one excitation.
        interval: s, between its excitations.
        first: s, from the start of labelling to the first of them.
        macrovascular: whether label in arteries is modelled as well.

    Raises:
        InputError: a time is not positive, or a Look-Locker readout is described in part.
    """

    labeling: Labeling
    t1_blood: float
    t1_tissue: float | None = None
    partition_coefficient: float = 0.9
    cbf: float = TYPICAL_CBF
    flip_angle: float | None = None
    interval: float | None = None
    first: float | None = None
    macrovascular: bool = False

    def __post_init__(self) -> None:
        if not self.t1_blood > 0 or (self.t1_tissue is not None and not self.t1_tissue > 0):
            raise InputError("The T1 of blood or of tissue is not above 0 s; correct it.")
        look_locker = (self.flip_angle, self.interval, self.first)
        if any(value is None for value in look_locker) != all(value is None for value in look_locker):
            raise InputError("A Look-Locker readout needs its flip angle, interval and first time; give all three.")
        if self.flip_angle is not None and not (0 < self.flip_angle < 90 and self.interval > 0):
            raise InputError(
                f"A Look-Locker readout of {self.flip_angle:g} degrees every {self.interval:g} s leaves no label; give "
                "an angle between 0 and 90 degrees and a positive interval."
            )

    @property
    def kinetics(self) -> str:
        """`WHITE_PAPER` or `GENERAL`."""
        return WHITE_PAPER if self.t1_tissue is None else GENERAL

    @property
    def t1_label(self) -> float:
        """T1 of label that has arrived, s, without what a Look-Locker readout takes."""
        if self.t1_tissue is None:
            return self.t1_blood
        return 1 / (1 / self.t1_tissue + self.cbf / 6000 / self.partition_coefficient)

    @property
    def excitation_loss(self) -> float:
        """The rate at which a Look-Locker readout takes label, 1/s: -ln(cos(flip angle)) / interval."""
        return 0.0 if self.flip_angle is None else -math.log(math.cos(math.radians(self.flip_angle))) / self.interval

    @property
    def plateau(self) -> bool:
        """Whether all arrival times before the first delay give the same curve."""
        return self.t1_tissue is None and self.flip_angle is None

    def arrived(self, att: np.ndarray, delay: np.ndarray, duration: np.ndarray) -> np.ndarray:
        """Label in tissue over what the formula of one delay assumes.

        0 before label arrives, 1 when all is there; in `GENERAL` and of Look-Locker readouts less, as label decays
        faster than in blood, or more where tissue holds it longer.

        Args:
            att: arterial transit time, s.
            delay: post-labelling delay, of PASL inversion time, s, slice timing included.
            duration: of the label, of PASL of the bolus, s. All three broadcast.
        """
        pasl = self.labeling is Labeling.PASL
        read = delay if pasl else np.asarray(delay) + duration
        if self.plateau:
            return share_arrived(read - np.asarray(att), duration, None if pasl else self.t1_blood)
        return self._present(att, read, duration) * self._relative(att, delay, duration)

    def slope(self, att: np.ndarray, delay: np.ndarray, duration: np.ndarray) -> np.ndarray:
        """The derivative of `arrived` by `att`, 1/s; at the corners of the curve, where label begins or ends to
        arrive, that of later arrival."""
        pasl = self.labeling is Labeling.PASL
        read = np.asarray(delay) if pasl else np.asarray(delay) + duration
        oldest, youngest = read - att, read - att - duration
        late = self._left(youngest, read) * (youngest > 0) - self._left(oldest, read) * (oldest > 0)
        if not pasl:
            late = late - self._present(att, read, duration) / self.t1_blood
        if self.plateau:
            late = np.where(youngest > 0, 0.0, late)
        return late * self._relative(att, delay, duration)

    def arterial(self, att: np.ndarray, delay: np.ndarray, duration: np.ndarray) -> np.ndarray:
        """What a voxel full of arterial blood reads as CBF by the formula of one delay, ml/100g/min.

        2 alpha M0b aBV exp(-aBAT/T1b) while label passes, from aBAT to the end of the label; aBAT is `ARTERIES_EARLIER`
        than the tissue's arrival. Of PASL label all was made at one time, and decays until it is read.

        Args:
            att, delay, duration: as `arrived` takes them.
        """
        bolus = np.maximum(np.asarray(att) - ARTERIES_EARLIER, 0)
        if self.labeling is Labeling.PASL:
            since = np.asarray(delay) - bolus
            return np.where((since > 0) & (since < duration), 6000 / duration, 0.0) * self._spared(since, delay)
        read = np.asarray(delay) + duration
        since = read - bolus
        scale = 6000 * np.exp((delay - bolus) / self.t1_blood) / (-self.t1_blood * np.expm1(-duration / self.t1_blood))
        return np.where((since > 0) & (since < duration), scale, 0.0) * self._spared(since, read)

    def _spared(self, since: np.ndarray, read: np.ndarray) -> np.ndarray:
        """What a Look-Locker readout left of label that passes; the slab is taken to hold it since it arrived."""
        if self.flip_angle is None:
            return np.ones(())
        return np.exp(-self.excitation_loss * np.clip(np.minimum(since, read - self.first), 0, None))

    def _rate(self) -> float:
        """The rate at which label in tissue is lost, 1/s; of PASL beyond that of blood, as all began at one time."""
        return 1 / self.t1_label - (1 / self.t1_blood if self.labeling is Labeling.PASL else 0.0)

    def _left(self, age: np.ndarray, read: np.ndarray) -> np.ndarray:
        """What is left of label that arrived `age` (s) before it is read."""
        age = np.maximum(age, 0)
        left = np.exp(-self._rate() * age)
        if self.flip_angle is not None:
            left = left * np.exp(-self.excitation_loss * np.minimum(age, np.maximum(read - self.first, 0)))
        return left

    def _present(self, att: np.ndarray, read: np.ndarray, duration: np.ndarray) -> np.ndarray:
        """The integral of `_left` over what has arrived, s."""
        oldest = np.maximum(read - att, 0)
        youngest = np.maximum(read - att - duration, 0)
        if self.flip_angle is None:
            return _integral(youngest, oldest, self._rate())
        excited = np.maximum(read - self.first, 0)
        within = _integral(
            np.minimum(youngest, excited), np.minimum(oldest, excited), self._rate() + self.excitation_loss
        )
        before = _integral(np.maximum(youngest, excited), np.maximum(oldest, excited), self._rate())
        return within + np.exp(-self.excitation_loss * excited) * before

    def _relative(self, att: np.ndarray, delay: np.ndarray, duration: np.ndarray) -> np.ndarray:
        """1/s: from `_present` to a share of what the formula of one delay assumes."""
        if self.labeling is Labeling.PASL:
            return 1 / np.asarray(duration, float)
        decayed = np.exp((np.asarray(delay) - att) / self.t1_blood)
        return decayed / (-self.t1_blood * np.expm1(-np.asarray(duration) / self.t1_blood))


def _integral(low: np.ndarray, high: np.ndarray, rate: float) -> np.ndarray:
    """The integral of exp(-rate u) from `low` to `high`."""
    if abs(rate) < 1e-9:
        return high - low
    return -np.exp(-rate * low) * np.expm1(-rate * (high - low)) / rate


def kinetic_model(
    acquisition: Acquisition, *, kinetics: str = WHITE_PAPER, macrovascular: bool = False
) -> tuple[KineticModel, tuple[Parameter, ...]]:
    """The model of an acquisition, and its parameters; those not stated are resolved by `constants`.

    Raises:
        InputError: the labelling type is not stated, or there is no such model.
    """
    if acquisition.labeling is None:
        raise InputError("ArterialSpinLabelingType is not stated", [SetField("labeling", "PCASL, CASL or PASL")])
    if kinetics not in (WHITE_PAPER, GENERAL):
        raise InputError(f"There is no kinetic model '{kinetics}'; choose {WHITE_PAPER} or {GENERAL}.")
    blood, partition = t1_blood(acquisition), partition_coefficient(acquisition)
    note = {
        WHITE_PAPER: "label decays with the T1 of blood throughout",
        GENERAL: "label that has arrived decays with the T1 of tissue and leaves with its flow",
    }
    parameters = [Parameter("kinetics", kinetics, "", Origin.DEFAULT, note[kinetics]), blood]
    tissue = None
    if kinetics == GENERAL:
        tissue = t1_tissue(acquisition)
        flow = Parameter("kinetics_cbf", TYPICAL_CBF, "ml/100g/min", Origin.DEFAULT, "in the T1 of label in tissue")
        parameters += [tissue, partition, flow]
    if macrovascular:
        text = "s by which label is in the arteries of a voxel before it is in its tissue"
        parameters.append(Parameter("arteries_earlier", ARTERIES_EARLIER, "s", Origin.DEFAULT, text))
    model = KineticModel(
        acquisition.labeling,
        float(blood.value),
        None if tissue is None else float(tissue.value),
        float(partition.value),
        macrovascular=macrovascular,
    )
    return model, tuple(parameters)


def tissue_weights(model: KineticModel, delays: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """The weight (D,) of each delay's image in one that shows tissue rather than arteries; they add up to 1.

    By the model, over usual arrival times: the signal of tissue over that of tissue and of arteries, for images as CBF
    by the formula of their own delay.

    Args:
        model: of the acquisition, whether or not arteries are fitted.
        delays, durations: (D,), s.
    """
    tissue = (_HOW_USUAL * model.cbf * model.arrived(_USUAL_ATT, delays, durations)).sum(0)
    arteries = (_HOW_USUAL * _BLOOD_VOLUME * model.arterial(_USUAL_ATT, delays, durations)).sum(0)
    share = np.divide(tissue, tissue + arteries, out=np.zeros(len(tissue)), where=tissue > 0) * tissue
    return share / share.sum() if share.sum() > 0 else np.full(len(tissue), 1 / len(tissue))
