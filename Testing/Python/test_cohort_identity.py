"""What tells a finished scan from one to run: request, content of every file it reads, model and version."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bids_builders import data_set, t1
from reading_builders import bend_image, bend_sidecar, head, save

from ASLDenoiseLib.group.record import ScanRecord, Status
from ASLDenoiseLib.participants import identity
from ASLDenoiseLib.participants.find import find_scans
from ASLDenoiseLib.participants.identity import finished, identity_of, input_files
from ASLDenoiseLib.participants.template import Template, request_of
from ASLDenoiseLib.pipeline.request import Atlas, Denoising, Outputs, SeriesFile
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.reporting.listing import file_digest
from ASLDenoiseLib.series import Geometry, Volume


@pytest.fixture
def root(tmp_path):
    root = data_set(tmp_path / "set", "sub-01")
    t1(root, "sub-01")
    (root / "asl.json").write_text('{"EchoTime": 0.01}')
    return root


def request(root: Path, template: Template | None = None, out: Path = Path("out")):
    return request_of(find_scans(root).scans[0], template or Template(), out)


def digest(root: Path, template: Template | None = None, out: Path = Path("out")) -> str:
    return identity_of(request(root, template, out), root).digest


def test_every_file_that_a_run_reads_is_among_its_inputs(root):
    names = {path.relative_to(root).as_posix() for path in input_files(request(root))}
    perf = {f"sub-01/perf/sub-01_{end}" for end in ("asl.nii.gz", "asl.json", "aslcontext.tsv")}
    m0 = {"sub-01/perf/sub-01_m0scan.nii.gz", "sub-01/perf/sub-01_m0scan.json"}
    assert names == {*perf, *m0, "sub-01/anat/sub-01_T1w.nii.gz", "asl.json"}


CHANGES = {
    "a voxel of the series": lambda root: bend_image(next(root.glob("sub-01/perf/*_asl.nii.gz")), lambda a: a + 1),
    "the sidecar": lambda root: bend_sidecar(next(root.glob("sub-01/perf/*_asl.nii.gz")), PostLabelingDelay=2.0),
    "a sidecar that is inherited": lambda root: (root / "asl.json").write_text('{"EchoTime": 0.02}'),
    "a new sidecar above": lambda root: (root / "sub-01" / "sub-01_asl.json").write_text("{}"),
    "the M0": lambda root: bend_image(next(root.glob("sub-01/perf/*_m0scan.nii.gz")), lambda a: a + 1),
    "the T1": lambda root: bend_image(next(root.glob("sub-01/anat/*")), lambda a: a + 1),
    "another T1": lambda root: os.rename(
        root / "sub-01/anat/sub-01_T1w.nii.gz", root / "sub-01/anat/sub-01_acq-x_T1w.nii.gz"
    ),
    "the context": lambda root: next(root.glob("sub-01/perf/*.tsv")).write_text("volume_type\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_an_input_changes_the_digest(what, root):
    before = digest(root)
    assert digest(root) == before
    CHANGES[what](root)
    assert digest(root) != before


TEMPLATES = {
    "preparation": Template(preparation=Preparation(pairs="1-4")),
    "model": Template(denoising=Denoising("dwan-lfn")),
    "no denoising": Template(denoising=None),
    "a value": Template(series=SeriesFile(Path("x_asl.nii.gz"), values={"labeling_efficiency": 0.7})),
    "outputs": Template(outputs=Outputs(mni=False, scene=True)),
}


@pytest.mark.parametrize("what", TEMPLATES)
def test_another_request_has_another_digest(what, root):
    assert digest(root, TEMPLATES[what]) != digest(root)


def test_an_atlas_counts_by_its_content_and_not_by_where_it_lies(root, tmp_path):
    def of(folder: str, level: float) -> str:
        labels = save(tmp_path / folder / "atlas.nii.gz", level * head())
        return digest(root, Template(outputs=Outputs(atlases=(Atlas(labels, space="mni"),))))

    assert of("a", 1) == of("b", 1) != of("a", 2)
    grid = Geometry((2, 2, 2), (1.0, 1.0, 1.0))
    in_memory = (Volume(np.full((2, 2, 2), level, np.float32), grid) for level in (1, 1, 2))
    first, same, other = (digest(root, Template(outputs=Outputs(atlases=(Atlas(v, space="mni"),)))) for v in in_memory)
    assert first == same != other


def test_weights_and_version_count(root, monkeypatch):
    before = digest(root)
    monkeypatch.setattr(identity, "own_version", lambda: "9.9")
    assert digest(root) != before


def test_a_data_set_and_an_out_that_were_moved_have_the_same_digest(root, tmp_path):
    before = digest(root, out=tmp_path / "out")
    moved = shutil.copytree(root, tmp_path / "elsewhere" / "set")
    assert digest(moved, out=tmp_path / "other") == before


def test_where_networks_run_does_not_count(root):
    assert digest(root, Template(device="cpu")) == digest(root)


def test_a_file_that_was_not_touched_is_not_read_again(root, monkeypatch):
    first = identity_of(request(root), root)
    assert set(first.stamps) >= {"sub-01/perf/sub-01_asl.nii.gz", "asl.json"}
    kept = {name: tuple(stamp) for name, stamp in json.loads(json.dumps(dict(first.stamps))).items()}
    read = []
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: read.append(self.name) or opened(self, *a, **k))
    assert identity_of(request(root), root, earlier=kept) == first
    assert "sub-01_asl.nii.gz" not in read and "sub-01_T1w.nii.gz" not in read
    os.utime(root / "asl.json")
    assert identity_of(request(root), root, earlier=kept).digest == first.digest
    assert "asl.json" in read


def recorded(out: Path, **changes) -> ScanRecord:
    """A record of a scan with two files and their listing."""
    folder = out / "sub-01" / "perf"
    folder.mkdir(parents=True)
    files = {"sub-01_desc-mean_cbf.nii.gz": "voxels", "sub-01_report.html": "page"}
    for name, text in files.items():
        (folder / name).write_text(text)
    digests = {name: file_digest(folder / name) for name in files}
    listing = {"GeneratedBy": "ASLDenoise", "series": "sub-01", "source": "", "voxels": "v", "files": digests}
    (folder / "sub-01_files.json").write_text(json.dumps({**listing, "shared": {}, "contents": {}}))
    return ScanRecord(**{"name": "sub-01", "participant": "01", "session": "", "status": Status.DONE, "digest": "d",
                         "folder": "sub-01/perf", **changes})  # fmt: skip


def test_a_scan_is_finished_when_its_record_its_listing_and_all_files_say_so(tmp_path):
    record = recorded(tmp_path)
    state = finished(record, "d", tmp_path)
    assert state.done and state.listing.voxels == "v" and state.changed == ()
    assert not finished(record, "other", tmp_path).done
    assert not finished(None, "d", tmp_path).done
    assert not finished(recorded(tmp_path / "failed", status=Status.FAILED), "d", tmp_path / "failed").done


def test_a_file_that_is_gone_makes_it_unfinished_one_that_was_changed_is_named(tmp_path):
    record = recorded(tmp_path)
    report = tmp_path / "sub-01" / "perf" / "sub-01_report.html"
    report.write_text("mine")
    assert finished(record, "d", tmp_path).changed == ("sub-01_report.html",)
    report.unlink()
    assert not finished(record, "d", tmp_path).done
    report.write_text("page")
    (report.parent / "sub-01_files.json").unlink()
    assert not finished(record, "d", tmp_path).done
