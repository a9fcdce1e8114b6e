"""How long a run with the chosen settings will take, before its images are read."""

from __future__ import annotations

from ASLDenoiseLib.scene.series import volume_count

from .parameters import Device, Way


def expectation(parameters) -> str:
    """Roughly how long the choices in a parameter node take; empty where they name a model that is not there."""
    from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, find_model
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.pipeline.estimate import denoise_plan, said_before, superresolve_plan

    p = parameters
    # what 'auto' finds is known in the child alone; the CPU's time is the one that was measured, and the longest
    device = p.device.value if p.device in (Device.CUDA, Device.MPS) else "cpu"
    try:
        card = find_model(p.model or DEFAULT_MODEL)
    except InputError:
        return ""
    volumes = volume_count(p.asl)
    common = {
        "size": _size(p.asl),
        "volumes": volumes,
        "with_t1": p.t1 is not None,
        "motion": p.motion,
        "device": device,
    }
    if p.way is Way.DENOISE:
        groups = -(-(volumes // 2) // p.group) if p.group else 1
        plan = denoise_plan(card, groups=max(1, groups), **common)
    else:
        from ASLDenoiseLib.superresolving import DEFAULT_METHOD

        plan = superresolve_plan(p.method or DEFAULT_METHOD, card=card if p.denoiseFirst else None, **common)
    return said_before(plan, device=device)


def _size(node) -> tuple:
    first = node.GetNthDataNode(0) if node.IsA("vtkMRMLSequenceNode") else node
    image = first.GetImageData() if first is not None else None
    return (64, 64, 24) if image is None else image.GetDimensions()
