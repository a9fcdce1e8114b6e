"""The Slicer face of ASLDenoise: what the module is. Its panel, logic and self test are in ASLDenoisePanel.

Everything that computes is in ASLDenoiseLib. Slicer looks for the classes by name in this file: those of the module,
and the two by which Slicer's own ways in take an ASL series.
"""

import importlib.util
import os
import sys
from pathlib import Path

from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

_HERE = Path(__file__).resolve().parent
_HOME = "https://github.com/ASLDenoise/SlicerASLDenoise"
for _package, _folder in (("ASLDenoisePanel", _HERE), ("ASLDenoiseLib", _HERE.parent)):
    if importlib.util.find_spec(_package) is None:  # a checkout's ASLDenoise folder given to Slicer as it is
        sys.path.insert(0, str(_folder))
# Reloading the module runs this file alone again; its parts are to be read again with it.
for _name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
    del sys.modules[_name]

from ASLDenoisePanel.file_reader import SeriesFileDialog, SeriesFileReader  # noqa: E402
from ASLDenoisePanel.logic import ASLDenoiseLogic  # noqa: E402
from ASLDenoisePanel.parameters import ASLDenoiseParameterNode, Device, Grid, Outliers, Way  # noqa: E402
from ASLDenoisePanel.paths import resource  # noqa: E402
from ASLDenoisePanel.sampledata import offerSampleData  # noqa: E402
from ASLDenoisePanel.segment_statistics import offerStatistics  # noqa: E402
from ASLDenoisePanel.selftest import ASLDenoiseTest  # noqa: E402
from ASLDenoisePanel.widget import ASLDenoiseWidget  # noqa: E402

__all__ = [
    "ASLDenoise",
    "ASLDenoiseWidget",
    "ASLDenoiseLogic",
    "ASLDenoiseTest",
    "ASLDenoiseFileDialog",
    "ASLDenoiseFileReader",
    "ASLDenoiseParameterNode",
    "Device",
    "Grid",
    "Outliers",
    "Way",
]


class ASLDenoise(ScriptedLoadableModule):
    """The module's title, category, help and icon in Slicer."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("ASL Denoise")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Neuroimaging")]
        self.parent.dependencies = ["Volumes", "Sequences", "Segmentations", "SubjectHierarchy", "Colors"]
        self.parent.contributors = ["The ASLDenoise contributors"]
        self.parent.helpText = _(
            "Denoises arterial spin labelling (ASL) MRI and quantifies cerebral blood flow (CBF, ml/100g/min). The raw "
            "map always stands beside the denoised one, at the same window and in the same table. "
            "For research use only; not for diagnosis.\n\n"
            "Where networks run, what is wrong with PyTorch, and how to reinstall it: Advanced, below 'Computes on'."
        )
        self.parent.helpText += _(
            '<p>See the <a href="{home}/blob/main/Docs/tutorial.md">tutorial</a>, with sample data, and the '
            '<a href="{home}#readme">documentation</a>. Nothing is sent anywhere, and nothing is installed or fetched '
            "without asking.</p>"
        ).format(home=_HOME)
        self.parent.acknowledgementText = _(
            "Quantification follows the ISMRM perfusion study group's consensus (Alsop 2015). Each model names its "
            "paper and training data in its card."
        )
        self.parent.acknowledgementText += _(
            '<p>Licence: Apache-2.0 (<a href="{home}/blob/main/LICENSE.txt">LICENSE.txt</a>). '
            '<a href="{home}#how-to-cite">How to cite</a>: Copy methods, under the results of a run, gives a methods '
            "paragraph with its references.</p>"
        ).format(home=_HOME)
        icon = resource("Icons/ASLDenoise.png")
        if icon is not None:
            import qt

            self.parent.icon = qt.QIcon(str(icon))
        _tellChildren()
        offerSampleData()
        offerStatistics()

    def resourcePath(self, filename):
        """A file of Resources, beside this file or at the root of a checkout."""
        return str(resource(filename) or ScriptedLoadableModule.resourcePath(self, filename))


def _tellChildren():
    """Have the processes that the panel starts, and what they write, know which Slicer they belong to."""
    import slicer

    from ASLDenoiseLib.software import HOST_VERSION

    os.environ[HOST_VERSION] = str(slicer.app.applicationVersion)


class ASLDenoiseFileReader(SeriesFileReader):
    """ASL series in Add Data and for scripts; Slicer makes one of this name when it sets up the module."""


class ASLDenoiseFileDialog(SeriesFileDialog):
    """Folders that are dropped on Slicer's window; likewise."""
