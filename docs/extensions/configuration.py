"""Pages on every key of conf/, written anew into docs/reference/generated/ at each build."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from configuration_keys import Choice, Key, choice, commands, defaults, first_sentence, names
from sphinx.application import Sphinx
from yaml_files import File

from csrgan.config.folder import HIDDEN

FOLDER = Path(__file__).parents[1] / "reference" / "generated"
COMMANDS = "commands_keys"  # the page on the commands' own keys
SWEPT = "hydra.sweeper.params."
ESCAPED = re.compile(r"([\\*_<>$\[\]{}^~])")


def pages() -> dict[str, str]:
    """Return every page in Markdown by its name: one for each top-level group, and one on the commands' own keys."""
    tops = sorted({name.partition("/")[0] for name in names() if "/" in name})
    return {top: _group_page(top) for top in tops} | {COMMANDS: _commands_page()}


def _group_page(top: str) -> str:
    choices = [choice(name) for name in names() if name.partition("/")[0] == top]
    groups = [group for group in dict.fromkeys(each.file.group for each in choices) if not group.endswith(HIDDEN)]
    lines = [f"(configuration-{_slug(top)})=", f"# `{top}`", ""]
    if top == "logger":
        settings = choice("logger_settings")
        lines += [f"{text(settings.what)}", "", *_table(settings.keys)]
    for group in groups:
        lines += [f"(configuration-{_slug(group)})=", f"## `{group}`", ""] if len(groups) > 1 else []
        lines += _overview(group, [each for each in choices if each.file.group == group])
        for each in sorted(choices, key=lambda each: each.file.group.endswith(HIDDEN)):
            belongs = each.file.group.removesuffix("/finally") == group
            lines += _choice(each, "###" if len(groups) > 1 else "##") if belongs else []
    return "\n".join(lines)


def _overview(group: str, choices: Sequence[Choice]) -> list[str]:
    """Return a table of the choices of a group, and which is the default."""
    default = defaults().get(group)
    sentence = f"`csrgan train` takes `{group}={default}` unless you choose another." if default else ""
    rows = [f"| [`{each.file.choice}`](#{each.anchor}) | {cell(each.what)} |" for each in choices]
    return [sentence, "", "| choice | what it is |", "|---|---|", *rows, ""]


def _choice(each: Choice, level: str) -> list[str]:
    file = each.file
    last = ", what it sets last" if file.group.endswith(HIDDEN) else ""
    word = f"{file.group.removesuffix('/finally')}={file.choice}"
    lines = [f"({each.anchor})=", f"{level} `{word}`{last}", "", f"{text(each.what)}.", ""]
    if each.target:
        sentence = first_sentence(each.target)
        lines += [f"It builds `{each.target}`." + (f" {text(sentence)}." if sentence != each.what else ""), ""]
    for place, base in file.bases().items():
        lines += [_basis(file, place, base), ""]
    if others := file.others():
        words = {group: f"`{group}={name}`" for group, name in others.items()}
        links = {group: f"[{word}](#{_slug(f'{group}/{others[group]}')})" for group, word in words.items() if "hydra" not in group}
        lines += [f"It also chooses {', '.join((words | links).values())}.", ""]
    swept = [key for key in each.keys if key.place.startswith(SWEPT)]
    lines += _table([key for key in each.keys if key not in swept])
    if swept:
        lines += ["It trains once for every combination of:", "", "| key | values | meaning |", "|---|---|---|"]
        lines += [f"| `{key.place.removeprefix(SWEPT)}` | {code(key.default)} | {cell(key.meaning)} |" for key in swept]
    return [*lines, ""]


def _basis(file: File, place: str, base: str) -> str:
    word = base.replace("/", "=") if base.count("/") == 1 else "=".join(base.rsplit("/", 1))
    link = f"[`{word}`](#{_slug(base)})"
    if place:
        return f"`{file.package}.{place}` holds the keys of {link}, as in `{file.package}.{place}.KEY=VALUE`."
    return f"It has the keys of {link}; these differ:" if file.leaves else f"It has the keys of {link}."


def _commands_page() -> str:
    lines = ["(configuration-commands)=", "# Keys of the commands", ""]
    lines += ["These keys stand by themselves, outside the groups. `???` marks a key that you must give.", ""]
    for name in commands():
        each = choice(name)
        lines += [f"({each.anchor}-keys)=", f"## `csrgan {name}`", "", f"{text(each.what)}", "", *_table(each.keys), ""]
    shared = choice("hydra_run")
    return "\n".join([*lines, "(hydra-run-keys)=", "## Every command", "", text(shared.what), "", *_table(shared.keys), ""])


def _table(keys: Sequence[Key]) -> list[str]:
    if not keys:
        return []
    rows = (f"| `{key.place}` | {cell(key.meaning)} | {code(key.default)} | {cell(key.values, markdown=True)} |" for key in keys)
    return [":::{table}", ":class: keys", "", "| key | meaning | default | value |", "|---|---|---|---|", *rows, ":::", ""]


def code(source: str) -> str:
    """Return a value of a yaml file as code in a cell of a table."""
    line = "(several lines)" if "\n" in source else source
    return f"`{line}`".replace("|", "\\|")


def text(comment: str) -> str:
    """Return plain text as Markdown; what stands in backticks stays code."""
    parts = comment.split("`")
    return "`".join(part if index % 2 else ESCAPED.sub(r"\\\1", part) for index, part in enumerate(parts))


def cell(comment: str, markdown: bool = False) -> str:
    """Return a text as a cell of a table."""
    return (comment if markdown else text(comment)).replace("|", "\\|")


def _slug(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name)


def write(folder: Path = FOLDER) -> None:
    """Write the pages. A page that has not changed keeps its time, so that Sphinx does not read it again."""
    folder.mkdir(exist_ok=True)
    written = pages()
    for old in set(folder.glob("*.md")) - {folder / f"{name}.md" for name in written}:
        old.unlink()
    for name, content in written.items():
        file = folder / f"{name}.md"
        if not file.is_file() or file.read_text(encoding="utf-8") != content:
            file.write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for sources."""
    app.connect("builder-inited", lambda _: write())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
