"""Messages to real receivers on this machine: mail, ntfy, JSON, chats; slow ones, broken ones, hostile text."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller

from daemon import notify
from daemon.config import AlertsConfig, Channel
from daemon.deliver import deliver
from daemon.notify import Message
from daemon.report import picture
from daemon.store import outbox
from daemon.store.outbox import Alert
from tests.house import House, Phone
from tests.test_deliver import watch_is_told
from tests.test_telling import stands

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
HOSTILE = "<script>alert(1)</script>\n.\n{{x}} \u202etxet\u202c @everyone <!channel> **bold** \x1b[2J" + "a" * 10_000


class Mailbox:
    """What an SMTP server takes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.refuses.get(address) or self.refuses.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.refuses:
            return self.refuses["DATA"]
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:  # the library can't be told to find a port itself
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}/?from=pullback@example.org&to=ada@example.org&mode=insecure"
    controller.stop()


@contextmanager
def webhook() -> Iterator[tuple[list[tuple[str, dict[str, str], bytes]], str]]:
    """A receiver of any POST: (path, headers, body) of each, and its host and port."""
    got: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield got, f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_mail_has_its_thread_its_picture_and_the_text_as_it_was_written(mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    text = "Easy runs cost 6 bpm more.\n\nRun easy. Pace 5:40/km < 6:00/km."
    for title in ("Watch: easy runs cost 4 bpm more", "Time to pull back"):
        assert notify.send(url, Message(title, text, "pullback-1-7", lambda: PNG)) is None
    assert [mail["References"] for mail in box.mails] == ["<pullback-1-7@pullback>"] * 2
    mail = box.mails[1]
    assert mail["Subject"] == "Time to pull back"
    body = mail.get_body(("plain",))
    assert body is not None and body.get_content().strip().replace("\r\n", "\n") == text
    assert [part.get_payload(decode=True) for part in mail.iter_attachments()] == [PNG]


@pytest.mark.parametrize(("verb", "answer"), [("RCPT", "550 no such mailbox"), ("DATA", "451 try again later")])
def test_a_mail_server_that_says_no_has_not_taken_the_mail(
    mailbox: tuple[Mailbox, str], verb: str, answer: str
) -> None:
    box, url = mailbox
    box.refuses[verb] = answer
    assert notify.send(url, Message("title", "text")) == notify.Failure(f"refused by the service ({answer[:3]})")


def test_of_two_mailboxes_of_one_address_one_may_be_gone(house: House, mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    url = url.replace("to=ada@example.org", "to=Ada<ada@example.org>,ben@example.org")
    house.set_config("alerts", urls=(Channel(url, parts=notify.parts(url)),))
    box.refuses["ben@example.org"] = "550 no such mailbox"
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    for _ in range(3):
        house.deliver(at_once=True)
    assert [mail["To"] for mail in box.mails] == ["Ada <ada@example.org>"]
    del box.refuses["ben@example.org"]
    house.deliver(at_once=True)
    assert [mail["To"] for mail in box.mails][1:] == ["ben@example.org"]


def test_hostile_names_are_harmless_in_a_mail(mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    assert notify.send(url, Message("Run\r\nBcc: eve@example.org\n\nbody " + HOSTILE, f"Before.\n{HOSTILE}")) is None
    (mail,) = box.mails
    assert mail["Bcc"] is None and "\n" not in mail["Subject"] and len(mail["Subject"]) <= notify.LONGEST_TITLE
    body = mail.get_body(("plain",))
    assert body is not None
    said = body.get_content()
    assert "\n.\n" in said.replace("\r\n", "\n") and "{{x}}" in said
    assert "\u202e" not in said and "\x1b" not in said and len(said) < 6_500


def test_ntfy_shows_plain_text_and_takes_the_picture() -> None:
    with webhook() as (got, host):
        assert notify.send(f"ntfy://{host}/runs", Message("Time to pull back", "Run *easy*.")) is None
        assert notify.send(f"ntfy://{host}/runs", Message("Time to pull back", "Run easy.", None, lambda: PNG)) is None
        assert notify.send(f"ntfy://{host}/runs?format=markdown", Message("Title", "Run *easy*.")) is None
    assert json.loads(got[0][2])["message"] == "Run *easy*."
    assert got[1][2] == PNG and parse_qs(urlsplit(got[1][0]).query)["message"] == ["Run easy."]
    assert got[2][1]["X-Markdown"] == "yes" and "\\*easy" in json.loads(got[2][2])["message"]


DISCORD, MOST_IN_DISCORD = "discord://1234567890/abcdefghijklmnopqrstuvwxyz", 2000


@contextmanager
def discord(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, str], bytes]]]:
    """Discord's webhook: what it was sent."""
    from apprise.plugins.discord import NotifyDiscord

    with webhook() as (got, host):
        monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{host}/api/webhooks")
        yield got


def contents(got: Sequence[tuple[str, dict[str, str], bytes]]) -> list[str]:
    return [json.loads(body)["content"] for _, headers, body in got if "json" in headers["Content-Type"]]


def test_where_messages_are_short_alerts_that_waited_go_in_as_many_as_hold_them_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.set_config("alerts", urls=(Channel(DISCORD),), minimum="watch")
    watch_is_told(house, 8, DISCORD, "Begin {}: " + "easy runs cost [more] than they did. " * 12 + "End {}.")
    with discord(monkeypatch) as got:
        assert house.deliver().sent == 8
    said = contents(got)
    assert max(len(content) for content in said) <= MOST_IN_DISCORD
    assert len(said) == 3
    for n in range(8):
        (holder,) = (content for content in said if f"Begin {n}:" in content)
        assert f"End {n}." in holder and f"Watch: alert {n}" in holder


def test_a_text_longer_than_a_service_takes_goes_in_pieces_and_its_picture_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "\n\n".join(f"Run {n} cost more than runs like it did." for n in range(100))
    with discord(monkeypatch) as got:
        assert notify.send(DISCORD, Message("Time to pull back", text, None, lambda: PNG)) is None
        said = contents(got)
        assert len(said) == 3 and max(len(content) for content in said) <= MOST_IN_DISCORD
        assert all("\n".join(said).count(f"Run {n} cost more than runs like it did.") == 1 for n in range(100))
        assert sum(PNG in body for _, _, body in got) == 1
        got.clear()
        assert notify.send(f"{DISCORD}?overflow=truncate", Message("Time to pull back", text)) is None
        assert len(got) == 1  # as its address says


def test_a_desktop_that_shows_two_lines_is_given_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    phone = Phone()
    monkeypatch.setattr(NotifyJSON, "body_max_line_count", 2)
    assert notify.send(phone.url, Message("Time to pull back", "one\ntwo\nthree")) is None
    phone.hang_up()
    assert phone.messages[0]["message"].splitlines() == ["one", "two", "three"]


def test_pieces_that_go_slowly_have_the_time_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    phone = Phone()
    monkeypatch.setattr(NotifyJSON, "body_maxlen", 80)
    monkeypatch.setattr(NotifyJSON, "request_rate_per_sec", 0.4)
    monkeypatch.setattr(notify, "WHOLE_S", 0.5)
    assert notify.send(phone.url, Message("Time to pull back", "Run easy this week. " * 12)) is None
    phone.hang_up()
    assert len(phone.messages) == 3


def test_chats_get_markdown_in_which_no_name_of_a_run_means_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.slack import NotifySlack

    with webhook() as (got, host):
        # Both know their service's address by heart; everything else is theirs.
        monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{host}/api/webhooks")
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{host}/services")
        urls = (
            "discord://1234567890/abcdefghijklmnopqrstuvwxyz",
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7/",
            f"mmost://{host}/abcdefghijklmnopqrstuvwxyz",
            "https://discord.com/api/webhooks/1234567890/abcdefghijklmnopqrstuvwxyz",
            "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7",
        )
        assert [notify.send(url, Message("Time to pull back", HOSTILE[:90])) for url in urls] == [None] * 5
    discord, slack, mattermost, *copied = (json.loads(body) for _, _, body in got)
    assert copied[0]["content"] == discord["content"]
    assert copied[1]["attachments"][0]["text"] == slack["attachments"][0]["text"]
    for said in (discord["content"], slack["attachments"][0]["text"], mattermost["text"]):
        assert "@everyone" not in said and "<!channel" not in said and "**bold**" not in said
    assert discord["content"].startswith("Time to pull back")


def test_json_gets_everything_and_a_picture(house: House) -> None:
    assert notify.send(house.phone.url, Message("Time to pull back", "Run easy.", None, lambda: PNG)) is None
    assert [a["mimetype"] for a in house.phone.messages[0]["attachments"]] == ["image/png"]


def test_what_went_wrong_is_said_and_whether_it_may_have_arrived() -> None:
    phone = Phone()
    phone.status = 500
    assert notify.send(phone.url, Message("title", "text")) == notify.Failure("refused by the service (500)")
    phone.drops = True
    assert notify.send(phone.url, Message("title", "text")) == notify.Failure("no answer", doubtful=True)
    phone.drops, phone.hangs = False, True
    assert notify.send(f"{phone.url}?rto=0.2", Message("title", "text")) == notify.Failure("no answer", doubtful=True)
    phone.hang_up()
    assert notify.send(phone.url, Message("title", "text")) == notify.Failure("not reached")
    assert notify.send("mailto://127.0.0.1:9/?from=a@b.org&to=c@d.org", Message("t", "x")) == notify.Failure(
        "not reached"
    )


def test_a_channel_that_hangs_holds_up_no_other_and_repeats_nothing(house: House) -> None:
    slow = Phone()
    slow.hangs = True
    house.config = replace(
        house.config, alerts=AlertsConfig(urls=(Channel(f"{slow.url}?rto=25"), Channel(house.phone.url)))
    )
    _warn(house)
    round_ = threading.Thread(target=house.deliver)
    round_.start()
    for _ in range(2500):  # while the first one hangs
        if house.phone.messages:
            break
        round_.join(0.01)
    assert round_.is_alive() and len(house.phone.messages) == 1
    slow.let_go.set()
    round_.join()
    slow.hangs = False
    house.clock.advance(minutes=2)
    house.deliver()
    slow.hang_up()
    assert (len(house.phone.messages), len(slow.messages)) == (1, 1)


def test_a_picture_is_drawn_once_and_its_failure_or_refusal_leaves_the_text(house: House) -> None:
    second, drawn = Phone(), []
    house.config = replace(house.config, alerts=AlertsConfig(urls=(Channel(house.phone.url), Channel(second.url))))

    def draw(alert: Alert) -> bytes:
        drawn.append(alert.kind)
        if len(drawn) == 2:
            raise RuntimeError("no font")
        return PNG

    _warn(house)
    second.refusals = 1
    house.deliver(picture=draw)
    house.clock.advance(minutes=2)
    house.deliver(picture=draw)
    _warn(house, "2026-09-01")
    house.deliver(picture=draw)
    second.hang_up()
    assert drawn == ["pull_back", "pull_back"]
    assert [len(m["attachments"]) for m in house.phone.messages] == [1, 0]
    assert [len(m["attachments"]) for m in second.messages] == [0, 0]


def test_what_waits_comes_in_one_message_the_most_important_first(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    _warn(house, "2026-11-01", "watch")
    _warn(house, "2026-11-02", "pull_back")
    house.deliver()
    (message,) = house.phone.messages
    assert message["title"].startswith("pull_back") and "watch 2026-11-01" in message["message"]


def test_a_reminder_is_as_loud_as_what_it_repeats_and_a_retraction_is_heard_before_a_watch(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    for kind, about in (("stale", None), ("watch", None), ("retraction", "pull_back"), ("reminder", "pull_back")):
        _warn(house, "2026-11-02", kind, about)
    house.deliver()
    (message,) = house.phone.messages
    said = [message["message"].index(f"{kind} 2026") for kind in ("reminder", "retraction", "watch", "stale")]
    assert message["title"].startswith("reminder") and said == sorted(said)


def test_pictures_hold_a_round_up_no_longer_than_one_may(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two phones, each waiting for a picture of its own that never comes."""
    monkeypatch.setattr(picture, "TIMEOUT_S", 4.0)
    second, never = Phone(), threading.Event()
    house.config = replace(house.config, alerts=AlertsConfig(urls=(Channel(house.phone.url), Channel(second.url))))
    for episode, phone in (("2026-11-01", house.phone), ("2026-11-02", second)):
        _warn(house, episode, phones=[phone])
    began = time.monotonic()
    house.deliver(picture=lambda alert: never.wait(30))
    assert time.monotonic() - began < 7.5
    never.set()
    second.hang_up()
    assert (len(house.phone.messages), len(second.messages)) == (1, 1)


def test_when_a_channel_answers_again_what_waited_follows_at_once(house: House) -> None:
    _warn(house, "2026-09-01")
    house.phone.refusals = 5
    for _ in range(5):
        house.deliver(at_once=True)
    _warn(house, "2026-11-02")
    house.deliver()
    house.clock.advance(seconds=1)
    house.deliver()
    assert [title.split()[1] for title in house.phone.titles] == ["2026-11-02", "2026-09-01"]


def _warn(
    house: House,
    episode: str = "2026-11-02",
    kind: str = "pull_back",
    about: str | None = None,
    phones: Sequence[Phone] = (),
) -> None:
    addresses = [phone.url for phone in phones] or [channel.url for channel in house.config.alerts.urls]
    with house.store.write() as session:
        outbox.open_alert(
            session,
            house.athlete_id,
            kind=kind,
            episode=episode,
            title=f"{kind} {episode}",
            text="Easy runs cost more.",
            channels=[outbox.channel_id(address) for address in addresses],
            now=house.clock.now(),
            about=about,
        )


def test_a_clock_alone_sends_nothing_to_who_heard_it(house: House) -> None:
    _warn(house)
    deliver(house.store, house.config.alerts, notify.send, house.clock, UTC)
    house.clock.advance(days=400)
    deliver(house.store, house.config.alerts, notify.send, house.clock, UTC)
    house.clock.moment -= timedelta(days=800)
    deliver(house.store, house.config.alerts, notify.send, house.clock, UTC)
    assert len(house.phone.messages) == 1
