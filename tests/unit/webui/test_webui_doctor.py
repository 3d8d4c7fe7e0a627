"""The doctor's page: a visit is a run, what it found stands there with the remedy, and what is safe is repaired."""

from dataclasses import dataclass, replace

import pytest
from measured import report, unit

from berth.playbooks import Play
from berth.run_events import Change, Failure
from berth.runner import INTERRUPTED, Result
from webui.services.audit import Actor
from webui.services.execution import Executor


@dataclass
class Hosts:
    """A runner over alpha, which does not have blog, and bravo, which does not answer."""

    runner: object
    interrupted: bool = False

    def run(self, play: Play, on_step: object, on_event: object, cancelled: object) -> Result:
        """Give what the play would."""
        result = self.runner.run(play, on_step, on_event, cancelled)
        if play.playbook == "doctor.yml":
            told = report(unit("nginx.service", mib=12)) | {"holdings": {"things": [], "gateway_error": ""}}
            return replace(result, ok=False, reports={"alpha": told}, unreachable={"bravo": "no route to host"})
        if play.playbook == "site.yml" and play.check:
            failure = Failure("", "", INTERRUPTED) if self.interrupted else Failure("bravo", "Read facts", "no")
            change = Change("alpha", "Ensure the clock is kept right", ("-old\n+new",))
            return replace(result, ok=False, changes=(change,), failures=(failure,))
        return result


@pytest.fixture
def hosts(runner) -> Hosts:
    """Those hosts."""
    return Hosts(runner)


@pytest.fixture
def worker(core, inventory, hosts) -> Executor:
    """A worker that reaches them."""
    return Executor(core.runs, inventory, hosts)


def test_nobody_has_looked_yet(person) -> None:
    assert "Examine all hosts: it takes" in person("admin").get("/doctor").text
    page = person("viewer").get("/doctor").text
    assert "An admin can have the hosts examined" in page
    assert "/doctor/examine" not in page


def test_visit_is_a_run_and_its_findings_stand_on_the_page(person, core, worker, runner) -> None:
    admin = person("admin")
    answer = admin.send("/doctor/examine", "/doctor")
    assert answer.headers["location"] == "/runs/1"
    assert "examines the hosts" in admin.get("/doctor").text
    worker.work()
    run = core.runs.get(1)
    assert (run.state, run.hosts, run.changed) == ("succeeded", ["alpha", "bravo"], {})
    assert [(play.playbook, play.check) for play in runner.plays] == [("doctor.yml", False), ("site.yml", True)]
    page = person("viewer").get("/doctor").text
    assert "is declared and not on its host" in page
    assert "berth apply blog" in page
    assert "does not answer: no route to host" in page
    assert "Ensure the clock is kept right" in page
    assert "/doctor/repair" not in page


@pytest.mark.parametrize("plan", [True, False])
def test_what_is_safe_is_repaired_where_it_was_found(person, core, worker, runner, plan: bool) -> None:
    admin = person("admin")
    admin.send("/doctor/examine", "/doctor")
    worker.work()
    runner.plays.clear()
    assert admin.send("/doctor/repair", "/doctor", intent="plan" if plan else "do").status_code == 303
    worker.work()
    told = [(play.playbook, play.hosts, play.check) for play in runner.plays]
    assert told == [("repair.yml", ("alpha",), plan), ("site.yml", ("alpha",), plan)]
    assert "repair" in admin.get("/audit").text


def test_plan_of_a_repair_is_carried_out(person, core, worker, runner, hosts) -> None:
    admin = person("admin")
    admin.send("/doctor/examine", "/doctor")
    worker.work()
    core.actions.repair(Actor("tests", "shell"), plan=True)
    worker.runner = runner
    worker.work()
    runner.plays.clear()
    assert admin.send("/runs/2/carry-out", "/doctor").status_code == 303
    worker.work()
    assert [(play.playbook, play.check) for play in runner.plays] == [("repair.yml", False), ("site.yml", False)]


def test_nothing_is_repaired_before_a_visit(person, core) -> None:
    answer = person("admin").send("/doctor/repair", "/doctor")
    assert (answer.status_code, "nothing that can be repaired was found" in answer.text) == (409, True)
    assert core.runs.page() == []


def test_visit_that_was_interrupted_found_nothing(person, core, worker, hosts) -> None:
    hosts.interrupted = True
    person("admin").send("/doctor/examine", "/doctor")
    worker.work()
    assert (core.runs.get(1).state, core.runs.get(1).report) == ("cancelled", None)


def test_run_that_waits_long_is_told(person, core) -> None:
    admin = person("admin")
    assert "no run waits" in admin.get("/doctor").text
    admin.send("/doctor/examine", "/doctor")
    page = admin.get("/doctor").text
    assert "a run waits" in page
    assert "there is no worker" not in page


def test_api_does_all_of_it(api, worker, runner) -> None:
    admin = api("admin")
    assert admin.get("/doctor").json == {"findings": [], "run_id": None, "examined_at": None}
    assert admin.post("/doctor/repair").status_code == 409
    run = admin.post("/doctor/examine").json["id"]
    worker.work()
    told = api("viewer").get("/doctor").json
    assert (told["run_id"], told["examined_at"] is not None) == (run, True)
    assert {(one["host"], one["kind"]) for one in told["findings"]} >= {("alpha", "absent"), ("bravo", "unreachable")}
    assert admin.post("/doctor/repair?check=true").json["check"] is True
