"""Bends of the volumes' order and of the context that names them."""

from __future__ import annotations

import numpy as np

from Testing.Benchmarks.library.field_phantom import MadeScan
from Testing.Python.fuzz_bends import MAGNITUDE, Bend, Random, need, perfusion_volumes, pick

_SIGN = ("control-label-swapped", "order-changes", "order-mixed", "no-perfusion")  # it asks for the aslcontext
_COUNT = ("count-mismatch",)
_SWAP = {"control": "label", "label": "control"}
_CONTEXT = "_aslcontext.tsv"


def _paired(scan: MadeScan) -> None:
    need("control" in scan.words and "label" in scan.words)


def _exchanged(scan: MadeScan, random: Random) -> str:
    _paired(scan)
    scan.words = [_SWAP.get(word, word) for word in scan.words]
    return "control and label exchanged"


def _shuffled(scan: MadeScan, random: Random) -> str:
    _paired(scan)
    before = list(scan.words)
    scan.words = [str(word) for word in random.permutation(scan.words)]
    need(scan.words != before)
    return f"context {','.join(scan.words)}"


def _shuffled_volumes(scan: MadeScan, random: Random) -> str:
    _paired(scan)
    scan.volumes = scan.volumes[..., random.permutation(scan.volumes.shape[-1])]
    return "volumes shuffled under the context"


def _shuffled_together(scan: MadeScan, random: Random) -> str:
    """Pairs in another order, with their context: still right."""
    _paired(scan)
    order = random.permutation(len(scan.words))
    scan.volumes, scan.words = scan.volumes[..., order], [scan.words[i] for i in order]
    return "volumes and context shuffled alike"


def _dropped(scan: MadeScan, random: Random) -> str:
    need(scan.volumes.shape[-1] > 2)
    gone = int(random.integers(scan.volumes.shape[-1]))
    scan.volumes = np.delete(scan.volumes, gone, axis=-1)
    return f"volume {gone + 1} gone, its context not"


def _dropped_with_context(scan: MadeScan, random: Random) -> str:
    _paired(scan)
    gone = int(pick(random, perfusion_volumes(scan)))
    scan.volumes = np.delete(scan.volumes, gone, axis=-1)
    del scan.words[gone]
    return f"volume {gone + 1} and its context gone"


def _slipped(scan: MadeScan, random: Random) -> str:
    """A volume lost and the context cut at its end, so that it is wrong from there on."""
    _paired(scan)
    gone = int(pick(random, perfusion_volumes(scan)[:-1]))
    scan.volumes = np.delete(scan.volumes, gone, axis=-1)
    scan.words = scan.words[:-1]
    return f"volume {gone + 1} lost, the context cut at its end"


def _doubled(scan: MadeScan, random: Random) -> str:
    twice = int(random.integers(scan.volumes.shape[-1]))
    scan.volumes = np.insert(scan.volumes, twice, scan.volumes[..., twice], axis=-1)
    return f"volume {twice + 1} doubled, its context not"


def _one_volume(scan: MadeScan, random: Random) -> str:
    keep = int(pick(random, perfusion_volumes(scan)))
    scan.volumes, scan.words = scan.volumes[..., keep], [scan.words[keep]]
    return "one 3D volume alone"


def _dummies(scan: MadeScan, random: Random) -> str:
    """The first two before the steady state, called what the others are."""
    _paired(scan)
    first, second = perfusion_volumes(scan)[:2]
    need(len(perfusion_volumes(scan)) >= 8)
    scan.volumes[..., first] *= 1.6
    scan.volumes[..., second] *= 1.25
    return "the first two volumes are brighter"


def _everything(word: str) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        scan.words = [word] * len(scan.words)
        return f"every volume called {word}"

    named = {"deltam": ("not-differences", *MAGNITUDE), "cbf": (*MAGNITUDE, "cbf-unit")}.get(word, ())
    return Bend(f"every volume called {word}", "context", apply, named)


def _m0_called_control(scan: MadeScan, random: Random) -> str:
    need("m0scan" in scan.words)
    scan.words = ["control" if word == "m0scan" else word for word in scan.words]
    return "the M0 called control"


def _marked(scan: MadeScan, random: Random) -> str:
    """One pair marked as left out: still right."""
    step = len(scan.protocol.content.split(","))
    need(len(perfusion_volumes(scan)) >= 3 * step)
    for i in perfusion_volumes(scan)[:step]:
        scan.words[i] = str(pick(random, ("n/a", "noRF")))
    return "the first repetition marked as left out"


def _text(name: str, change, named: tuple[str, ...] = (), *, harmless: bool = False) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        scan.files[_CONTEXT] = change(["volume_type", *scan.words])
        return name

    return Bend(name, "context", apply, named, harmless)


def _lines(words: list[str], end: str = "\n") -> bytes:
    return (end.join(words) + end).encode()


BENDS = (
    Bend("control and label exchanged", "context", _exchanged, _SIGN),
    Bend("context shuffled", "context", _shuffled, (*_SIGN, *_COUNT)),
    Bend("volumes shuffled", "context", _shuffled_volumes, (*_SIGN, "dummy-volumes", "implausible-cbf", "m0-scale")),
    Bend("volumes and context shuffled", "context", _shuffled_together, harmless=True),
    Bend("a volume gone", "context", _dropped),
    Bend("a volume and its context gone", "context", _dropped_with_context, _COUNT),
    Bend("a volume lost and the context cut", "context", _slipped, (*_SIGN, *_COUNT)),
    Bend("a volume doubled", "context", _doubled),
    Bend("one volume alone", "context", _one_volume),
    Bend("the first volumes brighter", "context", _dummies, ("dummy-volumes",)),
    *map(_everything, ("control", "label", "deltam", "m0scan", "cbf", "n/a")),
    Bend("the M0 called control", "context", _m0_called_control, (*_COUNT, "dummy-volumes")),
    Bend("a repetition marked", "context", _marked, harmless=True),
    _text("context missing", lambda words: None),
    _text("context without its heading", lambda words: _lines(words[1:])),
    _text("context one short", lambda words: _lines(words[:-1])),
    _text("context one long", lambda words: _lines([*words, words[-1]])),
    _text("context empty", lambda words: b""),
    _text("context in capitals", lambda words: _lines([word.upper() for word in words]), harmless=True),
    _text("context with unknown words", lambda words: _lines([words[0], *(f"{word}s" for word in words[1:])])),
    _text("context with BOM and CRLF", lambda words: b"\xef\xbb\xbf" + _lines(words, "\r\n"), harmless=True),
    _text("context with blanks", lambda words: _lines([f"{word}  " for word in words] + ["", "", ""]), harmless=True),
    _text("context in UTF-16", lambda words: "\n".join(words).encode("utf-16")),
    _text("context with commas", lambda words: _lines([f"{word},1" for word in words])),
    _text(
        "context with a second column",
        lambda words: _lines([f"{word}\t{n}" for n, word in enumerate(words)]),
        harmless=True,
    ),
)
