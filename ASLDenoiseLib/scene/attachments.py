"""The Slicer scene of a run and its picture, as files to write beside the maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from ..result import Result

SCENE, PICTURE = "scene.mrb", "overlay.png"


def scene_attachments(result: Result) -> tuple[Mapping[str, Callable[[Path], None]], str]:
    """Writers of scene and picture by the ends of their names, and '' or one sentence on why there are none."""
    if find_spec("slicer") is None:
        return {}, "slicer-core is not installed, so no Slicer scene and no overlay picture are written."
    from ..reporting.html import report_html
    from .choose import compare
    from .documents import keep_report
    from .headless import make_scene
    from .present import present
    from .render import render_overlay
    from .store import save_mrb

    scene = make_scene()
    nodes = present(result, scene=scene)
    keep_report(scene, nodes.folder, report_html(result), name=result.series.name)
    compare(nodes)  # what whoever opens the scene is to see, whether they have the module or not
    return {SCENE: lambda path: save_mrb(scene, path), PICTURE: lambda path: render_overlay(nodes, path)}, ""
