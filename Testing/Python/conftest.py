"""What every test file shares: the import path, sane threads, the shared real data, and a desktop that is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slicer_harness import Desktop

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Harness")]

# Before numpy, torch or ITK are loaded: more threads than cores make small tests slower, not faster.
_THREADS = str(min(4, os.cpu_count() or 1))
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ.setdefault(_name, _THREADS)
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout (or ASLDENOISE_SHARED_DATA); skips where it is absent."""
    folder = Path(os.environ.get("ASLDENOISE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the shared real data are not here (../shared/data, or set ASLDENOISE_SHARED_DATA)")
    return folder


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    """`qt`, `ctk` and the application's half of `slicer`; what slots and observers raise fails the test."""
    from slicer_harness import installed, why_absent

    absent = why_absent()
    if absent:
        pytest.skip(absent)
    from slicer_harness import dialogs, packaging
    from slicer_harness.panel import slot_errors

    dialogs.forget()
    packaging.installer.forget()
    with installed() as desktop, slot_errors() as errors:
        yield desktop
    assert not errors, errors[0].text


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip `gpu` tests where there is no CUDA device; torch is loaded only when such a test was collected."""
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not on_gpu:
        return
    try:
        import torch

        available = torch.cuda.is_available()
    except ImportError:
        available = False
    if not available:
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
