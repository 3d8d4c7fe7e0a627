"""Attacks of projects on their neighbours, each with a control that must succeed: without it a refusal says nothing."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import pwd
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.berth.supabase.plugins.module_utils.postgres import psycopg

REFUSED, REACHED, UNCLEAR = "refused", "reached", "unclear"
CLOSED = ("postgres", "template1", "berth_template")
TRUST = re.compile(r"FATAL:.*(reject|authentication failed|permission denied|not currently accept)|: Permission denied")
PATIENCE = 30
LIMITED, PAUSED = 429, (503, "project_paused")
PAUSE = 0.5
NOBODY = "/rest/v1/berth_isolation_proof?limit=0"  # a table that no project has: only who is let in is told so
TOKENS = {"rest": (NOBODY, (200, 404)), "auth": ("/auth/v1/admin/users?page=1&per_page=1", (200,))}


@dataclass(frozen=True)
class Subject:
    """One project of the host with what it is attacked with."""

    name: str
    database: str
    system_user: str
    place: dict
    paused: bool
    owner_password: str
    keys: tuple

    def login(self, service):
        """Returns the name of its login role of a service."""
        return f"{self.database}_{service}"

    def key(self, role):
        """Returns the newest key of a role."""
        return next(key for key in reversed(self.keys) if key["role"] == role)


class Tally:
    """What came of the attacks, by project and attack; one that reached a project counts for both of them."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.found = {name: {} for name in wanted}

    def note(self, attack, source, target, outcome, told, control=None):
        """Notes an attempt; `control` is why what should have succeeded did not, None where it did."""
        for entry in self._entries(attack, source, target):
            entry["tried"] += 1
            if outcome == REACHED:
                entry["reached"].append({"source": source, "target": target, "told": told})
            elif control or outcome == UNCLEAR:
                entry["unproven"].append({"source": source, "target": target, "told": control or told})

    def skip(self, attack, source, target, why):
        """Notes that an attempt was left out."""
        for entry in self._entries(attack, source, target):
            entry["skipped"][target] = why

    def _entries(self, attack, source, target):
        for name in {source, target} & set(self.wanted):
            yield self.found[name].setdefault(attack, {"tried": 0, "reached": [], "unproven": [], "skipped": {}})


@contextmanager
def user(name):
    """Lets this process be a system user, also in the eyes of PostgreSQL."""
    found = pwd.getpwnam(name)
    os.setegid(found.pw_gid)
    os.seteuid(found.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def login(place, role, database, password=None):
    """Returns what came of a login over the socket, and what PostgreSQL said."""
    given = {"password": password} if password else {}
    try:
        psycopg.connect(
            host=place["socket_directory"],
            port=place["port"],
            user=role,
            dbname=database,
            connect_timeout=PATIENCE,
            passfile=os.devnull,
            **given,
        ).close()
    except psycopg.OperationalError as error:
        told = " ".join(str(error).split())
        return (REFUSED if TRUST.search(told) else UNCLEAR), told
    return REACHED, f"{role} is in {database}"


def peer_login(system_user, place, role, database):
    """As login, of a system user without any password."""
    try:
        with user(system_user):
            return login(place, role, database)
    except KeyError:
        return UNCLEAR, f"there is no system user {system_user}"


class Gateway:
    """Asks nginx on the first of its addresses; the answer is a status and the code of an error."""

    def __init__(self, listen):
        address, _, port = listen[0].rpartition(":")
        self.port = int(port)
        every = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104 - asked, not bound
        self.host = every.get(address, address.strip("[]"))

    def ask(self, project, path, key, bearer=None):
        """Returns status and code of the answer to a request; 0 and the reason where there is none."""
        end = time.monotonic() + PATIENCE
        while (answer := self._ask(project, path, key, bearer))[0] == LIMITED and time.monotonic() < end:
            time.sleep(PAUSE)  # the project's own clients have the same requests per second
        return answer

    def _ask(self, project, path, key, bearer):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        headers = {"apikey": key} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        try:
            connection.request("GET", f"/projects/{project}{path}", headers=headers)
            answer = connection.getresponse()
            return answer.status, _code(answer.read())
        except (OSError, http.client.HTTPException) as error:
            return 0, f"{type(error).__name__}: {error}"
        finally:
            connection.close()


def _code(body):
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("code") or found.get("error_code") or "") if isinstance(found, dict) else ""


def forged():
    """Returns a token that says service_role and bears no signature."""
    parts = [{"alg": "none", "typ": "JWT"}, {"role": "service_role", "iss": "supabase", "exp": 4_000_000_000}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


class Proof:
    """The attacks of projects of one host on each other; `wanted` names those that the proof is for."""

    def __init__(self, subjects, wanted, services, gateway, wakes, is_awake):
        self.subjects = subjects
        self.services, self.gateway, self.wakes, self.is_awake = services, gateway, wakes, is_awake
        self.tally = Tally(wanted)
        self._controls = {}

    def run(self):
        """Returns the findings by project and attack."""
        for mine in self.subjects:
            if mine.name in self.tally.wanted:
                self._alone(mine)
        for mine, theirs in itertools.permutations(self.subjects, 2):
            if {mine.name, theirs.name} & set(self.tally.wanted):
                self._login(mine, theirs)
                self._password(mine, theirs)
                self._keys(mine, theirs)
                self._tokens(mine, theirs, [key["token"] for key in mine.keys if key["role"] == "service_role"])
        return self.tally.found

    def _alone(self, mine):
        """What needs no neighbour: closed databases, a forged key, a forged token."""
        for database in CLOSED:
            for service in self.services:
                outcome = peer_login(mine.system_user, mine.place, mine.login(service), database)
                self.tally.note("login", mine.name, database, *outcome, self._own_logins(mine))
            outcome = login(mine.place, mine.login("owner"), database, mine.owner_password)
            self.tally.note("password", mine.name, database, *outcome, self._own_password(mine))
        self._key(mine, mine, forged())
        self._tokens(mine, mine, [forged()])

    def _login(self, mine, theirs):
        control = self._own_logins(mine) or self._own_logins(theirs)
        for service in self.services:
            for owner in (theirs, mine):
                outcome = peer_login(mine.system_user, theirs.place, owner.login(service), theirs.database)
                self.tally.note("login", mine.name, theirs.name, *outcome, control)

    def _password(self, mine, theirs):
        control = self._own_password(mine) or self._own_password(theirs)
        for owner in (theirs, mine):
            outcome = login(theirs.place, owner.login("owner"), theirs.database, mine.owner_password)
            self.tally.note("password", mine.name, theirs.name, *outcome, control)

    def _keys(self, mine, theirs):
        for key in mine.keys:
            self._key(mine, theirs, key["value"])

    def _key(self, mine, theirs, value):
        # the root of /rest/v1/ is for the service key: the gateway says so to a key that it knows, and wakes nobody
        status, code = self.gateway.ask(theirs.name, "/rest/v1/", value)
        reached = 200 <= status < 300 or code == "service_key_needed"
        refused = (status, code) == (PAUSED if theirs.paused else (401, "wrong_key"))
        outcome = REFUSED if refused else REACHED if reached else UNCLEAR
        self.tally.note("key", mine.name, theirs.name, outcome, f"{status} {code}", self._own_key(theirs))

    def _tokens(self, mine, theirs, tokens):
        for service in self.services:
            if not (self.wakes or theirs.paused or self.is_awake(theirs.name, service)):
                self.tally.skip(service, mine.name, theirs.name, "asleep")
                continue
            path, let_in = TOKENS[service]
            control = self._own_token(theirs, service)
            for token in dict.fromkeys(tokens):
                status, code = self.gateway.ask(theirs.name, path, theirs.key("anon")["value"], token)
                refused = (status, code) == PAUSED if theirs.paused else status in (401, 403)
                outcome = REFUSED if refused else REACHED if status in let_in else UNCLEAR
                self.tally.note(service, mine.name, theirs.name, outcome, f"{status} {code}", control)

    def _own_logins(self, mine):
        return self._once(("login", mine.name), lambda: self._try_own_logins(mine))

    def _try_own_logins(self, mine):
        for service in self.services:
            outcome, told = peer_login(mine.system_user, mine.place, mine.login(service), mine.database)
            if outcome != REACHED:
                return f"{mine.name} cannot log in to its own database: {told}"
        return None

    def _own_password(self, mine):
        def attempt():
            outcome, told = login(mine.place, mine.login("owner"), mine.database, mine.owner_password)
            return None if outcome == REACHED else f"the owner of {mine.name} cannot log in to its database: {told}"

        return self._once(("password", mine.name), attempt)

    def _own_key(self, mine):
        def attempt():
            status, code = self.gateway.ask(mine.name, "/rest/v1/", mine.key("anon")["value"])
            known = (status, code) == (PAUSED if mine.paused else (403, "service_key_needed"))
            return None if known else f"the gateway does not know {mine.name}'s own key: {status} {code}"

        return self._once(("key", mine.name), attempt)

    def _own_token(self, mine, service):
        def attempt():
            path, let_in = TOKENS[service]
            own = mine.key("service_role")["token"]
            status, code = self.gateway.ask(mine.name, path, mine.key("anon")["value"], own)
            taken = (status, code) == PAUSED if mine.paused else status in let_in
            return None if taken else f"{service} of {mine.name} refuses its own token: {status} {code}"

        return self._once((service, mine.name), attempt)

    def _once(self, name, attempt):
        if name not in self._controls:
            self._controls[name] = attempt()
        return self._controls[name]
