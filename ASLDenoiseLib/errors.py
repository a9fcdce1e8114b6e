"""The one error a user is meant to read."""

from __future__ import annotations


class InputError(ValueError):
    """The input or a setting cannot be used.

    The message is one plain sentence that says what is wrong and what would mend it. The shell prints it and exits
    with status 2; the Slicer logic shows it to the user. Nothing has been written when it is raised.
    """
