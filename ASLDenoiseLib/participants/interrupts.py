"""Preloaded by every worker on this machine: a Ctrl-C reaches all processes of a terminal, and is the coordinator's."""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Leave interrupts to the process that started the workers, which then ends them one scan after another."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
