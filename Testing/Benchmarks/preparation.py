"""Everything between a raw scan and its mean, together and without each part; writes preparation.md and .png.

    python Testing/Benchmarks/preparation.py [--anatomy DIR] [--data DIR] [--threads N] [--quick]

Scans drift by 0.5 mm and 0.5 degrees, a tenth of their volumes carry stripes, and single slices are corrupted. The mark is
the mean of the same noise without motion and without outliers.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import HELD_OUT, REAL, anatomy_path
from command import begin, is_missing, options
from motion import SCAN, Still, move, parameter_errors
from tables import table

from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom
from ASLDenoiseLib.learning.simulate import make_protocol
from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.pipeline.preparation import Anatomy, Head, Prepared, prepare
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Labeling, Volume

SIZE, SPACING = (64, 64, 24), (3.4, 3.4, 5.0)
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
    flat = make_protocol(Labeling.PCASL, readout="2D", slices=SIZE[2])
    settings = replace(SCAN, pairs=pairs, **({"acquisition": flat} if readout == "2D" else {}))
    sized = PhantomSettings(size=SIZE, lesions=1)
    whole = read_anatomy(anatomy_path(anatomy, folder))
    phantom = draw_phantom(whole, sized, seed=seed, spacing=SPACING, acquisition=settings.acquisition)
    return Still.of(phantom, settings, seed=seed)


def figures(still: Still, condition: str, *, corrupt: bool) -> dict[str, float]:
    """PSNR of the mean difference (dB), everything beside the mark, and how well motion was found."""
    case = move(still, condition, corrupt=corrupt)
    head = Head(tissue=still.scan.tissue)
    runs = {name: prepare(case.series, choice, head)[0] for name, choice in CHOICES.items()}
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


def simulated(folder: Path, *, pairs: int, quick: bool) -> list[str]:
    """Two anatomies, two readouts."""
    rows = {}
    for n, readout in enumerate(("3D", "2D")):
        still = scanned(HELD_OUT[n], readout, folder, pairs=pairs, seed=21 + n)
        for words, condition in CASES[: 2 if quick else None]:
            rows[f"{readout}, {words}"] = figures(still, condition, corrupt=condition != "still")
            print(f"{readout}, {words}: {rows[f'{readout}, {words}']}", file=sys.stderr, flush=True)
    return table(rows, first="scan")


def halves(run: Prepared, anatomy: Anatomy) -> dict[str, float]:
    """Pearson's r over grey matter between the means of odd and of even pairs: as acquired, and prepared."""
    inside = grey_matter(anatomy.tissue) & np.isfinite(run.quantification.factor.array)
    factor, found = run.quantification.factor.array[inside], {}
    for words, pairs in (("raw", run.acquired.array), ("prepared", run.kept_pairs)):
        odd, even = (np.nanmean(pairs[first::2][:, inside], axis=0) * factor for first in (0, 1))
        both = np.isfinite(odd) & np.isfinite(even)
        found[words] = float(np.corrcoef(odd[both], even[both])[0, 1])
    return found


def real(data: Path, picture: Path | None) -> list[str]:
    """Before and after on real series, with a picture of both."""
    subject = data / "real" / "sub-01"
    t1, rows, pictures = read_image(subject / "anat" / "sub-01_T1w.nii.gz"), {}, []
    for name in REAL:
        series = read_series(subject / "perf" / f"sub-01_{name}_asl.nii.gz")
        run, anatomy = prepare(series, Preparation(), Head(t1))
        correlated, factor = halves(run, anatomy), run.quantification.factor.array
        for words, mean, pairs in (
            ("raw", run.raw, run.acquired.array),
            ("prepared", run.cleaned, run.kept_pairs),
        ):
            cbf = run.quantification.cbf(mean)
            found = {r.name: r for r in measure(cbf, anatomy.tissue, pairs=pairs * factor)}
            values = {
                f"{found[key].label} ({found[key].unit})".replace(" ()", ""): found[key].value for key in READOUTS
            }
            rows[f"{name}, {words}"] = {"split-half r": correlated[words]} | values
            pictures.append((f"{name}\n{words}", cbf))
        taken = {stage: f"{seconds:.1f} s" for stage, seconds in run.timings.items()}
        print(name, taken, file=sys.stderr, flush=True)
    if picture is not None:
        draw(pictures, picture)
    lines = [
        "Means of odd and of even pairs correlated over grey matter; tSNR, spatial CoV and the means in the readouts' "
        "masks.",
        "",
    ]
    return ["", "## Real series", "", *lines, *table(rows, first="series"), "", "![Before and after](preparation.png)"]


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


def main() -> int:
    parser = options(__doc__, "anatomy", "data", "threads", quick="six pairs a scan, no real series")
    command = begin(__file__, parser)
    args = command.args
    if is_missing(args.anatomy, "--anatomy"):
        return 0
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(args.threads)
    pairs = 12 if args.quick else SCAN.pairs
    lines = [
        "# Preparation as a whole",
        "",
        f"Made by {command.made_by}. Phantoms of two kept-out anatomies, {' x '.join(map(str, SIZE))} voxels of "
        f"{' x '.join(f'{s:g}' for s in SPACING)} mm, {pairs} pairs of GM SNR {SCAN.gm_snr:g}; 3D scans are background "
        "suppressed, 2D ones are not. Drift: 0.5 mm and 0.5 degrees over the series. Restless: every volume elsewhere, "
        "SD 0.3 mm and degrees along each axis. A tenth of the volumes carry stripes in every slice, and 2 % of the "
        "other slices are darker by 40 %. PSNR of the mean difference in the brain; the mark is the plain mean of the "
        "same noise without motion and outliers, all else is beside it, in dB. 'Prepared' is what a run does unasked.",
        "",
        *simulated(args.anatomy, pairs=pairs, quick=args.quick),
    ]
    if not args.quick and not is_missing(args.data / "real", "--data"):
        lines += real(args.data, Path(__file__).with_suffix(".png"))
    return command.publish(lines, kept=not args.quick)


if __name__ == "__main__":
    sys.exit(main())
