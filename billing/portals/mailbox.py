"""The demo's mail box as pages: what the product mailed, as its readers would see it. Only in the demo.

Mails are foreign HTML with styles of their own, so a body is served by itself, sandboxed and without scripts, and shown
in a frame that can do nothing.
"""

from __future__ import annotations

import mailbox
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from csp.decorators import csp
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_valid_filename
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

MAILS_ON_A_PAGE = 50
BODY_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups"],
}


@dataclass(frozen=True)
class Heading:
    """What the list shows of a mail."""

    key: str
    subject: str
    sender: str
    to: str
    date: datetime | None


@require_GET
def mails(request: HttpRequest) -> HttpResponse:
    """Newest first."""
    box = _box()
    keys = sorted(box.keys(), reverse=True) if box is not None else []
    page = Paginator(keys, MAILS_ON_A_PAGE).get_page(request.GET.get("page"))
    headings = [_heading(key, _message(box, key)) for key in page.object_list]
    return render(request, "mailbox/mails.html", {"mails": headings, "page": page})


@require_GET
def mail(request: HttpRequest, key: str) -> HttpResponse:
    message = _message(_box(), key)
    attachments = [
        {"index": index, "name": part.get_filename() or str(index), "size": len(part.get_payload(decode=True) or b"")}
        for index, part in enumerate(message.iter_attachments())
    ]
    context = {
        "mail": _heading(key, message),
        "bcc": message.get("X-Envelope-To", ""),
        "attachments": attachments,
        "text": _content(message, "plain"),
        "has_html": message.get_body(("html",)) is not None,
    }
    return render(request, "mailbox/mail.html", context)


@require_GET
@xframe_options_sameorigin
@csp(BODY_POLICY)  # type: ignore[arg-type]
def body(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML of a mail, for a frame without rights."""
    return HttpResponse(_content(_message(_box(), key), "html"))


@require_GET
def attachment(request: HttpRequest, key: str, index: int) -> HttpResponse:
    parts = list(_message(_box(), key).iter_attachments())
    if index >= len(parts):
        raise Http404
    part = parts[index]
    response = HttpResponse(part.get_payload(decode=True), content_type="application/octet-stream")
    name = get_valid_filename(part.get_filename() or f"attachment-{index}")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _box() -> mailbox.Maildir | None:
    if not settings.DEMO or not settings.MAIL_DIR:
        raise Http404
    place = Path(settings.MAIL_DIR)
    return mailbox.Maildir(str(place), create=False) if (place / "cur").is_dir() else None


def _message(box: Any, key: str) -> EmailMessage:
    if box is None or key not in box:
        raise Http404
    message = message_from_bytes(box.get_bytes(key), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _heading(key: str, message: EmailMessage) -> Heading:
    subject, sender, to = (str(message[name] or "") for name in ("Subject", "From", "To"))
    return Heading(key, subject, sender, to, _date(message))


def _date(message: EmailMessage) -> datetime | None:
    """When it was sent; `-0000`, which our own mails carry, is UTC told by somebody who keeps his zone to himself."""
    try:
        date = parsedate_to_datetime(str(message["Date"])) if message["Date"] else None
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date is not None and date.tzinfo is None else date


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
