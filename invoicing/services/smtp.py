"""One SMTP connection for many mails, and a true account of who took them.

Django's mail backend opens the connection and knows the settings; the sending itself is done on it directly, since the
backend does not tell when a server takes a mail for one address and refuses it for another.
"""

from __future__ import annotations

import contextlib
import smtplib
from dataclasses import dataclass, field
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.utils import formataddr
from types import TracebackType
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection

from invoicing.models import Document, DocumentKind, OutboxMail
from invoicing.services import documents

MEDIA_TYPES = {
    DocumentKind.PDF: "application/pdf",
    DocumentKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    DocumentKind.CSV: "text/csv",
}


@dataclass(slots=True)
class Outcome:
    """By address: taken by the server; refused for good (5xx); deferred (4xx), to be tried again."""

    taken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    deferred: dict[str, str] = field(default_factory=dict)


class Server:
    """The mail server of the settings, connected at the first mail."""

    def __init__(self) -> None:
        self._backend: Any = get_connection()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next mail connects anew."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self._backend.close()

    def send(self, mail: OutboxMail, message: EmailMultiAlternatives) -> Outcome:
        """Hand the mail over for every address that has not got it. Raises SMTPException or OSError."""
        wanted = [a for a in dict.fromkeys([*mail.to, *mail.bcc]) if a not in mail.delivered and a not in mail.refused]
        if not wanted:
            return Outcome()
        self._backend.open()
        link = getattr(self._backend, "connection", None)
        if not isinstance(link, smtplib.SMTP):  # a backend that is no SMTP: it takes all or raises
            self._backend.send_messages([message])
            return Outcome(taken=wanted)
        data = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        try:
            answers = link.sendmail(mail.sender, wanted, data)
        except smtplib.SMTPRecipientsRefused as error:
            answers = error.recipients
        return _sorted(wanted, answers)


def _sorted(wanted: list[str], answers: dict[str, tuple[int, bytes]]) -> Outcome:
    outcome = Outcome(taken=[address for address in wanted if address not in answers])
    for address, (code, text) in answers.items():
        reason = f"{code} {text.decode(errors='replace')}"
        (outcome.refused if 500 <= code < 600 else outcome.deferred)[address] = reason
    return outcome


def message_of(mail: OutboxMail) -> EmailMultiAlternatives:
    """The message as it goes out, always under the same Message-ID; missing documents are made now."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=formataddr((mail.sender_name, mail.sender)) if mail.sender_name else mail.sender,
        to=mail.to,
        bcc=mail.bcc,
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    if mail.invoice is not None:
        for document in documents.render(mail.invoice):
            if document.kind in mail.attachments:
                message.attach(_part(document))
    return message


def _part(document: Document) -> MIMEBase:
    """The file byte for byte; as text, a mail would change its line ends."""
    main, _slash, sub = MEDIA_TYPES[DocumentKind(document.kind)].partition("/")
    part = MIMEBase(main, sub)
    if document.kind == DocumentKind.CSV:
        part.set_param("charset", "utf-8")
    part.set_payload(documents.path_of(document).read_bytes())
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=document.filename)
    return part


def words(error: BaseException) -> str:
    """What went wrong, for the person who looks at the outbox."""
    code, text = getattr(error, "smtp_code", None), getattr(error, "smtp_error", b"")
    if code:
        return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__
