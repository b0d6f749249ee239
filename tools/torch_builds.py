"""Which build of torch and torchaudio to ask pip for, and in which order.

On Linux the plain wheels bring gigabytes of CUDA libraries that tagging does not need; the CPU
builds bear the local version `+cpu`. Elsewhere the plain wheels are the CPU builds. Standard
library only.
"""

import sys
from typing import Literal

Torch = Literal["cpu", "cuda"]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# An index out of reach should cost half a minute at most: there are other ways to go on.
SHORT_TIMEOUTS = ["--timeout", "15", "--retries", "1"]


def torch_requests(version: str, torch: Torch, system: str = sys.platform) -> list[list[str]]:
    """What to ask pip for, in turn, to get torch of the wanted build.

    Example:
        >>> torch_requests("2.13.0", "cpu", "linux")[0]
        ['--no-deps', 'torch==2.13.0+cpu']
        >>> torch_requests("2.13.0", "cpu", "darwin")
        [['torch==2.13.0']]
    """
    if torch == "cuda" or system != "linux":
        return [[f"torch=={version}"]]
    return _cpu_requests(f"torch=={version}+cpu")


def torchaudio_requests(version: str, torch: Torch, system: str = sys.platform) -> list[list[str]]:
    """The same for torchaudio: never with dependencies, lest it choose torch's build.

    Last comes the plain wheel, which patch_torchaudio.py makes work with the CPU build of torch.
    """
    plain = ["--no-deps", f"torchaudio=={version}"]
    if torch == "cuda" or system != "linux":
        return [plain]
    return [*_cpu_requests(f"torchaudio=={version}+cpu"), plain]


def _cpu_requests(requirement: str) -> list[list[str]]:
    """Ask the configured index first, then PyTorch's own, which need not hold our other pins."""
    own_index = ["--index-url", CPU_INDEX, *SHORT_TIMEOUTS]
    return [["--no-deps", requirement], ["--no-deps", *own_index, requirement]]
