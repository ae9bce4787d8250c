"""A newsletter as it arrives, for what reads them."""

from __future__ import annotations

from email.message import EmailMessage


def letter(
    number: int = 1, *, html: str = "<p>Small <b>models</b>.</p><script>no()</script>", to_list: bool = True
) -> bytes:
    mail = EmailMessage()
    mail["Subject"] = f"Issue {number}: Größer"
    mail["From"] = "Ada <ada@example.org>"
    mail["Message-ID"] = f"<{number}@example.org>"
    mail["Date"] = "Mon, 01 Dec 2025 08:00:00 +0100"
    if to_list:
        mail["List-Id"] = '"A weekly" <weekly.example.org>'
    mail.set_content("plain words")
    mail.add_alternative(html, subtype="html")
    return mail.as_bytes()
