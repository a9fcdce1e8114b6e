"""A run's findings and report in its folder of the scene, as text nodes: there wherever the scene is opened."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..findings import Finding, finding_from_plain, finding_to_plain
from .hierarchy import nodes_in, put_under, remove_nodes

if TYPE_CHECKING:
    import slicer

DOCUMENT_ATTRIBUTE = "ASLDenoise.document"  # of a text node; its value: findings or report
LARGEST = 16_000_000  # letters of a report that a scene is given
_UTF_8 = 3  # VTK_ENCODING_UTF_8
_FINDINGS, _REPORT = "findings", "report"
_SERIES = "ASLDenoise.series"  # the reference to the node that the run's series came from


def keep_findings(
    scene: slicer.vtkMRMLScene,
    folder: int,
    findings: Iterable[Finding],
    *,
    name: str,
    source: slicer.vtkMRMLNode | None = None,
) -> slicer.vtkMRMLTextNode:
    """Put a run's findings into its folder, in place of those there; `source` is the node its series came from."""
    text = json.dumps([finding_to_plain(finding) for finding in findings], indent=1)
    node = _keep(scene, folder, _FINDINGS, text, name=f"Findings {name}", ending="json")
    if source is not None:
        node.SetNodeReferenceID(_SERIES, source.GetID())
    return node


def keep_report(scene: slicer.vtkMRMLScene, folder: int, html: str, *, name: str) -> slicer.vtkMRMLTextNode | None:
    """Put a run's report into its folder, in place of the one there; None, and nothing kept, beyond `LARGEST`."""
    if len(html) > LARGEST:
        return None
    return _keep(scene, folder, _REPORT, html, name=f"Report {name}", ending="html")


def findings_in(scene: slicer.vtkMRMLScene, folder: int) -> tuple[Finding, ...]:
    """The findings of a run; none where its folder holds none, or text that is none."""
    node = _document(scene, folder, _FINDINGS)
    if node is None:
        return ()
    try:
        return tuple(finding_from_plain(plain) for plain in json.loads(node.GetText()))
    except (ValueError, TypeError, LookupError):
        return ()


def series_in(scene: slicer.vtkMRMLScene, folder: int) -> slicer.vtkMRMLNode | None:
    """The node that a run's series came from, where it is still in the scene."""
    node = _document(scene, folder, _FINDINGS)
    return None if node is None else node.GetNodeReference(_SERIES)


def report_in(scene: slicer.vtkMRMLScene, folder: int) -> str:
    """The report of a run, HTML; empty where its folder holds none."""
    node = _document(scene, folder, _REPORT)
    return "" if node is None else node.GetText() or ""


def _keep(
    scene: slicer.vtkMRMLScene, folder: int, kind: str, text: str, *, name: str, ending: str
) -> slicer.vtkMRMLTextNode:
    earlier = [node for node in nodes_in(scene, folder) if node.GetAttribute(DOCUMENT_ATTRIBUTE) == kind]
    remove_nodes(scene, earlier)
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetText(text, _UTF_8)
    node.SetAttribute(DOCUMENT_ATTRIBUTE, kind)
    node.SetForceCreateStorageNode(
        node.CreateStorageNodeAlways
    )  # a file of its own in a bundle, to open without Slicer
    storage = scene.AddNewNodeByClass("vtkMRMLTextStorageNode")
    storage.SetSupportedReadFileExtensions([ending])
    storage.SetSupportedWriteFileExtensions([ending])
    node.SetAndObserveStorageNodeID(storage.GetID())
    put_under(scene, folder, [node])
    return node


def _document(scene: slicer.vtkMRMLScene, folder: int, kind: str) -> slicer.vtkMRMLTextNode | None:
    nodes = nodes_in(scene, folder)
    return next((node for node in nodes if node.GetAttribute(DOCUMENT_ATTRIBUTE) == kind), None)
