"""Small results made by hand for the scene tests, without network and pipeline; and scenes read back and looked at."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ASLDenoiseLib.result import Readout, Result
from ASLDenoiseLib.series import (
    CBF_UNIT,
    Acquisition,
    ASLSeries,
    Geometry,
    Labeling,
    M0Type,
    Origin,
    Tissue,
    Volume,
)
from ASLDenoiseLib.spatial.regions import Drawing, PlacedRegion


def oblique_geometry(size: tuple[int, int, int] = (14, 16, 8)) -> Geometry:
    """Turned about two axes, and off centre."""
    a, b = np.deg2rad(14.0), np.deg2rad(-9.0)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return Geometry(size, (9.0, 8.5, 12.0), (-61.0, -70.0, -33.0), tuple((about_z @ about_x).ravel()))


def made_series(geometry: Geometry | None = None) -> ASLSeries:
    """M0, two pairs; one voxel that was not measured."""
    geometry = geometry or oblique_geometry()
    context = ("m0scan", "control", "label", "control", "label")
    array = np.random.default_rng(0).normal(500, 20, (5, *geometry.shape)).astype(np.float32)
    array[1, 2, 3, 4] = np.nan
    acquisition = Acquisition(
        labeling=Labeling.PCASL,
        post_labeling_delay=(0.0, 1.8, 1.8, 1.8, 1.8),
        label_duration=1.5,
        background_suppression=True,
        slice_timing=tuple(0.04 * k for k in range(geometry.size[2])),
        m0_type=M0Type.INCLUDED,
        manufacturer="Siemens",
        origins={"labeling": Origin.SIDECAR, "post_labeling_delay": Origin.DICOM, "label_duration": Origin.DEFAULT},
    )
    return ASLSeries(
        array, geometry, context, acquisition, m0=Volume(array[0], geometry), name="sub-77", source="made here"
    )


def made_result(geometry: Geometry | None = None, *, model: str = "test-model") -> Result:
    """Raw (noisy), denoised and residual CBF, a T1 on another grid, tissue, one ROI. NaN in the lowest slice."""
    series = made_series(geometry)
    grid = series.geometry
    k, j, i = np.indices(grid.shape)
    middle = (np.array(grid.shape) - 1) / 2
    radius = np.sqrt(sum(((x - m) / (m + 0.5)) ** 2 for x, m in zip((k, j, i), middle, strict=True)))
    wm, gm = (radius < 0.6).astype(np.float32), ((radius >= 0.6) & (radius < 1)).astype(np.float32)
    cbf = 60.0 * gm + 20.0 * wm
    cbf[0] = np.nan
    noisy = cbf + np.random.default_rng(1).normal(0, 10, grid.shape)
    raw, denoised = Volume(noisy, grid, CBF_UNIT), Volume(cbf, grid, CBF_UNIT)
    t1_grid = Geometry((40, 44, 36), (5.0, 5.0, 5.0), (-98.0, -108.0, -70.0))
    to_asl = np.eye(4)
    to_asl[:3, 3] = (4.0, -3.0, 2.0)
    return Result(
        series,
        {"desc-mean_cbf": raw, "desc-denoised_cbf": denoised, "desc-residual_cbf": raw.with_array(noisy - cbf)},
        {
            "desc-mean_cbf": (
                Readout("gm_mean", "GM mean", 50.0, CBF_UNIT),
                Readout("snr", "SNR", 2.0, ""),
                Readout("tsnr", "tSNR", 1.5, ""),
            ),
            "desc-denoised_cbf": (Readout("gm_mean", "GM mean", 51.0, CBF_UNIT), Readout("snr", "SNR", 5.0, "")),
        },
        Tissue(Volume(gm, grid), Volume(wm, grid), None, Volume(gm + wm, grid), "made here"),
        regions={"thalamus": PlacedRegion.of(Volume(radius < 0.3, grid))},
        drawings={"thalamus": Drawing.of(Volume(radius < 0.3, grid))},
        t1=Volume(np.random.default_rng(2).uniform(10, 900, t1_grid.shape), t1_grid, name="T1w"),
        t1_to_asl=to_asl,
        model={"name": model},
    )


def contents(scene) -> list[tuple[str, str]]:
    """Class and name of every node of the scene, sorted; MRML numbers display and storage nodes, so without theirs."""
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    numbered = [node.IsA("vtkMRMLVolumeDisplayNode") or node.IsA("vtkMRMLSegmentationDisplayNode") for node in nodes]
    numbered = [n or node.IsA("vtkMRMLStorageNode") for n, node in zip(numbered, nodes, strict=True)]
    named = ((node.GetClassName(), "" if n else node.GetName() or "") for n, node in zip(numbered, nodes, strict=True))
    return sorted(named)


def load_mrb(path: Path, folder: Path):
    """The scene of a bundle, unpacked in `folder`. MRML's own reader needs the desktop's cache manager."""
    from ASLDenoiseLib.scene.headless import make_scene

    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    scene = make_scene()
    scene.SetURL(str(next(iter(sorted(folder.rglob("*.mrml"))))))
    assert scene.Import()
    return scene


def shown_key(nodes) -> str | None:
    """The key of the map that the slice views show (a fade counts as the processed one), None where they show none."""
    import slicer

    from ASLDenoiseLib.scene.layouts import RAW_VIEW, is_ours

    scene = nodes.maps["desc-mean_cbf"].GetScene()
    apart = RAW_VIEW if is_ours(scene) else ""
    keys = {node.GetID(): key for key, node in nodes.maps.items()}
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        if composite.GetLayoutName() != apart and composite.GetForegroundVolumeID() in keys:
            return keys[composite.GetForegroundVolumeID()]
    return None


def pixels(logic) -> np.ndarray:
    """What a slice view shows, float RGB (rows, columns, 3), from its lower left corner."""
    from vtk.util.numpy_support import vtk_to_numpy

    node = logic.GetSliceNode()
    node.UpdateMatrices()
    producer = logic.GetImageDataConnection().GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(logic.GetImageDataConnection().GetIndex())
    width, height = node.GetDimensions()[:2]
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[..., :3].astype(float)
