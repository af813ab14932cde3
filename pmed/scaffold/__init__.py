"""A new plugin from the templates: the job behind ``pmed plugins new``.

The templates travel inside the package, so that the command works wherever pmed is installed. Jinja2, which the report
needs anyway, renders them; a template tool with updates and questions (copier, cookiecutter) would be one more thing to
install for a plugin of five files.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any, Final

from .. import __version__
from ..errors import OptionError
from ..files import whole_folder

#: Kind → what a plugin of it is called in its own documents.
KINDS: Final = {
    "pharmacogenomic": "A genotype's meaning", "risk": "A risk", "treatment-response": "A treatment response",
    "source": "A file format", "section": "A report section", "exporter": "An output format"}
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREDICTORS: Final = ("pharmacogenomic", "risk", "treatment-response")
_TEMPLATES: Final = Path(__file__).parent / "templates"


def new_plugin(name: str, kind: str, folder: Path) -> list[Path]:
    """Write a package that can be installed, tested and changed, into a new folder.

    Args:
        name: Of the package and its entry point, in lower case with hyphens.
        kind: One of `KINDS`.
        folder: Where; must not be there yet.

    Raises:
        OptionError: for a name that cannot be a package's.
        PmedError: where the folder is there already.
    """
    must_be_name(name)
    texts = {path: render(name, kind, template) for path, template in _files(name, kind).items()}
    with whole_folder(folder) as made:
        for path, text in texts.items():
            target = made / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return [folder / path for path in texts]


def render(name: str, kind: str, template: str) -> str:
    """One file of a new plugin."""
    return fill_in(template, name, kind, about=KINDS[kind], predicts=kind in _PREDICTORS, dependency="")


def fill_in(template: str, name: str, kind: str, **more: Any) -> str:
    """A template with the names of a package, and what else the template asks for."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Python and TOML, not HTML; the name is checked, and nothing else comes from outside.
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined,  # noqa: S701
                              keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True)
    module = name.replace("-", "_")
    return environment.get_template(template).render(
        name=name, module=module, kind=kind, compatible=_compatible(__version__),
        classname="".join(part.title() for part in name.split("-")), **{"about": "A learned model", **more})


def _files(name: str, kind: str) -> dict[str, str]:
    module = name.replace("-", "_")
    return {"pyproject.toml": "pyproject.toml.j2", "README.md": "README.md.j2", f"{module}.py": f"kinds/{kind}.py.j2",
            f"tests/test_{module}.py": "test.py.j2", ".github/workflows/test.yml": "ci.yml.j2"}


def must_be_name(name: str) -> None:
    """Refuse what cannot be the name of a package and its module.

    Raises:
        OptionError: with what can.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise OptionError(f"{name!r} cannot be a plugin's name",
                          hint="lower case letters, digits and hyphens, such as pmed-renal")
    if name.replace("-", "_") in {"pmed", *sys.stdlib_module_names}:
        raise OptionError(f"{name!r} is taken", hint="choose another, such as pmed-renal")


def _compatible(version: str) -> str:
    """The versions that a plugin made today works with: this one, up to the next that may break it."""
    major, minor = (int(part) for part in version.split(".")[:2])
    upper = f"{major + 1}" if major else f"0.{minor + 1}"
    return f">={major}.{minor},<{upper}"
