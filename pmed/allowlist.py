"""A signed list of the plugins that may be loaded, for clinical sites: names, versions and a hash of what is installed.

The hash is over the lines of the package's RECORD that its wheel brings, so it is the same on every machine; and every
file is compared with its line. The list is JSON; beside it lies ``.sig``, the Ed25519 signature of its bytes in base64.
It protects against what is installed by mistake or changed behind the site's back, not against somebody who may write
this list's settings, the key, or pmed itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from .compatibility import install_extra
from .errors import OptionError, PluginError
from .files import write_all

FORMAT: Final = "pmed/allow-list/1"
SUFFIX: Final = ".sig"
#: Written by the installer, not by the wheel: they differ from one machine to the next.
_INSTALLED: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
_HINT: Final = "ask who keeps the site's list of plugins"


@dataclass(frozen=True)
class Allowed:
    """One plugin that may be loaded."""

    version: str
    digest: str


def digest(dist: metadata.Distribution) -> str:
    """Hash (sha256, hex) of what a package's wheel brought; every file is compared with its RECORD.

    Raises:
        PluginError: for an editable install, or a file that is not as it was installed.
    """
    lines = []
    for file in sorted(dist.files or (), key=str):
        if file.suffix == ".pyc" or (file.parent.name.endswith(".dist-info") and file.name in _INSTALLED):
            continue
        if file.hash is None or file.hash.mode != "sha256" or file.suffix == ".pth":
            raise PluginError(f"{file} has no hash to compare with: it is installed editable, or not from a wheel",
                              hint="pip install the wheel itself")
        if _hash(Path(str(file.locate()))) != file.hash.value:
            raise PluginError(f"{file} is not as it was installed", hint="install it again, and ask who changed it")
        lines.append(f"{file},{file.hash.value}\n")
    if not lines:
        raise PluginError("its package lists no files", hint="pip install the wheel itself")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _hash(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PluginError(f"{path.name} cannot be read: {error.strerror}") from error
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def must_be_allowed(point: metadata.EntryPoint, allowed: Mapping[str, Allowed]) -> None:
    """Refuse what is not on the list, before it is imported.

    Raises:
        PluginError: where name, version or hash are not the list's.
    """
    if point.name not in allowed or point.dist is None:
        raise PluginError("is not on the list of allowed plugins, and was not loaded", hint=_HINT)
    listed = allowed[point.name]
    if point.dist.version != listed.version:
        raise PluginError(f"version {listed.version} is allowed, not {point.dist.version}", hint=_HINT)
    if digest(point.dist) != listed.digest:
        raise PluginError("is not the package that is allowed: the hashes differ", hint=_HINT)
    _must_be_its_own(point.value.partition(":")[0].partition(".")[0], point.dist)


def _must_be_its_own(module: str, dist: metadata.Distribution) -> None:
    """Refuse a module that another package, or a loose file, puts before the one that was hashed."""
    found = find_spec(module)
    own = {Path(str(file.locate())).resolve() for file in dist.files or ()}
    if found is None or found.origin is None or Path(found.origin).resolve() not in own:
        place = found.origin if found else "nowhere"
        raise PluginError(f"its module {module} would be read from {place}, which is not of the package", hint=_HINT)


def read(path: Path, key: Path) -> dict[str, Allowed]:
    """The plugins of a list whose signature is right, by entry-point name.

    Raises:
        OptionError: where a file cannot be read, the signature is not the key's, or the list is something else.
    """
    content, signature = _bytes(path), _bytes(path.with_name(path.name + SUFFIX))
    _must_be_signed(content, signature, key, where=str(path))
    try:
        data = json.loads(content)
        if data["format"] != FORMAT:
            raise OptionError(f"its format is {data['format']!r}, expected {FORMAT!r}", where=str(path))
        return {one["name"]: Allowed(one["version"], one["sha256"]) for one in data["plugins"]}
    except (ValueError, KeyError, TypeError) as error:
        raise OptionError(f"is not a list of allowed plugins: {error!r}", where=str(path)) from error


def write(path: Path, key: Path, points: Iterable[metadata.EntryPoint]) -> None:
    """List what is installed, and sign the list with a private key (PEM, Ed25519).

    Raises:
        PluginError: where an installed package is not as its wheel brought it.
        OptionError: where the key cannot be used.
    """
    rows = [{"name": point.name, "version": point.dist.version, "sha256": digest(point.dist)}
            for point in points if point.dist]
    content = (json.dumps({"format": FORMAT, "plugins": rows}, indent=2) + "\n").encode()
    signer = _key(key, "load_pem_private_key", "Ed25519PrivateKey", password=None)
    write_all({path: content, path.with_name(path.name + SUFFIX): base64.b64encode(signer.sign(content)) + b"\n"})


def _must_be_signed(content: bytes, signature: bytes, key: Path, where: str) -> None:
    verifier = _key(key, "load_pem_public_key", "Ed25519PublicKey")
    from cryptography.exceptions import InvalidSignature

    try:
        verifier.verify(base64.b64decode(signature, validate=False), content)
    except (InvalidSignature, binascii.Error) as error:
        raise OptionError(f"the signature in {SUFFIX} is not of this list by that key", where=where,
                          hint=_HINT) from error


def _key(path: Path, load: str, kind: str, **more: Any) -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise OptionError("a list of allowed plugins needs the package cryptography",
                          hint=install_extra("records")) from error
    try:
        key = getattr(serialization, load)(_bytes(path), **more)
    except (ValueError, TypeError) as error:
        raise OptionError("is not a key in PEM without a password", where=str(path)) from error
    if not isinstance(key, getattr(ed25519, kind)):
        raise OptionError("is not an Ed25519 key", where=str(path), hint="openssl genpkey -algorithm ed25519")
    return key


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionError(f"cannot be read: {error.strerror}", where=str(path), hint=_HINT) from error
