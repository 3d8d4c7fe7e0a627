"""The processes of the UI: for requests, for runs, for measurements, and one that minds the others."""

import ctypes
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from gunicorn.app.base import BaseApplication

from berth.errors import BerthError
from berth.runner import AnsibleRunner
from webui import create_app
from webui.config import Config
from webui.core import Core, make_core
from webui.services.execution import Executor
from webui.services.fleet import Fleet
from webui.services.measuring import UntilOver, measure_on
from webui.services.retiring import Retiring
from webui.services.rooms import Rooms

THREADS = 256  # each viewer of a live run has one
WORKERS = 4
PR_SET_PDEATHSIG = 1


class _Gunicorn(BaseApplication):
    def __init__(self, config: Config, bind: str) -> None:
        self._config, self._bind = config, bind
        super().__init__()

    def load_config(self) -> None:
        given = {
            "bind": self._bind,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": 3,
            "proc_name": "berth-ui",
            "loglevel": "warning",
        }
        for key, value in given.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        app = create_app(self._config)
        read_before_requests(app.extensions["berth"])
        return app


def serve_web(config: Config, bind: str) -> None:
    """Answer requests until a signal."""
    _Gunicorn(config, bind).run()


def serve_worker(config: Config, workers: int = WORKERS) -> None:
    """Run playbooks, at most as many at a time as there are workers, and end overlaps of keys, until a signal."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    core = make_core(config)
    executor: list[Executor] = []

    def started() -> None:
        # An orphan would go on while its run counts as lost
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        core.db.close()
        executor.append(Executor(core.runs, config.inventory, AnsibleRunner()))

    retiring = Retiring(core.actions)
    core.queue.consumer(lambda to_end: executor[0].work(to_end), started, workers, retiring.look).run()


def serve_measuring(config: Config, minutes: float) -> None:
    """Measure all hosts every so many minutes, until a signal."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    fleet, over = Fleet(config.inventory), _until_a_signal()
    arguments = (fleet, Rooms(fleet), UntilOver(over), minutes * 60, over)
    # beside the main thread, whose signal handlers ansible-runner would take over
    thread = threading.Thread(target=measure_on, args=arguments, name="measuring")
    thread.start()
    thread.join()


def serve_all(bind: str, workers: int, minutes: float) -> int:
    """Keep web, worker and measuring running, each again when it ends, until SIGINT or SIGTERM ends all."""
    over = _until_a_signal()
    commands = {
        "web": ["--bind", bind],
        "worker": ["--workers", str(workers)],
        "measure": ["--every", str(minutes)],
    }
    children = {name: _start(name, options) for name, options in commands.items()}
    while not over.wait(1):
        for name, child in children.items():
            if child.poll() is not None:
                print(f"berth ui: {name} ended with {child.returncode}, starting it again", file=sys.stderr)
                children[name] = _start(name, commands[name])
    for child in children.values():
        child.terminate()
    for child in children.values():
        child.wait()
    return 0


def read_before_requests(core: Core) -> None:
    """Read hosts, projects and measurements now, so that no page waits for that."""
    try:
        core.rooms.all()
    except BerthError as error:
        logging.getLogger(__name__).warning("%s", error)  # as the pages will say until it is corrected
    # thousands of objects that stay: looking through them again and again would take as long as ten pages
    gc.collect()
    gc.freeze()


def _until_a_signal() -> threading.Event:
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: over.set())
    return over


def _start(name: str, options: list[str]) -> subprocess.Popen[bytes]:
    # a session of its own: Ctrl-C is for the parent alone, which then ends its children in order
    command = [sys.executable, "-m", "berth.cli", "ui", name, *options]
    return subprocess.Popen(command, start_new_session=True, env=os.environ)
