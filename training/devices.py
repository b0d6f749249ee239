"""Where a network is trained, and in which precision."""

from __future__ import annotations

import torch

from tagger.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")


def pick_device(name: str) -> torch.device:
    """Return the device that a name stands for; ``auto`` is a GPU where there is one.

    Raises:
        ConfigError: the name is none of ``DEVICES``, or the device is not there.
    """
    if name not in DEVICES:
        raise ConfigError(f"no device {name!r}: {', '.join(DEVICES)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device cuda: this torch sees no GPU (set-up with TORCH=cuda brings one)")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16 by itself; elsewhere it would be slower.

    A step of the default network took 97 ms instead of 159 on one core that does.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def autocast(device: torch.device, *, bfloat16: bool) -> torch.autocast:
    """Return a context in which convolutions and products are computed in bfloat16, or not."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)
