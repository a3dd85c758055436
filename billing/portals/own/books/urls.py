"""The addresses of these pages, for either portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.books import pages


def book_paths(kind: str) -> list[URLPattern]:
    """`books/...`: balances, files, the chart of accounts."""
    return [
        path("books/", pages.Books.as_view(kind=kind), name="books"),
        path("books/file/<slug:export>/<slug:file>/", pages.BooksFile.as_view(kind=kind), name="books_file"),
        path("books/chart/", pages.Chart.as_view(kind=kind), name="books_chart"),
        path("books/chart/code/", pages.SetCode.as_view(kind=kind), name="books_code"),
    ]
