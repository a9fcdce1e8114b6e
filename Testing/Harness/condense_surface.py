"""Condense the introspected surface of a Slicer desktop to the facts that the harness and its tests use.

    python Testing/Harness/condense_surface.py path/to/the/original/surface.json

Every name in the condensed file is one of the original; nothing is added. A class is there with all its members or not
at all: to use another one, name it in `CLASSES` and run this again (README.md).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLASSES = (
    # the form
    *("qt.QWidget", "qt.QLabel", "qt.QPushButton", "qt.QCheckBox", "qt.QComboBox", "qt.QSpinBox", "qt.QDoubleSpinBox"),
    *("qt.QLineEdit", "qt.QPlainTextEdit", "qt.QProgressBar", "qt.QTableWidget"),
    *("qt.QFormLayout", "qt.QGridLayout", "qt.QHBoxLayout", "qt.QVBoxLayout"),
    *("ctk.ctkCollapsibleButton", "ctk.ctkCollapsibleGroupBox", "ctk.ctkPathLineEdit", "ctk.ctkSliderWidget"),
    *("slicer.qMRMLWidget", "slicer.qMRMLNodeComboBox"),
    # what the panel makes beside it, and is given
    *("qt.QObject", "qt.QFrame", "qt.QMenu", "qt.QAction", "qt.QTimer", "qt.QHeaderView", "qt.QTableWidgetItem"),
    *("qt.QFileDialog", "qt.QDesktopServices", "qt.QUrl", "qt.QEvent", "qt.QDropEvent", "qt.QMimeData"),
    *("qt.QFont", "qt.QFontMetrics", "qt.QIcon", "qt.QPixmap", "qt.QPainter", "qt.QPrinter", "qt.QTextDocument"),
    *("qt.QBrush", "qt.QColor", "qt.QSize", "qt.QClipboard", "qt.QSettings", "qt.QScrollArea"),
    # what slicer.util asks of Qt and of the application
    *("qt.QApplication", "qt.QCursor", "qt.QDialog", "qt.QMessageBox", "qt.QProgressDialog", "ctk.ctkMessageBox"),
    *("qt.QDir", "qt.QFileInfo", "qt.QProcessEnvironment"),
    *("slicer.qSlicerIOManager", "slicer.qSlicerLayoutManager", "slicer.qSlicerMainWindow"),
    *("slicer.qSlicerModuleManager", "slicer.qSlicerScriptedLoadableModule"),
    *("slicer.qSlicerScriptedLoadableModuleWidget", "slicer.qMRMLSliceWidget"),
    *("slicer.qMRMLPlotWidget", "slicer.qMRMLPlotView"),
)
MODULES = ("util", "packaging", "i18n", "ScriptedLoadableModule", "parameterNodeWrapper")


def property_names(entry: dict) -> set[str]:
    return {line.split(":")[0] for line in entry["properties"]}


def all_names(entry: dict) -> set[str]:
    return property_names(entry) | set(entry["also_callable_or_constant"])


def base_of(entry: dict, classes: dict) -> str | None:
    """The base that was recorded, or the one whose names the class has all of."""
    if entry.get("inherits"):
        return entry["inherits"]
    for base in ("qt.QWidget", "qt.QObject"):
        if entry is not classes[base] and all_names(classes[base]) <= all_names(entry):
            return base
    return None


def condensed_class(entry: dict, classes: dict) -> dict:
    base = base_of(entry, classes)
    inherited = all_names(classes[base]) if base else set()
    slots = {line.split("(")[0] for line in entry["slots"]}
    # a recorded class lists its own names already; one whose base was inferred lists the base's names, too
    drop = set() if entry.get("inherits") else inherited
    methods = sorted((slots | set(entry["also_callable_or_constant"])) - property_names(entry) - drop)
    kept = {
        "inherits": base,
        "properties": [p for p in entry["properties"] if p.split(":")[0] not in drop],
        "signals": [s for s in entry["signals"] if not (drop and s.split("(")[0] in inherited)],
        "slots": [s for s in entry["slots"] if not (drop and s.split("(")[0] in inherited)],
        "names": " ".join(methods),
    }
    return {key: value for key, value in kept.items() if value}


def condense(original: dict) -> dict:
    classes = original["classes"]
    return {
        "slicer": original["slicer"],
        "qt": original["qt"],
        "gui_connectors": sorted(original["gui_connectors"]),
        "slicer_app": " ".join(original["slicer_app"]),
        "modules": " ".join(original["modules"]),
        "functions": {k: v for k, v in original["functions"].items() if k.split(".")[1] in MODULES},
        "classes": {name: condensed_class(classes[name], classes) for name in CLASSES},
    }


def main() -> None:
    data = condense(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    lines = []
    for key, value in data.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{rows}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    (HERE / "slicer_harness" / "surface.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
