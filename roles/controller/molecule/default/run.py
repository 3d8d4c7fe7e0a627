"""Has the doctor examine all hosts, as the pages do, and prints what came of it once a worker has done it."""

import time

from webui.config import from_environment
from webui.core import make_core
from webui.services.audit import Actor

core = make_core(from_environment())
number = core.actions.examine(Actor("molecule", "shell")).id
while not (run := core.runs.get(number)).over:
    time.sleep(0.2)
print(run.state, run.reason or "")
for finding in core.actions.findings():
    print(finding.host, finding.kind, finding.what)
