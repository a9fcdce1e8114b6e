"""ASLSeries <-> sequence of volumes with browser and proxy; multi-volumes are read too.

What a series states lies in attributes of its node, which this module alone reads and writes: JSON each, but for
``ASLDenoise.name``, ``ASLDenoise.source`` and the origins. ``ASLDenoise.context`` lists the volume types, each stated
value of the acquisition is ``ASLDenoise.<field>`` with ``ASLDenoise.<field>.origin``, and ``ASLDenoise.fixes`` lists
what was fixed (``ASLDenoise.mends`` in scenes saved by earlier versions), ``ASLDenoise.m0_source`` how the M0 it refers
to came about, ``ASLDenoise.findings`` what reading it said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..findings import Finding, finding_from_plain, finding_to_plain
from ..m0_source import M0Source
from ..reading.m0 import included_m0
from ..series import Acquisition, ASLSeries, Geometry, M0Type, Origin, Parameter, VolumeType
from ..series_json import (
    acquisition_from_plain,
    acquisition_to_plain,
    context_from_plain,
    parameter_from_plain,
    parameter_to_plain,
)
from .headless import current_scene, module_logic
from .series_place import m0_at, moved, place_of
from .volumes import PWI_QUANTITY, fill_node, ijk_to_ras, is_cbf, volume_from_node, volume_to_node

if TYPE_CHECKING:
    import slicer

PREFIX = "ASLDenoise."
M0_ROLE = "ASLDenoise.M0"
_FIELDS = tuple(f.name for f in fields(Acquisition) if f.name != "origins")


@dataclass(frozen=True)
class SeriesNodes:
    """The nodes of one series: the sequence, its browser, the volume the browser shows, and the M0 (or None)."""

    sequence: slicer.vtkMRMLSequenceNode
    browser: slicer.vtkMRMLSequenceBrowserNode
    proxy: slicer.vtkMRMLScalarVolumeNode
    m0: slicer.vtkMRMLScalarVolumeNode | None


def series_to_nodes(series: ASLSeries, *, scene: slicer.vtkMRMLScene | None = None) -> SeriesNodes:
    """New nodes for `series`. The index is 'volume', its values '<number> <volume type>' ('0 m0scan', '1 control')."""
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
    names = ("name", "source", "context", "acquisition", "fixes", "findings", "m0_source")
    stated = {name: getattr(series, name) for name in names}
    write_attributes(sequence, **stated)
    m0 = None
    if series.m0 is not None:
        m0 = volume_to_node(series.m0, scene=scene, name=f"{series.name}_m0scan")
        sequence.SetNodeReferenceID(M0_ROLE, m0.GetID())
    browser, proxy = _browse(sequence, scene, name=f"{series.name} browser")
    return SeriesNodes(sequence, browser, proxy, m0)


def write_attributes(
    node: slicer.vtkMRMLNode,
    *,
    name: str | None = None,
    source: str | None = None,
    context: Iterable[VolumeType] | None = None,
    acquisition: Acquisition | None = None,
    fixes: Iterable[Parameter] | None = None,
    m0_source: M0Source | None = None,
    findings: Iterable[Finding] | None = None,
) -> None:
    """Write what is given as attributes of a series' node; remove the fields that `acquisition` does not state."""
    stated = {what: text for what, text in (("name", name), ("source", source)) if text is not None}
    if context is not None:
        stated["context"] = json.dumps([kind.value for kind in context])
    if acquisition is not None:
        plain = acquisition_to_plain(acquisition)
        for field in _FIELDS:
            stated[field] = json.dumps(plain[field]["value"]) if field in plain else None
            stated[f"{field}.origin"] = plain[field]["origin"] if field in plain else None
    if fixes is not None:
        stated |= {"fixes": json.dumps([parameter_to_plain(fix) for fix in fixes]), "mends": None}
    if m0_source is not None:
        stated["m0_source"] = json.dumps(m0_source.to_plain())
    if findings is not None:
        stated["findings"] = json.dumps([finding_to_plain(finding) for finding in findings])
    was_modified = node.StartModify()
    for what, text in stated.items():
        node.SetAttribute(PREFIX + what, text)  # None removes it
    node.EndModify(was_modified)


def read_acquisition(node: slicer.vtkMRMLNode) -> Acquisition:
    """The acquisition in the attributes of `node`; what is not there stays not stated.

    Raises:
        InputError: an attribute does not hold what it should.
    """
    values = {field: _attribute(node, field) for field in _FIELDS}
    stated = {
        field: {"value": value, "origin": node.GetAttribute(f"{PREFIX}{field}.origin")}
        for field, value in values.items()
        if value is not None
    }
    return acquisition_from_plain(stated, where=f"'{node.GetName()}'")


def read_context(node: slicer.vtkMRMLNode) -> tuple[VolumeType, ...]:
    """The type of each volume of `node`; `NOT_AVAILABLE` where none is stated. Raises as `read_acquisition`."""
    words = _attribute(node, "context")
    if words is None:
        kind = VolumeType.CBF if is_cbf(node) else VolumeType.NOT_AVAILABLE
        return (kind,) * volume_count(node)
    return context_from_plain(words, where=f"'{node.GetName()}'")


def read_fixes(node: slicer.vtkMRMLNode) -> tuple[Parameter, ...]:
    """The fixes of the series in `node`, for provenance. Raises as `read_acquisition`."""
    before = (Parameter(name, what, "", Origin.USER, note) for name, what, note in _attribute(node, "mends") or ())
    return (*before, *map(parameter_from_plain, _attribute(node, "fixes") or ()))


def read_findings(node: slicer.vtkMRMLNode) -> tuple[Finding, ...]:
    """What reading found about the series in `node`. Raises as `read_acquisition`."""
    return tuple(map(finding_from_plain, _attribute(node, "findings") or ()))


def volume_count(node: slicer.vtkMRMLNode | None) -> int:
    """The number of volumes in the node of a series; 0 without a node."""
    if node is None:
        return 0
    if node.IsA("vtkMRMLSequenceNode"):
        return node.GetNumberOfDataNodes()
    image = node.GetImageData()
    return 0 if image is None else image.GetNumberOfScalarComponents()


def first_volume(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLVolumeNode | None:
    """The volume node of a series that shows its grid: the first of a sequence, or the multi-volume itself.

    None where it holds no image.
    """
    first = node.GetNthDataNode(0) if node.IsA("vtkMRMLSequenceNode") else node
    usable = first is not None and first.IsA("vtkMRMLVolumeNode") and first.GetImageData() is not None
    return first if usable else None


def write_fix(node: slicer.vtkMRMLNode, fixed: ASLSeries, *, voxels: bool) -> slicer.vtkMRMLNode:
    """Keep a fixed series: in its `node`, or where its voxels changed in a new sequence, so that none is overwritten.

    Returns:
        The node of the fixed series.
    """
    if voxels:
        return series_to_nodes(replace(fixed, name=f"{fixed.name}_fixed"), scene=node.GetScene()).sequence
    stated = {name: getattr(fixed, name) for name in ("context", "acquisition", "fixes", "findings")}
    write_attributes(node, **stated)
    return node


def adopt_sidecar(node: slicer.vtkMRMLNode) -> bool:
    """Take acquisition and volume types from the files beside the one that a series was loaded from.

    Nothing is done where the node states anything already, or was not loaded from a file that has such neighbours.

    Returns:
        Whether anything was taken over.

    Raises:
        InputError: a file beside it cannot be understood.
    """
    from ..reading import bids

    storage = node.GetStorageNode()
    path = Path(storage.GetFileName() or "") if storage is not None else Path()
    stated = any(name.startswith(PREFIX) for name in node.GetAttributeNames() or ())
    if stated or not path.is_file():
        return False
    volumes, taken = volume_count(node), False
    sidecar, tables = bids.read_sidecar(path), bids.applicable_files(path, "aslcontext", ".tsv")
    if sidecar:
        acquisition = bids.acquisition_from(sidecar, where=f"{path.name}'s sidecar")
        write_attributes(node, source=str(path), acquisition=acquisition)
        taken = True
    context = bids.read_context(tables[-1]) if tables else ()
    if tables and len(context) == volumes:
        write_attributes(node, source=str(path), context=context)
        taken = True
    return taken


def series_file(node: slicer.vtkMRMLNode | None) -> Path | None:
    """The file that a series was read from; None where that is not known, or it is there no more."""
    source = None if node is None else series_node(node).GetAttribute(PREFIX + "source")
    return Path(source) if source and Path(source).is_file() else None


def series_from_sequence(node: slicer.vtkMRMLNode, *, m0: slicer.vtkMRMLScalarVolumeNode | None = None) -> ASLSeries:
    """The series in a sequence, the sequence of a browser or of a browsed volume, a multi-volume or a volume node.

    Volume types, acquisition and fixes come from the node's attributes. Types that nothing states
    are `VolumeType.NOT_AVAILABLE`. The M0 is `m0` where given, else the node that the sequence refers to, else the
    mean of the volumes that are M0 scans, laid on each other. The series lies where the scene shows it: a linear
    transform of its node, or of the volume that shows it, is applied to its grid, and the node is left alone.

    Raises:
        InputError: the node holds no series of images on one grid, the M0 is on another grid, or the transform is none
            that moves a grid.
    """
    node = series_node(node)
    array, geometry = _sequence_array(node) if node.IsA("vtkMRMLSequenceNode") else _multivolume_array(node)
    place = place_of(node)
    own = node.GetNodeReference(M0_ROLE)
    m0 = m0 or own
    made = _attribute(node, "m0_source") if m0 is not None and m0 is own else None
    series = ASLSeries(
        array,
        moved(geometry, place),
        read_context(node),
        read_acquisition(node),
        m0=None if m0 is None else m0_at(m0, geometry, place),
        name=node.GetAttribute(PREFIX + "name") or (node.GetName() or "asl").removesuffix("_asl").removesuffix("_cbf"),
        source=node.GetAttribute(PREFIX + "source") or f"scene node {node.GetName()}",
        fixes=read_fixes(node),
        m0_source=M0Source.from_plain(made),
        findings=read_findings(node),
    )
    included = series.m0 is None and series.acquisition.m0_type in (None, M0Type.INCLUDED)
    return included_m0(series) if included else series


def series_node(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLNode:
    """The node that holds the images: a browser leads to its sequence, a browsed volume to the sequence behind it.

    A volume that no sequence shows is a series of one image.

    Raises:
        InputError: there is none, or it holds no images.
    """
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
    if node.IsA("vtkMRMLScalarVolumeNode") and not node.IsA("vtkMRMLLabelMapVolumeNode"):
        return node
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
    from vtk.util.numpy_support import vtk_to_numpy

    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise InputError(f"The volume node '{node.GetName()}' holds no image; load one or select another.")
    size = image.GetDimensions()
    frames = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(*size[::-1], image.GetNumberOfScalarComponents())
    return np.moveaxis(frames, -1, 0).astype(np.float32), Geometry.from_affine_ras(ijk_to_ras(node), size)


def _attribute(node: slicer.vtkMRMLNode, name: str) -> object:
    """The value of an attribute; None where there is none."""
    text = node.GetAttribute(PREFIX + name)
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise InputError(
            f"The attribute {PREFIX}{name} of '{node.GetName()}' cannot be understood ({text!r}); correct or remove it."
        ) from error


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
