"""What series, volumes and results show of themselves in a notebook."""

from __future__ import annotations

from functools import singledispatch


@singledispatch
def html_of(shown: object) -> str:
    """HTML of a noun. `reporting.notebook` registers it, which the package loads with its first public name.

    Raises:
        NotImplementedError: nothing is registered; a notebook then shows the text.
    """
    raise NotImplementedError
