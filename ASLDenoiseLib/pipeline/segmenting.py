"""A T1 is segmented on another core while the series is inspected and its motion is found."""

from __future__ import annotations

import threading

from ..preparing.brain_mask import correct_bias
from ..preparing.tissue_t1 import tissue_from_t1
from ..progress import Progress, silent
from ..series import Volume
from .head_store import SegmentedHead


def segmented_head(t1: Volume, segmenter: str, progress: Progress = silent) -> SegmentedHead:
    """Tissue of a T1 that was read (`reading_steps.t1_of`), and the T1 without its bias field.

    Raises:
        InputError: as `preparing.tissue_t1.tissue_from_t1`.
    """
    tissue = tissue_from_t1(t1, segmenter=segmenter, progress=progress)
    return SegmentedHead(tissue, correct_bias(t1))


class Segmenting:
    """A T1 that is being segmented; a run that ends before does not wait for it."""

    def __init__(self, t1: Volume, segmenter: str) -> None:
        self._head: SegmentedHead | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._segment, args=(t1, segmenter), name="ASLDenoise T1", daemon=True)
        self._thread.start()

    def result(self) -> SegmentedHead:
        """What `segmented_head` gives, once it is there; its error is raised here."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._head

    def _segment(self, t1: Volume, segmenter: str) -> None:
        try:
            self._head = segmented_head(t1, segmenter)
        except Exception as error:  # told in the step that needs it
            self._error = error
