"""`python -m billing.bench.worker FILE SOURCE`: one worker imports one file; prints what it took, as JSON.

A process of its own, so that its peak of memory is the worker's and nobody else's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import django

KIB_PER_MB = 1024


def main(file: str, source_code: str) -> None:
    django.setup()
    from billing.bench.world import ACTOR
    from rating.models import Source
    from rating.services.imports import counts, import_file

    source = Source.objects.select_related("owner").get(code=source_code)
    started, started_cpu = time.perf_counter(), time.process_time()
    done = import_file(Path(file), source, actor=ACTOR)
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - started_cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MB,
        "stored": done.path,
        **counts(done),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
