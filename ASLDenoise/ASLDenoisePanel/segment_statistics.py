"""The figures of the Regions section in Slicer's own Segment Statistics, where that module is there."""

from __future__ import annotations

import math

import slicer
from slicer.i18n import tr as _

_NAME = "ASLDenoiseSegmentStatisticsPlugin"  # Slicer keeps a user's choices under the class's name


def offerStatistics() -> None:
    """Register with Segment Statistics once Slicer has started; at once where it has."""
    slicer.app.connect("startupCompleted()", registerStatistics)
    if slicer.util.mainWindow() is not None:
        registerStatistics()


def registerStatistics() -> None:
    """Add our plugin to Segment Statistics, in the place of one from before a reload."""
    try:
        from SegmentStatistics import SegmentStatisticsLogic
        from SegmentStatisticsPlugins import SegmentStatisticsPluginBase
    except ImportError:  # an application built on Slicer may leave it out
        return
    known = SegmentStatisticsLogic.registeredPlugins
    known[:] = [each for each in known if each.__name__ != _NAME]
    SegmentStatisticsLogic.registerPlugin(pluginOf(SegmentStatisticsPluginBase)())


def pluginOf(base):
    """The plugin as a class derived from Slicer's `SegmentStatisticsPluginBase`, which is not there at import."""

    def __init__(self):
        base.__init__(self)
        self.name = "ASL Denoise"
        self.title = _("ASL Denoise")
        self.keys = list(_measurements())
        self.defaultKeys = list(self.keys)

    def computeStatistics(self, segmentID):
        """The requested figures by key; without those that are not known, none where the volume is no map of ours."""
        segmentation, volume = _chosen(self, "Segmentation"), _chosen(self, "ScalarVolume")
        requested = [key for key in self.keys if _isRequested(self, key)]
        if not requested or volume is None or segmentation is None:
            return {}
        figures = _figuresOf(segmentation, segmentID, volume)
        return {key: value for key, value in figures.items() if key in requested and math.isfinite(value)}

    def getMeasurementInfo(self, key):
        """Name, description and unit of a figure; a mean has the unit of the chosen map."""
        found = _measurements().get(key)
        if found is None:
            return None
        name, description, unit = found
        unit = _unitOf(self) if unit is None else unit
        return {"name": name, "title": name, "description": description, "units": unit}

    members = {
        "__doc__": "Figures of segments in the maps of ASL Denoise.",
        "__init__": __init__,
        "computeStatistics": computeStatistics,
        "getMeasurementInfo": getMeasurementInfo,
    }
    return type(_NAME, (base,), members)


def _measurements():
    """Name, description and unit of every figure by its key; None for the unit of the map."""
    fraction = _("Each voxel counts by the fraction of it that the segment fills; what was not measured is left out.")
    spread = _("SD of the mean from scan to scan, by the spread of the pairs; of a mean of pairs alone.")
    return {
        "mean": (_("ASL mean"), fraction, None),
        "mean_error": (_("ASL mean, error"), spread, None),
        "sd": (_("ASL SD"), fraction, None),
        "snr": (_("ASL SNR"), _("Mean over the SD of white matter in the map."), ""),
        "voxels": (_("ASL voxels"), _("Sum of the fractions of the map's voxels."), _("voxels")),
        "volume_cm3": (_("ASL volume"), _("Volume of the segment as it was drawn."), "cm3"),
        "coverage_percent": (_("ASL measured"), _("Share of the segment that lies in measured voxels."), "%"),
    }


def _figuresOf(segmentation, segmentID, volume):
    from ASLDenoiseLib.scene.segment_figures import segment_figures

    found = segment_figures(segmentation, segmentID, volume)
    if found is None:
        return {}
    of = found.figures
    numbers = (of.mean, of.error, of.sd, found.snr, of.voxels, of.millilitres, 100 * of.coverage)
    return dict(zip(_measurements(), map(float, numbers), strict=True))


def _isRequested(plugin, key):
    """Whether a figure is ticked among the options of Segment Statistics."""
    return plugin.getParameterNode().GetParameter(f"{_NAME}.{key}.enabled") == "True"


def _chosen(plugin, parameter):
    """The node that is chosen in Segment Statistics; None for none."""
    identifier = plugin.getParameterNode().GetParameter(parameter)
    return slicer.mrmlScene.GetNodeByID(identifier) if identifier else None


def _unitOf(plugin):
    from ASLDenoiseLib.scene.volumes import voxel_unit

    volume = None if plugin.getParameterNode() is None else _chosen(plugin, "ScalarVolume")
    return "" if volume is None else voxel_unit(volume)
