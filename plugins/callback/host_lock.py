"""Ansible callback: a play waits until nobody else changes its hosts, and lets others wait for its end."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_lock
type: aggregate
short_description: Lets one run at a time change a host
description:
  - Takes a lock for each host of the group C(berth_hosts) that a play may change, before its first task, and says who
    has it while it waits. Of a play for one project it is the lock of that project's host alone.
  - The process of ansible-playbook has the lock, so that it is free as soon as that process ends, however it ends.
  - In check mode several runs may have it together. A play whose variable C(berth_reads_only) is true takes none.
  - Locks are in C(.locks) of the inventory directory; runs on other machines do not see them.
author: The Berth maintainers (@berth)
"""

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase

try:
    from berth.errors import BerthError
    from berth.host_locks import HostLocks
    from berth.inventory import GROUP
    from berth.store import DeclarationStore
except ImportError:
    HostLocks = None


class CallbackModule(CallbackBase):
    """Called in the process of ansible-playbook itself, before it starts its workers."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "berth.supabase.host_lock"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._playbook = ""
        self._locks = {}

    def v2_playbook_on_start(self, playbook):
        self._playbook = Path(playbook._file_name).name

    def v2_playbook_on_play_start(self, play):
        if HostLocks is None or play.vars.get("berth_reads_only"):
            return
        manager = play.get_variable_manager()
        inventory = manager._inventory
        group = inventory.groups.get(GROUP)
        members = {host.name for host in group.get_hosts()} if group else set()
        project = manager.extra_vars.get("project")
        hosts = {}
        for host in inventory.get_hosts(play.hosts):
            if host.name in members:
                hosts.setdefault(Path(host.vars["inventory_dir"]), []).append(host.name)
        for directory, names in hosts.items():
            self._take(directory, only(directory, members, names, project), project)

    def _take(self, directory, hosts, project):
        locks = self._locks.setdefault(directory, HostLocks(directory))
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        for_project = f" for {project}" if project else ""
        who = f"{getpass.getuser()} runs {self._playbook}{for_project} since {since}, process {os.getpid()}"
        try:
            locks.take(hosts, who, self._display.display, shared=context.CLIARGS["check"])
        except BerthError as error:
            self._display.warning(f"{error}; until then another run may change the same hosts at the same time")


def only(directory, members, hosts, project):
    """Returns the host of the project, none where it is not declared, all hosts where the play is for no project."""
    if not project:
        return hosts
    try:
        home = DeclarationStore(directory, members).project(str(project)).host
    except BerthError:
        return []  # the play is about to refuse it
    return [host for host in hosts if host == home]
