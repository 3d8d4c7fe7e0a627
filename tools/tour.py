"""Runs the life of two projects with the command berth and writes what the terminal showed to docs/tour.md.

python tools/tour.py INVENTORY HOST HOST      hosts that are configured; the projects are gone again at the end
"""

import os
import pty
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tour.md"
HEAD = """# A tour

Two projects from add to remove. `tools/tour.py` ran these commands on {day} and wrote down what they printed; keys and
passwords are cut. The machine had two cores and a load of {load:.0f}; [benchmarks](benchmarks.md) has the times. Where
another run was changing a host, the command waited and said so.

```
"""
COMMANDS = """
berth add blog --host {0} --domain blog.localhost
berth add shop --host {1}
berth list
berth keys blog
berth update blog limits.connections=30 --plan
berth update blog limits.connections=thirty
berth apply blog
berth rotate blog
berth keys blog --usage
berth rotate blog --retire
berth pause shop
berth resume shop
berth status blog
berth logs blog --lines 4
berth remove blog --yes
berth remove shop --yes --no-backup
"""
KEY = re.compile(r"(eyJ|sb_publishable_|sb_secret_)[\w-]+(\.[\w-]+)*")
STYLE = re.compile(r"\x1b\[[0-9;]*m")
SPACES = re.compile(r" +$", re.MULTILINE)
PASSWORD = re.compile(r"(?<=_owner:)[^@\s]+(?=@)")


def run(line: str, environment: dict[str, str]) -> str:
    """Return what a command prints at a terminal, its progress aside."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        shlex.split(line), stdin=subprocess.DEVNULL, stdout=its, stderr=subprocess.PIPE, env=environment
    ) as command:
        os.close(its)
        printed = b""
        try:
            while piece := os.read(ours, 65536):
                printed += piece
        except OSError:
            pass  # the end of a terminal
        errors = command.stderr.read() if command.stderr else b""
    os.close(ours)
    return (printed.replace(b"\r\n", b"\n") + errors).decode()


def shown(text: str, inventory: Path) -> str:
    """Return a text without secrets, without styles and without what is of this machine alone."""
    text = PASSWORD.sub("...", KEY.sub(r"\1...", SPACES.sub("", STYLE.sub("", text))))
    for place, name in ((str(inventory), "inventory"), (str(ROOT), "."), (str(Path.home()), "~")):
        text = text.replace(place, name)
    return text


def main() -> None:
    inventory, *hosts = sys.argv[1:]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BERTH_INVENTORY": inventory,
        "COLUMNS": "110",
        "NO_COLOR": "1",
    }
    lines = []
    for line in COMMANDS.format(*hosts).strip().splitlines():
        lines += [f"$ {line}", shown(run(line, environment), Path(inventory)).rstrip("\n")]
        print("\n".join(lines[-2:]), flush=True)
    text = "\n".join(line for line in lines if line)
    PAGE.write_text(f"{HEAD.format(day=f'{datetime.now(UTC):%Y-%m-%d}', load=os.getloadavg()[1])}{text}\n```\n")


if __name__ == "__main__":
    main()
