"""Records from a FHIR server: a real one on this machine, which pages, is busy at times and asks for a token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

import pmed as package
from pmed import fetching
from pmed.errors import HistoryError, OptionError

from .test_cli import pmed, refused

jwt = pytest.importorskip("jwt")
PERSON = {"resourceType": "Patient", "id": "7", "birthDate": "1960-05-04", "gender": "female"}
ORDER = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
         "authoredOn": "2026-01-02", "subject": {"reference": "Patient/7"},
         "medicationCodeableConcept": {"text": "simvastatin 20 MG"}}


class Server(ThreadingHTTPServer):
    """Answers as FHIR servers do; `busy` requests are refused first, `secret` is what a token costs."""

    busy = 0
    broken = ""
    public_key = ""
    asked: list[str]
    tokens = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def say(self, status: int, body: object = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        form = {name: value[0] for name, value in parse_qs(
            self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        self.server.tokens += 1
        if self.server.public_key:
            url = f"http://127.0.0.1:{self.server.server_port}/token"
            claims = jwt.decode(form["client_assertion"], self.server.public_key, algorithms=["RS384"], audience=url)
            good = claims["iss"] == claims["sub"] == "pmed" and claims["exp"] - claims["iat"] <= 300
        else:
            good = self.headers["Authorization"] == "Basic cG1lZDpzM2NyZXQ="
        self.say(200 if good else 401, {"access_token": "t0k", "expires_in": 3600})

    def do_GET(self) -> None:
        url, base = urlparse(self.path), f"http://127.0.0.1:{self.server.server_port}"
        self.server.asked.append(self.path)
        if self.server.busy > 0:
            self.server.busy -= 1
            self.say(429 if self.server.busy % 2 else 503, Retry_After="0")
        elif self.server.tokens and self.headers["Authorization"] != "Bearer t0k":
            self.say(401)
        elif self.server.broken:
            self.say(200, self.server.broken.encode())
        elif url.path == "/fhir/Patient/7/$everything" and "page" not in url.query:
            self.say(200, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": PERSON}],
                           "link": [{"relation": "next", "url": f"{base}/fhir/Patient/7/$everything?page=2"}]})
        elif url.path == "/fhir/Patient/7/$everything":
            self.say(200, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": ORDER}]})
        elif url.path == "/fhir/Group/g1/$export":
            good = self.headers["Prefer"] == "respond-async" and "_type=Patient%2CMedicationRequest" in url.query
            self.say(202 if good else 400, Content_Location=f"{base}/jobs/1")
        elif url.path == "/jobs/1" and sum(one == "/jobs/1" for one in self.server.asked) < 3:
            self.say(202, Retry_After="0", X_Progress="half")
        elif url.path == "/jobs/1":
            self.say(200, {"transactionTime": "2026-01-01", "requiresAccessToken": False, "error": [], "output": [
                {"type": "Patient", "url": f"{base}/files/1"},
                {"type": "MedicationRequest", "url": f"{base}/files/2"}]})
        elif url.path.startswith("/files/"):
            self.say(200, json.dumps(PERSON if url.path.endswith("1") else ORDER).encode() + b"\n")
        else:
            self.say(404)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "_FIRST", 0.001)
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def connection(folder: Path, server: Server, *lines: str) -> Path:
    path = folder / "site.fhir.toml"
    path.write_text("\n".join([f'server = "http://127.0.0.1:{server.server_port}/fhir"', *lines]) + "\n")
    return path


def oauth(server: Server, *lines: str) -> list[str]:
    return ["[oauth]", f'token_url = "http://127.0.0.1:{server.server_port}/token"', 'client_id = "pmed"', *lines]


def test_everything_of_a_patient_page_by_page(server: Server, tmp_path: Path) -> None:
    server.busy = 3
    done = pmed("fetch", connection(tmp_path, server, 'patients = ["7"]'), "-o", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    [path] = (tmp_path / "out").iterdir()
    drugs = package.run(history=path).tables["medications"]
    assert drugs["ingredients"].to_list() == [["simvastatin"]]


def test_an_export_that_takes_its_time(server: Server, tmp_path: Path) -> None:
    asked = connection(tmp_path, server, 'export = "Group/g1"', 'types = ["Patient", "MedicationRequest"]')
    assert fetching.fetch(fetching.read_connection(asked), tmp_path / "out") == 2
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").iterdir()}
    assert files == {"00001.Patient.ndjson": PERSON, "00002.MedicationRequest.ndjson": ORDER}


def test_a_token_for_a_secret(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = connection(tmp_path, server, 'patients = ["7", "7"]', *oauth(server, 'secret_env = "FHIR_SECRET"'))
    refused(pmed("fetch", asked, "-o", tmp_path / "none"), "FHIR_SECRET is not set")
    refused(pmed("fetch", asked, "-o", tmp_path / "none", env={"FHIR_SECRET": "wrong"}), "401", "/token")
    server.tokens = 0
    monkeypatch.setenv("FHIR_SECRET", "s3cret")
    assert fetching.fetch(fetching.read_connection(asked), tmp_path / "out") == 2
    assert server.tokens == 1
    assert not (tmp_path / "none").exists()


def test_a_token_for_a_signature(server: Server, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8,
                                                         forms.NoEncryption()))
    server.public_key = key.public_key().public_bytes(forms.Encoding.PEM,
                                                      forms.PublicFormat.SubjectPublicKeyInfo).decode()
    asked = connection(tmp_path, server, 'patients = ["7"]', *oauth(server, 'key_file = "key.pem"', 'key_id = "k1"'))
    assert pmed("fetch", asked, "-o", tmp_path / "out").returncode == 0
    (tmp_path / "key.pem").write_text("no key")
    refused(pmed("fetch", asked, "-o", tmp_path / "none"), "key.pem", "the key cannot be used")


@pytest.mark.parametrize(("broken", "patient", "said"), [
    ("<html>", "7", "not the JSON that was expected"),
    ('{"resourceType": "OperationOutcome"}', "7", "expected a Bundle"),
    ("", "8", "answered 404"),
])
def test_a_wrong_answer_leaves_nothing(server: Server, tmp_path: Path, broken: str, patient: str, said: str) -> None:
    server.broken = broken
    asked = fetching.read_connection(connection(tmp_path, server, f'patients = ["{patient}"]'))
    with pytest.raises(HistoryError, match=said):
        fetching.fetch(asked, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_server_that_stays_busy_is_given_up(server: Server, tmp_path: Path) -> None:
    server.busy = 100
    asked = fetching.read_connection(connection(tmp_path, server, 'patients = ["7"]'))
    with pytest.raises(HistoryError, match="answered 429|answered 503"):
        fetching.fetch(asked, tmp_path / "out")
    assert len(server.asked) == 6


def test_nobody_there(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = connection(tmp_path, server, 'patients = ["7"]')
    server.shutdown()
    server.server_close()
    with pytest.raises(HistoryError, match="cannot be reached: ConnectError"):
        fetching.fetch(fetching.read_connection(path), tmp_path / "out")


@pytest.mark.parametrize(("text", "said"), [
    ('server = "http://x"', "asks for `patients` or for an `export`"), ("server = 5", "not a connection file"),
    ('server = "http://x"\npatient = ["7"]', "unknown field `patient`"), ("server", "not a connection file"),
    ('server = "http://x"\npatients = ["7"]\n[oauth]\ntoken_url = "t"\nclient_id = "c"', "secret_env"),
])
def test_bad_connection_files(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(OptionError, match=said):
        fetching.read_connection(path)
