"""Makes the hosts and projects of inventory/local and prints how to use them: `make demo`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
from background_ui import BackgroundUi, UiFailed
from demo_ui import ADMIN, DEFAULT_PORT, demo_ui, told
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[1]
INVENTORY = "inventory/local"
CLIENT_DIRECTORY = "tests/clients/js"
EXAMPLE = """
CREATE TABLE IF NOT EXISTS todos (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL UNIQUE);
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS "Everybody may read" ON todos;
CREATE POLICY "Everybody may read" ON todos FOR SELECT USING (true);
INSERT INTO todos (title) VALUES ('Read the README'), ('Add a project') ON CONFLICT DO NOTHING;
"""
console = Console(highlight=False)


def services() -> list[str]:
    """Returns the services of the demo's hosts: all, or all but auth where no source of GoTrue answers."""
    command = [sys.executable, "-m", "berth.artifacts", "fetch", "rest", "auth", "meta", "--allow-missing", "auth"]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, end="")
    if "auth" in [line.split()[0] for line in done.stdout.splitlines() if "NOT AVAILABLE" in line]:
        return ["rest", "meta"]
    return ["rest", "auth", "meta"]


def remember(running: list[str]) -> None:
    """Has the inventory say which services its hosts run, so that later runs and commands know it too."""
    path = REPOSITORY / INVENTORY / "group_vars" / "berth_hosts" / "services.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    note = "# Written by make demo: auth is left out where no source of GoTrue answers."
    path.write_text(f"---\n{note}\nberth_services: {json.dumps(running)}\n")


def play(playbook: str, *arguments: str) -> None:
    """Runs a playbook over the demo's inventory, its output as it comes; CalledProcessError when it fails."""
    command = ["ansible-playbook", "-i", INVENTORY, f"playbooks/{playbook}", *arguments]
    subprocess.run(command, cwd=REPOSITORY, check=True)


def berth(*arguments: str):
    """Returns what a berth command prints as JSON."""
    command = ["berth", *arguments, "--inventory", INVENTORY, "--json"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout)


def fill(db_url: str) -> None:
    """Gives a project the example table todos."""
    with psycopg.connect(db_url) as connection:
        connection.execute(EXAMPLE)


def show(projects: list[dict], running: list[str]) -> None:
    """Prints the projects with their keys, and lines to paste."""
    table = Table(title="Projects of the demo", show_lines=True)
    for heading in ("Project", "Kind", "Host", "Addresses"):
        table.add_column(heading)
    for project in projects:
        table.add_row(project["name"], project["architecture"], project["host"], "\n".join(project["urls"]))
    console.print(table)
    for project in projects:
        print(f"\n{project['name']}")
        for name in ("anon_key", "service_role_key", "publishable_key", "secret_key", "db_url"):
            print(f"  {name}: {project['keys'][name]}")
    first = projects[0]
    url, key = first["urls"][-1], first["keys"]["anon_key"]
    print(f"\nTry it:\n\ncurl '{first['urls'][0]}/rest/v1/todos?select=title' -H 'apikey: {key}'\n")
    script = (
        "import { createClient } from '@supabase/supabase-js'; import ws from 'ws'; "
        f"const db = createClient('{url}', '{key}', {{ realtime: {{ transport: ws }} }}); "
        "console.log((await db.from('todos').select('title')).data)"
    )
    print(f'(cd {CLIENT_DIRECTORY} && node --input-type=module -e "{script}")\n')
    if "auth" not in running:
        console.print("[yellow]The demo runs without auth:[/] no source of GoTrue answers here, see above.")


def serve(ui: BackgroundUi) -> None:
    """Has the web UI run in the background, and prints how to get in."""
    ui.start({**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"})
    print(told(ui, ui.admin_link(ADMIN)))


def main() -> None:
    """Runs the demo; may be run again."""
    try:
        ui = demo_ui(os.environ.get("UI_PORT") or DEFAULT_PORT)
        ui.require_port()
        make()
        serve(ui)
    except UiFailed as error:
        raise SystemExit(f"make demo: {error}") from error


def make() -> None:
    """Makes the hosts and their projects, and prints how to use them."""
    running = services()
    remember(running)
    play("local_hosts.yml")
    play("site.yml")
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=REPOSITORY / CLIENT_DIRECTORY, check=True)
    projects = [{**project, "keys": berth("keys", project["name"])} for project in berth("list")]
    for project in projects:
        fill(project["keys"]["db_url"])
    show(projects, running)


if __name__ == "__main__":
    main()
