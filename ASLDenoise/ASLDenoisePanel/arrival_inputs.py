"""A volume of arrival times as that of a request: where it lies, what it is registered by, and its error."""

from __future__ import annotations


def arrivalOf(node, reference=None, series=None, t1=None):
    """A map of arrival times as an `ASLDenoiseLib.pipeline.request.ArrivalMap`; None of no node.

    It is registered by the image that the user selects, else by what lies beside it: in the folder of its run, or as
    files. Without any it lies with the T1 or with the series where it has the grid of one of them.

    Args:
        node: scalar volume node, s, or None.
        reference: scalar volume node of the same scan, or None.
        series: the `ASLSeries` that it corrects.
        t1: the T1 of the run, or None.

    Raises:
        ASLDenoiseLib.errors.InputError: a node holds no image.
    """
    from dataclasses import replace

    from ASLDenoiseLib.pipeline.arrival_files import with_siblings
    from ASLDenoiseLib.pipeline.request import ArrivalMap
    from ASLDenoiseLib.scene.arrival_nodes import beside, file_of
    from ASLDenoiseLib.scene.following import followed
    from ASLDenoiseLib.scene.volumes import volume_from_node

    if node is None:
        return None
    error, image = (None if each is None else volume_from_node(each) for each in beside(node))
    image = image if reference is None else volume_from_node(reference)
    path = file_of(node)
    if path is not None:
        stored = with_siblings(ArrivalMap(path))
        error, image = error or stored.error, image or stored.reference
    att, space = replace(volume_from_node(node), name=node.GetName()), "scan"
    if image is None and t1 is not None and followed(node, t1) == "t1":
        space = "t1"
    elif image is None and series is not None and att.geometry.matches(series.geometry):
        space = "asl"
    return ArrivalMap(att, error, image, space)
