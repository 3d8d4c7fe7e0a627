"""The order of the measurements: what needs an empty host comes first, what needs many projects later."""

import time
from collections.abc import Callable, Collection

from bench import adding, converge, convert, gateway, isolated, ready, sleepers, ui_pages, ui_viewers, wake
from bench.figures import Figure
from bench.host import BenchHost

PARTS = ("ready", "converge", "add", "sleepers", "wake", "gateway", "isolated", "convert", "ui")
NEED_MANY = {"converge", "add", "sleepers", "wake"}
MANY = 100
STAND_IN = "not judged: a stand-in for GoTrue"


class Course:
    """Takes the wanted measurements on a fresh host and collects the figures."""

    def __init__(self, host: BenchHost, wanted: Collection[str], say: Callable[[str], None]) -> None:
        self.host = host
        self.wanted = set(wanted)
        self.say = say
        self.began = time.monotonic()
        self.projects = 1
        self.found: dict[str, list[Figure]] = {part: [] for part in PARTS}

    def run(self) -> list[Figure]:
        """Return all figures in the order of PARTS; NotMeasured, or AssertionError when a play fails."""
        self._tell("configure the bare host")
        self._keep("ready", ready.figures(ready.make(self.host)))
        small = self._converge()
        self._add()
        self._add_together()
        if self.wanted & NEED_MANY:
            self._grow()
        if "wake" in self.wanted:
            self._wake()
        large = self._converge()
        if small and large:
            self._keep("converge", converge.figures(small, large))
        self._add()
        if "gateway" in self.wanted:
            self._tell("ask PostgREST through the gateway and directly")
            self._keep("gateway", gateway.figures(gateway.measure(self.host, "b001")))
        if "isolated" in self.wanted:
            self._isolated()
        if "convert" in self.wanted:
            self._convert()
        if "ui" in self.wanted:
            self._ui()
        return [figure for part in PARTS if part in self.wanted for figure in self.found[part]]

    def _isolated(self) -> None:
        self._tell("add isolated projects and ask one in turn with a shared one")
        found = isolated.measure(self.host, self.projects + 1)
        self._keep("isolated", isolated.figures(found, "" if self.host.has_real_auth else "a stand-in for GoTrue"))

    def _convert(self) -> None:
        self._tell("convert projects of different sizes there and back")
        # past those of the part isolated
        self._keep("convert", convert.figures(convert.measure(self.host, self.projects + 11)))

    def _tell(self, what: str) -> None:
        self.say(f"{time.monotonic() - self.began:5.0f} s  {what}")

    def _keep(self, part: str, figures: list[Figure]) -> None:
        self.found[part] += figures
        if part in self.wanted:
            for figure in figures:
                self.say(f"           {figure.what}: {figure.measured}  {figure.verdict}".rstrip())

    def _converge(self) -> converge.Converged | None:
        if "converge" not in self.wanted:
            return None
        self._tell(f"converge with {self.projects}")
        return converge.measure(self.host, self.projects)

    def _add(self) -> None:
        if "add" not in self.wanted:
            return
        self._tell(f"add projects to {self.projects}")
        self._keep("add", adding.figures(adding.measure(self.host, self.projects + 1), self.projects))
        self.projects += adding.ROUNDS

    def _add_together(self) -> None:
        if "add" not in self.wanted:
            return
        self._tell(f"add {adding.TOGETHER} projects in one run")
        added = adding.measure_together(self.host, self.projects + 1)
        self._keep("add", adding.figures_together(added, self.projects))
        self.projects += adding.TOGETHER

    def _grow(self) -> None:
        before = sleepers.measure(self.host) if "sleepers" in self.wanted else None
        self._tell(f"add projects up to {MANY} in one run")
        self.host.declare(range(self.projects + 1, MANY + 1))
        timed = self.host.timed("site.yml")
        if before:
            self._tell(f"add up the memory of {MANY} sleeping projects")
            grown = MANY - self.projects
            after = sleepers.measure(self.host)
            method = f"playbooks/site.yml, which adds {grown} projects in one run"
            made = Figure(f"Host made to hold {MANY} projects", timed.seconds, "s", method)
            self._keep("sleepers", [*sleepers.figures(before, after, grown, len(self.host.running())), made])
        self.projects = MANY

    def _ui(self) -> None:
        directory = self.host.inventory.parent / "ui"
        self._tell(f"load pages of the web UI with {ui_pages.HOSTS} hosts and {ui_pages.PROJECTS} projects")
        self._keep("ui", ui_pages.figures(directory))
        self._tell(f"watch a run with {ui_viewers.VIEWERS} viewers")
        self._keep("ui", ui_viewers.figures(directory, self.host.inventory, "b001", self.host.environment))

    def _wake(self) -> None:
        first = MANY - 2 * wake.WAKES + 1
        for service, start in (("rest", first), ("auth", first + wake.WAKES)):
            self._tell(f"wake {service} of {wake.WAKES} projects")
            names = [f"b{number:03}" for number in range(start, start + wake.WAKES)]
            withheld = STAND_IN if service == "auth" and not self.host.has_real_auth else ""
            self._keep("wake", wake.figures(wake.measure(self.host, service, names), withheld))
