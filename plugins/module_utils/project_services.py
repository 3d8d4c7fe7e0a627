"""The units of a project on its host: those of each service, and what is around the containers of an isolated one."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.berth.supabase.plugins.module_utils.handover import Door
from ansible_collections.berth.supabase.plugins.module_utils.units import newest

UNITS = Path("/etc/systemd/system")


class Service:
    """One service of one project: the socket that requests wake it by, the proxy that holds it awake, the worker."""

    def __init__(self, name, project, wanted=True):
        self.name, self.project = name, project["name"]
        self.socket = f"berth-{name}-wake@{self.project}.socket"
        self.proxy = f"berth-{name}-wake@{self.project}.service"
        self.worker = f"berth-{name}@{self.project}.service"
        self.door = Door(name, project["name"])
        self.is_present = wanted and project["state"] == "present"
        self.is_absent = project["state"] == "absent"
        self.is_former = not wanted
        self.slice = slice_of(project)
        self.is_isolated = project["architecture"] == "isolated"
        self.is_always_awake = self.is_present and project["idle_timeout"] == "never"

    def units(self):
        own = [self.socket, self.proxy, self.worker]
        return own if self.is_present else own + self.door.holding

    def enabled(self):
        """Returns for each unit that can be enabled whether it should be."""
        return {self.socket: self.is_present, self.proxy: self.is_always_awake}

    def started(self):
        """Returns the units that must run; a proxy that runs beside them is a project that happens to be awake."""
        return [unit for unit, wanted in self.enabled().items() if wanted]

    def newest(self, patterns):
        """Returns when the newest of the service's files was changed."""
        return newest(own_patterns(patterns.get(self.name, []), self.project))

    def stopped(self, found):
        """Returns the units that must not run: a socket cannot start beside a proxy that runs without it."""
        if not self.is_present:
            return self.units()
        return [] if found.is_active(self.socket) else [self.proxy]


class Health:
    """The timer that asks the containers of an isolated project whether they are well."""

    def __init__(self, project):
        self.name, self.project = "health", project["name"]
        self.timer = f"berth-health@{self.project}.timer"
        self.is_present = project["architecture"] == "isolated" and project["state"] == "present"
        self.is_absent = project["state"] == "absent"
        self.is_former = not self.is_present
        self.worker = None

    def units(self):
        return [self.timer]

    def enabled(self):
        """Returns whether the timer should be enabled."""
        return {self.timer: self.is_present}

    def started(self):
        """Returns the timer where it must run."""
        return [self.timer] if self.is_present else []

    def stopped(self, _found):
        """Returns the timer where it must not run."""
        return [] if self.is_present else [self.timer]


class Enclosure:
    """The slice and the network of an isolated project, which come with its services and outlast them."""

    def __init__(self, project):
        self.is_present = project["architecture"] == "isolated" and project["state"] != "absent"
        self.is_absent = project["state"] == "absent"
        self.names = [f"berth-{project['name']}-network.service", slice_of(project)]

    def units(self):
        return self.names


class OwnCluster:
    """The PostgreSQL cluster of a project that has one of its own; it starts before the project's services."""

    def __init__(self, project, version):
        self.name, self.unit = project["name"], f"postgresql@{version}-{project['cluster']}.service"
        self.is_present, self.is_absent = project["state"] == "present", project["state"] == "absent"

    def units(self):
        return [self.unit]

    def is_stale(self, found, patterns):
        """Returns whether it runs with settings that only a restart replaces."""
        return found.is_active(self.unit) and found.started_at(self.unit) < newest(own_patterns(patterns, self.name))


def own_patterns(patterns, project):
    """Returns the patterns of files for one project: NAME stands for its name, DATABASE for its database."""
    return [text.replace("NAME", project).replace("DATABASE", project.replace("-", "_")) for text in patterns]


def slice_of(project):
    """Returns the slice of a project that is isolated; with '-' it would lie inside another project's."""
    return f"berth-{project['name'].replace('-', '_')}.slice"


def services_of(params):
    """Returns all services of all projects; those that only isolated projects have are unwanted for the others."""
    for project in params["projects"]:
        yield from (Service(name, project) for name in params["services"])
        isolated = project["architecture"] == "isolated"
        if has_enclosure(project, params["keep_former"]):
            yield from (Service(name, project, wanted=isolated) for name in params["services_isolated"])
        if has_enclosure(project):
            yield Health(project)


def enclosures_of(params):
    """Returns what is around the services of each project that is isolated, was so, or is to go."""
    for project in params["projects"]:
        if has_enclosure(project, params["keep_former"]):
            yield Enclosure(project)


def clusters_of(params):
    """Returns the clusters that belong to one project."""
    return [OwnCluster(project, params["postgres_version"]) for project in params["projects"] if project["dedicated"]]


def has_enclosure(project, keep_former=False):
    """Returns whether a project has, had or may have containers; one that merely had them not where they are kept."""
    return (
        project["architecture"] == "isolated"
        or project["state"] == "absent"
        or (was_isolated(project) and not keep_former)
    )


def was_isolated(project):
    """Returns whether a project that is not isolated was so: this directory goes last of all."""
    is_marked = (UNITS / f"berth-rest-wake@{project['name']}.service.d").is_dir()
    return is_marked and project["architecture"] != "isolated"
