"""The bundled sample series in Slicer's Sample Data module. No Qt here.

Sample Data offers what is registered with `SampleDataLogic.registerCustomSampleDataSource`. A click on a data set calls
its `customDownloader` with the registered source; Slicer's own download would read the series without its sidecars, and
the acquisition would be lost. ``SampleData.downloadSamples(NAME)`` in the console knows no custom downloader: it copies
the files to the cache, checks their sums and returns their paths, the series first and its sidecars beside it.
"""

from __future__ import annotations

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from .paths import resource

MODULE = "ASLDenoise"
CATEGORY = "ASL Denoise"
NAME = "ASL sample series (simulated)"
_THUMBNAIL = "Icons/ASLDenoiseSample.png"
# The text files have no sum: what a checkout does to the ends of their lines must not count as damage.
_FILES = {
    "perf/sub-phantom_asl.nii.gz": "SHA256:d74da11c688e525a2fcfa23b1dc77ae13681d2ef3339d2e02379cff123105ba4",
    "perf/sub-phantom_asl.json": None,
    "perf/sub-phantom_aslcontext.tsv": None,
    "perf/sub-phantom_m0scan.nii.gz": "SHA256:c7bcbe897f90a09a968a57ff58fd3d19b3e10cb7258c33d503cc34a990a11bce",
    "perf/sub-phantom_m0scan.json": None,
    "anat/sub-phantom_T1w.nii.gz": "SHA256:adb299d0e8ef279278626d760e1d957abb07fdf5ed842f9ca4653e028e8fda8e",
}


def offerSampleData() -> None:
    """Register the sample data once Slicer has started; at once where it has, as for a module that is added later."""
    slicer.app.connect("startupCompleted()", registerSampleData)
    if slicer.util.mainWindow() is not None:  # the main window is newer than the modules that Slicer starts with
        registerSampleData()  # Slicer keeps one of two equal sources


def registerSampleData() -> None:
    """Add the sample series to the Sample Data module; nothing where either is not there."""
    from ASLDenoiseLib.errors import InputError

    try:
        from SampleData import SampleDataLogic

        paths = _paths()
    except (ImportError, InputError):  # an application built on Slicer may leave either out
        return
    SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris=[path.as_uri() for path in paths],
        fileNames=[path.name for path in paths],
        checksums=list(_FILES.values()),
        loadFiles=[False] * len(paths),
        customDownloader=loadSample,
        thumbnailFileName=str(resource(_THUMBNAIL) or ""),
    )


def loadSample(source) -> None:
    """Open the panel and have it load the series: images, acquisition, M0 and T1.

    Args:
        source: the registered `SampleData.SampleDataSource`; its sums are checked first.
    """
    from ASLDenoiseLib.errors import InputError

    try:
        paths = _paths()
        _check(paths, source.checksums)
    except InputError as error:
        slicer.util.errorDisplay(str(error))
        return
    if slicer.util.mainWindow() is not None:
        slicer.util.selectModule(MODULE)
    slicer.util.getModuleWidget(MODULE).load(paths[0])


def _paths() -> list[Path]:
    """The files in the order of `_FILES`; an InputError where they are not installed."""
    from ASLDenoiseLib.resources import sample_data

    folder = sample_data().asl.parents[1]
    return [folder / name for name in _FILES]


def _check(paths, checksums) -> None:
    from ASLDenoiseLib.errors import InputError

    wrong = []
    for path, checksum in zip(paths, checksums, strict=True):
        algorithm, digest = slicer.util.extractAlgoAndDigest(checksum)
        if not path.is_file() or (digest is not None and slicer.util.computeChecksum(algorithm, str(path)) != digest):
            wrong.append(path.name)
    if wrong:
        text = _("The sample data are not as they were published ({names}); install the extension again.")
        raise InputError(text.format(names=", ".join(wrong)))
