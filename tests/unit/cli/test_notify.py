"""Tell somebody elsewhere how it went; and nothing of it spoils a run."""

import sys
import threading
import time
import types
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smugmug_backup.cli import notify
from smugmug_backup.cli.notify import Event, Notifier, service_of, told
from smugmug_backup.errors import LoginLost


@contextmanager
def healthchecks(status=200, wait=0.0):
    """(address, what it heard) of a service that is pinged."""
    heard = []
    let_go = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            let_go.wait(wait)
            heard.append((self.path, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ping/secret-uuid", heard
    finally:
        let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Apprise:
    """What Apprise is asked to do."""

    sent = []
    answers = True
    knows = True

    def add(self, url):
        self.url = url
        return self.knows

    def notify(self, **more):
        self.sent.append((self.url, more))
        return self.answers


@pytest.fixture
def apprise(monkeypatch):
    kinds = types.SimpleNamespace(FAILURE="failure", SUCCESS="success")
    made = type("Made", (Apprise,), {"sent": []})
    monkeypatch.setitem(
        sys.modules, "apprise", types.SimpleNamespace(Apprise=made, NotifyType=kinds)
    )
    return made


@pytest.mark.parametrize(
    ("event", "path"),
    [(Event.START, "/start"), (Event.SUCCESS, ""), (Event.FAILURE, "/fail")],
)
def test_a_ping_goes_to_the_address_of_what_happened_with_one_line(event, path):
    complaints = []
    with healthchecks() as (url, heard):
        Notifier([url], complaints.append).send(event, "title", "one\nline \x1b[2J")
    assert heard == [(f"/ping/secret-uuid{path}", "one line \ufffd[2J")]
    assert complaints == []


def test_a_query_and_a_slash_at_the_end_stay_in_their_places():
    with healthchecks() as (url, heard):
        Notifier([f"{url}/?rid=1"], print).send(Event.FAILURE, "title", "x")
    assert heard[0][0] == "/ping/secret-uuid/fail?rid=1"


def test_apprise_hears_how_it_ended_and_not_that_it_begins(apprise):
    notifier = Notifier(["ntfy://topic", "mailto://u:p@host"], print)
    notifier.send(Event.START, "title", "begins")
    assert apprise.sent == []
    notifier.send(Event.FAILURE, "title", "what is wrong")
    assert sorted(url for url, _ in apprise.sent) == ["mailto://u:p@host", "ntfy://topic"]
    assert {tuple(more.values()) for _, more in apprise.sent} == {
        ("title", "what is wrong", "failure")
    }


def test_what_cannot_be_sent_is_said_without_the_address_and_stops_no_other(apprise, monkeypatch):
    complaints = []
    apprise.answers = False
    with healthchecks(status=500) as (bad, _), healthchecks() as (good, heard):
        urls = [bad, "http://127.0.0.1:9/secret-uuid", "tgram://bot-secret/chat", good]
        Notifier(urls, complaints.append).send(Event.SUCCESS, "title", "x")
    assert len(heard) == 1 and len(complaints) == 3
    assert "secret" not in "".join(complaints)
    assert any("HTTP 500" in each for each in complaints)
    assert any(each.startswith("tgram could not be told") for each in complaints)


def test_without_apprise_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    complaints = []
    Notifier(["ntfy://topic"], complaints.append).send(Event.SUCCESS, "title", "x")
    assert "smugmug-backup[notify]" in complaints[0]


def test_whoever_does_not_answer_is_not_waited_for():
    complaints = []
    with healthchecks(wait=300) as (url, _):
        began = time.monotonic()
        Notifier([url, url], complaints.append, seconds=0.2).send(Event.SUCCESS, "title", "x")
        assert time.monotonic() - began < 120
    assert len(complaints) == 2 and "in time" in complaints[0]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hc-ping.com/uuid", "hc-ping.com"),
        ("https://[", "https"),
        ("tgram://token/chat", "tgram"),
        ("\x1bx://y", "\ufffdx"),
    ],
)
def test_of_an_address_its_service_is_shown_and_no_more(url, shown):
    assert service_of(url) == shown


def test_an_error_is_told_and_goes_on_its_way(monkeypatch):
    sent = []
    monkeypatch.setattr(Notifier, "send", lambda _, *words: sent.append(words))
    with pytest.raises(LoginLost), told(Notifier(["x://y"], print), "run", "/b"):
        raise LoginLost("the token is not accepted")
    assert sent == [
        (Event.START, "smugmug-backup run /b", "begins"),
        (Event.FAILURE, "smugmug-backup run /b", "the token is not accepted"),
    ]
    with pytest.raises(RuntimeError), told(Notifier([], print), "run", "/b"):
        raise RuntimeError("https://host/?oauth_token=secret")
    assert "secret" not in sent[-1][2] and "RuntimeError" in sent[-1][2]


def test_apprise_itself_is_understood():
    """The real library, and a service that is not there."""
    complaints = []
    with healthchecks() as (url, heard):
        address = url.replace("http://", "json://")
        Notifier([address], complaints.append).send(Event.SUCCESS, "title", "the summary")
    assert complaints == [] and "the summary" in heard[0][1]
    Notifier(["nonsense://x"], complaints.append).send(Event.SUCCESS, "title", "x")
    assert "does not know" in complaints[0]


def test_all_of_them_together_take_no_longer_than_a_few_seconds():
    assert notify.SECONDS <= 10
