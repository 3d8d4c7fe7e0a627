"""The web UI of the demo: `make demo` starts it, `make demo-stop` stops it (tools/demo_ui.py stop)."""

import sys
from pathlib import Path

from background_ui import REPOSITORY, BackgroundUi, UiFailed

ADMIN = "admin"
DEFAULT_PORT = "8080"
DIRECTORY, INVENTORY = Path("build/demo-ui"), Path("inventory/local")


def demo_ui(port: str) -> BackgroundUi:
    """The UI over the demo's inventory on a port; raise UiFailed when it is none."""
    if not port.isdecimal() or not 1024 <= int(port) <= 65535:
        raise UiFailed(f"UI_PORT: found {port!r}, allowed: 1024 to 65535; correct it")
    return BackgroundUi(REPOSITORY / DIRECTORY, REPOSITORY / INVENTORY, int(port))


def told(ui: BackgroundUi, link: str | None) -> str:
    """How people get in: by the link, or with the password that they have set by it."""
    if link:
        return f"The web UI: {ui.url}\nLet yourself in as {ADMIN}, once, within 24 hours:\n\n{link}\n"
    command = f"BERTH_UI_STATE={DIRECTORY}/state BERTH_UI_URL={ui.url} berth ui link {ADMIN} -i {INVENTORY}"
    return f"The web UI: {ui.url}\nLog in as {ADMIN}. A fresh link, if the password is lost:\n\n{command}\n"


def stop() -> None:
    """Stop the UI of the demo, whatever its port, and leave nothing of it."""
    ui = demo_ui(DEFAULT_PORT)
    ui.remove()
    for path in ui.inventory.glob(".samples.sqlite3*"):
        path.unlink()


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        raise SystemExit("usage: tools/demo_ui.py stop")
    stop()
