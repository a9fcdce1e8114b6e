"""Whether an error says that a graphics processor will not do it, where the CPU would."""

from __future__ import annotations

# What torch says of an operation or a type that MPS lacks (with and without its fallback), and of a CUDA card whose
# driver, libraries or code fail. Not of shapes or values that are wrong on every device.
_WORDS = (
    *("not supported on mps", "not implemented for the mps device", "not currently implemented for the mps"),
    *("mps framework", "for the mps backend", "mps backend doesn't support", "mps device does not support"),
    *("cuda error:", "no kernel image is available", "cuda driver", "cudnn_status", "cudnn error", "cublas_status"),
    *("hip error:", "miopenstatus"),
)


def is_device_refusal(error: BaseException) -> bool:
    """Whether the device itself is what failed: said in words, since torch has no type for it.

    >>> is_device_refusal(RuntimeError("ConvTranspose 3D is not supported on MPS"))
    True
    >>> is_device_refusal(RuntimeError("shapes differ"))
    False
    """
    if not isinstance(error, (RuntimeError, TypeError)):  # NotImplementedError is a RuntimeError
        return False
    text = str(error).lower()
    return any(words in text for words in _WORDS)
