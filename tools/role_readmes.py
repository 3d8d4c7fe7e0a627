"""Writes the generated part of roles/<role>/README.md; with --check, only says which are stale and exits with 1."""

import argparse
import sys

import yaml
from role_interface import ROLES, ROOT, defaults, meta, options

BEGIN = "<!-- Made by tools/role_readmes.py from meta/ and defaults/; change those. -->"
END = "<!-- End of what is made. -->"
HEADER = "| Variable | Type | Default | Description |\n|---|---|---|---|"


def generated(role: str) -> str:
    """Requirements and table of variables of a role in Markdown."""
    values = defaults(role)
    rows = [_row(path, option, values) for path, option in options(role)]
    examples = [
        f"Form of `{name}`:\n\n```yaml\n{default.example}\n```" for name, default in values.items() if default.example
    ]
    parts = ["## Requirements", _requirements(role), "## Variables", "\n".join([HEADER, *rows]), *examples]
    return "\n\n".join(parts)


def _requirements(role: str) -> str:
    info = meta(role)
    systems = ", ".join(f"{item['name']} ({', '.join(item['versions'])})" for item in info["platforms"])
    return f"{systems}; ansible-core {info['min_ansible_version']} or later."


def _row(path: str, option: dict, values: dict) -> str:
    kind = option["type"] + (f" of {option['elements']}" if "elements" in option else "")
    without = "required" if option.get("required") else "none"
    default = f"`{_flow(values[path].value)}`" if path in values else without
    choices = ", ".join(f"`{choice}`" for choice in option.get("choices", []))
    description = option["description"] + (f" One of {choices}." if choices else "")
    cells = [f"`{path}`", kind, default, description]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _flow(value: object) -> str:
    if isinstance(value, str):
        return value.strip() or '""'
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("\n...\n").strip()


def readme(role: str) -> str:
    """What roles/<role>/README.md should be; raise SystemExit where the marks of the generated part are missing."""
    path = ROOT / "roles" / role / "README.md"
    text = path.read_text() if path.exists() else ""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{path.relative_to(ROOT)}: needs these two lines, each once, around what is made:\n{BEGIN}\n{END}")
    above, _, rest = text.partition(BEGIN)
    return f"{above}{BEGIN}\n\n{generated(role)}\n\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Returns 1 where --check finds a stale file, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 when a file is stale")
    check = parser.parse_args().check
    stale = [role for role in ROLES if readme(role) != (ROOT / "roles" / role / "README.md").read_text()]
    for role in stale:
        if check:
            print(f"roles/{role}/README.md is stale: run make docs", file=sys.stderr)
        else:
            (ROOT / "roles" / role / "README.md").write_text(readme(role))
            print(f"wrote roles/{role}/README.md")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
