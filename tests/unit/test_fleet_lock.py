"""One run of tests at a time has a fleet."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet import lock

HOLD = [sys.executable, "-c", "print('held', flush=True); input()"]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of locks of the test's own."""
    monkeypatch.setattr(lock, "DIRECTORY", tmp_path / "locks")
    return tmp_path / "locks"


def program(directory: Path, *command: str) -> list[str]:
    """The command line of the program over this directory."""
    script = "import sys; from pathlib import Path; from fleet import lock; lock.DIRECTORY = Path(sys.argv[1]); "
    return [sys.executable, "-c", f"{script}sys.exit(lock.main(sys.argv[2:]))", str(directory), *command]


def environment(number: int) -> dict[str, str]:
    """The environment of a run that is to have the fleet of a number."""
    return os.environ | {"BERTH_FLEET": str(number), "PYTHONPATH": str(Path(lock.__file__).parents[1])}


@pytest.fixture
def holder(directory: Path) -> Iterator[subprocess.Popen]:
    """A run that has fleet 7."""
    with subprocess.Popen(
        program(directory, *HOLD), env=environment(7), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_second_run_is_refused_by_one_line_until_the_first_has_ended(directory: Path, holder) -> None:
    with pytest.raises(lock.FleetTaken, match=rf"^fleet 7 is in use by process {holder.pid} \(.*set BERTH_FLEET to"):
        lock.take(7)
    second = subprocess.run(program(directory, "true"), env=environment(7), capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout, second.stderr.count("\n")) == (2, "", 1)
    holder.communicate("\n")
    descriptor = lock.take(7)
    assert descriptor is not None
    os.close(descriptor)


def test_fleet_of_another_number_is_free(holder) -> None:
    descriptor = lock.take(8)
    assert descriptor is not None
    os.close(descriptor)


def test_what_a_run_starts_may_use_its_fleet(directory: Path) -> None:
    inner = program(directory, sys.executable, "-c", "print('inside')")
    done = subprocess.run(program(directory, *inner), env=environment(7), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "inside\n", "")


def test_exit_code_is_that_of_the_command(directory: Path) -> None:
    done = subprocess.run(program(directory, "sh", "-c", "exit 3"), env=environment(7), check=False)
    assert done.returncode == 3


def test_fleet_is_held_until_the_command_has_cleaned_up(directory: Path) -> None:
    trap = "trap 'read line; exit 5' TERM; echo held; while :; do read line; done"
    with subprocess.Popen(
        program(directory, "bash", "-c", trap),
        env=environment(7),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline() == "held\n"
        running.terminate()
        with pytest.raises(lock.FleetTaken):
            lock.take(7)
        running.communicate("go on\nclean\n")
    assert running.returncode == 5
