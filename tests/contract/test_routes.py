"""Every address of the web UI says who may use it, in tests/routes.py."""

from pathlib import Path

import routes
import yaml

from webui import create_app
from webui.config import Config


def test_table_has_every_address_of_the_pages_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {}}}))
    app = create_app(Config(tmp_path, f"sqlite:///{tmp_path}/ui.db", "k" * 40, testing=True))
    app.extensions["berth"].close()
    there = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith("/api/")  # programs have rights of their own
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert there - set(routes.ROUTES) == set(), "not in tests/routes.py: say there who may use them"
    assert set(routes.ROUTES) - there == set(), "in tests/routes.py, and not there any more"


def test_table_says_something_of_everybody() -> None:
    words = {routes.LOG_IN, routes.OK, routes.FORBIDDEN, routes.HIDDEN}
    for route, line in routes.ROUTES.items():
        assert len(line.split()) == len(routes.PEOPLE), route
        assert set(line.split()) <= words, route
