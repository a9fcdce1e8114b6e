"""What the tests of the panel share: the made series on disk, and a panel that a whole module uses."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from ASLDenoiseLib.series import Volume


def write_bids(folder, made, subject="sub-01", *, t1=True):
    """A series with sidecars, M0 and T1 as a BIDS data set has them."""
    import nibabel as nib

    from ASLDenoiseLib.reporting.derivatives import save_volume

    perf, anat = folder / subject / "perf", folder / subject / "anat"
    perf.mkdir(parents=True)
    image = nib.Nifti1Image(made.array.transpose(3, 2, 1, 0), made.geometry.affine_ras)
    nib.save(image, perf / f"{subject}_asl.nii.gz")
    save_volume(made.m0, perf / f"{subject}_m0scan.nii.gz")
    sidecar = {
        "ArterialSpinLabelingType": "PCASL",
        "PostLabelingDelay": 1.8,
        "LabelingDuration": 1.8,
        "MagneticFieldStrength": 3.0,
        "BackgroundSuppression": False,
        "MRAcquisitionType": "3D",
        "M0Type": "Separate",
    }
    (perf / f"{subject}_asl.json").write_text(json.dumps(sidecar))
    (perf / f"{subject}_m0scan.json").write_text(json.dumps({"RepetitionTimePreparation": 6.0}))
    (perf / f"{subject}_aslcontext.tsv").write_text("volume_type\n" + "control\nlabel\n" * 6)
    if t1:
        anat.mkdir()
        save_volume(Volume(made.array[0], made.geometry), anat / f"{subject}_T1w.nii.gz")
    return perf / f"{subject}_asl.nii.gz"


@contextmanager
def panel_of_module(repo_root):
    """The panel as Slicer opens it, for all tests of a module; what a slot raises fails it."""
    from slicer_harness import dialogs, installed, why_absent

    if why_absent():
        pytest.skip(why_absent())
    from slicer_harness.panel import open_panel, slot_errors

    dialogs.forget()
    with installed(), slot_errors() as errors:
        opened = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
        start_late(opened)
        yield opened
        opened.close()
    assert not errors, errors[0].text


def start_late(panel):
    """Have a panel start the process of a run with Apply alone, as tests of other things need no process that waits."""
    panel.widget.run.warm = lambda: None


class FakeDriver:
    """Stands in for `ASLDenoisePanel.running.Driver`: does no work; the test says how far it is and how it ends."""

    def __init__(self):
        self.running, self.task, self.progress, self.log = False, None, None, None
        self.warmed = []

    def start(self, task, *, done, failed, progress=None, log=None, cancelled=None):
        self.running, self.task, self.progress, self.log = True, task, progress, log
        self._done, self._failed, self._cancelled = done, failed, cancelled

    def warm(self, modules):
        self.warmed.append(modules)

    def finish(self, found):
        self.running = False
        self._done(found)

    def fail(self, event):
        self.running = False
        self._failed(event)

    def cancel(self):
        self.running = False
        self._cancelled(None)

    def abandon(self):
        self.running = False
