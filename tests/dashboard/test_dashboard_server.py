"""The calls of the page, and what is refused."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sim.cli import main
from sim.dashboard.server import MOST_SESSIONS, Dashboard, Refused


@pytest.fixture
def dashboard(small: Path) -> Dashboard:
    return Dashboard(str(small))


def given(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"session": f"{number:08x}", "scenario": "small", "against": "nothing", **more}


def request(address: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_given_file_comes_first_then_the_baseline(dashboard: Dashboard) -> None:
    names = [one["name"] for one in dashboard.call("scenarios", {})["scenarios"]]
    assert names[:2] == ["small", "baseline"]
    assert len(names) == len(set(names))


def test_start_step_close(dashboard: Dashboard) -> None:
    assert dashboard.call("start", given())["day"] == 0
    assert dashboard.call("step", given(days=3))["day"] == 3
    assert dashboard.call("start", given())["day"] == 0
    dashboard.call("close", given())
    assert dashboard.sessions == {}
    assert dashboard.call("step", given(days=1)) == {"gone": True}


def test_faults_are_sentences(dashboard: Dashboard) -> None:
    changes = {"insurance.pools": "0"}
    found = dashboard.call("check", given(changes=changes, further="insurance.pols=3"))["faults"]
    assert {one["path"] for one in found} == {"insurance.pools", "insurance.pols"}
    assert "whole number from 1 to 500" in next(one["message"] for one in found if one["path"] == "insurance.pools")
    assert "did you mean" in next(one["message"] for one in found if one["path"] == "insurance.pols")
    assert dashboard.call("start", given(changes=changes))["faults"]
    assert dashboard.call("check", given(further="no equals sign"))["faults"]
    assert dashboard.call("check", given(changes={"insurance.pools": "3"})) == {}


def test_bad_values_leave_the_run_alone(dashboard: Dashboard) -> None:
    dashboard.call("start", given())
    dashboard.call("step", given(days=2))
    dashboard.call("start", given(changes={"insurance.pools": "0"}))
    assert dashboard.call("step", given(days=1))["day"] == 3
    dashboard.call("close", given())


def test_pages_that_were_forgotten_are_freed(dashboard: Dashboard) -> None:
    for number in range(MOST_SESSIONS + 1):
        dashboard.call("start", given(number))
    assert len(dashboard.sessions) == MOST_SESSIONS
    assert dashboard.call("step", given(0, days=1)) == {"gone": True}
    for number in range(1, MOST_SESSIONS + 1):
        dashboard.call("close", given(number))


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 10_000}, {"days": "1"}, {"days": 1, "session": "../x"}])
def test_wrong_calls_are_refused(dashboard: Dashboard, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        dashboard.call("step", given(**wrong))
    with pytest.raises(Refused):
        dashboard.call("form", {"scenario": "../../etc/passwd"})
    with pytest.raises(Refused):
        dashboard.call("__class__", {})


def test_only_the_page_is_served(address: str) -> None:
    kind = {"Content_Type": "application/json"}
    assert request(address, "GET", "/")[0] == 200
    assert request(address, "GET", "/../server.py")[0] == 404
    assert request(address, "GET", "/", Host="elsewhere.example:80")[0] == 403
    assert request(address, "POST", "/call/scenarios", "{}", **kind)[0] == 200
    for body, headers in (("{}", {"Content_Type": "text/plain"}), ("{}", {**kind, "Host": "elsewhere.example"}),
                          ("{}", {**kind, "Origin": "http://elsewhere.example"}), ("[]", kind), ("{", kind),
                          ("{}" + " " * 200_000, kind)):
        code, content = request(address, "POST", "/call/scenarios", body, **headers)
        assert code == 400
        assert json.loads(content)["error"]


def test_command_line_says_what_is_wrong(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "--port", "70000"]) == 2
    assert "70000 is not a port" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["dashboard", str(small), "--port", port, "--no-browser"]) == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
    assert main(["dashboard", str(small.parent / "missing.yaml"), "--no-browser"]) == 2


def test_help_imports_nothing_heavy(repository: Path) -> None:
    script = ("import sys; from sim.cli import main; main(['dashboard', '--help']); "
              "sys.exit(any(name in sys.modules for name in ('numpy', 'mesa', 'matplotlib')))")
    done = subprocess.run([sys.executable, "-c", script], cwd=repository, capture_output=True, check=False)
    assert done.returncode == 0
