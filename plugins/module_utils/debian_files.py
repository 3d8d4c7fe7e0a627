"""The files of installed Debian packages with all that they depend on."""

from __future__ import annotations

import os
import re

LEFT_OUT = re.compile(r"^/(?:usr/share/(?:doc|man|info|lintian|locale|bug|bash-completion)|boot|etc/(?:init|cron))")


class Packages:
    """What dpkg knows of this host, read once and only when it is asked."""

    def __init__(self, module):
        self.module = module
        self._installed = None

    def closure(self, names):
        """Returns the packages with what they depend on, sorted; the module fails when one is not installed."""
        wanted, todo = set(), [(name, True) for name in names]
        while todo:
            name, required = todo.pop()
            package = self._package(name)
            if package is None:
                if required:
                    self.module.fail_json(
                        msg=f"Package {name} is not installed, and an image is to be made of its files; install it "
                        "(isolated_packages) or correct the catalogue."
                    )
                continue
            if package["name"] in wanted:
                continue
            wanted.add(package["name"])
            # of alternatives those that are there count
            todo += [(alternative, False) for alternative in package["depends"]]
        return sorted(wanted)

    def versions(self, names):
        """Returns "package=version" of the closure."""
        return [f"{name}={self._package(name)['version']}" for name in self.closure(names)]

    def files(self, names):
        """Returns the paths of all files, links and directories of the closure, parents first, without documents."""
        code, out, err = self.module.run_command(["dpkg-query", "--listfiles", *self.closure(names)])
        if code != 0:
            self.module.fail_json(msg=f"dpkg-query --listfiles failed: {err.strip()}")
        paths = {line for line in out.splitlines() if line.startswith("/") and line != "/."}
        paths |= _made_at_installation(paths)
        return sorted(path for path in paths if not LEFT_OUT.match(path) and _is_itself(path))

    def _package(self, name):
        if self._installed is None:
            self._installed = self._read()
        return self._installed.get(name)

    def _read(self):
        form = "${Package}\t${db:Status-Status}\t${Version}\t${Depends}, ${Pre-Depends}\t${Provides}\n"
        code, out, err = self.module.run_command(["dpkg-query", "--show", f"--showformat={form}"])
        if code != 0:
            self.module.fail_json(msg=f"dpkg-query --show failed: {err.strip()}")
        found, provided = {}, {}
        for line in out.splitlines():
            name, status, version, depends, provides = line.split("\t")
            if status == "installed":
                found[name] = {"name": name, "version": version, "depends": _names(depends)}
                provided |= dict.fromkeys(_names(provides), name)
        return {**{virtual: found[name] for virtual, name in provided.items()}, **found}


def _names(relation):
    """Returns the names in a relation field, alternatives and all."""
    return [part.split("(")[0].split(":")[0].strip() for part in re.split(r"[,|]", relation) if part.strip(" ,")]


def _is_itself(path):
    """Whether the path leads through no link: below a merged /usr each file is packed once."""
    return os.path.lexists(path) and os.path.realpath(os.path.dirname(path)) == os.path.dirname(path)  # noqa: PTH120


def _made_at_installation(paths):
    """Returns the real places of files that packages list below links, and the links that the linker makes."""
    real = {os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)) for path in paths}  # noqa: PTH118, PTH119, PTH120
    return real | {"/etc/ld.so.cache"}
