"""Time-encoded series are decoded where the file states the matrix, and refused in a sentence where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from delay_builders import scan_of_delays
from reading_builders import bend_sidecar, head, refusal, save_like, write_series

from ASLDenoiseLib.inspecting.delay_checks import fitted_delays
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.preparing.delays import delays_of
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.time_encoding import decode, known_matrix
from ASLDenoiseLib.series import VolumeType

# as ExploreASL writes them out; 1 is control
HADAMARD = {
    4: ["+-+-", "++--", "+--+"],
    8: ["+--+-++-", "++----++", "+-+--+-+", "++++----", "+--++--+", "++--++--", "+-+-+-+-"],
}
WALSH = {
    4: ["+-+-", "+--+", "++--"],
    8: ["+-+-+-+-", "+-+--+-+", "+--+-++-", "+--++--+", "++--++--", "++----++", "++++----"],
}
DELAYS, DURATIONS = (2.4, 1.6, 0.8), (0.8, 0.8, 0.7)


def signs(rows):
    return np.array([[1 if each == "+" else -1 for each in row] for row in rows])


def encoded(differences, matrix, control=1000.0):
    """The volumes of one code: the control less every sub-bolus that is label in a column; differences lead."""
    volumes = []
    for column in np.transpose(matrix):
        lost = sum(d * (sign < 0) for d, sign in zip(differences, column, strict=True))
        volumes.append(control - lost)
    return np.stack(volumes)


def write_encoded(folder, *, repeats=2, keys=None, order="codes", words=None, m0=1000.0):
    """A Hadamard-4 series, whose sub-boli differ by 8, 5 and 3 in a thousand of the control; (I, J, K, T)."""
    brain = head()
    code = encoded([f * brain for f in (8.0, 5.0, 3.0)], signs(HADAMARD[4]), control=1000 * brain)
    rng = np.random.default_rng(0)
    volumes = [code[n] + rng.normal(0, 0.5, brain.shape) for _ in range(repeats) for n in range(4)]
    if order == "columns":
        volumes = [volumes[4 * r + n] for n in range(4) for r in range(repeats)]
    words = words or ["control" if n == 0 else "label" for _ in range(repeats) for n in range(4)]
    stated = {"PostLabelingDelay": [0.0, *DELAYS], "LabelingDuration": [0.0, *DURATIONS], "TimeEncodedMatrixSize": 4}
    stated |= {"TimeEncodedMatrixType": "Hadamard", **(keys or {})}
    return write_series(folder, words=words, array=np.stack(volumes, -1), sidecar=stated, m0=m0)


def levels(series):
    brain = head().T > 0
    return [float(volume[brain].mean()) for volume in series.array]


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize(("kind", "rows"), [("hadamard", HADAMARD), ("walsh", WALSH)])
def test_known_matrices_are_those_that_are_in_use(kind, rows, size):
    np.testing.assert_array_equal(known_matrix(kind, size), signs(rows[size]))


@pytest.mark.parametrize("rows", [HADAMARD[4], WALSH[8], ["+-+", "++-"]])
def test_decoding_gives_back_the_differences_that_were_encoded(rows):
    """The last is no Hadamard matrix, and can be inverted all the same."""
    matrix = signs(rows)
    true = np.random.default_rng(0).normal(5, 2, (2, len(matrix), 2, 3, 4))
    volumes = np.stack([encoded(each, matrix) for each in true])
    np.testing.assert_allclose(decode(volumes, matrix), true, atol=1e-3)


def test_a_hadamard_series_is_read_as_differences_with_delay_and_duration_each(tmp_path):
    series = read_series(write_encoded(tmp_path))
    assert set(series.context) == {VolumeType.DELTAM} and len(series.context) == 6
    assert [(each.delay, each.duration, len(each.pairs)) for each in delays_of(series)] == [
        (0.8, 0.7, 2),
        (1.6, 0.8, 2),
        (2.4, 0.8, 2),
    ]
    np.testing.assert_allclose(levels(series), [8, 5, 3] * 2, atol=0.1)
    require_quantifiable(series)
    codes = {finding.code: finding for finding in inspect(series)}
    assert "8 volumes of a matrix of 4" in codes["time-decoded"].why and "time-encoded" not in codes
    assert len(fitted_delays(series)) == 3


def test_a_whole_scan_of_several_delays_comes_back_from_its_code():
    """Seven sub-boli of the same blood as seven scans of one bolus each."""
    scan = scan_of_delays(delays=(0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8), durations=0.4, repeats=1, kind="deltam")
    matrix = known_matrix("hadamard", 8)
    code = encoded(scan.series.array.astype(float), matrix, control=1000.0)
    np.testing.assert_allclose(decode(code[None], matrix)[0], scan.series.array, atol=1e-3)


@pytest.mark.parametrize(
    "times",
    [
        {"PostLabelingDelay": list(DELAYS), "LabelingDuration": list(DURATIONS)},
        {"PostLabelingDelay": [0.0, *DELAYS] * 2, "LabelingDuration": [0.0, *DURATIONS] * 2},
    ],
    ids=["one a sub-bolus", "one a volume"],
)
def test_delays_of_sub_boli_are_taken_in_every_form(tmp_path, times):
    found = delays_of(read_series(write_encoded(tmp_path, keys=times)))
    assert [(each.delay, each.duration) for each in found] == [(0.8, 0.7), (1.6, 0.8), (2.4, 0.8)]


def test_one_duration_is_that_of_every_sub_bolus(tmp_path):
    found = delays_of(read_series(write_encoded(tmp_path, keys={"LabelingDuration": 0.8})))
    assert {each.duration for each in found} == {0.8}


def test_repeats_of_one_column_may_lie_side_by_side(tmp_path):
    times = [delay for delay in (0.0, *DELAYS) for _ in range(2)]
    words = ["control"] * 2 + ["label"] * 6
    keys = {"PostLabelingDelay": times, "LabelingDuration": 0.8}
    series = read_series(write_encoded(tmp_path, keys=keys, order="columns", words=words))
    np.testing.assert_allclose(levels(series), [8, 5, 3] * 2, atol=0.1)


def test_delays_that_the_user_gives_are_those_of_the_sub_boli(tmp_path):
    path = write_encoded(tmp_path, keys={"PostLabelingDelay": None})
    series = read_series(path, values={"post_labeling_delay": DELAYS})
    assert series.acquisition.post_labeling_delay == DELAYS * 2
    assert series.acquisition.origins["post_labeling_delay"].value == "user"


def test_the_m0_within_the_series_stays_what_it_is(tmp_path):
    path = write_encoded(tmp_path / "a", repeats=1)
    brain = head()
    volumes = [1000 * brain, *np.transpose(read_volumes(path), (3, 0, 1, 2))]
    words = ["m0scan", "control", "label", "label", "label"]
    keys = {"PostLabelingDelay": [0, 0.0, *DELAYS], "LabelingDuration": 0.8, "M0Type": "Included"}
    keys |= {"TimeEncodedMatrixType": "Hadamard", "TimeEncodedMatrixSize": 4, "RepetitionTimePreparation": [6.0] * 5}
    series = read_series(write_series(tmp_path / "b", words=words, array=np.stack(volumes, -1), sidecar=keys, m0=None))
    assert series.context == (VolumeType.M0SCAN, *(VolumeType.DELTAM,) * 3)
    assert series.acquisition.post_labeling_delay == (0.0, *DELAYS) and series.m0.array.max() > 900
    np.testing.assert_allclose(levels(series)[1:], [8, 5, 3], atol=0.1)


def read_volumes(path):
    import nibabel

    return np.asarray(nibabel.load(path).dataobj)


def test_philips_signs_are_the_other_way_round(tmp_path):
    path = write_encoded(tmp_path, keys={"Manufacturer": "Philips"})
    np.testing.assert_allclose(levels(read_series(path)), [-8, -5, -3] * 2, atol=0.1)
    bend_sidecar(path, TimeEncodedMatrix=signs(HADAMARD[4]).tolist())
    np.testing.assert_allclose(levels(read_series(path)), [8, 5, 3] * 2, atol=0.1)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"PostLabelingDelay": 1.8}, "one for each of 3 sub-boli"),
        ({"PostLabelingDelay": [1.0, 1.5]}, "one for each of 3 sub-boli"),
        ({"TimeEncodedMatrixSize": 8, "TimeEncodedMatrixType": "Walsh"}, "no multiple of 8"),
        ({"TimeEncodedMatrix": [[1, -1], [1, -1], [1, 1]]}, "TimeEncodedMatrix is no matrix"),
        ({"TimeEncodedMatrix": [[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 1]]}, "TimeEncodedMatrix is no matrix"),
        ({"TimeEncodedMatrix": [[1, -1, 1, -1]] * 3}, "TimeEncodedMatrix is no matrix"),
        ({"EchoTime": [0.01, 0.02]}, "no multiple of 8"),
    ],
)
def test_a_code_that_does_not_fit_is_refused_in_one_sentence(tmp_path, keys, said):
    refusal(read_series, write_encoded(tmp_path, repeats=3, keys=keys), mentions=(said,))


@pytest.mark.parametrize("keys", [{"TimeEncodedMatrixSize": None}, {"TimeEncodedMatrixSize": 12}])
def test_a_code_whose_matrix_is_not_known_is_refused_as_before(tmp_path, keys):
    path = write_encoded(tmp_path, keys={**keys, "PostLabelingDelay": 1.8, "LabelingDuration": 1.8})
    refusal(require_quantifiable, read_series(path), mentions=("time-encoded",))


@pytest.mark.runs
def test_a_code_of_seven_sub_boli_is_fitted_to_the_cbf_and_arrival_times_it_was_made_from(tmp_path):
    """From the shell: the sub-boli of a Hadamard 8, the oldest label first, as seven delays with a duration each."""
    from ASLDenoiseLib.__main__ import main

    delays = tuple(0.4 + 0.4 * n for n in range(6, -1, -1))
    scan = scan_of_delays(delays=delays, durations=0.4, repeats=1, kind="deltam", size=(16, 16, 12))
    differences = np.transpose(scan.series.array.astype(float), (0, 3, 2, 1))
    static = np.where(scan.brain.T, 1000.0, 0.0)
    code = encoded(differences, signs(HADAMARD[8]), control=static)
    rng = np.random.default_rng(1)
    volumes = np.concatenate([code + rng.normal(0, 0.3, code.shape) for _ in range(2)])
    keys = {"PostLabelingDelay": [0, *delays], "LabelingDuration": 0.4, "TimeEncodedMatrixType": "Hadamard"}
    keys |= {"TimeEncodedMatrixSize": 8}
    words = ["control" if n % 8 == 0 else "label" for n in range(16)]
    path = write_series(tmp_path, words=words, array=np.moveaxis(volumes, 0, -1), sidecar=keys, m0=None)
    save_like(path, tmp_path / "sub-01_m0scan.nii.gz", scan.series.m0.array)
    out = tmp_path / "out"
    options = ["--no-scene", "--no-spatial-prior", "--no-motion", "--outliers", "none"]
    assert main(["quantify", str(path), "--out", str(out), *options]) == 0
    inside = np.isfinite(scan.cbf.array) & (scan.cbf.array == 60)
    for name, true, within in (("desc-mean_cbf", scan.cbf, 6), ("desc-mean_att", scan.att, 0.1)):
        (found,) = sorted(out.rglob(f"*{name}.nii.gz"))
        values = np.transpose(read_volumes(found), (2, 1, 0))
        use = inside & np.isfinite(values)
        assert use.sum() > 0.7 * inside.sum()
        assert np.median(np.abs(values[use] - true.array[use])) < within
