"""Runs a playbook with ansible-runner and tells what came of it."""

import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

from berth.errors import BerthError
from berth.playbooks import CONFIG_VARIABLE, Play, ansible_config, repository
from berth.run_events import Change, Events, Failure

HOST_LOCK = "berth.supabase.host_lock"
CANCELLED = "canceled"  # as ansible-runner spells it
INTERRUPTED = "interrupted; run it again, it goes on where it was"
SETTINGS = "pexpect_timeout: 1\nsuppress_output_file: true\n"

OnStep = Callable[[str], None]
OnEvent = Callable[[dict[str, Any]], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Result:
    """What came of a run: changed counts tasks by host, unreachable gives the reason by host, seconds is its time.

    reports holds by host what the modules of the play read there under the key `report`.
    """

    ok: bool
    changed: dict[str, int]
    changes: tuple[Change, ...]
    failures: tuple[Failure, ...]
    unreachable: dict[str, str]
    log: Path
    seconds: float
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)


class Runner(Protocol):
    """Whatever runs plays for the commands."""

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Run the play, calling on_step with the name of each task as it begins; raise BerthError."""
        ...


class AnsibleRunner:
    """Runs plays of the repository that the package belongs to."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root

    def run(
        self,
        play: Play,
        on_step: OnStep,
        on_event: OnEvent = lambda event: None,
        cancelled: Cancelled = lambda: False,
    ) -> Result:
        """Run the play, its output in a log of its own; raise BerthError when it cannot even begin.

        on_event gets each event of ansible-runner; the run ends within seconds after `cancelled` says so.
        """
        root = self.root or repository()
        events = Events(on_step)
        began = time.monotonic()
        with _log_of(play, root) as log, tempfile.TemporaryDirectory(prefix="berth-run-") as private:

            def take(event: dict[str, Any]) -> bool:
                if text := event.get("stdout"):
                    log.write(f"{text}\n")
                events.take(event)
                on_event(event)
                return False  # no file for the event

            status, code = _run(play, root, Path(private), take, cancelled)
        failures = list(events.failures.values())
        if status == CANCELLED or (code != 0 and not failures and not events.unreachable):
            failures.append(Failure("", "", _reason(status, events, Path(log.name))))
        return Result(
            ok=code == 0,
            changed=events.counted,
            changes=tuple(events.changes),
            failures=tuple(failures) if code else (),
            unreachable=events.unreachable,
            log=Path(log.name),
            seconds=time.monotonic() - began,
            reports=events.reports,
        )


def log_directory() -> Path:
    """Where the logs of the user's runs are: below $XDG_STATE_HOME, else ~/.local/state."""
    chosen = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    return (chosen if chosen.is_absolute() else Path("~/.local/state").expanduser()) / "berth" / "runs"


def _run(
    play: Play, root: Path, private: Path, take: Callable[[dict[str, Any]], bool], cancelled: Cancelled
) -> tuple[str, int]:
    import ansible_runner
    from ansible_runner.utils import signal_handler

    (private / "env").mkdir(mode=0o700)
    (private / "env" / "settings").write_text(SETTINGS)

    def on_status(status: dict[str, Any], runner_config: Any) -> None:
        # ansible-runner keeps the whole environment of the user in this file, tokens of clouds too
        (Path(runner_config.artifact_dir) / "command").unlink(missing_ok=True)

    with _signals_restored():
        stopped = signal_handler() or (lambda: False)
        run = ansible_runner.run(
            private_data_dir=str(private),
            project_dir=str(root),
            playbook=f"playbooks/{play.playbook}",
            inventory=str(play.inventory.absolute()),
            extravars=play.variables,
            cmdline=shlex.join(play.flags) or None,
            envvars=_environment(play),
            # the default is a file for each host with all its facts, and ours hold secrets
            fact_cache_type="memory",
            suppress_env_files=True,
            quiet=True,
            event_handler=take,
            cancel_callback=lambda: stopped() or cancelled(),
            status_handler=on_status,
        )
    return run.status, run.rc


def _environment(play: Play) -> dict[str, str]:
    from ansible.config.manager import ConfigManager

    from berth.inventory import directory_of
    from berth.vault import Vault

    config = ansible_config()
    settings = ConfigManager(config)
    enabled = settings.get_config_value("CALLBACKS_ENABLED") or []
    password_file = Vault(directory_of(play.inventory)).password_file()
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        CONFIG_VARIABLE: str(Path(config).absolute()),
        # ansible-runner switches the check off where this is not set
        "ANSIBLE_HOST_KEY_CHECKING": str(settings.get_config_value("HOST_KEY_CHECKING")),
        # a configuration of one's own may not name it
        "ANSIBLE_CALLBACKS_ENABLED": ",".join({HOST_LOCK: 0, **dict.fromkeys(enabled)}),
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_FORCE_COLOR": "false",
        **({"ANSIBLE_VAULT_PASSWORD_FILE": str(password_file.absolute())} if password_file.exists() else {}),
    }


def _reason(status: str, events: Events, log: Path) -> str:
    if status == CANCELLED:
        return INTERRUPTED
    lines = [line for line in "\n".join(events.errors).splitlines() if line.strip()]
    return "\n".join(lines or log.read_text(encoding="utf-8").splitlines()[-5:])


@contextmanager
def _log_of(play: Play, root: Path) -> Iterator[TextIO]:
    directory = log_directory()
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{Path(play.playbook).stem}-{play.project or 'all'}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix=f"{stem}-", suffix=".log", dir=directory)
    except OSError as error:
        raise BerthError(f"{directory}: not writable ({error.strerror}); correct it or set XDG_STATE_HOME") from error
    os.close(descriptor)
    with Path(path).open("w", encoding="utf-8", buffering=1) as log:
        log.write(f"$ {play.line(root)}\n")
        yield log


@contextmanager
def _signals_restored() -> Iterator[None]:
    """ansible-runner turns SIGINT and SIGTERM into an end of the run, and leaves them so."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
