"""Whatever stands in a file, a reader gives a value or refuses it by an `InputError`: properties, by hypothesis."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from reading_builders import SIZE, head, save
from request_builders import made_series

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.request_json import FORMAT, plain_request, read_request
from ASLDenoiseLib.reading import bids, conversion, dicom, vendor_scaling
from ASLDenoiseLib.reading.images import is_single_volume, read_array4d
from ASLDenoiseLib.series import Acquisition, Geometry, VolumeType
from ASLDenoiseLib.series_json import acquisition_from_plain, acquisition_to_plain

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEWER = settings(QUICK, max_examples=25)
FIELDS = {f.name: f for f in fields(Acquisition) if f.name != "origins"}
KEYS = [f.metadata["bids"] for f in FIELDS.values()]

numbers = st.one_of(
    st.integers(-5, 5), st.integers(), st.just(10**400), st.floats(), st.floats(0, 10), st.sampled_from([1e-320, 1e300])
)
plain = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8), st.sampled_from(["PCASL", "3D", "k-", "n/a"]))
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
sidecars = st.dictionaries(st.sampled_from([*KEYS, "RepetitionTime", "InitialPostLabelDelay"]), values, max_size=6)


def tried(action, *args, **options):
    """What `action` gives; None where it refuses in one sentence."""
    try:
        return action(*args, **options)
    except InputError as refused:
        sentence = str(refused)
    assert "\n" not in sentence and sentence.endswith("."), sentence
    return None


@QUICK
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode) | values.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_a_sidecar_or_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    found = tried(bids.read_json, path)
    assert found is None or isinstance(found, dict)


@QUICK
@given(sidecars, st.lists(st.sampled_from([*FIELDS]), max_size=2))
def test_any_sidecar_states_an_acquisition_or_is_refused(sidecar, answered):
    acquisition = tried(bids.acquisition_from, sidecar, given=answered)
    if acquisition is None:
        return
    for name in acquisition.origins:
        value = getattr(acquisition, name)
        if isinstance(value, (int, float)):
            assert math.isfinite(value) and value >= 0
    again = acquisition_from_plain(json.loads(json.dumps(acquisition_to_plain(acquisition))))
    assert again == acquisition
    grid = Geometry(SIZE, (8.0, 8.0, 8.0))
    tried(bids.reduce_arrays, acquisition, (VolumeType.CONTROL, VolumeType.LABEL), grid)


@pytest.mark.parametrize("name", FIELDS)
def test_any_value_of_a_field_is_parsed_or_refused_and_parses_to_itself(name):
    @FEWER
    @given(values)
    def check(raw):
        parsed = tried(bids.parse_value, name, raw, where="the test")
        if parsed is not None:
            again = list(parsed) if isinstance(parsed, tuple) else parsed
            assert bids.parse_value(name, again, where="the test") == parsed
            tried(bids.with_user_values, Acquisition(), {name: raw})

    check()


@QUICK
@given(st.dictionaries(st.sampled_from([*FIELDS, "nonsense"]), values | st.dictionaries(st.just("value"), values)))
def test_any_acquisition_of_a_saved_series_is_read_or_refused(mapping):
    tried(acquisition_from_plain, mapping)


words = st.sampled_from(["volume_type", "control", "label", "m0scan", "n/a", "\t", "\n", "\r\n", '"', " ", "x", "\x00"])


@QUICK
@given(st.binary(max_size=40) | st.lists(words, max_size=12).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_are_a_context_or_refused(tmp_path, content):
    path = tmp_path / "x_aslcontext.tsv"
    path.write_bytes(content)
    types = tried(bids.read_context, path)
    assert types is None or all(isinstance(kind, VolumeType) for kind in types)
    if types is not None:
        path.write_text("\n".join(["volume_type", *(kind.value for kind in types)]) + "\n")
        assert bids.read_context(path) == types


@QUICK
@given(st.lists(st.sampled_from([kind.value for kind in VolumeType]) | plain, max_size=5), st.integers(0, 12))
def test_any_pattern_fills_the_series_or_is_refused(pattern, volumes):
    types = tried(bids.expanded_context, pattern, volumes)
    assert types is None or (len(types) == volumes and types[: len(pattern)] == bids.as_context(pattern))


DICOM_KEYS = ["ImageType", "SeriesDescription", "ProtocolName", "SequenceName", "BidsGuess", "SeriesNumber"]
DICOM_KEYS += ["Manufacturer", "ArterialSpinLabelingType", "AcquisitionTime", "InversionTime", "PostLabelingDelay"]
described = st.sampled_from(["pCASL", "M0", "control", "label", "T1 MPRAGE", "CBF", "SOURCE - ASL", "GE", "Philips"])


@QUICK
@given(st.lists(st.dictionaries(st.sampled_from(DICOM_KEYS), values | described, max_size=5), max_size=3))
def test_whatever_a_converter_writes_of_its_images_they_are_listed_and_chosen_among_or_refused(sidecars):
    grid, folder = Geometry((2, 2, 2), (1.0, 1.0, 1.0)), Path("scan")
    settled = [{**conversion.settled_keys(list(sidecar.items())), "ConvertedName": "x"} for sidecar in sidecars]
    images = [conversion.ConvertedImage(Path("x.nii"), folder, keys, 4, grid) for keys in settled]
    found = conversion.Conversion(folder, tuple(images))
    assert all(isinstance(str(image), str) for image in images)
    series = tried(dicom.dicom_series, found)
    tried(dicom.dicom_t1s, found)
    tried(vendor_scaling.philips_m0_factor, *(settled * 2)[:2]) if settled else None
    if series:
        assert len({each.number for each in series}) == len(series)
        assert all(isinstance(each.label, str) for each in series)


@FEWER
@given(st.integers(0, 347), st.binary(min_size=1, max_size=24), st.booleans())
def test_any_nifti_header_is_read_or_refused(tmp_path, offset, content, packed):
    path = tmp_path / "x.nii"
    if not (tmp_path / "whole.nii").exists():
        save(tmp_path / "whole.nii", head())
    whole = bytearray((tmp_path / "whole.nii").read_bytes())
    whole[offset : offset + len(content)] = content
    path.write_bytes(whole[:400] if packed else whole)
    found = tried(read_array4d, path)
    tried(is_single_volume, path)
    if found is not None:
        array, geometry = found
        assert array.ndim == 4 and array.shape[1:] == geometry.shape and not np.isinf(array).any()


@FEWER
@given(st.binary(min_size=344, max_size=344))
def test_a_header_of_random_bytes_is_refused_or_read(tmp_path, content):
    path = tmp_path / "x.nii"
    path.write_bytes(struct.pack("<i", 348) + content[:340] + b"n+1\x00" + bytes(4000))
    tried(read_array4d, path)


PARTS = ["series", "head", "preparation", "denoising", "superresolution", "outputs", "device", "regions"]
NAMES = ["path", "t1", "gm", "wm", "t1_to_asl", "pairs", "nuisance", "group", "model", "spacing", "like", "regions"]
requests = st.dictionaries(
    st.sampled_from(PARTS), values | st.dictionaries(st.sampled_from(NAMES), values, max_size=4), max_size=4
)
leaves = st.sampled_from(
    [{"file": "a.nii"}, {"matrix": [[1]]}, {"grid": {}}, {"tissue_maps": {}}, {"voxels": {}}, "1-4"]
)


@QUICK
@given(requests, st.dictionaries(st.sampled_from(NAMES), leaves, max_size=3))
def test_any_request_is_read_or_refused(tmp_path, parts, more):
    path = tmp_path / "x_request.json"
    path.write_text(json.dumps({"format": FORMAT, "series": {"path": {"file": "a"}, **more}, **parts}))
    tried(read_request, path)
    path.write_text(json.dumps({"format": FORMAT, "series": {"path": {"file": "a"}}, "head": more, **parts}))
    request = tried(read_request, path)
    if request is not None:
        path.write_text(json.dumps(plain_request(request)))
        assert plain_request(read_request(path)) == plain_request(request)


@QUICK
@given(st.binary(max_size=80))
def test_any_bytes_are_no_request(tmp_path, content):
    path = Path(tmp_path, "x_request.json")
    path.write_bytes(content)
    assert tried(read_request, path) is None


@FEWER
@given(st.lists(st.floats() | st.integers(-3, 3), min_size=16, max_size=16))
def test_any_affine_is_a_grid_or_refused(numbers):
    with np.errstate(all="ignore"):
        grid = tried(Geometry.from_affine_ras, np.reshape(np.array(numbers, float), (4, 4)), (2, 3, 4))
    assert grid is None or made_series().geometry.matches(grid) is False
