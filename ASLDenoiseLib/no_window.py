"""Commands without a window: a console flashes up on Windows, where a program that has none starts another."""

from __future__ import annotations

import subprocess

NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # for `creationflags`; other systems have no such flag
