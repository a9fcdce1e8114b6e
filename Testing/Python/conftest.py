"""What test files share: the import path, workers and their threads, the real data, and a desktop that is none."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slicer_harness import Desktop

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Harness")]

# A developer's own models change no test: the user's folder of models is one that is never there.
os.environ["ASLDENOISE_MODELS"] = str(ROOT / "Testing" / "Python" / "no-models")

# Before numpy, torch or ITK are loaded: more threads than cores make small tests slower, not faster.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
_UNSAID = [name for name in _THREADS if name not in os.environ]
os.environ.update(dict.fromkeys(_UNSAID, str(min(4, _CORES))))
_IS_WORKER, _SESSION = "PYTEST_XDIST_WORKER" in os.environ, "ASLDENOISE_TESTS"
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest  # noqa: E402

# The causes of slowness, as pyproject.toml describes them: `slow` is any of them.
SLOW = ("runs", "child", "registers", "segments", "trains", "installs")
# The files that take longest, so that no worker begins one when the others are about to end.
LONGEST = (
    "test_docs_examples.py",
    "test_panel_run.py",
    "test_pipeline.py",
    "test_packaging.py",
    "test_superresolving_learned.py",
    "test_superresolving_methods.py",
    "test_template_space.py",
    "test_panel_widget.py",
    "test_preparation.py",
    "test_inspect_series.py",
    "test_packaging_pip.py",
    "test_shell.py",
    "test_module_logic.py",
    "test_request_child.py",
    "test_fixes.py",
    "test_registration.py",
    "test_training.py",
)
APART = ("test_docs_examples.py",)  # files of long tests that share nothing


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


@pytest.fixture(scope="session")
def session_folder() -> Path:
    """A folder that all workers of this session have in common, and no other session."""
    return Path(os.environ[_SESSION])


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for models of the user's own, empty."""
    folder = tmp_path / "my models"
    folder.mkdir()
    monkeypatch.setenv("ASLDENOISE_MODELS", str(folder))
    return folder


@pytest.fixture(scope="module")
def worked_out(session_folder: Path) -> Iterator[None]:
    """Brains, tissue and alignments are looked for once for the same images, in whatever file and worker."""
    from worked_out import PURE, put_everywhere

    with pytest.MonkeyPatch.context() as patch:
        for name in PURE:
            put_everywhere(name, session_folder, patch.setattr)
        yield


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


@pytest.fixture
def panel(desktop, repo_root):
    """The panel as Slicer opens it."""
    from panel_builders import start_late
    from slicer_harness.panel import open_panel

    opened = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    start_late(opened)
    yield opened
    opened.close()


@pytest.fixture
def made(panel):
    """The series of the module's self test."""
    from ASLDenoisePanel.selftest_series import selfTestSeries

    return selfTestSeries()


def pytest_configure(config: pytest.Config) -> None:
    """Workers (`-n`), which inherit what is said here, share a folder and the cores."""
    if _IS_WORKER:
        if os.name == "posix":
            config.pluginmanager.register(Turns())  # no conftest's hook, which the package's doctests would not see
        return
    os.environ[_SESSION] = tempfile.mkdtemp(prefix="asldenoise-tests-")
    if workers := config.getoption("numprocesses", None):
        os.environ.update(dict.fromkeys(_UNSAID, str(min(4, max(1, _CORES // workers)))))
        config.option.loadscopereorder = False  # the order is `pytest_collection_modifyitems`'


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing is left of the session."""
    if not _IS_WORKER:
        shutil.rmtree(os.environ.pop(_SESSION, ""), ignore_errors=True)


class Turns:
    """A test that is `alone` begins when the other workers have ended theirs, and they wait for it."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        import fcntl

        folder, alone = Path(os.environ[_SESSION]), item.get_closest_marker("alone") is not None
        with (folder / "room").open("a") as room:
            with (folder / "door").open("a") as door:  # who waits for the room to be empty lets nobody in
                fcntl.flock(door, fcntl.LOCK_EX)
                fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of the weights of a `model` that is published apart is skipped where they are not installed."""
    for marker in item.iter_markers("model"):
        from ASLDenoiseLib.denoising.catalogue import why_not_installed

        if why := why_not_installed(*marker.args):
            pytest.skip(why)


def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """A file's tests go to one worker in their order, and share what its fixtures make; those of `APART` go singly."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if Path(file).name in APART else file

    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever has a cause to be slow is `slow`; the longest files come first; `gpu` and `nightly` may be skipped."""
    for item in items:
        if any(item.get_closest_marker(cause) for cause in SLOW):
            item.add_marker(pytest.mark.slow)
    places = {name: place for place, name in enumerate(LONGEST)}
    for item in items:
        if item.get_closest_marker("alone"):
            places[item.path.name] = len(items)  # last: what the others are at is short by then
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))  # stable: else in the order of the files
    if "nightly" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("nightly"):
                item.add_marker(pytest.mark.skip(reason="takes half an hour; asked for with -m nightly"))
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
