"""``pmed fetch``: patient records from a live FHIR server into files, which a run then reads without any network.

A connection file says where and how (TOML):

    server = "https://fhir.example.org/r4"
    patients = ["123", "456"]             # Patient/$everything for each; or
    export = "Group/cohort-1"             # Bulk Data: "system", "patient" or "Group/ID"
    since = "2026-01-01"                  # with export: only what changed since
    types = ["Patient", "Condition"]      # with export: only these

    [oauth]                               # where the server asks for it: OAuth2 client credentials (RFC 6749, 4.4)
    token_url = "https://auth.example.org/token"
    client_id = "pmed"
    scope = "system/*.rs"
    secret_env = "FHIR_SECRET"            # the secret is in this environment variable; or
    key_file = "private.pem"              # SMART backend services: a signed assertion
    key_id = "pmed-1"
    algorithm = "RS384"                   # or ES384

Sources: FHIR R4 Patient/$everything; Bulk Data Access 2.0; SMART App Launch 2.0, backend services.
"""

from __future__ import annotations

import os
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

import msgspec

from .errors import HistoryError, OptionError
from .files import whole_folder

if TYPE_CHECKING:
    import httpx
    import tenacity

T = TypeVar("T")
Progress = Callable[[str], None]

_JSON = "application/fhir+json"
_TRIES = 6
_FIRST = 0.5      # s until the second try, and twice as long until each that follows
_LONGEST = 60.0   # s between two tries
_WAIT = 3600 * 6  # s for a server to make an export
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to get an access token."""

    token_url: str
    client_id: str
    scope: str = ""
    secret_env: str = ""
    key_file: str = ""
    key_id: str = ""
    algorithm: str = "RS384"


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A connection file."""

    server: str
    patients: list[str] = []
    export: str = ""
    since: str = ""
    types: list[str] = []
    oauth: OAuth | None = None


class _Link(msgspec.Struct):
    relation: str = ""
    url: str = ""


class _Page(msgspec.Struct, rename="camel"):
    """One page of a searchset; its entries stay as they are."""

    resource_type: str = ""
    entry: list[msgspec.Raw] = []
    link: list[_Link] = []


class _File(msgspec.Struct):
    type: str
    url: str


class _Export(msgspec.Struct, rename="camel"):
    """What an export made."""

    output: list[_File] = []
    error: list[_File] = []
    requires_access_token: bool = False


def read_connection(path: Path) -> Connection:
    """Read and check a connection file.

    Raises:
        OptionError: it cannot be read, has an unknown or missing field, or asks for nothing or for both ways.
    """
    try:
        made = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Connection)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise OptionError(f"not a connection file: {error}", where=str(path), hint="see docs/records.md") from error
    if bool(made.patients) == bool(made.export):
        raise OptionError("a connection file asks for `patients` or for an `export`", where=str(path))
    if made.oauth and bool(made.oauth.secret_env) == bool(made.oauth.key_file):
        raise OptionError("[oauth] needs `secret_env` or `key_file`", where=str(path))
    return made


def fetch(connection: Connection, folder: Path, *, base: Path = Path(), progress: Progress = lambda _: None) -> int:
    """Fetch all records into a new folder: a bundle for each patient, or the export's NDJSON files; returns files.

    Args:
        connection: Where and what.
        folder: New folder; nothing is left of it where something fails.
        base: Folder that `key_file` is relative to.
        progress: Told what is being done.

    Raises:
        HistoryError: the server cannot be reached, refuses, or answers with something else.
    """
    import httpx

    limits = httpx.Timeout(60, connect=10)
    with whole_folder(folder) as place, httpx.Client(timeout=limits, follow_redirects=True) as client:
        server = _Server(client, connection, base)
        files = _exported(server, progress) if connection.export else _everything(server, progress)
        count = 0
        for name, parts in files:
            with (place / name).open("wb") as file:
                file.writelines(parts)
            count += 1
        return count


@dataclass
class _Server:
    """Requests with a token, tried again while the server is busy."""

    client: httpx.Client
    connection: Connection
    base: Path
    _token: dict[str, Any] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return urljoin(self.connection.server.rstrip("/") + "/", path)

    def get(self, url: str, *, open_to_all: bool = False, **headers: str) -> httpx.Response:
        """GET an address; a busy server is asked again, later and later, as Retry-After says.

        Raises:
            HistoryError: it never answered, or refused.
        """
        sent = {"Accept": _JSON, **headers, **({} if open_to_all else self._authorization())}
        return self._tried(lambda: self.client.get(url, headers=sent), url)

    def _tried(self, ask: Callable[[], httpx.Response], url: str) -> httpx.Response:
        import httpx
        import tenacity

        again = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_TRIES), wait=_how_long, retry_error_callback=_last,
            retry=(tenacity.retry_if_exception_type(httpx.TransportError)
                   | tenacity.retry_if_result(lambda answer: answer.status_code in _PASSING)))
        try:
            answer: httpx.Response = again(ask)
        except httpx.HTTPError as error:
            raise HistoryError(f"the server cannot be reached: {type(error).__name__}", where=_plain(url)) from error
        if answer.is_error:
            raise HistoryError(f"the server answered {answer.status_code} {answer.reason_phrase}", where=_plain(url),
                               hint="check [oauth] and its scope" if answer.status_code in {401, 403} else "")
        return answer

    def _authorization(self) -> dict[str, str]:
        oauth = self.connection.oauth
        if oauth is None:
            return {}
        if self._token.get("until", 0.0) < time.monotonic():
            self._token = self._new_token(oauth)
        return {"Authorization": f"Bearer {self._token['text']}"}

    def _new_token(self, oauth: OAuth) -> dict[str, Any]:
        import httpx

        form = {"grant_type": "client_credentials", **({"scope": oauth.scope} if oauth.scope else {})}
        login: Any = httpx.USE_CLIENT_DEFAULT
        if oauth.key_file:
            form |= {"client_assertion_type": _ASSERTION, "client_assertion": _assertion(oauth, self.base)}
        elif secret := os.environ.get(oauth.secret_env):
            login = httpx.BasicAuth(oauth.client_id, secret)
        else:
            raise OptionError(f"the environment variable {oauth.secret_env} is not set", where="[oauth]")
        accept = {"Accept": "application/json"}
        answer = self._tried(lambda: self.client.post(oauth.token_url, data=form, auth=login, headers=accept),
                             oauth.token_url)
        said = _decoded(answer, dict[str, Any], oauth.token_url)
        if not isinstance(said.get("access_token"), str):
            raise HistoryError("the answer holds no access_token", where=_plain(oauth.token_url))
        lasts = said.get("expires_in")
        return {"text": said["access_token"],
                "until": time.monotonic() + (float(lasts) if isinstance(lasts, int | float) else 300.0) - 30}


def _assertion(oauth: OAuth, base: Path) -> str:
    """A signed statement of who asks (SMART backend services): five minutes, used once."""
    import jwt

    try:
        key = (base / oauth.key_file).read_text("utf-8")
        now = int(time.time())
        claims = {"iss": oauth.client_id, "sub": oauth.client_id, "aud": oauth.token_url, "exp": now + 300, "iat": now,
                  "jti": str(uuid.uuid4())}
        about = {"kid": oauth.key_id} if oauth.key_id else None
        return jwt.encode(claims, key, algorithm=oauth.algorithm, headers=about)
    except (OSError, ValueError, TypeError, NotImplementedError, jwt.PyJWTError) as error:
        raise OptionError(f"the key cannot be used: {type(error).__name__}", where=oauth.key_file) from error


def _how_long(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: what the server asks for, else twice as long each time."""
    outcome = state.outcome
    answer = outcome.result() if outcome and not outcome.failed else None
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(float(asked) if asked.isdigit() else _FIRST * 2 ** (state.attempt_number - 1), _LONGEST)


def _last(state: tenacity.RetryCallState) -> Any:
    """The last answer, whatever it was; or the error."""
    return state.outcome.result() if state.outcome else None


def _everything(server: _Server, progress: Progress) -> Iterator[tuple[str, Iterator[bytes]]]:
    """One bundle for each patient, with the entries of all pages."""
    for number, name in enumerate(server.connection.patients, 1):
        progress(f"patient {number} of {len(server.connection.patients)}")
        entries = [entry for page in _pages(server, f"Patient/{name}/$everything") for entry in page.entry]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        yield f"{number:05}.json", iter([msgspec.json.encode(bundle)])


def _pages(server: _Server, path: str) -> Iterator[_Page]:
    url, seen = server.url(path), set[str]()
    while url and url not in seen:
        seen.add(url)
        page = _decoded(server.get(url), _Page, url)
        if page.resource_type != "Bundle":
            raise HistoryError(f"expected a Bundle. Got {page.resource_type!r}", where=_plain(url))
        yield page
        url = next((urljoin(url, link.url) for link in page.link if link.relation == "next"), "")


def _exported(server: _Server, progress: Progress) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The NDJSON files of a Bulk Data export."""
    asked = server.connection
    where = {"system": "$export", "patient": "Patient/$export"}.get(asked.export, f"{asked.export}/$export")
    query = {"_outputFormat": "application/fhir+ndjson", **({"_since": asked.since} if asked.since else {}),
             **({"_type": ",".join(asked.types)} if asked.types else {})}
    import httpx

    url = str(httpx.URL(server.url(where), params=query))
    started = server.get(url, Prefer="respond-async")
    place = started.headers.get("Content-Location")
    if started.status_code != 202 or not place:
        raise HistoryError("the server did not begin an export", where=_plain(url))
    made = _made(server, urljoin(url, place), progress)
    if made.error:
        raise HistoryError(f"the export reports errors in {len(made.error)} files", where=_plain(url))
    for number, file in enumerate(made.output, 1):
        progress(f"file {number} of {len(made.output)}")
        answer = server.get(file.url, open_to_all=not made.requires_access_token, Accept="application/fhir+ndjson")
        yield f"{number:05}.{file.type}.ndjson", answer.iter_bytes()


def _made(server: _Server, place: str, progress: Progress) -> _Export:
    """Ask until the export is there."""
    until = time.monotonic() + _WAIT
    while time.monotonic() < until:
        answer = server.get(place, Accept="application/json")
        if answer.status_code != 202:
            return _decoded(answer, _Export, place)
        progress(f"the server is at work: {answer.headers.get('X-Progress', '')}".rstrip(": "))
        asked = answer.headers.get("Retry-After", "")
        time.sleep(min(float(asked) if asked.isdigit() else 5.0, _LONGEST))
    raise HistoryError(f"no export after {_WAIT // 3600} hours", where=_plain(place))


def _decoded(answer: httpx.Response, kind: type[T], url: str) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise HistoryError("the answer is not the JSON that was expected", where=_plain(url)) from error


def _plain(url: str) -> str:
    """An address without its query, which may hold secrets."""
    return url.partition("?")[0]

