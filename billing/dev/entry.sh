#!/bin/sh
# entry.sh NAME ARGS...: finds a Python and hands over to billing.dev; everything else is Python.
here=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
for python in "$here/.venv/bin/python" python3 python3.13 python3.12 python3.11; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m billing.dev "$@"
  fi
done
echo "Tollgate needs Python 3.11 or newer; none was found (Debian and Ubuntu: apt-get install python3 python3-venv)." >&2
exit 1
