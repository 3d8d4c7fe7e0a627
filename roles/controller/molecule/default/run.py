"""Asks for a run as the pages do, and prints what came of it once a worker has done it."""

import time

from webui.config import from_environment
from webui.core import make_core
from webui.services.runs import Order

core = make_core(from_environment())
with core.db.begin() as session:
    number = core.runs.submit(session, Order("repair", ("itself",), "repair.yml"), "molecule").id
core.runs.wake()
while not (run := core.runs.get(number)).over:
    time.sleep(0.2)
print(run.state, run.steps, run.reason or "")
