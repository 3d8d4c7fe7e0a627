"""The lock of a host: one run at a time, whoever started it, for as long as its ansible-playbook lives."""

import errno
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from berth.host_locks import FOLDER, WAITING, HostLocks, NoLock
from berth.playbooks import Play, repository
from berth.runner import INTERRUPTED, AnsibleRunner, Result

WHO = "ada runs project.yml for blog"
HOSTS = "berth_hosts: {{vars: {{ansible_connection: local, {}: {}}}, hosts: {{alpha: , bravo: }}}}\n"
BLOG = "name: blog\nnumber: 1\nhost: alpha\narchitecture: shared\n"
PLAY = """
- hosts: berth_hosts
  gather_facts: false
  vars: {{berth_reads_only: {reads_only}}}
  tasks:
    - name: Read a pipe
      command: cat {pipe}
      when: inventory_hostname == 'alpha'
      check_mode: false
"""
IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from berth.playbooks import Play
from berth.runner import AnsibleRunner
root, inventory = map(Path, sys.argv[1:])
AnsibleRunner(root).run(Play("tiny.yml", inventory), lambda step: print(step, flush=True))
"""

Run = Callable[..., Result]


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts that are this machine, with the project blog on alpha."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(tmp_path / "root/ansible.cfg"))
    collections = repository() / ".cache/collections"
    (tmp_path / "root/playbooks").mkdir(parents=True)
    (tmp_path / "root/ansible.cfg").write_text(f"[defaults]\ncollections_path = {collections}\n")
    (tmp_path / "inventory/projects").mkdir(parents=True)
    (tmp_path / "inventory/projects/blog.yml").write_text(BLOG)
    (tmp_path / "inventory/hosts.yml").write_text(HOSTS.format("ansible_python_interpreter", sys.executable))
    os.mkfifo(tmp_path / "pipe")
    write_play(tmp_path)
    return tmp_path / "inventory"


def write_play(directory: Path, reads_only: bool = False) -> None:
    """Write the playbook, which goes on as soon as somebody opens the pipe."""
    text = PLAY.format(pipe=directory / "pipe", reads_only=reads_only)
    (directory / "root/playbooks/tiny.yml").write_text(text)


@pytest.fixture
def run(inventory: Path) -> Run:
    """A function that runs the playbook and gives the result, on_step being called with its steps."""

    def run(on_step: Callable[[str], None], cancelled: Callable[[], bool] = lambda: False, **options) -> Result:
        runner = AnsibleRunner(inventory.parent / "root")
        return runner.run(Play("tiny.yml", inventory, **options), on_step, cancelled=cancelled)

    return run


def feed(inventory: Path) -> None:
    """Let the task of a playbook go on."""
    (inventory.parent / "pipe").write_text("go on\n")


def open_when_read(inventory: Path) -> int:
    """Return the pipe as soon as the task of a playbook waits at it; the task goes on when it is closed."""
    while True:
        try:
            return os.open(inventory.parent / "pipe", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads it yet
                raise
            time.sleep(0.01)


def is_free(inventory: Path, host: str) -> bool:
    """Return whether somebody could change a host now, waiting for nobody."""

    script = (
        "import sys; from pathlib import Path; from berth.host_locks import HostLocks\n"
        "HostLocks(Path(sys.argv[1])).take([sys.argv[2]], 'a test', lambda text: sys.exit(3))"
    )
    return subprocess.run([sys.executable, "-c", script, str(inventory), host], check=False).returncode == 0


def test_second_taker_is_told_who_has_it_and_gets_it_at_the_end(tmp_path: Path) -> None:
    first = HostLocks(tmp_path)
    first.take(["alpha"], WHO, pytest.fail)
    told: list[str] = []
    waits = threading.Event()

    def on_wait(text: str) -> None:
        told.append(text)
        waits.set()

    second = HostLocks(tmp_path)
    thread = threading.Thread(target=second.take, args=(["alpha", "bravo"], "bob", on_wait))
    thread.start()
    waits.wait()
    for descriptor in first._held.values():
        os.close(descriptor)
    thread.join()
    assert told == [f"{WAITING}alpha: {WHO}"]
    assert (tmp_path / FOLDER / "alpha.lock").read_text() == "bob\n"


def test_what_one_has_is_not_waited_for(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path)
    locks.take(["alpha"], WHO, pytest.fail)
    locks.take(["bravo", "alpha"], WHO, pytest.fail)


def test_readers_keep_writers_out_but_not_each_other(tmp_path: Path) -> None:
    readers = [HostLocks(tmp_path), HostLocks(tmp_path)]
    for reader in readers:
        reader.take(["alpha"], WHO, pytest.fail, shared=True)
    assert not is_free(tmp_path, "alpha")


def test_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(NoLock, match=r"\.locks/alpha\.lock: Not a directory; make it readable and writable"):
        HostLocks(tmp_path).take(["alpha"], WHO, pytest.fail)


def test_run_waits_for_the_host_and_tells_who_has_it(run: Run, inventory: Path) -> None:
    holder = HostLocks(inventory)
    holder.take(["alpha"], WHO, pytest.fail)
    steps: list[str] = []

    def on_step(step: str) -> None:
        steps.append(step)
        if step.startswith(WAITING):
            os.close(holder._held["alpha"])
        else:
            feed(inventory)

    assert run(on_step).ok
    assert steps == [f"{WAITING}alpha: {WHO}", "Read a pipe"]
    signed = (inventory / FOLDER / "bravo.lock").read_text()
    assert re.fullmatch(r"\S+ runs tiny\.yml since 20\S+ \S+ UTC, process \d+\n", signed)


def test_run_that_waits_can_be_cancelled(run: Run, inventory: Path) -> None:
    holder = HostLocks(inventory)
    holder.take(["alpha"], WHO, pytest.fail)
    steps: list[str] = []
    result = run(steps.append, cancelled=lambda: bool(steps))
    assert [failure.message for failure in result.failures] == [INTERRUPTED]
    assert steps == [f"{WAITING}alpha: {WHO}"]


def test_run_for_a_project_takes_its_host_alone_and_a_reading_one_none(run: Run, inventory: Path) -> None:
    free: list[tuple[bool, bool]] = []

    def on_step(step: str) -> None:
        free.append((is_free(inventory, "alpha"), is_free(inventory, "bravo")))
        feed(inventory)

    assert run(on_step, project="blog").ok
    assert run(on_step, project="blog", check=True).ok
    write_play(inventory.parent, reads_only=True)
    assert run(on_step).ok
    assert free == [(False, True), (False, True), (True, True)]


def test_host_stays_taken_while_the_playbook_of_a_killed_worker_runs_on(inventory: Path) -> None:
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(inventory.parent / "root"), str(inventory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout.readline() == "Read a pipe\n"
        pipe = open_when_read(inventory)  # before, the playbook would still write and end with its worker
        worker.kill()
    assert not is_free(inventory, "alpha")
    playbook = int((inventory / FOLDER / "alpha.lock").read_text().rpartition(" ")[2])
    ended = os.pidfd_open(playbook)
    os.close(pipe)
    select.select([ended], [], [])
    os.close(ended)
    assert is_free(inventory, "alpha")


def test_fork_that_outlives_its_process_keeps_no_lock(tmp_path: Path) -> None:
    """A worker of a killed ansible-playbook may wait for its parent for ever."""
    locks = HostLocks(tmp_path)
    locks.take(["alpha"], WHO, pytest.fail)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    for descriptor in locks._held.values():  # as the end of this process would
        os.close(descriptor)
    try:
        assert is_free(tmp_path, "alpha")
    finally:
        os.close(writing)
        os.waitpid(child, 0)
