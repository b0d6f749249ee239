"""Make the plain wheel of torchaudio work with the CPU build of torch: a last resort.

On Linux that wheel carries extensions linked against CUDA's libraries, which the CPU build of
torch does not bring, and `import torchaudio` fails on loading `_torchaudio*.so`. Its loader
tolerates a missing extension and the transforms need none, so that file is removed, and only
where torch is a CPU build and the import fails for want of CUDA. Set-up runs this with the
Python of `.venv`; running it again changes nothing.
"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

# What the loader says of a CUDA library that is not there (libc10_cuda.so, libcudart.so.13 …).
MISSING_CUDA = re.compile(r"lib\w*(cuda|cudnn|cublas|nvrtc)\w*\.so\S*: cannot open shared object")


def main() -> int:
    """Remove the extension if it is to blame; give 0 if torchaudio works in the end, else 1."""
    complaint = import_complaint("torchaudio")
    if complaint and MISSING_CUDA.search(complaint) and is_cpu_build():
        for extension in find_extensions():
            extension.unlink()
            print(f"removed {extension}: it needs CUDA, and torch is a CPU build")
        complaint = import_complaint("torchaudio")
    print(complaint, file=sys.stderr, end="")
    return 1 if complaint else 0


def import_complaint(module: str) -> str:
    """What Python says when it fails to import a module; nothing where it succeeds."""
    # A process of its own: an import that failed half-way cannot be tried again in the same one.
    command = [sys.executable, "-W", "ignore", "-c", f"import {module}"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.stderr or "no reason given\n" if finished.returncode else ""


def is_cpu_build() -> bool:
    """Whether the torch that is installed was built without CUDA."""
    command = [sys.executable, "-c", "import sys, torch; sys.exit(torch.version.cuda is not None)"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def find_extensions() -> list[Path]:
    """The extensions that `import torchaudio` loads at once."""
    spec = importlib.util.find_spec("torchaudio")
    folders = (spec.submodule_search_locations or []) if spec else []
    return sorted(
        path for folder in folders for path in Path(folder, "lib").glob("_torchaudio*.so")
    )


if __name__ == "__main__":
    sys.exit(main())
