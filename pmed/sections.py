"""Sections that plugins add to the HTML report, made harmless before they come near it.

Markup passes an allow-list (nh3): no script, no event handler, no address, no id. The style is for a shadow root, so it
reaches nothing outside; the page's Content-Security-Policy allows it by its hash. A section that fails, or is too
large, is shown in its place with the reason, and costs nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from .errors import PluginError
from .plugins import Component, Plugins
from .result import Result
from .types import Box

STAGE = "section"
MOST = 64_000  # characters of markup and style together: a report stays one that opens at once
TAGS = frozenset({
    "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div", "dl", "dt",
    "em", "figcaption", "figure", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q",
    "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "u", "ul", "var"})
# What has no place here goes with all that is in it: the text of a script is not for reading.
GONE = frozenset({"script", "style", "template", "iframe", "object", "svg", "math", "title", "noscript", "textarea",
                  "select"})
ATTRIBUTES = {"*": {"class", "dir", "lang", "title"}, "td": {"colspan", "rowspan"}, "ol": {"start"},
              "th": {"colspan", "rowspan", "scope"}, "details": {"open"}}
_FORBIDDEN = re.compile(r"</|<!--|@import|url\s*\(", re.IGNORECASE)


def with_sections(plugins: Plugins, components: Sequence[Component], result: Result) -> Result:
    """The result of one patient with what the sections say of it; failures are added to the result's."""
    before = len(plugins.failures)
    boxes = tuple(box for component in components if (box := _box(plugins, component, result)) is not None)
    failures = dict.fromkeys([*result.failures, *plugins.failures[before:]])
    return replace(result, sections=boxes, failures=tuple(failures))


def _box(plugins: Plugins, component: Component, result: Result) -> Box | None:
    count = len(plugins.failures)
    made = plugins.attempt(component, STAGE, _made, component, result)
    if len(plugins.failures) == count:
        return made
    error = plugins.failures[-1].error
    title = plugins.attempt(component, STAGE, getattr, component.made, "title", None)
    return Box(component.name, title if isinstance(title, str) else component.name, component.plugin, component.version,
               error=error)


def _made(component: Component, result: Result) -> Box | None:
    section = component.made
    [patient] = result.patient_ids
    said = section.render(_needed(section.needs, result), patient)
    if said is None:
        return None
    style = _style(getattr(section, "style", ""))
    markup = _markup(said)
    if len(markup) + len(style) > MOST:
        raise PluginError(f"{len(markup) + len(style)} characters, and a section may have {MOST}")
    return Box(component.name, str(section.title), component.plugin, component.version, markup=clean(markup),
               plain=clean(markup, bare=True), style=style)


def _needed(names: Iterable[str], result: Result) -> dict[str, Any]:
    """Only the tables that it asks for, as copies, with this patient's rows."""
    if missing := [name for name in names if name not in result.tables]:
        raise PluginError(f"there is no table {missing[0]!r}")
    return {name: result.tables[name].clone() for name in names}


def clean(markup: str, *, bare: bool = False) -> str:
    """Markup with nothing in it but text, structure and, unless `bare`, classes.

    >>> clean('<p class="a" id="today" onclick="x()">Hi<script>x()</script> <a href="//x">there</a></p>')
    '<p class="a">Hi there</p>'
    """
    import nh3

    attributes = {tag: names - {"class"} if bare else names for tag, names in ATTRIBUTES.items()}
    return nh3.clean(markup, tags=set(TAGS), clean_content_tags=set(GONE), attributes=attributes, link_rel=None)


def _style(style: object) -> str:
    if not isinstance(style, str):
        raise PluginError("`style` must be text")
    if found := _FORBIDDEN.search(style):
        raise PluginError(f"the style holds {found[0]!r}")
    # As a browser's parser reads it, or the hash in the policy would be of another text.
    return style.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _markup(said: object) -> str:
    """What `render` returned as markup; a mapping becomes a list of names and values."""
    if isinstance(said, Mapping):
        return str(_listed(said))
    if isinstance(said, str):
        return str(said)
    raise PluginError(f"render() must return markup, a dict or None. Got {type(said).__name__}")


def _listed(said: Mapping[Any, Any]) -> Markup:
    rows = (Markup("<dt>{}</dt>{}").format(name, _values(value)) for name, value in said.items())
    return Markup("<dl>{}</dl>").format(Markup("").join(rows))


def _values(value: Any) -> Markup:
    many = value if isinstance(value, list | tuple) else [value]
    return Markup("").join(Markup("<dd>{}</dd>").format("unknown" if one is None else escape(str(one))) for one in many)
