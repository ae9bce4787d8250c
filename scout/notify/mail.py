"""A digest as a mail, by the owner's own SMTP server: plain text beside the HTML page, nothing loaded from elsewhere."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from scout.access import is_loopback
from scout.config.notify import Mail
from scout.config.types import Security
from scout.notify.errors import NotSent
from scout.text import line


def problem(settings: Mail) -> str:
    """Why no mail can be sent with these settings; empty where it can."""
    if not settings.to:
        return "notify.mail.to names nobody: {reader = address}"
    for key, value in (("sender", settings.sender or settings.user), *(("to", each) for each in settings.to.values())):
        if not _is_address(value):
            return f"notify.mail.{key}: {value!r} is no mail address"
    if settings.user and settings.security is Security.NONE and not is_loopback(settings.host):
        return "notify.mail.security is none: the password would go over the network as it is"
    return ""


def _is_address(text: str) -> bool:
    try:
        address = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return bool(address.username and address.domain) and text.isprintable()


def compose(
    settings: Mail, *, to: str, subject: str, text: str, page: str = "", about: str, at: datetime
) -> EmailMessage:
    """The mail. `about` makes its Message-ID: the same digest sent twice is the same message to whoever keeps it."""
    sender = settings.sender or settings.user
    mail = EmailMessage()
    mail["From"] = Address("scout", addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = line(subject, limit=200)
    mail["Date"] = format_datetime(at.astimezone(UTC))
    named = hashlib.sha256(f"{about}\n{to}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{named}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    if page:
        mail.add_alternative(page, subtype="html")
    return mail


def send(settings: Mail, mail: EmailMessage, *, seconds: float) -> None:
    """
    Raises:
        NotSent: the server is away, refuses the login, or refuses the mail.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        with _connected(settings, seconds) as server:
            if settings.user:
                server.login(settings.user, settings.password.get_secret_value())
            server.send_message(mail)
    except smtplib.SMTPAuthenticationError as err:
        raise NotSent(f"{where} refused the login ({err.smtp_code}); notify.mail.user and .password") from err
    except smtplib.SMTPRecipientsRefused as err:
        raise NotSent(f"{where} takes no mail for that address; notify.mail.to") from err
    except smtplib.SMTPResponseException as err:
        raise NotSent(f"{where} refused the mail ({err.smtp_code})") from err
    except smtplib.SMTPNotSupportedError as err:
        raise NotSent(f"{where} cannot do what is asked: {line(str(err))}; notify.mail.security") from err
    except ssl.SSLError as err:
        raise NotSent(f"{where}: TLS failed ({err.reason}); notify.mail.security") from err
    except (smtplib.SMTPException, OSError, UnicodeError) as err:
        raise NotSent(f"{where} cannot be reached ({type(err).__name__}: {line(str(err), limit=200)})") from err


def _connected(settings: Mail, seconds: float) -> smtplib.SMTP:
    if settings.security is Security.TLS:
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=seconds, context=ssl.create_default_context())
    server = smtplib.SMTP(settings.host, settings.port, timeout=seconds)
    if settings.security is Security.STARTTLS:
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server
