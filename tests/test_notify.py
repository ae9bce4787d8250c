"""A digest is told by mail, by webhook and in a feed: once, to real receivers, as text that stays text; failures stop nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import feedparser
import jsonschema
import pytest
import receivers
from cli_help import scout
from dashboard_store import DAYS, fill
from digest_samples import digest, entry

from scout import clock
from scout.cli.checkup import checkup
from scout.cli.finding import Level
from scout.config import load
from scout.exit_codes import Exit
from scout.notify import shapes
from scout.notify.deliver import deliver, feed_file
from scout.notify.message import Message, message
from scout.store import Store

DAY = DAYS[2]
CANARY = "canary-5b1e"
EVIL = "<!channel> <https://evil.example|x> *b* _i_ `c` @everyone [a](http://evil.example) ~~s~~ ||s|| :smile: <@123>\u202e & \n# h"
SCHEMA = Path(__file__).resolve().parents[1] / "docs" / "schemas" / "notify.schema.json"
Set = Callable[[dict[str, str]], None]


@pytest.fixture
def web() -> Iterator[receivers.Web]:
    with receivers.web() as found:
        yield found


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notify") / "scout.db"
    fill(path).close()
    return path


@pytest.fixture(autouse=True)
def _a_day_with_a_digest(setenv: Set, three_days: Path, tmp_path: Path) -> None:
    setenv({"SCOUT_TODAY": DAY.isoformat(), "SCOUT_ARXIV__ENABLED": "0"})
    (tmp_path / "data").mkdir()
    shutil.copy(three_days, tmp_path / "data" / "scout.db")


def send() -> list[str]:
    """What a run does at its end; the problems."""
    settings = load()
    with Store(settings.database) as store:
        return [sent.problem for sent in deliver(store, settings, ["me"])]


def hook(name: str, web: receivers.Web, setenv: Set) -> None:
    setenv({f"SCOUT_NOTIFY__{name.upper()}__URL": f"{web.url}/{CANARY}"})


# --- sent, and sent once


@pytest.mark.parametrize("name", ["slack", "discord", "feishu", "webhook"])
def test_a_digest_is_sent_to_each_kind_of_webhook_once(name: str, web: receivers.Web, setenv: Set) -> None:
    hook(name, web, setenv)
    web.answer = b'{"code": 0}'
    assert send() == [""]
    assert send() == []
    [came] = web.came
    assert came.path == f"/{CANARY}"
    assert came.headers["content-type"].startswith("application/json")
    said = json.dumps(came.json, ensure_ascii=False)
    assert "Digest of Wednesday, 3 December 2025" in said
    assert "https://arxiv.org/abs/" in said


def test_the_plain_one_has_its_schema_and_its_token(web: receivers.Web, setenv: Set) -> None:
    hook("webhook", web, setenv)
    setenv({"SCOUT_NOTIFY__WEBHOOK__TOKEN": "t0ken", "SCOUT_NOTIFY__LINK": "https://scout.example.org"})
    assert send() == [""]
    jsonschema.validate(web.came[0].json, json.loads(SCHEMA.read_text()))
    assert web.came[0].headers["authorization"] == "Bearer t0ken"
    assert web.came[0].json["link"] == "https://scout.example.org"
    assert web.came[0].json["date"] == DAY.isoformat()


def test_a_mail_holds_text_and_page(setenv: Set) -> None:
    with receivers.post() as post:
        mail_to(post, setenv)
        assert send() == [""]
        assert send() == []
    [mail] = post.mails
    assert post.to == [["ada@example.org"]]
    assert str(mail["Subject"]).startswith("Digest of Wednesday, 3 December 2025: ")
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "# Digest of Wednesday" in text.get_content()
    assert "<h1" in page.get_content()


def mail_to(post: receivers.Post, setenv: Set, host: str = "127.0.0.1", security: str = "none") -> None:
    setenv(
        {
            "SCOUT_NOTIFY__MAIL__HOST": host, "SCOUT_NOTIFY__MAIL__PORT": str(post.port),
            "SCOUT_NOTIFY__MAIL__SECURITY": security, "SCOUT_NOTIFY__MAIL__SENDER": "scout@example.org",
            "SCOUT_NOTIFY__MAIL__TO": '{"me": "ada@example.org"}',
        }
    )  # fmt: skip


def test_a_password_goes_over_tls_that_is_checked(tmp_path: Path, setenv: Set) -> None:
    tls, authority = receivers.certificate(tmp_path)
    with receivers.post(tls=tls, login=True) as post:
        mail_to(post, setenv, host="localhost", security="starttls")
        setenv({"SCOUT_NOTIFY__MAIL__USER": "ada", "SCOUT_NOTIFY__MAIL__PASSWORD": "right"})
        [problem] = send()
        assert "TLS failed" in problem
        assert post.logins == []  # nothing was said to a stranger
        setenv({"SSL_CERT_FILE": authority})
        assert send() == [""]
    assert post.logins == [(b"ada", b"right")]
    assert len(post.mails) == 1


def test_no_password_goes_over_a_network_in_the_clear(setenv: Set) -> None:
    setenv(
        {
            "SCOUT_NOTIFY__MAIL__HOST": "mail.example.org", "SCOUT_NOTIFY__MAIL__SECURITY": "none",
            "SCOUT_NOTIFY__MAIL__USER": "ada@example.org", "SCOUT_NOTIFY__MAIL__TO": '{"me": "ada@example.org"}',
        }
    )  # fmt: skip
    assert ["the password would go over the network" in problem for problem in send()] == [True]


def test_a_server_that_refuses_is_named_with_the_key_to_change(setenv: Set) -> None:
    with receivers.post() as post:
        mail_to(post, setenv)
        post.refuses = "550 nobody of that name"
        [problem] = send()
    assert "notify.mail.to" in problem


def test_a_kill_between_sending_and_noting_sends_the_same_mail_again(
    setenv: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scout.store.deliveries import Deliveries

    with receivers.post() as post, monkeypatch.context() as patch:
        mail_to(post, setenv)
        patch.setattr(Deliveries, "sent", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send()
        patch.undo()
        mail_to(post, setenv)
        setenv({"SCOUT_TODAY": DAY.isoformat()})
        assert send() == [""]
        assert send() == []
    assert len(post.mails) == 2
    assert post.mails[0]["Message-ID"] == post.mails[1]["Message-ID"]


def test_the_feed_is_one_that_a_reader_reads_and_shows_each_item_once(tmp_path: Path, setenv: Set) -> None:
    setenv({"SCOUT_NOTIFY__ATOM__FOLDER": str(tmp_path / "feeds")})
    assert send() == [""]
    first = feed_file(load(), "me").read_bytes()
    assert send() == [""]
    assert feed_file(load(), "me").read_bytes() == first
    parsed = feedparser.parse(first)
    assert not parsed.bozo
    ids = [each.id for each in parsed.entries]
    assert len(ids) == len(set(ids)) > 10
    assert {each.updated[:10] for each in parsed.entries} == {day.isoformat() for day in DAYS}


def test_no_name_of_a_reader_leads_out_of_the_folder(tmp_path: Path, setenv: Set) -> None:
    setenv({"SCOUT_NOTIFY__ATOM__FOLDER": str(tmp_path)})
    for name in ("../../etc/x", "..", "a/b", "\x00", "."):
        assert feed_file(load(), name).parent == tmp_path
        assert feed_file(load(), name).name.removesuffix(".xml") not in ("", ".", "..")


# --- which


def test_one_that_is_set_up_today_is_not_sent_older_digests(web: receivers.Web, setenv: Set) -> None:
    hook("webhook", web, setenv)
    send()
    assert [came.json["date"] for came in web.came] == [DAY.isoformat()]


def test_what_failed_is_sent_by_a_later_run_and_so_is_what_no_run_got_to(web: receivers.Web, setenv: Set) -> None:
    hook("webhook", web, setenv)
    setenv({"SCOUT_TODAY": DAYS[0].isoformat()})
    web.status = 500
    assert ["answered 500" in problem for problem in send()] == [True]
    web.status = 200
    setenv({"SCOUT_TODAY": DAY.isoformat()})
    assert send() == ["", "", ""]
    assert [came.json["date"] for came in web.came[1:]] == [day.isoformat() for day in DAYS]


def test_what_could_not_be_sent_for_days_is_left(web: receivers.Web, setenv: Set) -> None:
    hook("webhook", web, setenv)
    setenv({"SCOUT_TODAY": DAYS[0].isoformat()})
    web.status = 500
    send()
    setenv({"SCOUT_TODAY": (DAYS[0] + timedelta(days=9)).isoformat()})
    assert send() == []


def test_a_reader_who_is_not_named_is_told_nothing(web: receivers.Web, setenv: Set) -> None:
    hook("slack", web, setenv)
    setenv({"SCOUT_NOTIFY__SLACK__READERS": '["grace"]'})
    assert send() == []
    assert web.came == []


# --- failures


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, "redirects"),
        ({"status": 404}, "answered 404"),
        ({"status": 429}, "next run tries again"),
        ({"drips": True}, "within 1 s"),
    ],
    ids=["a redirect", "unknown", "too often", "never done"],
)
def test_a_failure_is_told_without_the_address_and_never_stops_a_run(
    change: dict[str, object], said: str, web: receivers.Web, setenv: Set
) -> None:
    hook("slack", web, setenv)
    setenv({"SCOUT_NOTIFY__TIMEOUT_SECONDS": "1" if "drips" in change else "20"})
    for name, value in change.items():
        setattr(web, name, value)
    [problem] = send()
    assert said in problem
    assert len(web.came) == 1
    told = scout("doctor", "--json")
    assert [found["level"] for found in told.json if found["check"] == "sent by slack"] == ["warn"]
    log = load().log_file
    for text in (problem, told.out, log.read_text() if log.exists() else ""):
        assert CANARY not in text


def test_feishu_that_says_no_with_200_is_heard(web: receivers.Web, setenv: Set) -> None:
    hook("feishu", web, setenv)
    web.answer = b'{"code": 19021, "msg": "sign match fail"}'
    assert send() == ["it refused with code 19021"]


def test_a_fault_of_ours_costs_the_message_alone(
    web: receivers.Web, setenv: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook("slack", web, setenv)
    hook("discord", web, setenv)
    monkeypatch.setattr(shapes, "slack", lambda message: 1 / 0)
    assert sorted(send()) == ["", "ZeroDivisionError; the log says more"]


def test_an_address_that_is_none_is_told_by_doctor(setenv: Set) -> None:
    setenv({"SCOUT_NOTIFY__SLACK__URL": f"ftp://{CANARY}", "SCOUT_NOTIFY__PING": CANARY})
    [found] = [each for each in checkup(net=False) if each.check == "notifications"]
    assert found.level is Level.WARN
    assert "notify.slack.url" in found.message
    assert "notify.ping" in found.message
    assert CANARY not in found.message


# --- the command


def test_a_test_is_sent_by_each_way_and_not_remembered(web: receivers.Web, setenv: Set) -> None:
    hook("slack", web, setenv)
    hook("webhook", web, setenv)
    with receivers.post() as post:
        mail_to(post, setenv)
        result = scout("notify", "--test", "--json")
    assert result.code == Exit.DONE
    assert [sent["channel"] for sent in result.json] == ["mail", "slack", "webhook"]
    assert len(post.mails) == 1
    jsonschema.validate(web.came[1].json, json.loads(SCHEMA.read_text()))
    assert web.came[1].json["event"] == "test"
    assert [bool(sent["problem"]) for sent in scout("notify", "--json").json] == [
        True,
        False,
        False,
    ]  # the mail server is gone


def test_what_could_not_be_sent_is_75_and_no_way_at_all_says_where_to_set_one(web: receivers.Web, setenv: Set) -> None:
    none = scout("notify", "--test")
    assert none.code == Exit.BUG
    assert "[notify]" in none.err
    hook("slack", web, setenv)
    web.status = 500
    assert scout("notify").code == Exit.LATER


def test_a_run_sends_and_pings(web: receivers.Web, setenv: Set) -> None:
    hook("webhook", web, setenv)
    setenv(
        {
            "SCOUT_NOTIFY__PING": f"{web.url}/ping/{CANARY}", "SCOUT_HUGGINGFACE__ENABLED": "0",
            "SCOUT_SOURCES__DEFAULTS": "0", "SCOUT_ARXIV__RSS_URL": "http://127.0.0.1:9",
        }
    )  # fmt: skip
    settings = load()
    with Store(settings.database) as store:
        for row in store.sources.all():
            store.sources.pause(row.id, on=True)
    result = scout("run", "--json")
    assert result.code == Exit.DONE, result.err
    assert [sent["problem"] for sent in result.json["sent"]] == [""]
    assert [came.path for came in web.came] == [f"/{CANARY}", f"/ping/{CANARY}"]
    assert b"in the digest for me" in web.came[1].body


def test_a_run_that_failed_pings_so(web: receivers.Web, setenv: Set) -> None:
    setenv({"SCOUT_NOTIFY__PING": f"{web.url}/ping?a=b"})
    from scout.cli.notify import ping

    assert ping(load(), Exit.LATER, "offline?") == ""
    assert [came.path for came in web.came] == ["/ping/fail?a=b"]
    web.status = 500
    assert "answered 500" in ping(load(), Exit.DONE, "")


# --- what came from outside stays text


def test_slack_makes_nothing_of_a_title() -> None:
    made = json.dumps(shapes.slack(hostile()), ensure_ascii=False)
    assert "<!" not in made
    assert "<@" not in made
    assert "|x>" not in made
    assert made.count("<https://") == 1  # the item's own link
    assert "*b*" not in made
    assert ":smile:" not in made


def test_discord_makes_nothing_of_a_title() -> None:
    made = shapes.discord(hostile())
    said = made["embeds"][0]["description"]
    assert made["allowed_mentions"] == {"parse": []}
    assert "@everyone" not in said
    assert "](http" not in said
    assert r"\[a\]" in said
    assert said.count("](<https://") == 1
    assert len(said) <= 4096


def test_feishu_gets_elements_not_markup() -> None:
    made = shapes.feishu(hostile(), key="k", timestamp=1_700_000_000)
    assert {part["tag"] for row in made["content"]["post"]["en_us"]["content"] for part in row} == {"text", "a"}
    wanted = hmac.new(b"1700000000\nk", b"", hashlib.sha256).digest()
    assert made["sign"] == base64.b64encode(wanted).decode()
    many = shapes.feishu(message(digest(*[entry(n, title="論" * 400) for n in range(1, 26)]), reader="me", most=25))
    assert len(json.dumps(many).encode()) < 20_000
    assert "more" in str(many["content"]["post"]["en_us"]["content"][-1])


def test_a_mail_has_no_header_from_outside(setenv: Set) -> None:
    from scout.notify.mail import compose

    mail = compose(
        load().notify.mail.model_copy(update={"sender": "scout@example.org"}),
        to="ada@example.org", subject="x\r\nBcc: eve@example.org", text=EVIL, about="me", at=clock.now(),
    )  # fmt: skip
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])


def hostile() -> Message:
    return message(digest(entry(1, title=EVIL)), reader="me", most=10)


def test_a_link_is_http_or_nothing() -> None:
    made = message(digest(entry(1, url="javascript:alert(1)")), reader="me", most=10, link="javascript:alert(1)")
    assert [line.url for line in made.lines] == [""]
    assert made.link == ""
