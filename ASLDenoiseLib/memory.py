"""Whether an error says that memory ran out, on any device; and giving back what is free."""

from __future__ import annotations

import gc
from contextlib import suppress

# What libraries say in a RuntimeError or the like: torch on the CPU, on CUDA and on MPS; ITK; C++
_WORDS = (
    *("out of memory", "not enough memory", "failed to map segment", "alloc_failed", "bad_alloc"),
    *("can't allocate memory", "cannot allocate memory", "failed to allocate memory"),
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on any device: said by type, or in words by libraries that have no type for it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    # a library that is loaded while there is too little raises an ImportError
    return isinstance(error, (RuntimeError, ImportError)) and says_out_of_memory(str(error))


def says_out_of_memory(text: str) -> bool:
    """Whether a library's message is about memory."""
    return any(words in text.lower() for words in _WORDS)


def give_back() -> None:
    """Give the memory that nothing uses any more back to the system, before another process needs it.

    glibc keeps what libraries freed in small pieces, hundreds of megabytes after a segmentation; other systems' C
    libraries need not be asked.
    """
    import ctypes

    gc.collect()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
