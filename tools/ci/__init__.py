"""The workflows of .github: written whole from hosts.yaml, the policy and the templates beside this."""

from __future__ import annotations

from pathlib import Path

import jinja2

from tools.hosts.catalog import System, systems
from tools.release import policy

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).parent
WORKFLOWS = PROJECT / ".github/workflows"
#: Kinds of hosts that a runner makes of nothing but itself, or of an image.
PLAIN = ("namespace", "nspawn", "docker", "qemu", "image")


def rendered() -> dict[Path, str]:
    """Return what each workflow has to be, by its file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        # GitHub's own expressions have Jinja's usual braces.
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: str(value).rstrip("\n"),  # what a macro ends with, the line that calls it has
        autoescape=False,
    )
    rules = policy.load()
    asked = {name for channel in rules.channels.values() for name in channel.hosts}
    wanted = [system for system in systems().values() if system.name in asked]
    known = {
        "plain": [system.name for system in wanted if system.kind in PLAIN],
        "pro": _names(wanted, "pro"),
        "virtual": [system.name for system in wanted if system.kind == "tmt" and system.image],
        "guests": [system.name for system in wanted if system.kind == "tmt" and not system.image],
        "runs": list(rules.runs),
        "channels": list(policy.CHANNELS[1:]),
    }
    return {
        WORKFLOWS / template.name: environment.get_template(template.name).render(known)
        for template in sorted(TEMPLATES.glob("*.yml"))
    }


def write() -> list[Path]:
    """Write the workflows; return the files that have changed."""
    changed = [file for file, text in rendered().items() if not file.is_file() or file.read_text() != text]
    for file in changed:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rendered()[file])
    return changed


def _names(every: list[System], kind: str) -> list[str]:
    return [system.name for system in every if system.kind == kind]
