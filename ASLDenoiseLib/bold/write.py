"""The files of a prediction: maps, sidecars, figures and a page, each of which says that it is experimental."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import numpy as np

from ..reporting.derivatives import save_course, save_volume, sidecar_path
from ..reporting.fragments import Column, TableRow, figure, table
from ..reporting.page import RESEARCH_ONLY, page, section
from ..reporting.plots import map_panels
from ..reporting.provenance import to_json
from ..reporting.staging import move_into_place, staging_for
from ..series import CBF_UNIT, Volume
from ..software import software_versions
from .figures import Figure
from .model import BoldModel
from .predict import BoldPrediction
from .run import BoldRun

WARNING = "EXPERIMENTAL: predicted from BOLD, not measured"
_SCALE = (
    "ml/100g/min on the scale of the simulated heads that the network learned from: the level of this subject is not "
    "in BOLD, and is theirs: the predicted maps have the mean of the anatomy-only one."
)
_PREDICTED, _ANATOMY, _APART = "experimentalBold", "experimentalAnatomyOnly", "experimentalBoldMinusAnatomy"
_WHAT = {
    _PREDICTED: "CBF predicted from BOLD",
    _ANATOMY: "CBF as anatomy alone would have it: the control, which sees the mean of the run and no moment",
    _APART: "Predicted less anatomy-only: what BOLD said of this subject beyond anatomy",
}
_WINDOW, _APART_WINDOW = (0.0, 90.0), (-20.0, 20.0)


def write_prediction(
    prediction: BoldPrediction,
    run: BoldRun,
    models: Sequence[BoldModel],
    figures: Sequence[Figure],
    out: Path,
    *,
    single: np.ndarray | None = None,
    measured_from: str = "",
    tissue_from: str = "",
    computed: str = "",
    command: str = "",
) -> tuple[Path, ...]:
    """Write everything to `out`, all or nothing; returns the files, the page last.

    Args:
        prediction: of `run` by the first of `models`; the second is its control.
        figures: as `figures.figures_of`.
        out: folder.
        single: (T, K, J, I) measured CBF of single pairs, written beside the prediction.
        measured_from: the series that `single` is of.
        tissue_from: where grey and white matter of the figures come from.
        computed: where networks ran, and what a device would not do, in sentences.
        command: that was called.
    """
    maps = {_PREDICTED: prediction.mean, _ANATOMY: prediction.anatomy, _APART: prediction.difference}
    common = {
        "Experimental": True,
        "Warning": WARNING,
        "ResearchUseOnly": True,
        "Units": CBF_UNIT,
        "Scale": _SCALE,
        "Sources": [run.source],
        "Averaging": run.averaged,
        "Model": {m.card.name: {"sha256": m.card.sha256, "description": m.card.summary} for m in models},
        "Computed": computed,
        "SoftwareVersions": dict(software_versions()),
        "Command": command,
    }
    with staging_for(out) as staging:
        for key, array in maps.items():
            path = staging / f"{run.name}_desc-{key}_cbf.nii.gz"
            volume = Volume(array, run.geometry, unit=CBF_UNIT)
            save_volume(volume, path, description=f"{WARNING} [{CBF_UNIT}]")
            _text(sidecar_path(path), to_json({"Description": f"{WARNING}. {_WHAT[key]}.", **common}))
        path = staging / f"{run.name}_desc-{_PREDICTED}_cbfcourse.nii.gz"
        save_course(prediction.course, run.geometry, path, description=f"{WARNING} [{CBF_UNIT}]")
        what = f"{WARNING}. {_WHAT[_PREDICTED]}, one volume an image of the run."
        _text(sidecar_path(path), to_json({"Description": what, **common}))
        if single is not None:
            path = staging / f"{run.name}_desc-measuredMean_cbf.nii.gz"
            save_volume(Volume(single.mean(0), run.geometry, unit=CBF_UNIT), path, description="mean of measured CBF")
            beside = f"Measured: mean of {len(single)} single CBF images, which the EXPERIMENTAL maps stand beside."
            told = {"Description": beside, "Units": CBF_UNIT, "ResearchUseOnly": True, "Sources": [measured_from]}
            _text(sidecar_path(path), to_json({**told, "Command": command}))
        said = {"warning": WARNING, "scale": _SCALE, "figures": [asdict(f) for f in figures], "command": command}
        said |= {"model": common["Model"], "averaging": run.averaged, "tissue": tissue_from, "computed": computed}
        _text(staging / f"{run.name}_desc-experimentalBold_figures.json", to_json(said))
        shown = [("measured mean", single.mean(0), "inferno", _WINDOW, CBF_UNIT)] if single is not None else []
        shown += [(_short(key), array, *_shown(key), CBF_UNIT) for key, array in maps.items()]
        text = _page(run, models, figures, map_panels(shown, run.brain), common, tissue_from=tissue_from)
        _text(staging / f"{run.name}_desc-experimentalBold_report.html", text)
        names = sorted(path.name for path in staging.iterdir())
        names.sort(key=lambda name: name.endswith(".html"))
        move_into_place(staging, [Path(name) for name in names], out)
    return tuple(out / name for name in names)


def _short(key: str) -> str:
    return {_PREDICTED: "EXPERIMENTAL predicted", _ANATOMY: "EXPERIMENTAL anatomy only"}.get(key, "predicted - anatomy")


def _shown(key: str) -> tuple[str, tuple[float, float]]:
    return ("RdBu_r", _APART_WINDOW) if key == _APART else ("inferno", _WINDOW)


def _page(
    run: BoldRun,
    models: Sequence[BoldModel],
    figures: Sequence[Figure],
    png: bytes,
    common: Mapping[str, object],
    *,
    tissue_from: str,
) -> str:
    model = models[0].card
    networks = [TableRow(m.card.name, [m.card.summary, m.card.sha256[:12]]) for m in models]
    shown = [Column("Value", number=True), Column("Unit")]
    lines = [TableRow(f.name, [_number(f.value), f.unit], f.meaning) for f in figures]
    source = f"<p class='sub'>Tissue from: {escape(tissue_from)}.</p>" if tissue_from else ""
    controls = str(model.metadata.get("controls", "The controls have not been measured for these weights."))
    versions = [TableRow(name, [version]) for name, version in common["SoftwareVersions"].items()]
    return page(
        f"EXPERIMENTAL CBF from BOLD: {run.name}",
        [
            f"<h1>EXPERIMENTAL: CBF predicted from BOLD, {escape(run.name)}</h1>",
            f'<p class="banner" role="note"><strong>{WARNING}.</strong> The network never saw a perfusion image of '
            "this head. It learned on simulated dual-echo runs what CBF usually goes with such a BOLD image. A change "
            "of perfusion that BOLD does not show, a lesion say, is not in these maps.</p>",
            RESEARCH_ONLY,
            f'<p class="sub">{escape(run.averaged)} Not corrected for motion here. {_SCALE}</p>',
            section("Figures", table("Figure", shown, lines) + source),
            section(
                "Maps", figure(png, f"{WARNING}. Windows are the same for every CBF map.", "Axial slices of the maps")
            ),
            section("What the controls showed", f"<p>{escape(controls)}</p>"),
            section("Models", table("Model", [Column("What"), Column("SHA256")], networks)),
            section("Software", table("Program", [Column("Version")], versions)),
            f"<p>{escape(str(common['Computed']))}</p>" if common["Computed"] else "",
            f"<p>Command: <code>{escape(str(common['Command']))}</code></p>",
        ],
    )


def _number(value: float) -> str:
    return "not measured" if not np.isfinite(value) else f"{value:.3g}"


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
