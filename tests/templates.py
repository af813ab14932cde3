"""What jinja2 makes of the templates. ``python -m tests.templates`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment

from pmed.notebook import display
from pmed.render import html
from pmed.render.generated import path_of


def environments() -> dict[Path, Environment]:
    """Each kept file, and the environment of its templates."""
    return {Path(str(path_of("pmed.render"))): html.environment(),
            Path(str(path_of("pmed.notebook"))): display.environment()}


if __name__ == "__main__":
    from pmed.render.generated import generated

    for path, environment in environments().items():
        path.write_bytes(generated(environment))
