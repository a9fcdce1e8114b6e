"""The Slicer scene of a run and its picture, as files to write beside the maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from ..reporting.listing import REPORT, file_name
from ..result import Result

SCENE, PICTURE = "scene.mrb", "overlay.png"


def scene_attachments(
    result: Result, *, report: Callable[[], str] | None = None
) -> tuple[Mapping[str, Callable[[Path], None]], str]:
    """Writers of scene and picture by the ends of their names, and '' or one sentence on why there are none.

    Args:
        result: the finished run.
        report: gives the report that the scene holds, when the scene is written; None: the file of a report beside
            the scene, or one made for it where there is none.
    """
    if find_spec("slicer") is None:
        return {}, "slicer-core is not installed, so no Slicer scene and no overlay picture are written."
    from .choose import compare
    from .documents import keep_report
    from .headless import make_scene
    from .present import present
    from .render import render_overlay
    from .store import save_mrb

    scene = make_scene()
    nodes = present(result, scene=scene)
    compare(nodes)  # what whoever opens the scene is to see, whether they have the module or not

    def write_scene(path: Path) -> None:
        html = _report_beside(path, result) if report is None else report()
        keep_report(scene, nodes.folder, html, name=result.series.name)
        save_mrb(scene, path)

    return {SCENE: write_scene, PICTURE: lambda path: render_overlay(nodes, path)}, ""


def _report_beside(scene: Path, result: Result) -> str:
    path = scene.with_name(file_name(result.series.name, REPORT))
    if path.is_file():
        return path.read_text("utf-8")
    from ..reporting.html import report_html

    return report_html(result)
