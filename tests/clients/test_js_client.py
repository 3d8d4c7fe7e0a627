"""The node suites with @supabase/supabase-js, once for each form of a project's URL."""

import os
import subprocess

import pytest
from clients import support

SUITES = ("rest", "auth", "rls")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("form", ["domain_url", "path_url"])
def test_node_suite(project, form, suite):
    """Every test of the suite passes; node's own output says which did not."""
    url = getattr(project, form)
    support.prepare(project.db_url, url, project.anon_key, "js")
    support.node_modules()
    settings = {
        "BERTH_URL": url,
        "BERTH_ANON_KEY": project.anon_key,
        "BERTH_SERVICE_ROLE_KEY": project.service_role_key,
        "BERTH_DB_URL": project.db_url,
    }
    run = subprocess.run(
        ["node", "--test", "--test-reporter=tap", f"{suite}.test.mjs"],
        cwd=support.JS,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, f"{suite} at {url}:\n{run.stdout}\n{run.stderr}"
    assert "# fail 0" in run.stdout
    assert "# pass 0" not in run.stdout, f"node found no test in {suite}:\n{run.stdout}"
