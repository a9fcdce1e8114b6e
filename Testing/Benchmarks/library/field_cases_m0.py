"""Field cases of the M0 and of scale: vendors' factors, repetition times, place, and what stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .field_phantom import MadeScan, Protocol, made, save
from .field_rules import FieldCase, Named, Refused, Right, as_it_is, scan

_DEFAULT = Protocol()
_GE = Protocol(delay=2.025, duration=1.45, pulses=4, vendor="GE", content="deltam", m0="included", pairs=2)


def _ge_spiral() -> MadeScan:
    """As bids-examples asl001: M0 read 2 s after a saturation, whatever the TR says; differences times 32 x 3."""
    spiral = scan(_GE, RepetitionTimePreparation=4.886, TotalAcquiredPairs=3)
    spiral.volumes[..., 0] *= 1 - np.exp(-2 / 1.607)
    spiral.volumes[..., 1] *= 96
    return spiral


def _cbf_beside_difference() -> MadeScan:
    """The vendor's CBF, 1.3 times the truth, the difference and the M0 in one file."""
    made_scan = made(_GE)
    m0, difference = made_scan.volumes[..., 0], made_scan.volumes[..., 1]
    vendor = 1.3 * made(replace(_GE, content="cbf")).volumes[..., 1]
    made_scan.volumes, made_scan.words = np.stack([vendor, difference, m0], -1), ["cbf", "deltam", "m0scan"]
    return made_scan


def _m0_displaced() -> MadeScan:
    """Two M0 volumes at the end, the first a voxel further forward."""
    whole = made(replace(_DEFAULT, pairs=8))
    whole.volumes = np.concatenate([whole.volumes, np.roll(whole.m0, 1, 1)[..., None], whole.m0[..., None]], axis=-1)
    whole.words, whole.m0 = [*whole.words, "m0scan", "m0scan"], None
    whole.keys["M0Type"] = "Included"
    return whole


def _m0_times(factor: float, vendor: str = "Siemens") -> MadeScan:
    scaled = made(replace(_DEFAULT, vendor=vendor))
    scaled.m0 = scaled.m0 * factor
    return scaled


def _label_displaced() -> MadeScan:
    """M0 right, one label volume 56 mm further up."""
    moved = made(replace(_DEFAULT, pairs=8))
    volume = np.roll(moved.volumes[..., 5], 7, 2)
    volume[:, :, :7] = 0
    moved.volumes[..., 5] = volume
    return moved


def _m0_with_own_time() -> MadeScan:
    """The M0 in the series has a repetition time of 2 s, the pairs of 4 s."""
    protocol = replace(_DEFAULT, m0="included", m0_time=2.0)
    return scan(protocol, RepetitionTimePreparation=[2.0, *[4.0] * 12])


def _m0_of_several_times() -> MadeScan:
    """Three M0 volumes saturated for 0.3, 1.3 and 2.3 s."""
    whole = made(replace(_DEFAULT, m0="included"))
    times = (0.3, 1.3, 2.3)
    m0 = [whole.volumes[..., :1] * (1 - np.exp(-t / 1.607)) for t in times]
    whole.volumes = np.concatenate([*m0, whole.volumes[..., 1:]], axis=-1)
    whole.words = ["m0scan"] * 3 + whole.words[1:]
    whole.keys["RepetitionTimePreparation"] = [*times, *[4.0] * 12]
    return whole


def _hcp() -> MadeScan:
    """Pairs, two volumes without excitation, two M0: as the HCP's multiband PCASL."""
    whole = made(replace(_DEFAULT, readout="2D", pulses=0))
    noise = np.random.default_rng(4).standard_normal((*whole.volumes.shape[:3], 2))
    whole.volumes = np.concatenate([whole.volumes, noise, whole.m0[..., None], whole.m0[..., None]], axis=-1)
    whole.words, whole.m0 = [*whole.words, "noRF", "noRF", "m0scan", "m0scan"], None
    whole.keys["M0Type"] = "Included"
    return whole


def _intended(value: object):
    """Two series and one M0 under another name that is meant for this one."""

    def write(folder: Path) -> list[object]:
        first = made()
        m0, keys = first.m0, {**first.m0_keys, "IntendedFor": value}
        first.m0 = None
        path = first.write(folder)
        save(folder / "sub-01_acq-cal_m0scan.nii.gz", m0, first.m0_affine)
        import json

        (folder / "sub-01_acq-cal_m0scan.json").write_text(json.dumps(keys))
        return [path]

    return write


def _philips_slopes() -> MadeScan:
    """Display values, the M0's slopes four times the series', as the sidecars state."""
    stored = made(replace(_DEFAULT, vendor="Philips"))
    stored.m0 = stored.m0 * 4
    slopes = {"PhilipsRescaleSlope": 2.0, "UsePhilipsFloatNotDisplayScaling": 0}
    stored.keys |= slopes | {"PhilipsScaleSlope": 0.25}
    stored.m0_keys |= slopes | {"PhilipsScaleSlope": 1.0}
    return stored


CASES = (
    FieldCase(
        "ge-m0-saturation",
        "ExploreASL 2125, 2138",
        as_it_is(_ge_spiral, "--fix", "ge-nex-3"),
        (Right(), Named("ge-m0-saturation"), Named("m0-saturation"), Named("ge-m0-time")),
    ),
    FieldCase(
        "ge-m0-saturation-stated",
        "ExploreASL 2125, 2138",
        as_it_is(_ge_spiral, "--fix", "ge-nex-3", "--m0-tr", "2"),
        (Right(),),
    ),
    FieldCase(
        "ge-difference-thousands",
        "ASLPrep 80: CBF in the thousands of GE differences",
        as_it_is(_ge_spiral),
        (Named("ge-scaling", ("NEX",)), Named("ge-scaling"), Refused(("GE",))),
    ),
    FieldCase(
        "cbf-beside-difference",
        "ExploreASL 1331, 1775",
        as_it_is(_cbf_beside_difference),
        (Right(),),
    ),
    FieldCase(
        "difference-with-separate-m0",
        "ASLPrep 79",
        as_it_is(lambda: made(Protocol(content="deltam", pairs=2))),
        (Right(),),
    ),
    FieldCase(
        "m0-volume-displaced",
        "hcp-asl 10, ASLPrep 675",
        as_it_is(_m0_displaced),
        (Right(), Named("m0-displaced"), Named("m0-moved")),
        prepared=True,
    ),
    FieldCase(
        "m0-a-fifth",
        "ExploreASL 1546: Siemens DEBBIE stores M0 five times too small",
        as_it_is(lambda: _m0_times(0.2)),
        (Named("m0-scale"), Named("implausible-cbf")),
        unsaid=("--fix m0-scale",),
    ),
    FieldCase(
        "m0-a-fifth-stated",
        "ExploreASL 1546",
        as_it_is(lambda: _m0_times(0.2), "--m0-scale", "5"),
        (Right(),),
    ),
    FieldCase(
        "label-displaced",
        "ASLPrep 508, 513: motion between volumes",
        as_it_is(_label_displaced),
        (Right(),),
        unsaid=("--fix m0-scale",),
        prepared=True,
    ),
    FieldCase(
        "duration-a-tenth",
        "dcm2niix 748: a label duration of 0.18 s for 1.8 s",
        as_it_is(lambda: scan(LabelingDuration=0.18)),
        (Named("pld-label-duration-doubtful"), Refused(("LabelingDuration",))),
        unsaid=("--fix m0-scale",),
    ),
    FieldCase(
        "m0-times-ten",
        "ASLPrep 292: Siemens M0 is to be divided by 10",
        as_it_is(lambda: _m0_times(10.0)),
        (Named("m0-scale"), Named("implausible-cbf")),
    ),
    FieldCase(
        "m0-repetition-time-zero",
        "ASLPrep 654 (ds000240), ExploreASL 2091",
        as_it_is(lambda: scan(replace(_DEFAULT, m0="included"), RepetitionTimePreparation=0)),
        (Refused(("repetition time", "zero")),),
    ),
    FieldCase(
        "m0-repetition-time-zero-fixed",
        "ASLPrep 654 (ds000240)",
        as_it_is(lambda: scan(replace(_DEFAULT, m0="included"), RepetitionTimePreparation=0), "--fix", "m0-tr-zero"),
        (Right(),),
    ),
    FieldCase("m0-with-own-repetition-time", "ExploreASL 1652", as_it_is(_m0_with_own_time), (Right(),)),
    FieldCase(
        "m0-of-several-repetition-times",
        "ExploreASL 1786",
        as_it_is(_m0_of_several_times),
        (Right(), Refused(("M0", "repetition times"))),
    ),
    FieldCase(
        "no-m0-but-suppression",
        "ASLPrep 335",
        as_it_is(lambda: scan(replace(_DEFAULT, m0="control"), BackgroundSuppression=True)),
        (Named("m0-absent", ("relative perfusion", "no CBF")), Refused(("M0", "background-suppressed"))),
    ),
    FieldCase("multiband-with-norf", "ASLPrep 569: HCP's series, M0 and noRF in one file", as_it_is(_hcp), (Right(),)),
    FieldCase(
        "m0-intended-by-list",
        "BIDS legacy-validator 1793, ExploreASL 1794",
        _intended(["perf/sub-01_asl.nii.gz", "perf/sub-01_run-2_asl.nii.gz"]),
        (Right(),),
    ),
    FieldCase(
        "m0-intended-by-uri",
        "ASLPrep 458",
        _intended("bids::sub-01/perf/sub-01_asl.nii.gz"),
        (Right(),),
    ),
    FieldCase(
        "philips-slopes",
        "ExploreASL 25, dcm2niix 493: slopes of series and M0 differ",
        as_it_is(_philips_slopes),
        (Right(),),
    ),
)
