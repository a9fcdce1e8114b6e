"""What the volumes of a series look like where nothing says what they are."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from reading_builders import bend_image, head, refusal, small_real, write_series

from ASLDenoiseLib.inspecting.fixes import apply_fix, fixes_of
from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.reading.anyway import read_anyway
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.volume_order import propose_order
from ASLDenoiseLib.series import VolumeType

BRAIN = head().T
LEVELS = {"control": 400.0, "label": 396.0, "m0scan": 1000.0, "n/a": 430.0, "deltam": 4.0}


def made(words: str | list[str], *, noise: float = 20.0, drift: float = 0.0, seed: int = 1, **levels) -> np.ndarray:
    """A series (T, K, J, I) of magnitude images (differences: signed); noise is an SD of a voxel, drift a volume."""
    random, known = np.random.default_rng(seed), {**LEVELS, **levels}
    words = words.split() if isinstance(words, str) else words
    volumes = []
    for time, word in enumerate(words):
        signal = (known[word] + drift * time * (word != "deltam")) * BRAIN + random.normal(0, noise, BRAIN.shape)
        volumes.append(signal if word == "deltam" else np.abs(signal))
    return np.stack(volumes).astype(np.float32)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("control label " * 8, "control,label"),
        ("label control " * 8, "label,control"),
        ("m0scan " + "label control " * 8, "m0scan,label,control"),
        ("m0scan m0scan m0scan " + "control label " * 5, "m0scan,m0scan,m0scan,control,label"),
        ("m0scan n/a " + "label control " * 8, "m0scan,n/a,label,control"),
        ("n/a " + "label control " * 8, "m0scan,label,control"),  # brighter, and one too many: not saturated yet
        ("deltam " * 12, "deltam"),
        ("m0scan " + "deltam " * 12, "m0scan,deltam"),
        ("m0scan deltam deltam deltam", "m0scan,deltam"),
    ],
)
def test_the_order_is_seen(words, pattern):
    proposal = propose_order(made(words))
    assert proposal.clear and proposal.patterns == (pattern,)


def test_an_m0_at_the_end_is_named_with_every_volume():
    proposal = propose_order(made("control label " * 3 + "m0scan"))
    assert proposal.patterns == ("control,label,control,label,control,label,m0scan",)


def test_controls_before_labels_are_seen_by_the_step_between_them():
    """As some converters of Philips' PAR/REC leave them."""
    for first, second in (("control", "label"), ("label", "control")):
        words = [first] * 8 + [second] * 8
        assert propose_order(made(words, drift=1.0)).patterns == (",".join(words),)
        assert not propose_order(made("control " * 16, drift=1.0, seed=4)).clear, "a drift alone is no step"


def test_a_last_volume_without_a_partner_is_left_out():
    array = made("control label " * 6 + "n/a", **{"n/a": 300.0})
    words = ["control", "label"] * 6 + ["n/a"]
    assert propose_order(array).patterns == (",".join(words),)


def test_a_drift_does_not_swap_control_and_label():
    """A signal that falls makes the first of each pair brighter, whatever it is."""
    for order in ("control label ", "label control "):
        for drift in (-6.0, 6.0):
            proposal = propose_order(made(order * 10, drift=drift))
            assert proposal.patterns == (order.strip().replace(" ", ","),), (order, drift)


def test_one_pair_that_moved_does_not_hide_the_order():
    array = made("control label " * 10)
    array[7] *= 0.8
    assert propose_order(array).patterns == ("control,label",)


@pytest.mark.parametrize(
    ("words", "patterns"),
    [
        ("control control " * 8, {"control,label", "label,control"}),  # a phantom: nothing to tell them apart by
        ("m0scan " + "control control " * 8, {"m0scan,control,label", "m0scan,label,control"}),
        ("control label", {"control,label", "label,control"}),
        ("control label control label", {"control,label", "label,control"}),
        ("m0scan label control", {"m0scan,control,label", "m0scan,label,control"}),
    ],
)
def test_where_the_images_do_not_decide_both_orders_are_offered(words, patterns):
    proposal = propose_order(made(words))
    assert not proposal.clear and set(proposal.patterns) == patterns


def test_noise_alone_seldom_looks_like_an_order():
    clear = [propose_order(made("control control " * 10, seed=seed)).clear for seed in range(60)]
    assert sum(clear) <= 1


def test_a_single_volume_is_a_map_or_a_difference_and_an_empty_series_proposes_nothing():
    assert propose_order(made("control")).patterns == ("cbf", "deltam")
    assert propose_order(np.zeros((8, *BRAIN.shape), np.float32)) is None


def test_voxels_that_are_not_measured_do_not_hide_the_order():
    array = made("control label " * 8)
    array[:, :, :3] = np.nan
    array[:, 0] = np.inf
    assert propose_order(array).patterns == ("control,label",)


# --- in the error, the finding and its fix --------------------------------------------------------------------------


def test_the_error_proposes_the_order_and_takes_none(tmp_path):
    path = write_series(tmp_path, words=None)
    message = refusal(
        read_series, path, mentions=("What the 16 volumes of sub-01", "look like label,control", "--context")
    )
    assert message.endswith("with --context label,control or --context control,label.")
    bend_image(path, lambda array: np.concatenate([3 * array[..., :1], array], axis=-1))
    refusal(read_series, path, mentions=("m0scan,label,control", "volume 1 is 3.0 times as bright"))


def test_without_an_order_no_finding_counts_volumes_of_a_kind(tmp_path):
    """'There are few repetitions: 0 only' and '16 volumes are n/a' stood beside the order that was missing."""
    stated = {"TotalAcquiredPairs": 8}
    series = read_anyway(write_series(tmp_path, words=None, sidecar=stated))
    codes = {finding.code for finding in inspect(series)}
    assert "order-unknown" in codes
    assert not codes & {"few-pairs", "volumes-left-out", "count-mismatch"}


def test_a_series_of_unknown_order_has_the_proposal_as_a_finding_with_a_fix(tmp_path):
    series = read_anyway(write_series(tmp_path, words=None))
    assert set(series.context) == {VolumeType.NOT_AVAILABLE} and series.m0 is not None
    found = {finding.code: finding for finding in inspect(series)}
    assert "label,control" in found["order-unknown"].why
    (fix,) = fixes_of(series)
    assert (fix.name, fix.what) == ("order-1", "context set to label,control")
    fixed = apply_fix(series, "order-1")
    assert fixed.context == (VolumeType.LABEL, VolumeType.CONTROL) * 8
    assert "order-unknown" not in {finding.code for finding in inspect(fixed)}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "pattern"),
    [("grase", "m0scan,n/a,label,control"), ("epi", "label,control"), ("picore", "m0scan,label,control")],
)
def test_the_order_of_real_series_is_seen(shared_data, tmp_path, name, pattern):
    """3D GRASE and 2D EPI pCASL, and 2D PICORE PASL, of one adult."""
    path = small_real(shared_data, name, tmp_path)
    (tmp_path / path.name.replace("_asl.nii.gz", "_aslcontext.tsv")).unlink()
    array = np.asarray(nibabel.load(path).dataobj, np.float32).T
    assert propose_order(array).patterns == (pattern,)
    refusal(read_series, path, mentions=(f"look like {pattern} ", f"with --context {pattern} or"))
