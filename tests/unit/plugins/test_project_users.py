"""System users as the module project_users has them made."""

import getpass
import grp
import json
import pwd
from typing import Any

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.berth.supabase.plugins.modules import project_users

MISSING = {"name": "nobody-has-this", "system_user": "berth-nobody-has-this"}


def run(capsys: pytest.CaptureFixture[str], *projects: dict[str, str], check: bool = False) -> dict[str, Any]:
    """Return what the module answers."""
    with patch_module_args({"projects": list(projects), "_ansible_check_mode": check}), pytest.raises(SystemExit):
        project_users.main()
    return json.loads(capsys.readouterr().out)


def test_user_that_is_there_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    me = pwd.getpwnam(getpass.getuser())
    answer = run(capsys, {"name": "blog", "system_user": me.pw_name})
    assert not answer["changed"]
    assert answer["numbers"] == {me.pw_name: {"user": me.pw_uid, "group": grp.getgrgid(me.pw_gid).gr_gid}}


def test_check_mode_shows_the_user_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, MISSING, check=True)
    assert answer["changed"]
    assert answer["numbers"] == {"berth-nobody-has-this": {"user": 65534, "group": 65534}}
    after = 'u berth-nobody-has-this - "Services of project nobody-has-this" /nonexistent /usr/sbin/nologin\n'
    assert answer["diff"]["after"] == after


def test_missing_users_are_made_in_one_go(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(
        project_users.AnsibleModule, "run_command", lambda self, command, **_: commands.append(command) or (0, "", "")
    )
    run(capsys, MISSING, MISSING | {"system_user": "berth-nor-this"})
    assert [command[:2] for command in commands] == [["systemd-sysusers", "--inline"]]
    assert [line.split()[1] for line in commands[0][2:]] == ["berth-nobody-has-this", "berth-nor-this"]
