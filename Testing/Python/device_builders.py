"""A graphics processor for tests: tensors that say they are on ``mps`` or ``cuda`` and are computed on the CPU.

It has the rules of the real one: no float64 on MPS, nothing computed with tensors that stayed elsewhere, only so much
memory, and operations that it does not have. Numbers are those of the CPU, so that a result can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map


class _There(torch.Tensor):
    """A tensor on the device, as it says itself; torch takes it to be on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: torch.device(self.owner.name))

    @staticmethod
    def __new__(cls, held: torch.Tensor, device: FakeDevice) -> _There:
        how = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made = torch.Tensor._make_wrapper_subclass(cls, held.size(), requires_grad=held.requires_grad, **how)
        made.held, made.owner = held, device
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        owner = next(a.owner for a in tree_flatten((args, kwargs))[0] if isinstance(a, _There))
        return owner.compute(func, args, kwargs or {})

    def __repr__(self, **_options: object) -> str:
        return f"_There({self.held!r})"


@dataclass
class FakeDevice:
    """The device, and what was done on it.

    Args:
        name: ``mps`` or ``cuda``.
        most: bytes that one tensor may have; more runs out of memory.
        lacks: names of operations that it has not, as aten calls them.
    """

    name: str = "mps"
    most: float = float("inf")
    lacks: tuple[str, ...] = ()
    done: list[str] = field(default_factory=list)

    def put(self, held: torch.Tensor) -> torch.Tensor:
        """A tensor on the device, by the device's rules."""
        if self.name == "mps" and held.dtype in (torch.float64, torch.complex128):
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. "
                "Please use float32 instead."
            )
        if held.numel() * held.element_size() > self.most:
            if self.name == "mps":
                raise RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB, max allowed: 5.00 GB).")
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return _There(held, self)

    def compute(self, func: Callable, args: tuple, kwargs: dict) -> Any:
        """One operation, of tensors that are all here."""
        flat = tree_flatten((args, kwargs))[0]
        name = func.overloadpacket.__name__
        if name != "copy_" and any(_is_elsewhere(value) for value in flat):
            places = f"{self.name}:0 and cpu"
            raise RuntimeError(f"Expected all tensors to be on the same device, but found at least two, {places}!")
        if name == "conv_transpose3d" and name in self.lacks:
            raise RuntimeError("ConvTranspose 3D is not supported on MPS")
        if name in self.lacks:
            raise NotImplementedError(f"The operator 'aten::{name}' is not currently implemented for the MPS device.")
        self.done.append(name)
        plain = tree_map(lambda value: value.held if isinstance(value, _There) else value, (args, kwargs))
        out = func(*plain[0], **plain[1])
        if name == "copy_" and not isinstance(args[0], _There):
            return args[0]
        kept = {id(value.held): value for value in flat if isinstance(value, _There)}
        return tree_map(lambda value: self._answer(value, kept), out)

    def _answer(self, value: Any, kept: dict[int, torch.Tensor]) -> Any:
        """What an operation gave, on the device; the very tensor where it was changed in place."""
        if not isinstance(value, torch.Tensor):
            return value
        return kept[id(value)] if id(value) in kept else self.put(value)


def _is_elsewhere(value: Any) -> bool:
    """Whether it is a tensor on the CPU; one number goes with any device."""
    return isinstance(value, torch.Tensor) and not isinstance(value, _There) and value.dim() > 0


class _Reaching(TorchFunctionMode):
    """Brings to the device, makes on it, and takes away from it."""

    def __init__(self, device: FakeDevice) -> None:
        super().__init__()
        self.fake = device

    def _names_it(self, value: Any) -> bool:
        if isinstance(value, torch.device):
            return value.type == self.fake.name
        return isinstance(value, str) and value.partition(":")[0] == self.fake.name

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        first = args[0] if args else None
        if func is torch.Tensor.cpu:
            return _away(first)
        rest = (*args[1:], *kwargs.values())
        if func is torch.Tensor.to:
            to = any(self._names_it(value) or isinstance(value, _There) for value in rest)
            stays = isinstance(first, _There) and not any(_names_the_cpu(value) for value in rest)
            args, kwargs = self._without(args, kwargs)
            moved = (_away(first).to if to or not stays else first.to)(*args[1:], **kwargs)
            return self.fake.put(moved) if to else moved
        if func is torch.Tensor.new_tensor and isinstance(first, _There):  # made where its first tensor is
            return self.fake.put(_away(first).new_tensor(*args[1:], **kwargs))
        if any(map(self._names_it, rest)):
            args, kwargs = self._without(args, kwargs)
            held = func(*map(_away, args), **kwargs)
            return self.fake.put(held) if isinstance(held, torch.Tensor) else held
        return func(*args, **kwargs)

    def _without(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments, with the CPU wherever they name the device."""

        def plain(value: Any) -> Any:
            return torch.device("cpu") if self._names_it(value) else _away(value)

        return (*args[:1], *map(plain, args[1:])), {name: plain(value) for name, value in kwargs.items()}


def _away(value: Any) -> Any:
    return value.held if isinstance(value, _There) else value


def _names_the_cpu(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return not isinstance(value, _There)
    return value == "cpu" if isinstance(value, str) else isinstance(value, torch.device) and value.type == "cpu"


@contextmanager
def fake_device(name: str = "mps", **rules: Any) -> Iterator[FakeDevice]:
    """Torch with a device of this name for as long as it lasts."""
    device, before = FakeDevice(name, **rules), torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # weights become tensors of another kind
    try:
        with _Reaching(device):
            yield device
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
