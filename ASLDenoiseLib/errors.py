"""The one error a user is meant to read."""

from __future__ import annotations

from collections.abc import Iterable

from .remedies import Remedy, sentence_of


class InputError(ValueError):
    """The input or a setting cannot be used. Nothing has been written when it is raised.

    As text it is one plain sentence that says what is wrong and what would put it right: the shell prints it and exits
    with status 2. The panel says the remedies in its own words (`ASLDenoisePanel.remedies`).

    Args:
        what: what is wrong; the whole sentence where there are no remedies as data.
        remedies: what would put it right.
    """

    def __init__(self, what: str, remedies: Iterable[Remedy] = ()) -> None:
        super().__init__(what)
        self.what, self.remedies = what, tuple(remedies)

    def __str__(self) -> str:
        return f"{self.what}; {sentence_of(self.remedies)}." if self.remedies else self.what
