"""Runs of tiny playbooks on this machine: result, log, what is left behind, and what never reaches a file."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from berth.errors import BerthError
from berth.playbooks import Play, PlaybooksMissing, configure_all, configure_project, repository
from berth.run_events import NO_MESSAGE, Events, Failure, diffs, message
from berth.runner import INTERRUPTED, AnsibleRunner, Result, log_directory
from berth.vault import Vault

TOKEN = "token-of-a-cloud-4711"
FACT = "secret-among-facts-4711"
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
{}
"""
WRITE = "copy: {content: two, dest: '{{ inventory_dir }}/../written'}"
SHOW = """debug: {msg: "config {{ lookup('config', 'HOST_KEY_CHECKING') }} of {{ project | default('none') }}"}"""

Run = Callable[..., Result]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an inventory of two hosts that are this machine, and temporary directories of its own."""
    for variable in ("ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_HOST_KEY_CHECKING"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "root/playbooks").mkdir(parents=True)
    (tmp_path / "root/ansible.cfg").write_text("[defaults]\ninterpreter_python = auto_silent\n")
    monkeypatch.setenv("ANSIBLE_CONFIG", str(tmp_path / "root/ansible.cfg"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CLOUD_TOKEN", TOKEN)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "inventory").mkdir()
    here = f"{{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}"
    hosts = f"all: {{vars: {here}, hosts: {{alpha: , bravo: }}}}\n"
    (tmp_path / "inventory/hosts.yml").write_text(hosts)
    return tmp_path / "root"


@pytest.fixture
def run(root: Path) -> Run:
    """A function that runs tasks as a playbook and gives the result."""

    def run_tasks(*tasks: str, on_step: Callable[[str], None] = lambda step: None, **options: object) -> Result:
        lines = "\n".join(f"    - {task}" for task in tasks)
        (root / "playbooks/tiny.yml").write_text(PLAY.format(lines))
        return AnsibleRunner(root).run(Play("tiny.yml", root.parent / "inventory", **options), on_step)

    return run_tasks


def left_behind(root: Path) -> list[Path]:
    """What is in the directory for temporary files."""
    return list((root.parent / "tmp").iterdir())


def test_success(run: Run, root: Path) -> None:
    steps: list[str] = []
    result = run(f"{{name: Ensure a file, {WRITE}, when: inventory_hostname == 'alpha'}}", on_step=steps.append)
    assert result.ok
    assert result.changed == {"alpha": 1, "bravo": 0}
    assert [(change.host, change.task) for change in result.changes] == [("alpha", "Ensure a file")]
    assert (result.failures, result.unreachable) == ((), {})
    assert steps == ["Ensure a file"]
    assert (root.parent / "written").read_text() == "two"
    assert 0 < result.seconds < 60


def test_log_is_for_the_user_alone_and_begins_with_the_line_to_type(run: Run, root: Path) -> None:
    result = run(f"{{name: Show, {SHOW}}}", project="blog")
    assert result.log.parent == log_directory() == root.parent / "state/berth/runs"
    assert stat.S_IMODE(result.log.stat().st_mode) == 0o600
    assert stat.S_IMODE(result.log.parent.stat().st_mode) == 0o700
    text = result.log.read_text()
    assert text.startswith(f"$ ANSIBLE_CONFIG={root}/ansible.cfg ansible-playbook -i {root.parent}/inventory ")
    assert "playbooks/tiny.yml -e project=blog\n" in text.splitlines(keepends=True)[0]
    assert "PLAY RECAP" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("configured", "expected"), [("", "True"), ("host_key_checking = false", "False")])
def test_host_keys_are_checked_unless_ansible_is_told_otherwise(
    run: Run, root: Path, configured: str, expected: str
) -> None:
    with (root / "ansible.cfg").open("a") as config:
        config.write(f"{configured}\n")
    assert f"config {expected} of blog" in run(f"{{name: Show, {SHOW}}}", project="blog").log.read_text()


def test_failure_tells_task_host_and_message(run: Run) -> None:
    result = run("{name: Require a disk, fail: {msg: The disk is full}, when: inventory_hostname == 'bravo'}")
    assert not result.ok
    assert result.failures == (Failure("bravo", "Require a disk", "The disk is full"),)
    assert "The disk is full" in result.log.read_text()


def test_ignored_and_rescued_failures_are_none(run: Run) -> None:
    rescued = "{block: [{name: Try, fail: {msg: first}}], rescue: [{name: Go on, debug: {msg: well}}]}"
    result = run("{name: Ignore, fail: {msg: no matter}, ignore_errors: true}", rescued)
    assert result.ok
    assert result.failures == ()
    later = run(rescued, "{name: Require more, fail: {msg: second}, when: inventory_hostname == 'alpha'}")
    assert Failure("alpha", "Require more", "second") in later.failures


def test_failure_of_an_item_tells_its_message(run: Run) -> None:
    result = run("{name: Try, fail: {msg: 'no {{ item }}'}, loop: [a, b], when: inventory_hostname == 'alpha'}")
    assert [failure.message for failure in result.failures] == ["no a\nno b"]


def test_hidden_failure_says_that_it_is_hidden(run: Run) -> None:
    result = run("{name: Try, command: sh -c 'echo $CLOUD_TOKEN >&2; exit 1', no_log: true}")
    assert {failure.message for failure in result.failures} == {"(hidden, it holds a secret)"}
    assert TOKEN not in result.log.read_text()


def test_unreachable_host_is_told_apart(run: Run, root: Path) -> None:
    (root.parent / "inventory/hosts.yml").write_text(
        f"all: {{hosts: {{alpha: {{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}, "
        "gone: {ansible_host: 127.0.0.1, ansible_port: 9, ansible_ssh_retries: 0}}}\n"
    )
    result = run("{name: Ask, ping: }")
    assert not result.ok
    assert list(result.unreachable) == ["gone"]
    assert "Connection refused" in result.unreachable["gone"]
    assert result.failures == ()


def test_run_that_never_begins_tells_why(run: Run, root: Path) -> None:
    result = run("{name: Broken, no_such_module: }")
    assert not result.ok
    assert [(failure.host, failure.task) for failure in result.failures] == [("", "")]
    assert "no_such_module" in result.failures[0].message


def test_check_changes_nothing_and_shows_differences(run: Run, root: Path) -> None:
    (root.parent / "written").write_text("one")
    result = run(f"{{name: Ensure a file, {WRITE}, when: inventory_hostname == 'alpha'}}", check=True)
    assert (root.parent / "written").read_text() == "one"
    assert result.changed == {"alpha": 1, "bravo": 0}
    [change] = result.changes
    assert "-one\n+two" in change.diffs[0]


def test_nothing_is_left_and_no_file_of_the_run_held_a_secret(run: Run, root: Path) -> None:
    """Looked at before each task: environment, facts and events of the run are in files of ansible-runner."""
    seen: dict[str, str] = {}

    def look(_: str) -> None:
        for path in (root.parent / "tmp").rglob("*"):
            if path.is_file():
                seen[path.name] = path.read_text(errors="replace")
        [private] = left_behind(root)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700

    fact = f"{{name: Hide, set_fact: {{hidden: {FACT}, cacheable: true}}, no_log: true}}"
    result = run(fact, "{name: Ask, ping: }", "{name: Show, debug: {msg: well}}", on_step=look)
    assert result.ok
    assert seen
    files = {name: text for name, text in seen.items() if TOKEN in text or FACT in text}
    assert files == {}
    assert left_behind(root) == []
    assert TOKEN not in result.log.read_text()


def test_run_has_the_environment_of_the_user(run: Run) -> None:
    assert TOKEN in run("{name: Show, debug: {msg: \"{{ lookup('env', 'CLOUD_TOKEN') }}\"}}").log.read_text()


def test_vault_password_of_the_environment_is_given_as_a_file(run: Run, root: Path) -> None:
    sealed = Vault(root.parent / "inventory").encrypt("greeting: hello\n", may_create_password=True)
    (root.parent / "inventory/group_vars").mkdir()
    (root.parent / "inventory/group_vars/all.yml").write_text(sealed)
    result = run("{name: Show, debug: {msg: 'it says {{ greeting }}'}}")
    assert "it says hello" in result.log.read_text()
    assert (root.parent / "inventory/.vault-password").read_text().strip() not in result.log.read_text()


def test_interrupt_ends_the_run_and_is_told(run: Run, root: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    nap = f"{{name: Wait, command: {sys.executable} -c 'import time; time.sleep(300)'}}"
    result = run(nap, on_step=lambda step: os.kill(os.getpid(), signal.SIGINT))
    assert [failure.message for failure in result.failures] == [INTERRUPTED]
    assert result.seconds < 60
    assert signal.getsignal(signal.SIGINT) is before
    assert left_behind(root) == []


def test_interrupt_is_told_where_a_host_was_unreachable_too(run: Run, root: Path) -> None:
    (root.parent / "inventory/hosts.yml").write_text(
        f"all: {{hosts: {{alpha: {{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}, "
        "gone: {ansible_host: 127.0.0.1, ansible_port: 9, ansible_ssh_retries: 0}}}\n"
    )
    nap = f"{{name: Wait, command: {sys.executable} -c 'import time; time.sleep(300)'}}"

    def interrupt(step: str) -> None:
        if step == "Wait":
            os.kill(os.getpid(), signal.SIGINT)

    result = run("{name: Ask, ping: }", nap, on_step=interrupt)
    assert list(result.unreachable) == ["gone"]
    assert [failure.message for failure in result.failures] == [INTERRUPTED]


def test_log_directory_that_cannot_be_made_is_told(run: Run, root: Path) -> None:
    (root.parent / "state").write_text("a file")
    with pytest.raises(BerthError, match=r"not writable .*; correct it or set XDG_STATE_HOME"):
        run("{name: Ask, ping: }")


@pytest.mark.parametrize("chosen", [None, "", "relative"])
def test_logs_are_below_the_home_directory_by_default(monkeypatch: pytest.MonkeyPatch, chosen: str | None) -> None:
    monkeypatch.setenv("HOME", "/home-of-ada")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if chosen is not None:
        monkeypatch.setenv("XDG_STATE_HOME", chosen)
    assert log_directory() == Path("/home-of-ada/.local/state/berth/runs")


def test_package_without_its_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        PlaybooksMissing, match=r"no playbooks/site\.yml, playbooks/project\.yml, playbooks/remove\.yml"
    ):
        repository(tmp_path / "site-packages/berth")


def test_line_is_short_in_the_repository_and_whole_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    root = repository()
    monkeypatch.chdir(root)
    play = configure_project(Path("inventory/local"), "blog", check=True)
    assert play.line() == "ansible-playbook -i inventory/local playbooks/project.yml -e project=blog --check --diff"
    monkeypatch.chdir(tmp_path)
    assert configure_all(Path("my env")).line() == (
        f"ANSIBLE_CONFIG={root}/ansible.cfg ansible-playbook -i 'my env' {root}/playbooks/site.yml"
    )


def test_line_is_what_a_shell_runs(run: Run, root: Path) -> None:
    result = run(f"{{name: Show, {SHOW}}}", project="blog")
    line = result.log.read_text().splitlines()[0].removeprefix("$ ")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, env=os.environ | {"PATH": path}, check=True)
    assert b"config True of blog" in done.stdout


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"msg": "full"}, "full"),
        ({"msg": "non-zero return code", "stderr": "no such file\n"}, "non-zero return code\nno such file"),
        ({"censored": "hidden", "msg": "x"}, "(hidden, it holds a secret)"),
        ({"msg": "One or more items failed", "results": [{"failed": True, "msg": "a"}, {"msg": "b"}]}, "a"),
        ({}, NO_MESSAGE),
    ],
)
def test_message_of_a_failure(result: dict, expected: str) -> None:
    assert message(result) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"diff": {"prepared": "+ CREATE DATABASE blog\n"}}, ["+ CREATE DATABASE blog"]),
        (
            {"diff": [{"before": "", "after": "x\n", "after_header": "/etc/x"}]},
            ["--- before\n+++ /etc/x\n@@ -0,0 +1 @@\n+x"],
        ),
        (
            {"diff": {"before": {"mode": "0644"}, "after": {"mode": "0600"}}},
            ["--- before\n+++ after\n@@ -1 +1 @@\n-mode: 0644\n+mode: 0600"],
        ),
        ({"diff": {"before": "", "after": ""}}, []),
        ({"diff": {"after": "secret"}, "censored": "hidden"}, ["(hidden, it holds a secret)"]),
        ({}, []),
    ],
)
def test_differences_of_a_result(result: dict, expected: list[str]) -> None:
    assert diffs(result) == expected


def test_changes_of_a_loop_are_counted_once() -> None:
    events = Events(lambda step: None)
    item = {"host": "alpha", "task": "Ensure", "res": {"changed": True}}
    whole = {"host": "alpha", "task": "Ensure", "res": {"changed": True, "results": [{"changed": True}]}}
    events.take({"event": "runner_item_on_ok", "event_data": item})
    events.take({"event": "runner_on_ok", "event_data": whole})
    assert len(events.changes) == 1
