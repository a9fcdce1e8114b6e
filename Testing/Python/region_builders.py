"""Segments of every kind that the Segment Editor leaves, and what is counted in a region directly, voxel by voxel."""

from __future__ import annotations

import numpy as np

from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.regions import Drawing

T1_GRID = Geometry((150, 180, 150), (1.0, 1.0, 1.2), (-75.0, -90.0, -85.0))
ASL_GRID = Geometry((48, 48, 20), (3.4, 3.4, 6.0), (-80.0, -81.0, -57.0))


def turned(grid: Geometry, x: float, z: float) -> Geometry:
    """A grid turned by degrees about two axes through its middle."""
    a, b = np.deg2rad([x, z])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    axes = about_z @ about_x @ np.reshape(grid.direction, (3, 3))
    middle = (grid.affine_lps @ [*(np.array(grid.size) - 1) / 2, 1.0])[:3]
    origin = middle - axes @ (np.array(grid.spacing) * (np.array(grid.size) - 1) / 2)
    return Geometry(grid.size, grid.spacing, tuple(origin), tuple(axes.ravel()))


def rigid(*, degrees: float, shift: tuple[float, float, float]) -> np.ndarray:
    """4x4: turned about the vertical, then moved, mm."""
    a, matrix = np.deg2rad(degrees), np.eye(4)
    matrix[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    matrix[:3, 3] = shift
    return matrix


def directly(drawing: Drawing, values: Volume, *, transform: np.ndarray | None = None, cuts: int = 9) -> float:
    """The mean of an image over what was drawn: at points close together, of the voxel that each lies in."""
    k, j, i = np.nonzero(drawing.inside)
    steps = (np.arange(cuts) + 0.5) / cuts - 0.5
    to_grid = np.linalg.inv(values.geometry.affine_lps) @ (np.eye(4) if transform is None else transform)
    to_grid = to_grid @ drawing.affine
    total, count = 0.0, 0
    for offset in np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3):
        points = np.column_stack([i, j, k]) + offset
        at = np.floor(points @ to_grid[:3, :3].T + to_grid[:3, 3] + 0.5).astype(int)
        at = at[np.all((at >= 0) & (at < values.geometry.size), axis=1)]
        found = values.array[at[:, 2], at[:, 1], at[:, 0]].astype(float)
        found = found[np.isfinite(found)]
        total, count = total + found.sum(), count + found.size
    return total / count


def perfusion(grid: Geometry, seed: int = 0) -> Volume:
    """CBF that differs from voxel to voxel, and is not measured in the lowest slice."""
    array = np.random.default_rng(seed).normal(55, 20, grid.shape).astype(np.float32)
    array[0] = np.nan
    return Volume(array, grid, "ml/100g/min")


def add_labelled(node, labels: np.ndarray, geometry: Geometry, names: dict[int, str]) -> None:
    """Segments that share one labelmap, as the Segment Editor draws them."""
    import slicer

    scene = node.GetScene()
    volume = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn")
    slicer.util.updateVolumeFromArray(volume, labels.astype(np.uint8))
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(geometry.affine_ras))
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(volume, node)
    segmentation = node.GetSegmentation()
    for index, name in enumerate(names.values()):
        segmentation.GetNthSegment(segmentation.GetNumberOfSegments() - len(names) + index).SetName(name)
    scene.RemoveNode(volume)


def add_drawn(node, drawing: Drawing, name: str) -> str:
    """A segment with a labelmap of its own; returns its ID."""
    from ASLDenoiseLib.scene.segments import oriented_image

    return node.AddSegmentFromBinaryLabelmapRepresentation(oriented_image(drawing), name, [1.0, 0.5, 0.0])


def box(grid: Geometry, low: tuple[int, int, int], high: tuple[int, int, int]) -> Drawing:
    """A box of voxels (i, j, k)."""
    inside = np.zeros(grid.shape, bool)
    inside[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))] = True
    return Drawing.cropped(inside, grid.affine_lps)


def live_result():
    """A result of 64x64x24 oblique voxels, 30 pairs and a T1 of 1 mm, with all that regions are read from."""
    from dataclasses import replace

    from scene_builders import made_result

    from ASLDenoiseLib.measuring.readouts import measure
    from ASLDenoiseLib.result.pair_errors import PairErrors
    from ASLDenoiseLib.series import CBF_UNIT, Tissue

    grid = turned(Geometry((64, 64, 24), (3.4, 3.4, 5.0), (-108.0, -108.0, -58.0)), 8.0, 5.0)
    t1_grid, rng = Geometry((192, 224, 192), (1.0, 1.0, 1.0), (-96.0, -110.0, -96.0)), np.random.default_rng(0)
    k, j, i = np.indices(grid.shape)
    brain, inner = (
        ((i - 32) / a) ** 2 + ((j - 32) / b) ** 2 + ((k - 12) / c) ** 2 < 1 for a, b, c in ((22, 26, 11), (17, 20, 8))
    )
    gm, wm = brain & ~inner, brain & inner
    cbf = 60.0 * gm + 25.0 * wm
    pairs = (cbf + rng.normal(0, 30, (30, *grid.shape))).astype(np.float32)
    maps = {"desc-mean_cbf": pairs.mean(axis=0), "desc-denoised_cbf": cbf + rng.normal(0, 2, grid.shape)}
    maps = {key: Volume(array, grid, CBF_UNIT) for key, array in maps.items()}
    tissue = Tissue(Volume(gm, grid), Volume(wm, grid), None, Volume(brain, grid), "made here")
    return replace(
        made_result(grid),
        maps=maps,
        readouts={key: measure(volume, tissue) for key, volume in maps.items()},
        tissue=tissue,
        t1=Volume(rng.uniform(0, 100, t1_grid.shape), t1_grid, name="T1w"),
        t1_to_asl=rigid(degrees=5.0, shift=(3.0, 2.0, 1.0)),
        regions={},
        drawings={},
        pair_errors={"raw": PairErrors.of(pairs, None, brain)},
        mirror=np.diag([-1.0, 1.0, 1.0, 1.0]),
    )
