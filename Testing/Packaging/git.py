"""Git as the publishing command calls it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


def git(folder: Path, *words: str, given: bytes | None = None, more: Mapping[str, str] | None = None) -> bytes:
    """What git prints in a folder, which has its own repository whatever the environment says.

    Args:
        folder: of the checkout.
        words: of the command.
        given: its standard input.
        more: variables of its environment.

    Raises:
        subprocess.CalledProcessError: it fails; ``stderr`` says why.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    environment = {**kept, **(more or {})}
    call = ["git", "-C", str(folder), *words]
    return subprocess.run(call, check=True, capture_output=True, input=given, env=environment).stdout


def lines(folder: Path, *words: str) -> list[str]:
    """What git prints, line by line, where names are plain."""
    return git(folder, *words).decode("utf-8").splitlines()
