"""What a lesion's place must tell, whatever its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch


class Place(ABC):
    """Where a lesion is, as an object that can be asked at any point (mm from the centre of the grid, ordered k, j, i).

    None of its points lies further than `reach` mm from `centre` (3,).
    """

    centre: torch.Tensor
    reach: float

    @abstractmethod
    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Which of points (..., 3) lie in it (bool)."""

    def cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """The same (N, S) at `offsets` (S, 3) around each of `centres` (N, 3)."""
        return self(centres[:, None] + offsets)
