"""``python -m ASLDenoiseLib.running.child FOLDER`` runs the task in FOLDER, for the `Runner` that put it there.

With names of modules after FOLDER it is started before there is a task: it loads them, and waits for one.

Standard output carries one JSON object a line and nothing else: notices (see `protocol`) and progress; whatever
libraries print goes to standard error, the log. The result is a file beside the task. Standard input is the parent's
sign of life: at its end this process, all it has started and FOLDER go.
"""

# Nothing but the standard library may be loaded before `follow_parent` has forked: a fork copies no other thread.
from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from .protocol import RESULT, STATUSES, TASK, EndNotice, StartNotice, notice_line

_LOOK = 0.02  # s between looks for a task


def main(folder: Path, modules: Sequence[str] = ()) -> int:
    """Run the task; returns the exit status that `protocol.STATUSES` gives its end.

    Where there are `modules`, the task may be still to come.
    """
    watch = follow_parent(folder)
    lines = _own_output()
    print(notice_line(StartNotice(os.getpid())), end="", file=lines, flush=True)
    if modules:
        _wait_for(folder / TASK, modules)
    notice = _run_task(folder, lines)
    if watch is not None:
        os.kill(watch, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(watch, 0)
    print(notice_line(notice), end="", file=lines, flush=True)
    return STATUSES[notice.outcome]


def _wait_for(task: Path, modules: Sequence[str]) -> None:
    """Wait for the task, and load modules for it meanwhile; it is not kept waiting for those that are left."""
    from ..devices import settle_process

    settle_process()  # torch may be among them; the task says later whether its cards are to be hidden
    for name in modules:
        if task.is_file():
            return
        with contextlib.suppress(Exception):  # the task says what is missing, should it need it
            importlib.import_module(name)
    while not task.is_file():
        time.sleep(_LOOK)


def _run_task(folder: Path, lines: TextIO) -> EndNotice:
    """Run the task and write its result; how it ended."""
    try:
        import logging

        from ..devices import settle_process
        from ..progress import JsonLines
        from .payload import read_payload, write_payload

        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s: %(message)s")
        logging.captureWarnings(True)
        progress = JsonLines(lines)
        progress(0.0, "starting")
        task = read_payload(folder / TASK)
        (folder / TASK).unlink()  # makes room for the result
        settle_process(getattr(task, "device", "auto"))
        write_payload(folder / RESULT, task.run(progress), known=task.inputs)
    except (Exception, SystemExit) as error:  # a library that exits has not done the task
        return _failure(error)
    return EndNotice("done")


def _failure(error: BaseException) -> EndNotice:
    """The notice of an error; its traceback goes to the log as well."""
    from ..errors import InputError
    from ..memory import is_out_of_memory
    from ..remedies import remedies_to_json
    from .ending import is_full_disk

    if isinstance(error, InputError):
        return EndNotice("input", error.what, remedies=remedies_to_json(error.remedies))
    details = "".join(traceback.format_exception(error))
    print(details, file=sys.stderr, flush=True)
    outcome = "memory" if is_out_of_memory(error) else "disk" if is_full_disk(error) else "crash"
    return EndNotice(outcome, traceback.format_exception_only(error)[-1].strip(), details)


def _own_output() -> TextIO:
    """Standard output for this module alone; what others print to it becomes log."""
    own = os.dup(sys.stdout.fileno())
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return open(own, "w", encoding="utf-8", newline="\n")


def follow_parent(folder: Path) -> int | None:
    """End this process, its group and `folder` as soon as the parent is gone.

    A process of its own watches where that is possible, whose pid is returned: a thread would have to wait for
    libraries that compute for seconds without letting another thread run.
    """
    child = os.getpid()
    if not hasattr(os, "fork"):
        from .windows import end_what_this_process_starts

        end_what_this_process_starts()
        threading.Thread(target=_watch, args=(child, folder), daemon=True).start()
        return None
    watch = os.fork()
    if watch == 0:
        _watch(child, folder)
    return watch


def _watch(child: int, folder: Path) -> None:
    if child != os.getpid():
        os.close(1)  # nobody shall wait for the output of the watch
        os.close(2)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it stays to clear up after a parent that cancels and goes
    _wait_for_the_end_of_input()
    if child != os.getpid() and os.getppid() == child:
        os.kill(child, signal.SIGKILL)
    os.chdir(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    if hasattr(os, "killpg") and os.getpgrp() == os.getsid(0):  # the group is this run's own
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _wait_for_the_end_of_input() -> None:
    """Nobody writes; the end of the input is the end of the parent."""
    if os.name != "nt":
        while os.read(0, 1024):
            pass
        return
    # to wait in a read would hold up everything else that looks at standard input, libraries being loaded included
    import ctypes
    import msvcrt

    pipe = ctypes.c_void_p(msvcrt.get_osfhandle(0))
    while ctypes.windll.kernel32.PeekNamedPipe(pipe, None, 0, None, None, None):
        time.sleep(0.5)


if __name__ == "__main__":
    if not sys.argv[2:] and not Path(sys.argv[1], TASK).is_file():
        sys.exit(f"There is no task in '{sys.argv[1]}'; this command is for ASLDenoise's own use.")
    status = main(Path(sys.argv[1]).resolve(), sys.argv[2:])
    sys.stderr.flush()
    os._exit(status)  # all is told and written: libraries need not be unloaded, which takes seconds and may crash
