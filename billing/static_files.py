"""Picks from the front-end packages, and from apps, the few static files that pages use.

They hold a thousand files (maps, variants, pictures); to collect and compress all of them takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder, FileSystemFinder

PICKED = {
    "tabler": ("css/tabler.min.css", "css/tabler-themes.min.css", "css/tabler-vendors.min.css", "js/tabler*.min.js"),
    "echarts": ("echarts.min.js",),
}
UNUSED = ("*.map", "*/redoc/*", "*-es-bundle*", "rest_framework/*")


def is_picked(prefix: str, path: str) -> bool:
    """Is this file of STATICFILES_DIRS served? Those without a package's prefix are ours: all of them."""
    if prefix not in PICKED:
        return True
    return ".esm." not in path and any(fnmatch(path, pattern) for pattern in PICKED[prefix])


class PickingFinder(FileSystemFinder):
    """STATICFILES_DIRS, without what no page asks for."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        for path, storage in super().list(ignore_patterns):
            if is_picked(getattr(storage, "prefix", None) or "", path):
                yield path, storage


class UsedAppFinder(AppDirectoriesFinder):
    """Static files of the installed apps, without source maps and viewers that are not mounted."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        for path, storage in super().list(ignore_patterns):
            if not any(fnmatch(path, pattern) for pattern in UNUSED):
                yield path, storage
