"""Everything between a raw scan and its mean, together and without each part; writes preparation.md and .png.

Scans drift by 0.5 mm and 0.5 degrees, a tenth of their volumes carry stripes, and single slices are corrupted. The mark
is the mean of the same noise without motion and without outliers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.pipeline.request import Head, Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.series import Volume

from .library.cases import HELD_OUT, SIZE, SPACING, anatomy_path, draw_still
from .library.command import begin, options, say
from .library.known_motion import FLAT, SCAN, Still, move, parameter_errors
from .library.real_scans import NAMES, real_series, real_t1
from .library.tables import by, table

CHOICES = {
    "prepared": Preparation(),
    "no motion correction": Preparation(motion=False),
    "no regression": Preparation(nuisance=()),
    "keeping outliers": Preparation(outliers="none"),
    "regressing CSF too": Preparation(nuisance=("motion", "csf")),
    "regressing all": Preparation(nuisance=("motion", "csf", "global")),
}
CASES = (("clean", "still"), ("drift, stripes, slices", "drift of 0.5"), ("restless, stripes, slices", "restless, 0.3"))
READOUTS = ("tsnr", "spatial_cov", "gm_mean", "wm_mean", "negative_gm_fraction")


def scanned(anatomy: str, readout: str, folder: Path, *, pairs: int, seed: int) -> Still:
    """A head at rest: a suppressed 3D scan or an unsuppressed 2D one."""
    settings = replace(SCAN, pairs=pairs, **({"acquisition": FLAT} if readout == "2D" else {}))
    phantom = draw_still(anatomy_path(anatomy, folder), seed=seed, acquisition=settings.acquisition, lesions=1)
    return Still.of(phantom, settings, seed=seed)


def figures(still: Still, condition: str, *, corrupt: bool) -> dict[str, float]:
    """PSNR of the mean difference (dB), everything beside the mark, and how well motion was found."""
    case = move(still, condition, corrupt=corrupt)
    head = Head(tissue=still.scan.tissue)
    runs = {name: prepared(Request(case.series, head, choice)) for name, choice in CHOICES.items()}
    marks = mean_difference(difference_volumes(still.scan.series))
    means = {"plain mean": runs["prepared"].raw, **{name: run.cleaned for name, run in runs.items()}}
    inside = np.all([np.isfinite(mean.array) for mean in (marks, *means.values())], axis=0)
    inside &= still.scan.tissue.brain.array > 0

    def quality(mean: Volume) -> float:
        return psnr(mean.array, still.difference, inside)

    mark = quality(marks)
    shift, turn = parameter_errors(runs["prepared"].motion, case.poses)
    return {"mark (dB)": mark} | {name: quality(m) - mark for name, m in means.items()} | {
        "left out (%)": 100 * float(runs["prepared"].outliers.flags.mean()),
        "RMS mm": shift,
        "RMS degrees": turn,
    }  # fmt: skip


def simulated(folder: Path, *, pairs: int, quick: bool) -> str:
    """Two anatomies, two readouts."""
    rows = {}
    for n, readout in enumerate(("3D", "2D")):
        still = scanned(HELD_OUT[n], readout, folder, pairs=pairs, seed=21 + n)
        for words, condition in CASES[: 2 if quick else None]:
            rows[f"{readout}, {words}"] = figures(still, condition, corrupt=condition != "still")
            say(f"{readout}, {words}: {rows[f'{readout}, {words}']}")
    return table(rows, first="scan")


def halves(run: RunState) -> dict[str, float]:
    """Pearson's r over grey matter between the means of odd and of even pairs: as acquired, and prepared."""
    inside = grey_matter(run.tissue) & np.isfinite(run.quantification.factor.array)
    factor, found = run.quantification.factor.array[inside], {}
    for words, pairs in (("raw", run.acquired.array), ("prepared", run.kept_pairs)):
        odd, even = (np.nanmean(pairs[first::2][:, inside], axis=0) * factor for first in (0, 1))
        both = np.isfinite(odd) & np.isfinite(even)
        found[words] = float(np.corrcoef(odd[both], even[both])[0, 1])
    return found


def real(data: Path, picture: Path) -> list[str]:
    """Before and after on real series, with a picture of both."""
    t1, rows, pictures = real_t1(data), {}, []
    for name in NAMES:
        run = prepared(Request(real_series(data, name), Head(t1)))
        correlated, factor = halves(run), run.quantification.factor.array
        for words, mean, pairs in (("raw", run.raw, run.acquired.array), ("prepared", run.cleaned, run.kept_pairs)):
            cbf = run.quantification.cbf(mean)
            found = {r.name: r for r in measure(cbf, run.tissue, pairs=pairs * factor)}
            values = {
                f"{found[key].label} ({found[key].unit})".replace(" ()", ""): found[key].value for key in READOUTS
            }
            rows[f"{name}, {words}"] = {"split-half r": correlated[words]} | values
            pictures.append((f"{name}\n{words}", cbf))
        taken = {stage: f"{seconds:.1f} s" for stage, seconds in run.timings.items()}
        say(name, taken)
    draw(pictures, picture)
    return [
        "## Real series",
        "Means of odd and of even pairs correlated over grey matter; tSNR, spatial CoV and the means in the readouts' "
        "masks.",
        table(rows, first="series"),
        f"![Before and after]({picture.name})",
    ]


def draw(pictures: list[tuple[str, Volume]], out: Path) -> None:
    """Five axial slices a map, one window."""
    from matplotlib.figure import Figure

    from ASLDenoiseLib.reporting.plots import radiological

    figure = Figure(figsize=(10, 1.9 * len(pictures)), facecolor="black", layout="constrained")
    for row, (label, cbf) in zip(figure.subplots(len(pictures), 5), pictures, strict=True):
        image = radiological(cbf.array, cbf.geometry)
        filled = np.flatnonzero(np.isfinite(image).any(axis=(1, 2)))
        for axis, k in zip(row, np.linspace(filled[0] + 1, filled[-1] - 1, 5).round().astype(int), strict=True):
            axis.imshow(image[k], cmap="inferno", vmin=0, vmax=90, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(label, color="white", fontsize=8)
    figure.savefig(out, dpi=80)


def main() -> None:
    parser = options(__doc__, "anatomy", "data", "threads", quick="six pairs a scan, no real series")
    command = begin(__file__, parser)
    pairs = 12 if command.quick else SCAN.pairs
    blocks = [simulated(command.args.anatomy, pairs=pairs, quick=command.quick)]
    if command.real:
        blocks += real(command.real, command.script.with_suffix(".png"))
    command.publish(
        "Preparation as a whole",
        f"Phantoms of two kept-out anatomies, {by(SIZE, ' x ')} voxels of {by(SPACING, ' x ')} mm, {pairs} pairs of GM "
        f"SNR {SCAN.gm_snr:g}; 3D scans are background "
        "suppressed, 2D ones are not. Drift: 0.5 mm and 0.5 degrees over the series. Restless: every volume elsewhere, "
        "SD 0.3 mm and degrees along each axis. A tenth of the volumes carry stripes in every slice, and 2 % of the "
        "other slices are darker by 40 %. PSNR of the mean difference in the brain; the mark is the plain mean of the "
        "same noise without motion and outliers, all else is beside it, in dB. 'Prepared' is what a run does unasked.",
        *blocks,
    )


if __name__ == "__main__":
    main()
