"""How the M0 image of a series came about: what was averaged into it, laid how, and what was passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from .errors import InputError


@dataclass(frozen=True)
class M0Source:
    """The making of an M0 image, as the image alone does not tell it.

    Args:
        name: of the image or of the volumes, for people.
        volumes: numbers, from 1, of the volumes that were averaged.
        moved: mm, mean over the head, that each of them lay from the one that the others were laid on.
        apart: mm, that each of them still lies from it: 0 where it was laid on it, as `moved` where it could not be.
        levels: brightness of each of them over the brightest one's.
        left_out: what was not averaged, and why.
        unused: other sources of the M0 that were passed over, and why.
        directions: phase encoding of M0 and series where they differ, as the sidecars state them; else empty.
    """

    name: str = ""
    volumes: tuple[int, ...] = ()
    moved: tuple[float, ...] = ()
    apart: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    left_out: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """As JSON can carry it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, mapping: Mapping[str, object] | None) -> M0Source | None:
        """What `to_plain` gave; None of None.

        Raises:
            InputError: an entry is of another type.
        """
        if mapping is None:
            return None
        try:
            kept = {f.name: mapping[f.name] for f in fields(cls) if f.name in mapping}
            kinds = {f.name: float if f.name in ("moved", "apart", "levels") else str for f in fields(cls)}
            kinds["volumes"] = int
            values = {n: v if n == "name" else tuple(kinds[n](each) for each in v) for n, v in kept.items()}
            return cls(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(f"The source of the M0 cannot be understood ({mapping!r}); remove it.") from error
