"""What the last run prepared, kept in a private folder for as long as the scene is open, so that it can begin again."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


class KeptPreparation:
    """A folder that only this user can enter; made when it is first asked for, removed by `discard` and at the end."""

    def __init__(self):
        self._folder = None

    @property
    def folder(self) -> Path:
        """The folder."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="ASLDenoise-kept-"))
            atexit.register(self.discard)
        return self._folder

    @property
    def there(self) -> bool:
        """Whether anything is kept."""
        return bool(self.digest)

    @property
    def digest(self) -> str:
        """The digest of what is kept (`ASLDenoiseLib.pipeline.again`), so that it is not taken for another run's."""
        from ASLDenoiseLib.pipeline.again import DIGEST

        if self._folder is None:
            return ""
        try:
            return (self._folder / DIGEST).read_text("utf-8")
        except OSError:
            return ""

    def pair(self, number):
        """The perfusion (K, J, I) of one of the pairs that a run averages, by its place among them from 0, or None."""
        import numpy as np

        from ASLDenoiseLib.pipeline.again import PAIRS

        if not self.digest or not (self._folder / PAIRS).is_file():
            return None
        pairs = np.load(self._folder / PAIRS, mmap_mode="r")
        return np.array(pairs[number]) if number < len(pairs) else None

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            atexit.unregister(self.discard)
            self._folder = None
