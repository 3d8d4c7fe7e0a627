"""Importing this module makes the collection berth.supabase of this repository known to Ansible and to import."""

from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / ".cache" / "collections"

if not (COLLECTIONS / "ansible_collections" / "berth" / "supabase").exists():
    raise RuntimeError(f"{COLLECTIONS} does not lead to this repository: run make setup")

init_plugin_loader([str(COLLECTIONS)])
