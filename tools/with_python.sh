#!/bin/sh
# Run "$@" with a Python that is new enough: $PYTHON where it is set, else the first that fits,
# beginning with that of .venv, which costs least. In sh, because before one is found there is
# nothing else to write it in.
set -eu

# Print where the Python named $1 really is (a shim in between costs time), if it is new enough.
find_new_enough() {
    "$1" -c 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    if python=$(find_new_enough "$PYTHON"); then exec "$python" "$@"; fi
    echo "setup: PYTHON=$PYTHON is not Python 3.11 or newer: name one that is, or leave PYTHON out" >&2
    exit 2
fi
for candidate in .venv/bin/python python3 python3.13 python3.12 python3.11; do
    if python=$(find_new_enough "$candidate"); then exec "$python" "$@"; fi
done
echo "setup: no Python 3.11 or newer found: install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13) or name it: make PYTHON=/path/to/python3 …" >&2
exit 2
