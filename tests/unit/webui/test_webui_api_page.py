"""The page docs/api.md: its curl lines work."""

import os
import re
import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from measured import project, report, shared
from werkzeug.serving import make_server

from berth.samples import Samples
from berth.status import host_status
from webui.models import now

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text()
BLOCKS = [block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "$BERTH" in block]


@pytest.fixture
def address(app, inventory: Path):
    """The application at an address, over a host with room."""
    told = report(*shared("blog")) | {"measured_at": (now() - timedelta(minutes=1)).isoformat()}
    Samples(inventory).add(host_status("alpha", told, [project("blog")]))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_curl_lines_work(address: str, api) -> None:
    token = api("admin").headers["Authorization"].removeprefix("Bearer ")
    environment = {"PATH": os.environ["PATH"], "BERTH": address, "TOKEN": token, "GATEWAY": address}
    assert len(BLOCKS) == 6
    for block in BLOCKS:
        # keys and gateway need a host that was configured
        if "$GATEWAY" not in block:
            done = subprocess.run(["bash", "-ec", block], env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
