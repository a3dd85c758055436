"""What WeasyPrint may load: the brand's logo, and nothing else.

Apart from `assets`, since WeasyPrint needs Pango at its import and a machine without it makes every paper but the PDF.
"""

from __future__ import annotations

from typing import Any

from weasyprint.urls import URLFetcher, URLFetcherResponse

from invoicing.render.assets import LOGO_URL, Logo


class AssetFetcher(URLFetcher):
    """Answers for the logo and refuses every other address: no socket, no file, whatever a text contains."""

    def __init__(self, logo: Logo | None) -> None:
        super().__init__(allowed_protocols=[])
        self._logo = logo

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        if url != LOGO_URL or self._logo is None:
            raise ValueError("only the brand's own files are shown")
        return URLFetcherResponse(url, self._logo.data, {"Content-Type": self._logo.media_type})
