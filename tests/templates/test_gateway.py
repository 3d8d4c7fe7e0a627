"""The configuration of the gateway is one that nginx takes, whatever services and projects there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_plugins import ROOT
from rendering import lines, project, project_variables, render
from role_files import rendered_by, tasks

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or shutil.which("nginx")
SERVICES = [["rest", "auth", "meta"], ["rest", "meta"], ["rest"], []]
PROJECTS = {
    "none": [],
    "one": [project("blog", domains=["blog.example.com", "www.example.com"])],
    "several": [
        project("my-blog", 1, domains=["my-blog.example.com"]),
        project("my-blog-2", 2, state="paused"),
        project("a" * 24, 3, idle_timeout="never", limits={"requests_per_second": 1}),
    ],
}
TEMPORARY = "".join(
    f"    {kind}_temp_path TREE/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: nobody checks the syntax")


def gateway(**given: object) -> str:
    """Return the rendered routes."""
    return render("nginx", "gateway.conf.j2", **given)


def location(text: str, prefix: str) -> list[str]:
    """Return the lines of one location."""
    found = re.search(rf"^    location {re.escape(prefix)} {{\n(.*?)^    }}$", text, re.DOTALL | re.MULTILINE)
    assert found, f"no location {prefix}"
    return lines(found[1])


@pytest.mark.parametrize("service", ["rest", "auth"])
def test_service_is_routed_to_the_project_of_the_request(service: str) -> None:
    text = location(gateway(nginx_services=[service]), f"/{service}/v1/")
    steps = ["set $berth_need any;", "include /etc/nginx/berth/check.conf;"]
    steps.append(f"proxy_pass http://berth_{service}_$berth_project;")
    assert [line for line in text if line in steps] == steps


@pytest.mark.parametrize("service", ["rest", "auth"])
def test_missing_service_is_answered_by_the_gateway(service: str) -> None:
    text = location(gateway(nginx_services=["meta"]), f"/{service}/v1/")
    assert text[0] == "include /etc/nginx/berth/cors.conf;"
    assert text[1].startswith("return 503 ")
    assert not [line for line in text if line.startswith("proxy_pass")]


def test_meta_wants_the_service_key_and_answers_no_browser() -> None:
    text = location(gateway(nginx_services=["meta"]), "/pg/")
    assert "set $berth_need service;" in text
    assert "proxy_pass http://$berth_meta_upstream;" in text
    assert not [line for line in text if "cors.conf" in line]


def test_meta_that_is_missing_has_no_upstream() -> None:
    text = gateway(nginx_services=["rest"])
    assert "upstream berth_meta" not in text
    assert location(text, "/pg/")[0].startswith("return 503 ")


@pytest.mark.parametrize("path", ["/auth/v1/verify", "/auth/v1/callback", "/auth/v1/authorize"])
def test_links_of_mails_need_no_key(path: str) -> None:
    assert "set $berth_need none;" in location(gateway(), path)


def test_root_of_the_api_wants_the_service_key() -> None:
    assert "set $berth_need service;" in location(gateway(), "= /rest/v1/")


def test_gateway_listens_where_told() -> None:
    text = lines(gateway(nginx_listen=["127.0.0.1:8080", "[::1]:8080"]))
    listening = [line for line in text if line.startswith("listen ")]
    assert listening == ["listen 127.0.0.1:8080 default_server;", "listen [::1]:8080 default_server;"]


def test_bodies_are_limited_as_told() -> None:
    assert "client_max_body_size 7m;" in lines(gateway(nginx_client_max_body_size="7m"))


def files(services: list[str], projects: list[dict]) -> dict[str, str]:
    """Return the files below /etc/nginx as the tasks of the roles nginx and project write them."""
    written = {}
    for entry in (entry for task in tasks("nginx") for entry in rendered_by(task)):
        given = {"nginx_services": services, "nginx_listen": ["127.0.0.1:18080"]}
        written[entry["path"]] = render("nginx", entry["template"], **given)
    own = [service for service in services if service != "meta"]
    for item in projects:
        given = project_variables(item, project_services=own)
        for entry in (entry for task in tasks("project") for entry in rendered_by(task)):
            path = entry["path"].replace("NAME", item["name"])
            written[path] = render("project", entry["template"], **given)
    return {path: text for path, text in written.items() if path.startswith("/etc/nginx/")}


def verdict(tree: Path, written: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Return what nginx says of the files, which are put below a directory of the test with all that they name."""
    for path, text in written.items():
        moved = re.sub(r"/etc/nginx|/var/log/nginx|/run/nginx\.pid", lambda found: f"{tree}{found[0]}", text)
        if path == "/etc/nginx/nginx.conf":
            moved = moved.replace("http {\n", "http {\n" + TEMPORARY.replace("TREE", str(tree)))
        (tree / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tree / path[1:]).write_text(moved)
    (tree / "etc/nginx/mime.types").write_text("types { text/html html; }\n")
    (tree / "var/log/nginx").mkdir(parents=True)
    (tree / "run").mkdir()
    command = [NGINX, "-t", "-q", "-c", tree / "etc/nginx/nginx.conf", "-p", tree, "-e", tree / "error.log"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_nginx
@pytest.mark.parametrize("services", SERVICES, ids=lambda services: "+".join(services) or "none")
@pytest.mark.parametrize("projects", PROJECTS.values(), ids=PROJECTS)
def test_nginx_takes_the_configuration(tmp_path: Path, services: list[str], projects: list[dict]) -> None:
    done = verdict(tmp_path, files(services, projects))
    assert done.returncode == 0, done.stderr
    assert "[emerg]" not in done.stderr


@needs_nginx
def test_nginx_refuses_a_broken_configuration(tmp_path: Path) -> None:
    written = files(["rest"], PROJECTS["one"])
    written["/etc/nginx/berth/projects/blog/state.map"] += "blog\n"
    assert verdict(tmp_path, written).returncode != 0


def test_each_project_has_its_own_names_in_nginx() -> None:
    texts = [render("project", "nginx/upstream.conf.j2", **project_variables(item)) for item in PROJECTS["several"]]
    names = [re.findall(r"^upstream (\S+)|zone=(\w+):", text, re.MULTILINE) for text in texts]
    flat = [name for found in names for pair in found for name in pair if name]
    assert len(flat) == len(set(flat)) == 9


def test_no_two_patterns_of_the_gateway_capture_under_one_name() -> None:
    texts = "".join(path.read_text() for path in (ROOT / "roles/nginx/templates").glob("*.j2"))
    patterns = re.findall(r'"~[^"\n]*"', texts)
    names = [name for pattern in patterns for name in set(re.findall(r"\?<(\w+)>", pattern))]
    assert len(names) > 5
    assert sorted(names) == sorted(set(names))
