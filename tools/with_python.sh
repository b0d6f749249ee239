#!/bin/sh
# Run "$@" with a Python that is new enough: $PYTHON where it is set, else the first that fits.
# In sh, because before one is found there is nothing else to write it in.
set -eu

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then exec "$PYTHON" "$@"; fi
    echo "setup: PYTHON=$PYTHON is not Python 3.11 or newer: name one that is, or leave PYTHON out" >&2
    exit 2
fi
for candidate in python3 python3.13 python3.12 python3.11; do
    if fits "$candidate"; then exec "$candidate" "$@"; fi
done
echo "setup: no Python 3.11 or newer found: install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13) or name it: make PYTHON=/path/to/python3" >&2
exit 2
