"""ASLSeries <-> sequence of volumes with browser and proxy; multi-volumes are read too."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Origin, VolumeType
from .headless import current_scene, module_logic
from .volumes import PWI_QUANTITY, array_from_matrix, fill_node, volume_from_node, volume_to_node

if TYPE_CHECKING:
    import slicer

PREFIX = "ASLDenoise."
M0_ROLE = "ASLDenoise.M0"
_ENUMS = {"labeling": Labeling, "m0_type": M0Type}


@dataclass(frozen=True)
class SeriesNodes:
    """The nodes of one series: the sequence, its browser, the volume the browser shows, and the M0 (or None)."""

    sequence: slicer.vtkMRMLSequenceNode
    browser: slicer.vtkMRMLSequenceBrowserNode
    proxy: slicer.vtkMRMLScalarVolumeNode
    m0: slicer.vtkMRMLScalarVolumeNode | None


def series_to_nodes(series: ASLSeries, *, scene: slicer.vtkMRMLScene | None = None) -> SeriesNodes:
    """New nodes for `series`. The index is 'volume', its values '<number> <volume type>' ('0 m0scan', '1 control').

    Volume types and acquisition travel as attributes of the sequence: ``ASLDenoise.context`` (JSON list), and for
    each stated value ``ASLDenoise.<field>`` (JSON) with ``ASLDenoise.<field>.origin``.
    """
    import slicer

    scene = current_scene() if scene is None else scene
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", f"{series.name}_asl")
    sequence.SetIndexName("volume")
    sequence.SetIndexUnit("")
    sequence.SetIndexType(slicer.vtkMRMLSequenceNode.TextIndex)
    for index, kind in enumerate(series.context):
        item = slicer.vtkMRMLScalarVolumeNode()  # outside the scene: the sequence takes a copy into its own
        item.SetName(f"{series.name}_{kind.value}-{index}")
        fill_node(item, series.volume(index), quantity=PWI_QUANTITY if kind is VolumeType.DELTAM else None)
        sequence.SetDataNodeAtValue(item, f"{index} {kind.value}")
    write_acquisition(sequence, series)
    m0 = None
    if series.m0 is not None:
        m0 = volume_to_node(series.m0, scene=scene, name=f"{series.name}_m0scan")
        sequence.SetNodeReferenceID(M0_ROLE, m0.GetID())
    browser, proxy = _browse(sequence, scene, name=f"{series.name} browser")
    return SeriesNodes(sequence, browser, proxy, m0)


def write_acquisition(node: slicer.vtkMRMLNode, series: ASLSeries) -> None:
    """Write name, source, volume types and acquisition of `series` as attributes of `node`."""
    node.SetAttribute(PREFIX + "name", series.name)
    node.SetAttribute(PREFIX + "source", series.source)
    node.SetAttribute(PREFIX + "context", json.dumps([kind.value for kind in series.context]))
    for parameter in series.acquisition.parameters():
        node.SetAttribute(PREFIX + parameter.name, json.dumps(parameter.value))
        node.SetAttribute(f"{PREFIX}{parameter.name}.origin", parameter.origin.value)


def read_acquisition(node: slicer.vtkMRMLNode) -> Acquisition:
    """The acquisition in the attributes of `node`; what is not there stays not stated.

    Raises:
        InputError: an attribute does not hold what it should.
    """
    values, origins = {}, {}
    for f in fields(Acquisition):
        text = node.GetAttribute(PREFIX + f.name)
        if f.name == "origins" or text is None:
            continue
        try:
            value = json.loads(text)
            values[f.name] = _ENUMS.get(f.name, _tuple_or_same)(value)
            origins[f.name] = Origin(node.GetAttribute(f"{PREFIX}{f.name}.origin") or Origin.USER)
        except ValueError as error:
            raise InputError(
                f"The attribute {PREFIX}{f.name} of '{node.GetName()}' cannot be understood ({text!r}); "
                "correct or remove it."
            ) from error
    return Acquisition(**values, origins=origins)


def series_from_sequence(node: slicer.vtkMRMLNode, *, m0: slicer.vtkMRMLScalarVolumeNode | None = None) -> ASLSeries:
    """The series in a sequence, in the sequence of a browser or of a browsed volume, or in a multi-volume node.

    Volume types and acquisition come from the node's attributes (see `series_to_nodes`). Types that nothing states
    are `VolumeType.NOT_AVAILABLE`. The M0 is `m0` where given, else the node that the sequence refers to, else the
    mean of the volumes that are M0 scans.

    Raises:
        InputError: the node holds no series of images on one grid, or the M0 is on another grid.
    """
    node = _source_of(node)
    array, geometry = _sequence_array(node) if node.IsA("vtkMRMLSequenceNode") else _multivolume_array(node)
    m0 = m0 or node.GetNodeReference(M0_ROLE)
    series = ASLSeries(
        array,
        geometry,
        _context(node, len(array)),
        read_acquisition(node),
        m0=None if m0 is None else volume_from_node(m0),
        name=node.GetAttribute(PREFIX + "name") or (node.GetName() or "asl").removesuffix("_asl"),
        source=node.GetAttribute(PREFIX + "source") or f"scene node {node.GetName()}",
    )
    included = series.m0 is None and series.acquisition.m0_type in (None, M0Type.INCLUDED)
    if included and series.indices(VolumeType.M0SCAN):
        return replace(series, m0=series.mean(VolumeType.M0SCAN))
    return series


def _source_of(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLNode:
    """The node that holds the images: a browser leads to its sequence, a browsed volume to the sequence behind it."""
    import slicer

    if node is None:
        raise InputError("No ASL series is selected; load a 4D series and select it.")
    if node.IsA("vtkMRMLSequenceBrowserNode"):
        if node.GetMasterSequenceNode() is None:
            raise InputError(f"The sequence browser '{node.GetName()}' has no sequence; select another.")
        return node.GetMasterSequenceNode()
    if node.IsA("vtkMRMLSequenceNode") or node.IsA("vtkMRMLMultiVolumeNode"):
        return node
    if node.IsA("vtkMRMLVectorVolumeNode"):
        return node
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", node.GetScene()) if node.GetScene() else []
    for browser in browsers:
        sequence = browser.GetSequenceNode(node)
        if sequence is not None:
            return sequence
    raise InputError(f"'{node.GetName()}' is not an ASL series; select a sequence of control and label images.")


def _sequence_array(sequence: slicer.vtkMRMLSequenceNode) -> tuple[np.ndarray, Geometry]:
    count = sequence.GetNumberOfDataNodes()
    if count == 0:
        raise InputError(f"The sequence '{sequence.GetName()}' is empty; load the series again.")
    if not all(sequence.GetNthDataNode(i).IsA("vtkMRMLScalarVolumeNode") for i in range(count)):
        raise InputError(f"The sequence '{sequence.GetName()}' does not hold scalar images; select another.")
    volumes = [volume_from_node(sequence.GetNthDataNode(i)) for i in range(count)]
    for index, volume in enumerate(volumes):
        if not volume.geometry.matches(volumes[0].geometry):
            raise InputError(f"Image {index} of '{sequence.GetName()}' is on another grid than the first; resample it.")
    return np.stack([volume.array for volume in volumes]), volumes[0].geometry


def _multivolume_array(node: slicer.vtkMRMLVolumeNode) -> tuple[np.ndarray, Geometry]:
    """Frames are the components of a multi-volume's (or vector volume's) voxels."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise InputError(f"The volume node '{node.GetName()}' holds no image; load one or select another.")
    size = image.GetDimensions()
    frames = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(*size[::-1], image.GetNumberOfScalarComponents())
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    geometry = Geometry.from_affine_ras(array_from_matrix(matrix), size)
    return np.moveaxis(frames, -1, 0).astype(np.float32), geometry


def _context(node: slicer.vtkMRMLNode, count: int) -> tuple[VolumeType, ...]:
    text = node.GetAttribute(PREFIX + "context")
    if text is not None:
        try:
            return tuple(VolumeType(kind) for kind in json.loads(text))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"The volume types of '{node.GetName()}' cannot be understood ({text!r}); "
                "give a list of control, label, m0scan, deltam, cbf."
            ) from error
    return (VolumeType.NOT_AVAILABLE,) * count


def _browse(
    sequence: slicer.vtkMRMLSequenceNode, scene: slicer.vtkMRMLScene, *, name: str
) -> tuple[slicer.vtkMRMLSequenceBrowserNode, slicer.vtkMRMLScalarVolumeNode]:
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.SetOverwriteProxyName(sequence, False)  # a proxy renamed at every step loses its place in people's memory
    browser.SetSelectedItemNumber(0)
    logic = module_logic(scene, "Sequences")
    if logic is not None:
        logic.UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    if proxy is not None and proxy.GetDisplayNode() is None:
        proxy.CreateDefaultDisplayNodes()
    return browser, proxy


def _tuple_or_same(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
