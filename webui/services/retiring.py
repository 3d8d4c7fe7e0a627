"""Ends overlaps of keys whose date has passed, so that nobody need think of it."""

import logging

from berth.errors import BerthError
from webui.models import Run
from webui.services.actions import Actions
from webui.services.audit import Actor

SYSTEM = Actor("the system", "worker")  # nobody can have a name with a space
log = logging.getLogger(__name__)


class Retiring:
    """Looks for such overlaps; secrets are read again only where their file changed."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._lasting: dict[str, int] = {}  # of projects without a date, when their file was written

    def look(self) -> list[Run]:
        """Queue a run for each project whose date has passed; what cannot be read is logged and tried again."""
        try:
            projects = list(self._actions.fleet.projects())
        except BerthError as error:
            log.warning("%s", error)
            return []
        return [run for name in projects if (run := self._look_at(name))]

    def _look_at(self, name: str) -> Run | None:
        store = self._actions.fleet.secrets
        try:
            written = store.project_file(name).stat().st_mtime_ns
            if self._lasting.get(name) == written:
                return None
            if store.project(name, create=False).retire_at is None:
                self._lasting[name] = written
                return None
            return self._actions.retire_ended(SYSTEM, name)
        except FileNotFoundError:
            return None  # declared, but no run has made its secrets yet
        except (BerthError, OSError) as error:
            log.warning("%s", error)
            return None
