"""Which plugins are loaded: switched off, chosen, made for another pmed, or not on a site's list."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

import pmed
from pmed import Settings, allowlist, option
from pmed.cli import cli
from pmed.compatibility import must_fit
from pmed.errors import OptionError, PluginError
from pmed.listing import describe_plugins, plugins_as_text
from pmed.plugins import Plugins, installed
from pmed.settings import load_settings
from tests.toy import plugin

CODE = "LOADED = True\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages; no settings of the machine are in the way."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    for name in ("PMED_PLUGINS", "PMED_ALLOW_LIST", "PMED_ALLOW_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("the_good", "the_other"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.invalidate_caches()
    return folder


def put(site: Path, name: str, code: str = CODE, requires: str = "") -> Path:
    """Install a package of one module as pip does from a wheel."""
    module = site / f"{name.replace('-', '_')}.py"
    info = site / f"{module.stem}-0.3.dist-info"
    info.mkdir(exist_ok=True)
    files = {
        module: code, info / "entry_points.txt": f"[pmed]\n{name} = {module.stem}\n",
        info / "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n"
                           + (f"Requires-Dist: {requires}\n" if requires else "")}
    for path, text in files.items():
        path.write_text(text)
    (info / "INSTALLER").write_text("pip\n")
    rows = [f"{path.relative_to(site)},sha256={hashed(path)},{path.stat().st_size}" for path in files]
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/INSTALLER,,", f"{info.name}/RECORD,,"]) + "\n")
    return module


def hashed(path: Path) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def failures(plugins: Plugins) -> dict[str, str]:
    return {failure.plugin: failure.message for failure in plugins.failures}


# Made for this pmed

@pytest.mark.parametrize("wanted", [
    "pmed", "pmed>=0.1", "pmed >=0.1,<0.2", "pmed (>=0.1)", "pmed~=0.1.0", "pmed==0.1.*", "pmed!=0.2.*", "pmed==0.1",
    "pmed[lab]>=0.1; python_version>='3.11'", "pmed<=0.1.0", "pmed-pgx>=9", "polars>=99", "pmed!=0.1.1", "pmed~=0.1",
    "pmed>=9; extra == 'other'"])
def test_a_package_for_this_pmed_fits(wanted: str) -> None:
    must_fit([wanted], "0.1.0")


@pytest.mark.parametrize("wanted", ["pmed>=0.2", "pmed<0.1", "pmed>=0.1,<0.1.0", "pmed~=0.2", "pmed==0.2.*",
                                    "pmed!=0.1.*", "pmed==0.1.1", "pmed>0.1", "PMED>=1"])
def test_a_package_for_another_pmed_is_refused(wanted: str) -> None:
    with pytest.raises(PluginError, match=r"is made for pmed .* and this is 0\.1\.0"):
        must_fit([wanted], "0.1.0")


@pytest.mark.parametrize("wanted", ["pmed @ file:///x", "pmed===0.1", "pmed>=0.1rc1"])
def test_a_requirement_that_is_not_understood_is_not_taken_for_granted(wanted: str) -> None:
    with pytest.raises(PluginError, match="cannot be understood"):
        must_fit([wanted], "0.1.0")


def test_a_prerelease_counts_as_its_release() -> None:
    must_fit(["pmed>=0.2,<0.3"], "0.2.0rc1")


def test_a_plugin_for_another_pmed_is_not_imported(site: Path) -> None:
    put(site, "from-tomorrow", "raise SystemExit('imported')", requires="pmed>=7")
    said = failures(Plugins().load(only={"from-tomorrow"}))
    assert said["from-tomorrow"].startswith("is made for pmed >=7, and this is 0.1")
    assert "--disable" in said["from-tomorrow"]


def test_a_plugin_for_other_hooks_is_refused(site: Path) -> None:
    put(site, "old-hooks", "PMED_API = 0\n")
    put(site, "new-hooks", "PMED_API = 1\n")
    plugins = Plugins().load(only={"old-hooks", "new-hooks"})
    assert "is written for version 0 of the hooks, and this pmed has version 1" in failures(plugins)["old-hooks"]
    assert plugins.versions["new-hooks"] == "0.3"
    assert "old-hooks" not in plugins.versions


# Chosen

def test_the_environment_limits_what_is_loaded(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(site, "one-of-two")
    put(site, "two-of-two", "raise RuntimeError")
    monkeypatch.setenv("PMED_PLUGINS", " one-of-two ,")
    plugins = Plugins.of(Settings()).load()
    assert (set(plugins.versions), plugins.failures) == ({"pmed.builtin", "one-of-two"}, [])
    monkeypatch.setenv("PMED_PLUGINS", "")
    assert set(Plugins.of(Settings()).load().versions) == {"pmed.builtin"}


def test_a_name_in_the_environment_must_be_installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(site, "one-of-two")
    monkeypatch.setenv("PMED_PLUGINS", "one-of-tow")
    with pytest.raises(OptionError, match="PMED_PLUGINS: no plugin 'one-of-tow' .* .did you mean 'one-of-two'"):
        Plugins.of(Settings()).load()


def test_disable_goes_without_a_plugin(site: Path) -> None:
    put(site, "is-broken", "raise RuntimeError")
    runner = CliRunner()
    assert runner.invoke(cli, ["plugins"]).exit_code == 3
    done = runner.invoke(cli, ["--disable", "is-broken", "plugins"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["disabled"] == ["is-broken"]


def test_disable_refuses_a_name_that_is_not_installed(site: Path) -> None:
    put(site, "is-broken")
    with pytest.raises(OptionError, match="--disable: no plugin 'is-brokn' is installed .did you mean 'is-broken'"):
        cli.main(["--disable", "is-brokn", "plugins"], standalone_mode=False)


# Options of a plugin

@dataclass(frozen=True)
class Steep:
    """A step with a slope."""

    name: ClassVar[str] = "steep"
    needs: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = ("steep:x",)
    slope: float = option(1.0, doc="Slope.", low=0, high=9)

    def run(self, tables, wanted):
        return {}


@dataclass(frozen=True)
class Flat(Steep):
    """Another."""

    name: ClassVar[str] = "flat"
    gives: ClassVar[tuple[str, ...]] = ("flat:x",)


def built(text: str, tmp_path: Path, check: bool = True) -> dict[str, float]:
    (tmp_path / "pmed.toml").write_text(text)
    plugins = Plugins.of(load_settings(tmp_path / "pmed.toml")).load(only=())
    plugins.add(plugin(register_features=[Steep, Flat]), "hills", "1")
    found = [one for one in plugins.components("register_features") if one.plugin == "hills"]
    if check:
        plugins.must_know_options()
    return {one.name: one.made.slope for one in found}


@pytest.mark.parametrize(("text", "expected"), [
    ("", {"steep": 1.0, "flat": 1.0}),
    ("[plugins.hills]\nslope = 2.0", {"steep": 2.0, "flat": 2.0}),
    ("[plugins.hills]\nslope = 2.0\n[plugins.hills.flat]\nslope = 3.0", {"steep": 2.0, "flat": 3.0}),
    ("[plugins.hills.flat]\nslope = 3.0\n[flat]\nslope = 4.0", {"steep": 1.0, "flat": 4.0})])
def test_options_of_a_plugin_reach_its_components(tmp_path: Path, site: Path, text: str, expected: dict) -> None:
    assert built(text, tmp_path) == expected


def told(text: str, tmp_path: Path, *arguments: str) -> str:
    """What a command says that ends with one line, by these settings."""
    (tmp_path / "pmed.toml").write_text(text)
    (tmp_path / "inputs.json").write_text("[{}]")
    with pytest.raises(OptionError) as error:
        cli.main(["--config", str(tmp_path / "pmed.toml"), *arguments], standalone_mode=False)
    return str(error.value)


@pytest.mark.parametrize("command", [
    ("predict", "statin-muscle", "--features", "inputs.json"), ("model", "card", "warfarin-dose"), ("plugins",),
    ("history", "."), ("call", "no.vcf")])
def test_a_misspelt_section_is_refused_by_every_command_that_reads_options(
        tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    more = ("-o", "out") if command[0] == "history" else ()
    line = "options for 'findrics', which no plugin brings (did you mean 'findrisc'?)"
    assert told("[findrics]\nx = 1", tmp_path, *command, *more) == line


def test_a_misspelt_section_is_refused_in_python_too(site: Path) -> None:
    wrong = {"findrics": {"x": 1}}
    for ask in (lambda: pmed.score("a.vcf", "b.txt", options=wrong), lambda: pmed.read_genome("a.vcf", options=wrong)):
        with pytest.raises(OptionError, match=r"options for 'findrics', .*did you mean 'findrisc'"):
            ask()


def test_options_of_a_model_are_of_somebody(tmp_path: Path, site: Path) -> None:
    plugins = Plugins({"toy-model": {}}).load(only=())
    plugins.add(plugin(register_models=[type("Toy", (), {"name": "toy-model"})]), "models", "1")
    plugins.must_know_options()


def test_beside_what_is_switched_off_only_a_near_name_is_refused(tmp_path: Path, site: Path) -> None:
    put(site, "the-other")
    off = "[plugins]\ndisabled = ['the-other']\n"
    built(f"{off}[of-the-other]\nslope = 2.0", tmp_path)
    with pytest.raises(OptionError) as error:
        built(f"{off}[steeep]\nslope = 2.0", tmp_path)
    assert str(error.value) == ("options for 'steeep', which no plugin brings (did you mean 'steep'? If it is of a "
                                "plugin that is not loaded: [plugins.PLUGIN.steeep])")
    built(f"{off}[plugins.the-other.steeep]\nslope = 2.0", tmp_path)


def test_what_is_not_loaded_this_time_may_have_options(
        tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(site, "the-other")
    monkeypatch.setenv("PMED_PLUGINS", "pmed-risk")
    Plugins.ready(Settings(options={"of-the-other": {"slope": 2.0}}))


def test_a_plugin_is_no_component(tmp_path: Path, site: Path) -> None:
    with pytest.raises(OptionError, match=r"options of a plugin are under \[plugins.hills\]"):
        built("[hills]\nslope = 2.0", tmp_path)


@pytest.mark.parametrize(("text", "message"), [
    ("[plugins.hils]\nslope = 2.0", r"\[plugins.hils\] is of no installed plugin .did you mean 'hills'"),
    ("[plugins.hills]\nslop = 2.0", r"\[plugins.hills\] has no option or component 'slop' .did you mean 'slope'"),
    ("[plugins.hills.flt]\nslope = 2.0", "has no option or component 'flt' .did you mean 'flat'"),
    ("[plugins.hills]\nflat = 2.0", "has no option or component 'flat'"),
    ("[plugins.hills]\nslope = 99", r"'slope' must be in \[0, 9\]. Got 99"),
    ("[plugins.hills]\nenabled = 1", "plugins.hills.enabled must be true or false"),
    ("[plugins]\nallow-lst = 'x'", "knows only .* Got 'allow-lst'"),
    ("[plugins]\nallow-list = 1", "plugins.allow-list must be the name of a file"),
    ("plugins = 1", "knows only")])
def test_wrong_settings_of_a_plugin_are_refused(tmp_path: Path, site: Path, text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        built(text, tmp_path)


def test_a_plugin_is_switched_off_in_its_own_table(tmp_path: Path, site: Path) -> None:
    put(site, "is-broken", "raise RuntimeError")
    (tmp_path / "pmed.toml").write_text("[plugins.is-broken]\nenabled = false\n")
    plugins = Plugins.of(load_settings(tmp_path / "pmed.toml")).load(only={"is-broken"})
    assert plugins.failures == []


# Listed

def test_the_list_says_hooks_options_hashes_and_what_to_do(site: Path) -> None:
    put(site, "is-broken", "raise RuntimeError('why')")
    described = describe_plugins(Settings())
    about = described["plugins"]["pmed-pgx"]
    assert {"register_knowledge", "register_predictors", "choose_explainer", "register_commands"} <= set(about["hooks"])
    [release] = about["components"]["knowledge"].values()
    assert len(release["sha256"]) == 64
    assert described["plugins"]["pmed.builtin"]["components"]["sources"]["vcf"]["options"]["filters"]["doc"]
    [failure] = described["failures"]
    assert "--disable is-broken" in failure["fix"]
    text = plugins_as_text(described, 200)
    assert release["sha256"][:12] in text
    assert "FAILED is-broken 0.3: load failed: RuntimeError: why" in text
    assert "to mend it: update it, or switch it off with --disable is-broken" in text


def test_the_list_shows_the_value_that_was_chosen() -> None:
    described = describe_plugins(Settings(options={"vcf": {"min_dp": 7}}))
    about = described["plugins"]["pmed.builtin"]["components"]["sources"]["vcf"]["options"]["min_dp"]
    assert (about["default"], about["value"]) == (0, 7)


# A site's list

@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM,
                                                     serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def allowed(site: Path, tmp_path: Path, keys: tuple[Path, Path]) -> Settings:
    """Settings of a site that allows one of two plugins."""
    put(site, "the-good")
    put(site, "the-other", "raise SystemExit('imported')")
    done = CliRunner().invoke(cli, ["plugins", "allow", "the-good", "--key", str(keys[0]), "-o",
                                    str(tmp_path / "allowed.json")])
    assert done.exit_code == 0, done.output
    (tmp_path / "pmed.toml").write_text('[plugins]\nallow-list = "allowed.json"\nallow-key = "public.pem"\n')
    return load_settings(tmp_path / "pmed.toml")


BOTH = {"the-good", "the-other"}


def test_only_what_is_listed_is_loaded(allowed: Settings) -> None:
    plugins = Plugins.of(allowed).load(only=BOTH)
    assert set(plugins.versions) == {"pmed.builtin", "the-good"}
    assert "is not on the list of allowed plugins" in failures(plugins)["the-other"]


@pytest.mark.parametrize("tamper", ["code", "code and record", "version"])
def test_a_package_that_was_changed_is_not_imported(allowed: Settings, site: Path, tamper: str) -> None:
    bad = "raise SystemExit('imported')\n"
    if tamper == "code":
        (site / "the_good.py").write_text(bad)
    elif tamper == "code and record":
        put(site, "the-good", bad)
    else:
        said = "Metadata-Version: 2.1\nName: the-good\nVersion: 0.4\n"
        (site / "the_good-0.3.dist-info" / "METADATA").write_text(said)
    message = {"code": "is not as it was installed", "code and record": "the hashes differ",
               "version": "version 0.3 is allowed, not 0.4"}[tamper]
    assert message in failures(Plugins.of(allowed).load(only={"the-good"}))["the-good"]


def test_a_module_that_stands_before_the_allowed_one_is_not_imported(
        allowed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "the_good.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(first))
    assert "which is not of the package" in failures(Plugins.of(allowed).load(only={"the-good"}))["the-good"]


def test_what_the_installer_adds_does_not_count(allowed: Settings, site: Path) -> None:
    record = site / "the_good-0.3.dist-info" / "RECORD"
    more = "__pycache__/the_good.cpython-311.pyc,,\nthe_good-0.3.dist-info/REQUESTED,,\n"
    record.write_text(record.read_text() + more)
    assert "the-good" in Plugins.of(allowed).load(only={"the-good"}).versions


def test_an_editable_install_cannot_be_listed(site: Path) -> None:
    put(site, "editable")
    record = site / "editable-0.3.dist-info" / "RECORD"
    (site / "_editable.pth").write_text("/somewhere\n")
    record.write_text(f"_editable.pth,sha256={hashed(site / '_editable.pth')},11\n")
    [point] = [one for one in installed() if one.name == "editable"]
    with pytest.raises(PluginError, match="editable"):
        allowlist.digest(point.dist)


@pytest.mark.parametrize("spoil", ["list", "signature", "key", "no signature", "no key", "no list"])
def test_a_list_that_cannot_be_relied_on_stops_everything(
        allowed: Settings, tmp_path: Path, spoil: str) -> None:
    listed, signature, key = (tmp_path / name for name in ("allowed.json", "allowed.json.sig", "public.pem"))
    if spoil == "list":
        listed.write_text(listed.read_text().replace("the-good", "the-other"))
    elif spoil == "signature":
        signature.write_bytes(base64.b64encode(b"0" * 64))
    elif spoil == "key":
        key.write_text("no key")
    else:
        {"no signature": signature, "no key": key, "no list": listed}[spoil].unlink()
    with pytest.raises(OptionError, match="signature in .sig|not a key in PEM|cannot be read"):
        Plugins.of(allowed)


def test_a_list_without_a_key_is_refused(site: Path) -> None:
    with pytest.raises(OptionError, match="needs the key that signed it"):
        Plugins.of(Settings(allow_list="allowed.json"))


def test_the_environments_list_goes_before_the_settings(
        allowed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMED_ALLOW_LIST", str(tmp_path / "other.json"))
    with pytest.raises(OptionError, match=r"other\.json: cannot be read"):
        Plugins.of(allowed)


def test_another_ones_key_does_not_do(allowed: Settings, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    other = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "public.pem").write_bytes(other.public_bytes(serialization.Encoding.PEM,
                                                             serialization.PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(OptionError, match="not of this list by that key"):
        Plugins.of(allowed)


def test_every_run_goes_through_the_settings() -> None:
    """Nobody in pmed makes plugins past the list."""
    root = Path(__file__).resolve().parents[1]
    past = [path.name for path in root.glob("pmed/**/*.py") if "Plugins(" in path.read_text().replace("Plugins()", "x")]
    assert past == []
    empty = [path.name for path in root.glob("pmed/**/*.py") if "Plugins().load()" in path.read_text()]
    assert empty == []


def test_the_wheel_of_a_package_has_the_same_hash_again(site: Path) -> None:
    put(site, "twice")
    [point] = [one for one in installed() if one.name == "twice"]
    first = allowlist.digest(point.dist)
    put(site, "twice")
    assert allowlist.digest(metadata.distribution("twice")) == first
