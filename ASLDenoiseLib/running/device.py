"""Which device computes."""

from __future__ import annotations

from ..errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve_device(choice: str) -> str:
    """``auto`` becomes the best device there is; a named one is checked.

    Raises:
        InputError: an unknown name, or a device this machine (or this torch) has not.
    """
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if choice not in available:
        raise InputError(f"There is no device '{choice}'; choose one of {', '.join(DEVICES)}.")
    if not available[choice]:
        raise InputError(f"torch finds no '{choice}' device on this machine; use --device auto or --device cpu.")
    return choice
