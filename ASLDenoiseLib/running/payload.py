"""One object in one file: whole or not at all, and exactly as it was.

Arrays lie beside the pickle (protocol 5), so that reading neither copies them nor holds up other threads. What both
sides have already is not written: it goes by a name, and the reader's own object takes its place. Unpickling runs code:
read only what this program wrote, in a folder that only this user can write to.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np

from ..moving import replace_file

_NONE: Mapping[str, object] = MappingProxyType({})
_LENGTH = struct.Struct("<Q")


def write_payload(path: Path, content: object, *, known: Mapping[str, object] = _NONE) -> None:
    """Write `content`; the file is there under its name only when it is complete.

    Args:
        path: where to; a file of that name is replaced.
        content: anything that pickles.
        known: objects that the reader has, by the names it has them under.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; no file is left.
    """
    part = path.with_name(path.name + ".part")
    try:
        stream, buffers = io.BytesIO(), []
        _Pickler(stream, buffers, known).dump(content)
        blocks = [stream.getbuffer(), *(buffer.raw() for buffer in buffers)]
        with part.open("wb") as file:
            file.write(b"".join(map(_LENGTH.pack, (len(blocks), *(block.nbytes for block in blocks)))))
            file.writelines(blocks)
        replace_file(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_payload(path: Path, *, known: Mapping[str, object] = _NONE) -> object:
    """Return what `write_payload` wrote.

    Raises:
        OSError: there is no such file.
        EOFError: the file is cut short.
    """
    with path.open("rb") as file:
        lengths = [_number(file) for _ in range(_number(file))]
        stream, *buffers = [_block(file, length) for length in lengths]
    return _Unpickler(stream, buffers, known).load()


class _Pickler(pickle.Pickler):
    def __init__(self, stream: BinaryIO, buffers: list[pickle.PickleBuffer], known: Mapping[str, object]) -> None:
        super().__init__(stream, protocol=5, buffer_callback=buffers.append)
        self._names = {id(thing): name for name, thing in known.items()}

    def persistent_id(self, obj: object) -> str | None:
        return self._names.get(id(obj))


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: memoryview, buffers: list[memoryview], known: Mapping[str, object]) -> None:
        super().__init__(io.BytesIO(stream), buffers=buffers)
        self._known = known

    def persistent_load(self, pid: str) -> object:
        return self._known[pid]


def _number(file: BinaryIO) -> int:
    return _LENGTH.unpack(_block(file, _LENGTH.size))[0]


def _block(file: BinaryIO, length: int) -> memoryview:
    block = np.empty(length, np.uint8).data  # a bytearray would be filled with zeros first, and all threads wait
    if file.readinto(block) != length:
        raise EOFError("The file is cut short.")
    return block
