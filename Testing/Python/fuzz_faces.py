"""Bends of the files themselves, and of the options of a command."""

from __future__ import annotations

import gzip
import io
import json

import numpy as np

from Testing.Benchmarks.library.field_phantom import MadeScan, nifti
from Testing.Python.fuzz_bends import MAGNITUDE, SCALE, Bend, Random, need

_IMAGE, _JSON, _M0_JSON = "_asl.nii.gz", "_asl.json", "_m0scan.json"
_DOUBTFUL = ("pld-label-duration-doubtful", "unusual-value", *MAGNITUDE)


def _file(name: str, ending: str, content, named: tuple[str, ...] = (), *, harmless: bool = False) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        need(ending != _M0_JSON or scan.m0 is not None)
        scan.files[ending] = content(scan)
        return name

    return Bend(name, "file", apply, named, harmless)


def _truncated(scan: MadeScan) -> bytes:
    return gzip.compress(nifti(scan.volumes, scan.affine), mtime=0)[:20000]


def _header_alone(scan: MadeScan) -> bytes:
    return gzip.compress(nifti(scan.volumes, scan.affine)[:352], mtime=0)


def _five_axes(scan: MadeScan) -> bytes:
    return gzip.compress(nifti(scan.volumes[:, :, :, None], scan.affine), mtime=0)


def _complex(scan: MadeScan) -> bytes:
    return gzip.compress(nifti(scan.volumes, scan.affine, np.complex64), mtime=0)


def _colours(scan: MadeScan) -> bytes:
    colours = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    return gzip.compress(nifti(np.zeros(scan.volumes.shape[:3], colours), scan.affine, colours), mtime=0)


def _latin(scan: MadeScan) -> bytes:
    return json.dumps({**scan.keys, "InstitutionName": "Universität"}, ensure_ascii=False).encode("latin-1")


def _with_bom(scan: MadeScan) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(scan.keys).encode()


def _not_gzipped(scan: MadeScan, random: Random) -> str:
    """A plain NIfTI that is called .nii.gz."""
    scan.files[_IMAGE] = nifti(scan.volumes, scan.affine)
    return "a plain NIfTI called .nii.gz"


def _scaled_header(scan: MadeScan, random: Random) -> str:
    """Integers with a slope and an intercept in the header: still right."""
    import nibabel as nib

    low, top = float(scan.volumes.min()), float(scan.volumes.max())
    need(np.isfinite([low, top]).all() and top > low)
    slope = (top - low) / 65000
    stored = np.round((scan.volumes - low) / slope - 32500).astype(np.int16)
    header = nib.Nifti1Header.from_fileobj(io.BytesIO(nifti(stored, scan.affine, np.int16)))
    header["scl_slope"], header["scl_inter"] = slope, low + 32500 * slope
    scan.files[_IMAGE] = gzip.compress(header.binaryblock + b"\0" * 4 + stored.tobytes(order="F"), mtime=0)
    return f"integers with a slope of {slope:.4g}"


def _option(words: str, named: tuple[str, ...] = (), *, run: bool = False) -> Bend:
    """Options as they are typed, in place of the same ones."""

    def apply(scan: MadeScan, random: Random) -> str:
        given = scan.run_options if run else scan.options
        name, *values = words.split(" ")
        if name in given and values:
            at = given.index(name)
            del given[at : at + 1 + len(values)]
        given.extend([name, *values])
        return words

    return Bend(words, "option", apply, named)


def _masks(name: str, change) -> Bend:
    """Tissue masks that are not those of this scan; CBF itself does not depend on them."""

    def apply(scan: MadeScan, random: Random) -> str:
        gm = change(scan.gm.astype(np.float32))
        scan.files["_bad.nii.gz"] = gzip.compress(nifti(gm, scan.affine), mtime=0)
        scan.run_options.extend(["--gm", "{folder}/sub-01_bad.nii.gz", "--wm", "{folder}/wm.nii.gz"])
        return name

    return Bend(name, "option", apply)


_SERIES_OPTIONS = (
    ("--pld 0", _DOUBTFUL),
    ("--pld -1", ()),
    ("--pld 1800", ("milliseconds",)),
    ("--pld nan", ()),
    ("--pld inf", ()),
    ("--pld two", ()),
    ("--label-duration 0", _DOUBTFUL),
    ("--label-duration -1.8", ()),
    ("--label-duration 1800", ("milliseconds",)),
    ("--bolus-duration 700", ("milliseconds",)),
    ("--labeling spin", ()),
    ("--field-strength 0", ()),
    ("--field-strength 30000", ("unusual-value",)),
    ("--field-strength -3", ()),
    ("--t1-blood 1650", ("milliseconds",)),
    ("--t1-blood 0", ()),
    ("--t1-blood -1.65", ()),
    ("--efficiency 85", ()),
    ("--efficiency 0", ()),
    ("--efficiency -0.85", ()),
    ("--suppression-pulses -1", ()),
    ("--suppression-pulses 200", ("unusual-value",)),
    ("--m0-tr 6000", ("milliseconds",)),
    ("--m0-tr -6", ()),
    ("--m0-scale 0", ()),
    ("--m0-scale -1", ()),
    ("--m0-scale nan", ()),
    ("--m0-scale 1000", SCALE),
    ("--m0 nothing_here.nii.gz", ()),
    ("--m0 0", ()),
    ("--m0 -5", ()),
    ("--m0 nan", ()),
    ("--m0 {folder}/sub-01_asl.json", ()),
    ("--m0 {folder}", ()),
    ("--context spin,spun", ()),
    ("--context control", ()),
    ("--context ,,", ()),
    ("--context nothing_here.tsv", ()),
    ("--fix everything", ()),
    ("--fix pld-99", ()),
    ("--swap", ("control-label-swapped", *SCALE)),
)
_RUN_OPTIONS = (
    "--pairs 99",
    "--pairs 0",
    "--pairs first",
    "--pairs 3-1",
    "--smooth -1",
    "--smooth nan",
    "--smooth 1000",
    "--smooth-m0 -1",
    "--nuisance everything",
    "--outliers all",
    "--roi thalamus",
    "--roi a={folder}/nothing_here.nii.gz",
    "--roi a={folder}/sub-01_asl.json",
    "--t1 {folder}/nothing_here.nii.gz",
    "--t1 {folder}/sub-01_asl.json",
    "--t1-to-asl {folder}/sub-01_asl.json",
    "--t1-start {folder}/nothing_here.h5",
    "--labels {folder}/sub-01_asl.nii.gz",
    "--name a/b",
    "--mni",
)

BENDS = (
    _file("image truncated", _IMAGE, _truncated),
    _file("image a header alone", _IMAGE, _header_alone),
    _file("image empty", _IMAGE, lambda scan: b""),
    _file("image no NIfTI", _IMAGE, lambda scan: b"This is not an image. " * 100),
    _file("image absent", _IMAGE, lambda scan: None),
    _file("image with five axes", _IMAGE, _five_axes),
    _file("image complex", _IMAGE, _complex),
    _file("image in colours", _IMAGE, _colours),
    Bend("image not compressed", "file", _not_gzipped),
    Bend("image with a slope", "file", _scaled_header, harmless=True),
    _file("sidecar absent", _JSON, lambda scan: None),
    _file("sidecar cut", _JSON, lambda scan: json.dumps(scan.keys).encode()[:-20]),
    _file("sidecar a list", _JSON, lambda scan: json.dumps([scan.keys]).encode()),
    _file("sidecar empty", _JSON, lambda scan: b""),
    _file("sidecar with BOM", _JSON, _with_bom, harmless=True),
    _file("sidecar in latin-1", _JSON, _latin),
    _file("sidecar of the M0 cut", _M0_JSON, lambda scan: b'{"RepetitionTimePreparation": '),
    _file("sidecar of the M0 absent", _M0_JSON, lambda scan: None, ("m0-tr-missing",)),
    *(_option(words, named) for words, named in _SERIES_OPTIONS),
    *(_option(words, ("few-pairs",) if "pairs" in words else (), run=True) for words in _RUN_OPTIONS),
    _masks("masks empty", lambda gm: gm * 0),
    _masks("masks not a number", lambda gm: gm * np.nan),
    _masks("masks of another grid", lambda gm: gm[:-3]),
    _masks("masks in percent", lambda gm: gm * 100),
    _masks("masks negative", lambda gm: -gm),
)
