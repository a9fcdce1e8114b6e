"""The excitations of a Look-Locker readout, which reads all delays after one labelling: what takes label, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..remedies import Remedy, SetField
from ..series import Acquisition, Origin, Parameter
from .kinetic_model import KineticModel

_EVEN = 0.02  # of the interval; scanners round their times
_GIVE = SetField("flip_angle", 25.0, "give it in degrees, e.g.")


def excitation_problem(
    acquisition: Acquisition, delays: Sequence[float], durations: Sequence[float | None]
) -> tuple[str, tuple[Remedy, ...]]:
    """Why what the excitations take of the label cannot be corrected, and what mends it; '' where it can.

    Args:
        acquisition: of a Look-Locker readout.
        delays: s, of all that are fitted, ascending.
        durations: s, of the label at each.
    """
    angle, steps = acquisition.flip_angle, np.diff(np.unique(delays))
    if angle is None:
        return "the flip angle is not stated, or there are several", (_GIVE,)
    if not 0 < angle < 90:
        return f"excitations of {angle:g} degrees leave no label for later delays", (replace(_GIVE, text="correct it"),)
    if len(set(durations)) > 1:
        listed = ", ".join(f"{each:g}" for each in durations if each is not None)
        return f"one labelling has one duration, and {listed} s are stated", (SetField("label_duration"),)
    if not len(steps) or np.ptp(steps) > _EVEN * steps.mean():
        listed = ", ".join(f"{each:g}" for each in np.unique(delays))
        delay = SetField("post_labeling_delay", text="correct them")
        return f"its excitations are evenly apart, and the delays of {listed} s are not", (delay,)
    return "", ()


def with_excitations(
    model: KineticModel, acquisition: Acquisition, delays: Sequence[float], durations: Sequence[float | None]
) -> tuple[KineticModel, tuple[Parameter, ...]]:
    """The model of a Look-Locker readout, and its parameters; any other readout's stays as it is.

    Every excitation leaves the cosine of the flip angle of the label in the slab; the first is at the first delay.

    Args:
        model: of the acquisition, without excitations.
        acquisition, delays, durations: as `excitation_problem` takes them.

    Raises:
        InputError: the correction cannot be made.
    """
    if not acquisition.look_locker:
        return model, ()
    why, remedies = excitation_problem(acquisition, delays, durations)
    if why:
        raise InputError(f"What a Look-Locker readout takes of the label cannot be corrected: {why}", remedies)
    interval = float(np.diff(np.unique(delays)).mean())
    first = float(min(delays)) + (0.0 if model.labeling.value == "PASL" else float(durations[0] or 0.0))
    origin = acquisition.origins["flip_angle"]
    every = Parameter("excitation_interval", round(interval, 6), "s", Origin.DEFAULT, "between the delays")
    angle = Parameter("flip_angle", acquisition.flip_angle, "degrees", origin, "of a Look-Locker readout")
    return replace(model, flip_angle=acquisition.flip_angle, interval=interval, first=first), (angle, every)
