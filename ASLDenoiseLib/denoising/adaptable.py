"""Which models can be adapted to scans: those whose family says so (`families.DenoiserFamily.adapts`)."""

from __future__ import annotations

from ..errors import InputError
from .catalogue import DEFAULT_MODEL, ModelCard


def check_adaptable(card: ModelCard) -> None:
    """Refuse a model that cannot be adapted.

    Raises:
        InputError: it cannot.
    """
    if not card.family.adapts:
        raise InputError(
            f"The model {card.name} cannot be adapted to a scan, since it does not learn from noise; choose another, "
            f"such as {DEFAULT_MODEL}."
        )
