"""Answers the browser: the page's three files, and the calls by which it chooses, checks, starts, steps and leaves.

Only this machine is served. A call must name this machine as its host and send JSON, so that no other site that the
browser has open can make one; scenarios are chosen among those listed, never by a path from the page.
"""

from __future__ import annotations

import json
import re
import webbrowser
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

from sim.dashboard.parameters import form
from sim.dashboard.pictures import frame
from sim.dashboard.session import UNCHANGED, Session, choose, comparisons
from sim.scenario.errors import ScenarioError, clean
from sim.scenario.library import find_scenario, list_scenarios, shipped_folder
from sim.scenario.load import load_scenario
from sim.scenario.overrides import split_setting

HOST = "127.0.0.1"

FILES = {"/": ("page.html", "text/html"), "/page.css": ("page.css", "text/css"),
         "/page.js": ("page.js", "text/javascript")}

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'"

MOST_SESSIONS, MOST_BYTES, MOST_DAYS = 4, 100_000, 366
"""Pages whose markets are kept (the one used longest ago gives way), size of a call, days of one step."""


class Refused(ValueError):
    """A call that the page would not make."""


class Dashboard:
    """What the calls do; each takes and returns plain data. One call at a time touches markets."""

    def __init__(self, file: str | None = None) -> None:
        self.scenarios: dict[str, Path] = {}
        self.listed: list[dict[str, str]] = []
        if file is not None:
            path = find_scenario(file)
            first = load_scenario(path)
            self._list(first.name, path, first.question)
        for one in list_scenarios([shipped_folder()]):
            if not one.fault and one.name not in self.scenarios:
                self._list(one.name, one.file, one.question)
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = Lock()

    def _list(self, name: str, path: Path, question: str) -> None:
        self.scenarios[name] = path
        self.listed.append({"name": name, "question": question})

    def call(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Answer the call ``name``; faults of a scenario come back as ``faults``, one sentence each."""
        calls = {"scenarios": self.list_them, "form": self.form, "check": self.check, "start": self.start,
                 "step": self.step, "close": self.close}
        if name not in calls:
            raise Refused(f"there is no call {clean(name, 40)!r}")
        try:
            with self._lock:
                return calls[name](given)
        except ScenarioError as error:
            return {"faults": [{"path": problem.path, "message": _sentence(problem.path, problem.message)}
                               for problem in error.problems]}

    def list_them(self, _: dict[str, Any]) -> dict[str, Any]:
        """Scenarios that can be chosen, the first one first."""
        return {"scenarios": self.listed}

    def form(self, given: dict[str, Any]) -> dict[str, Any]:
        """What of a scenario can be moved, and what it can be compared with."""
        scenario = load_scenario(self._file(given))
        return {"question": scenario.question, "parameters": form(scenario),
                "comparisons": [{"name": name, "meaning": meaning} for name, meaning in comparisons(scenario)]}

    def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """Nothing, where the changes are fine; else their faults."""
        load_scenario(self._file(given), _changes(given))
        return {}

    def start(self, given: dict[str, Any]) -> dict[str, Any]:
        """Build both markets anew; those that the page had are freed."""
        choice = choose(self._file(given), _changes(given), str(given.get("against", UNCHANGED)))
        session = self._session(given, new=True)
        session.start(choice)
        return frame(session)

    def step(self, given: dict[str, Any]) -> dict[str, Any]:
        """Live some days."""
        days = given.get("days")
        if not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
            raise Refused(f"days must be a whole number from 1 to {MOST_DAYS}")
        session = self._session(given)
        if session.yours is None:
            return {"gone": True}
        session.step(days)
        return frame(session)

    def close(self, given: dict[str, Any]) -> dict[str, Any]:
        """Free the markets of a page that is left."""
        session = self.sessions.pop(str(given.get("session")), None)
        if session is not None:
            session.close()
        return {}

    def _file(self, given: dict[str, Any]) -> Path:
        path = self.scenarios.get(str(given.get("scenario")))
        if path is None:
            raise Refused("there is no such scenario")
        return path

    def _session(self, given: dict[str, Any], new: bool = False) -> Session:
        name = str(given.get("session"))
        if not re.fullmatch(r"[0-9a-f-]{8,40}", name):
            raise Refused("a page needs a name")
        if name not in self.sessions:
            if not new:
                return Session()
            while len(self.sessions) >= MOST_SESSIONS:
                self.sessions.popitem(last=False)[1].close()
            self.sessions[name] = Session()
        self.sessions.move_to_end(name)
        return self.sessions[name]


def _changes(given: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields that were changed, then the lines of further settings."""
    changes = given.get("changes", {})
    if not isinstance(changes, dict):
        raise Refused("changes must be a mapping")
    further = [split_setting(line) for line in str(given.get("further", "")).splitlines() if line.strip()]
    return [(str(path), str(text)) for path, text in changes.items()] + further


def _sentence(path: str, message: str) -> str:
    return f"{path}: {message}" if path else message


def handler(dashboard: Dashboard) -> type[BaseHTTPRequestHandler]:
    """The class that answers requests for ``dashboard``."""

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """A file of the page."""
            found = FILES.get(self.path.partition("?")[0])
            if not self._is_ours():
                self._send(403, b"this page is served to this machine only", "text/plain")
            elif self.path == "/favicon.ico":
                self._send(204, b"", "image/x-icon")
            elif found is None:
                self._send(404, b"not found", "text/plain")
            else:
                content = (files("sim.dashboard") / "page" / found[0]).read_bytes()
                self._send(200, content, f"{found[1]}; charset=utf-8")

        def do_POST(self) -> None:
            """A call."""
            try:
                answer, code = self._answer(), 200
            except (Refused, ValueError) as error:
                answer, code = {"error": clean(error, 400)}, 400
            except Exception as error:  # noqa: BLE001  a market that breaks must not take the page with it
                answer, code = {"error": f"{type(error).__name__}: {clean(error, 400)}"}, 200
            self._send(code, json.dumps(answer).encode(), "application/json")

        def _answer(self) -> dict[str, Any]:
            length = int(self.headers.get("Content-Length") or 0)
            if not self._is_ours() or self.headers.get_content_type() != "application/json":
                raise Refused("this call did not come from the page")
            if not 0 <= length <= MOST_BYTES:
                raise Refused("this call is too long")
            given = json.loads(self.rfile.read(length) or b"{}")
            if not isinstance(given, dict):
                raise Refused("a call is a mapping")
            return dashboard.call(self.path.removeprefix("/call/"), given)

        def _is_ours(self) -> bool:
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            origin = self.headers.get("Origin")
            return host in (HOST, "localhost") and origin in (None, f"http://{self.headers['Host']}")

        def _send(self, code: int, content: bytes, kind: str) -> None:
            try:
                self.send_response(code)
                for name, value in (("Content-Type", kind), ("Content-Length", str(len(content))),
                                    ("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"),
                                    ("Cache-Control", "no-store")):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):  # the page was left meanwhile
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not news."""

    return Handler


def serve(file: str | None, port: int, open_browser: bool) -> None:
    """Serve the page until interrupted; port 0 takes a free one. OSError where the port is taken."""
    dashboard = Dashboard(file)
    try:
        server = ThreadingHTTPServer((HOST, port), handler(dashboard))
    except OSError as error:
        raise OSError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from error
    with server:
        server.daemon_threads = True
        address = f"http://{HOST}:{server.server_address[1]}/"
        print(f"dashboard: {address}  (Ctrl-C ends it)", flush=True)
        if open_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("dashboard ended")
