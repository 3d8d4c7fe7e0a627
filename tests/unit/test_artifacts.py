"""Artifacts: sources in order, checksums, safe unpacking, reproducible packing, messages, the cache."""

import base64
import hashlib
import http.server
import io
import json
import shutil
import subprocess
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard

from berth import artifact_catalogue, artifact_sources, artifacts
from berth.artifact_catalogue import Catalogue, CatalogueError
from berth.artifact_trees import TreeError, extract_member, pack, unpack
from berth.artifacts import ArtifactUnavailable, fetch

WRONG = "a" * 64
PROGRAM = b"#!/bin/sh\necho hello\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Return an empty cache that all fetches of this test use."""
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BERTH_CATALOGUE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path):
    """Serve tmp_path/www on loopback; yields (address, list of paths asked for)."""
    asked: list[str] = []
    root = tmp_path / "www"
    root.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(root))

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()


def tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> str:
    """Write an archive of executable files and return its sha256."""
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return sha256(path.read_bytes())


def sha256(content: bytes) -> str:
    """Return the checksum of bytes as the catalogue writes it."""
    return hashlib.sha256(content).hexdigest()


def catalogue_of(*sources: dict, checksums: dict | None = None) -> Catalogue:
    """Return a catalogue with the one service 'rest' 1.0 from these sources."""
    service = {
        "executable": "bin/postgrest",
        "default": "1.0",
        "versions": {"1.0": {"linux-x86_64": {"sources": sources}}},
    }
    return Catalogue.model_validate({"services": {"rest": service}, "checksums": checksums or {}})


def archive(url: str, **fields) -> dict:
    """Return an archive source."""
    return {"kind": "archive", "url": url, **fields}


def names_in(path: Path) -> list[str]:
    """Return the member names of an artifact in their order."""
    with tarfile.open(path) as packed:
        return packed.getnames()


def refused(known: Catalogue) -> ArtifactUnavailable:
    """Return the refusal that fetching 'rest' ends with."""
    with pytest.raises(ArtifactUnavailable) as caught:
        fetch("rest", known=known)
    return caught.value


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_one_member_of_an_archive_becomes_the_executable(tmp_path, server, mode):
    digest = tar(tmp_path / "www/rest.tar", {"./postgrest": PROGRAM, "README": b"x"}, mode)
    steps: list[tuple[str, int, int | None]] = []

    artifact = fetch(
        "rest",
        progress=lambda *step: steps.append(step),
        known=catalogue_of(archive(f"{server[0]}/rest.tar", member="postgrest", sha256=digest)),
    )

    assert (artifact.service, artifact.version) == ("rest", "1.0")
    assert names_in(artifact.path) == ["bin", "bin/postgrest"]
    assert artifact.sha256 == sha256(artifact.path.read_bytes())
    size = (tmp_path / "www/rest.tar").stat().st_size
    assert steps[-1] == (f"downloading: archive {server[0]}/rest.tar", size, size)


@pytest.mark.parametrize("top", ["", "postgrest-v1.0-linux-amd64/"])
def test_a_whole_zstandard_archive_becomes_the_tree_with_or_without_a_top_directory(tmp_path, top):
    plain = tmp_path / "rest.tar"
    tar(plain, {f"{top}bin/postgrest": PROGRAM, f"{top}lib/libpq.so.5": b"x"}, "w")
    packed = tmp_path / "rest.tar.zst"
    content = plain.read_bytes()
    packed.write_bytes(zstandard.compress(content[:700]) + zstandard.compress(content[700:]))

    artifact = fetch("rest", known=catalogue_of(archive(packed.as_uri(), sha256=sha256(packed.read_bytes()))))

    assert names_in(artifact.path) == ["bin", "bin/postgrest", "lib", "lib/libpq.so.5"]


def test_sources_are_tried_in_order_and_the_first_that_delivers_is_used(tmp_path, server):
    digest = tar(tmp_path / "www/good.tgz", {"postgrest": PROGRAM})
    known = catalogue_of(
        archive(f"{server[0]}/missing.tgz", sha256=digest),
        archive(f"{server[0]}/good.tgz", member="postgrest", sha256=digest),
        archive(f"{server[0]}/never.tgz", sha256=digest),
    )

    artifact = fetch("rest", known=known)

    assert server[1] == ["/missing.tgz", "/good.tgz"]
    assert json.loads(artifact.path.with_name(f"{artifact.path.name}.json").read_text())["from"].endswith("/good.tgz")


@pytest.mark.parametrize("field", ["sha256", "member_sha256"])
def test_a_wrong_checksum_is_refused_and_nothing_stays_in_the_cache(tmp_path, cache, field):
    tar(tmp_path / "rest.tgz", {"postgrest": PROGRAM})
    source = archive((tmp_path / "rest.tgz").as_uri(), member="postgrest", **{field: WRONG})

    assert "wrong checksum" in str(refused(catalogue_of(source)))
    assert [path.name for path in cache.iterdir()] == ["rest-1.0-linux-x86_64.tar.gz.lock"]


def test_the_refusal_names_service_version_each_source_each_answer_and_the_remedy(tmp_path, server):
    digest = tar(tmp_path / "www/empty.tgz", {"README": b"x"})
    closed = "http://127.0.0.1:9"
    error = refused(
        catalogue_of(
            archive(f"{closed}/rest.tgz", sha256=digest),
            archive(f"{server[0]}/missing.tgz", sha256=digest),
            archive(f"{server[0]}/empty.tgz", sha256=digest),
            archive(f"{server[0]}/unknown.tgz"),
        )
    )

    lines = str(error).splitlines()
    assert lines[0] == "rest 1.0 for linux-x86_64 is not available. Sources tried, in this order:"
    assert lines[1].startswith(f"  1. archive {closed}/rest.tgz: no connection: [Errno 111]")
    assert lines[2] == f"  2. archive {server[0]}/missing.tgz: HTTP 404 File not found"
    assert lines[3] == f"  3. archive {server[0]}/empty.tgz: it contains no bin/postgrest"
    assert lines[4].startswith(f"  4. archive {server[0]}/unknown.tgz: not downloaded: the catalogue knows no sha256")
    assert "BERTH_CATALOGUE" in lines[5]
    assert "/unknown.tgz" not in server[1]


def test_a_checksum_supplied_by_address_opens_a_source_that_has_none(tmp_path):
    digest = tar(tmp_path / "rest.tgz", {"postgrest": PROGRAM})
    url = (tmp_path / "rest.tgz").as_uri()

    assert fetch("rest", known=catalogue_of(archive(url, member="postgrest"), checksums={url: digest})).path.exists()
    assert "wrong checksum" in str(refused(catalogue_of(archive(url, member="postgrest"), checksums={url: WRONG})))


def test_a_server_that_never_answers_is_given_up(monkeypatch, cache):
    monkeypatch.setattr(artifact_sources, "CONNECT_SECONDS", 0.2)
    with http.server.socketserver.TCPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as silent:
        url = f"http://127.0.0.1:{silent.server_address[1]}/rest.tgz"

        assert "timed out" in str(refused(catalogue_of(archive(url, sha256=WRONG))))


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../outside", tarfile.REGTYPE, ""),
        ("/outside", tarfile.REGTYPE, ""),
        ("bin/link", tarfile.SYMTYPE, "../../outside"),
        ("bin/link", tarfile.LNKTYPE, "../outside"),
        ("bin/device", tarfile.CHRTYPE, ""),
    ],
)
def test_an_archive_that_reaches_outside_or_holds_a_device_is_refused(tmp_path, name, kind, link):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    with tarfile.open(tmp_path / "bad.tar", "w") as bad:
        bad.addfile(entry)
    target = tmp_path / "target" / "tree"
    target.mkdir(parents=True)

    if name.startswith("/"):
        unpack(tmp_path / "bad.tar", target)  # the leading slash is dropped, as tar itself does
        assert (target / "outside").exists()
    else:
        with pytest.raises(TreeError, match="archive refused"):
            unpack(tmp_path / "bad.tar", target)
    assert not (tmp_path / "target" / "outside").exists()
    assert not Path("/outside").exists()


def test_a_python_without_safe_unpacking_says_which_one_is_needed(tmp_path, monkeypatch):
    tar(tmp_path / "rest.tgz", {"bin/postgrest": PROGRAM})
    monkeypatch.delattr(tarfile, "data_filter")

    with pytest.raises(TreeError, match=r"use 3\.11\.4 or newer"):
        unpack(tmp_path / "rest.tgz", tmp_path / "tree")


def test_a_truncated_archive_is_refused(tmp_path):
    tar(tmp_path / "rest.tgz", {"postgrest": bytes(range(256)) * 4000})
    content = (tmp_path / "rest.tgz").read_bytes()[:-100]
    (tmp_path / "rest.tgz").write_bytes(content)
    source = archive((tmp_path / "rest.tgz").as_uri(), member="postgrest", sha256=sha256(content))

    assert "archive refused" in str(refused(catalogue_of(source)))


def test_packing_depends_on_content_alone(tmp_path):
    results = []
    for order in (("a", "b"), ("b", "a")):
        tree = tmp_path / "".join(order)
        for name in order:
            (tree / "bin").mkdir(parents=True, exist_ok=True)
            (tree / "bin" / name).write_text(name)
        (tree / "bin" / "a").chmod(0o700 if order[0] == "a" else 0o755)
        (tree / "bin" / "link").symlink_to("a")
        stream = io.BytesIO()
        pack(tree, stream)
        results.append(stream.getvalue())

    assert results[0] == results[1]
    assert results[0][4:8] == bytes(4)  # the time in the gzip header
    with tarfile.open(fileobj=io.BytesIO(results[0])) as packed:
        assert {(entry.uid, entry.gid, entry.mtime, entry.uname) for entry in packed} == {(0, 0, 0, "")}
        assert [(entry.name, entry.mode) for entry in packed if entry.isreg()] == [("bin/a", 0o755), ("bin/b", 0o644)]
        assert packed.getmember("bin/link").linkname == "a"


def test_the_cache_is_used_until_the_file_or_the_catalogue_changes(tmp_path, server):
    digest = tar(tmp_path / "www/rest.tgz", {"postgrest": PROGRAM})
    known = catalogue_of(archive(f"{server[0]}/rest.tgz", member="postgrest", sha256=digest))
    first = fetch("rest", known=known)
    assert fetch("rest", known=known) == first
    assert len(server[1]) == 1

    first.path.write_bytes(first.path.read_bytes()[:-1] + b"?")
    assert fetch("rest", known=known) == first
    assert sha256(first.path.read_bytes()) == first.sha256
    assert len(server[1]) == 2

    digest = tar(tmp_path / "www/rest.tgz", {"postgrest": PROGRAM + b"# newer\n"})
    changed = catalogue_of(archive(f"{server[0]}/rest.tgz", member="postgrest", sha256=digest))
    assert fetch("rest", known=changed).sha256 != first.sha256


def test_simultaneous_fetches_download_once_and_agree(tmp_path, server):
    digest = tar(tmp_path / "www/rest.tgz", {"postgrest": PROGRAM})
    known = catalogue_of(archive(f"{server[0]}/rest.tgz", member="postgrest", sha256=digest))

    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(lambda _: fetch("rest", known=known), range(8)))

    assert len(results) == 1
    assert server[1] == ["/rest.tgz"]


def go_source(**fields) -> dict:
    """Return a Go source of a module that no proxy is asked for."""
    return {"kind": "go", "module": "example.test/hello", "revision": "v1.0.0", "toolchain": "go1.26.6", **fields}


@pytest.fixture
def go() -> str:
    """Return the go command; skips the test where there is none."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("no go command on PATH")
    return found


@pytest.mark.parametrize(
    ("variable", "value"), [("GOSUMDB", "off"), ("GONOSUMDB", "example.*"), ("GOPRIVATE", "example.test/hello")]
)
def test_go_is_refused_where_nothing_verifies_the_module(go, monkeypatch, variable, value):
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv(variable, value)

    error = str(refused(catalogue_of(go_source())))

    assert "Go module example.test/hello@v1.0.0: not built: " in error
    assert variable in error


def test_go_reports_what_the_module_proxy_answered(go, monkeypatch):
    monkeypatch.setenv("GOPROXY", "off")

    assert "module lookup disabled by GOPROXY=off" in str(refused(catalogue_of(go_source())))


def module_proxy(root: Path) -> str:
    """Lay out a file module proxy with example.test/hello v1.0.0 and return the module's h1 sum."""
    files = {"go.mod": b"module example.test/hello\n\ngo 1.21\n", "main.go": b"package main\n\nfunc main() {}\n"}
    versions = root / "example.test/hello/@v"
    versions.mkdir(parents=True)
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_bytes(files["go.mod"])
    lines = ""
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as packed:
        for name, content in files.items():
            packed.writestr(f"example.test/hello@v1.0.0/{name}", content)
            lines += f"{sha256(content)}  example.test/hello@v1.0.0/{name}\n"
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def test_a_go_module_is_built_when_its_h1_sum_is_right_and_refused_when_wrong(go, tmp_path, monkeypatch):
    right = module_proxy(tmp_path / "proxy")
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    local = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()

    assert "wrong checksum of the module" in str(refused(catalogue_of(go_source(h1=f"h1:{'A' * 43}="))))
    artifact = fetch("rest", known=catalogue_of(go_source(h1=right, toolchain=local)))

    extract_member(artifact.path, "bin/postgrest", tmp_path / "built")
    subprocess.run([tmp_path / "built"], check=True)


def test_a_changed_lock_file_is_refused_before_npm_runs(tmp_path, monkeypatch):
    (tmp_path / "node/meta").mkdir(parents=True)
    (tmp_path / "node/meta/package-lock.json").write_text("{}")
    monkeypatch.setattr(artifact_sources, "NODE_TREES", tmp_path / "node")
    monkeypatch.setattr(artifact_sources, "_tool", lambda *_: pytest.fail("npm was looked for"))

    with pytest.raises(ArtifactUnavailable, match=r"wrong checksum of meta/package-lock\.json"):
        fetch("meta", "0.99.0")


def test_the_committed_lock_files_name_no_host_and_match_the_catalogue():
    locks = sorted(artifact_sources.NODE_TREES.glob("*/package-lock.json"))
    assert [lock.parent.name for lock in locks] == ["meta"]
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        packages = json.loads(text)["packages"]
        assert not [name for name, package in packages.items() if "resolved" in package]
        assert not [name for name, package in packages.items() if name and "sha512-" not in package["integrity"]]
    for build in artifacts.catalogue().services["meta"].versions["0.99.0"].values():
        assert build.sources[0].lock_sha256 == sha256(locks[0].read_bytes())


def test_the_shipped_catalogue_has_the_defaults_and_a_checksum_rule_for_every_source():
    shipped = artifacts.catalogue()

    assert {name: service.default for name, service in shipped.services.items()} == {
        "rest": "12.0.2",
        "auth": "2.189.0",
        "meta": "0.99.0",
    }
    without = [
        source.describe().rsplit("/", 1)[-1]
        for service in shipped.services.values()
        for version in service.versions.values()
        for build in version.values()
        for source in build.sources
        if source.kind == "archive" and not (source.sha256 or source.member_sha256)
    ]
    assert without == [
        "postgrest-v12.0.2-ubuntu-aarch64.tar.xz",
        "auth-v2.189.0-x86.tar.gz",
        "auth-v2.189.0-arm64.tar.gz",
    ]


def test_the_operators_file_is_merged_by_service_and_version(tmp_path, monkeypatch):
    own = tmp_path / "own.yml"
    own.write_text(
        "services: {auth: {default: '2.190.0', versions: {'2.190.0': {linux-x86_64: {sources: "
        f"[{{kind: archive, url: 'https://mirror.example/auth.tgz', member: auth, sha256: {WRONG}}}]}}}}}}}}}}\n"
    )
    monkeypatch.setenv("BERTH_CATALOGUE", str(own))

    merged = artifacts.catalogue()

    assert merged.services["auth"].default == "2.190.0"
    assert set(merged.services["auth"].versions) == {"2.189.0", "2.190.0", "2.197.0"}
    assert merged.services["auth"].executable == "bin/auth"
    assert merged.services["rest"] == artifact_catalogue.load({}).services["rest"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services: {rest: {default: 16.5}}", "services.rest.default: found 16.5"),
        ("services: {rest: {defualt: '16.5'}}", "services.rest.defualt: found '16.5'"),
        ("services: {rest: {executable: ../postgrest}}", "must be a relative path without '..'"),
        ("checksums: {https://a.example/x: abc}", "found 'abc'"),
        ("- rest", "found list; must be a mapping"),
        ("services: {", "cannot be read as YAML"),
    ],
)
def test_a_wrong_operators_file_is_named_with_field_and_value(tmp_path, text, expected):
    own = tmp_path / "own.yml"
    own.write_text(text)

    with pytest.raises(CatalogueError) as caught:
        artifact_catalogue.load({"BERTH_CATALOGUE": str(own)})

    assert str(own) in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("kong",), "service 'kong' is not in the catalogue; known: rest, auth, meta"),
        (("rest", "1.0"), "rest '1.0' is not in the catalogue; versions: 12.0.2, 16.5"),
        (("rest", "16.5", "darwin-arm64"), "no sources for platform 'darwin-arm64'; it has: linux-x86_64"),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused_with_what_it_has(arguments, expected):
    with pytest.raises(CatalogueError) as caught:
        fetch(*arguments)

    assert expected in str(caught.value)


def test_the_command_fails_for_a_missing_service_unless_it_may_be_missing(tmp_path, monkeypatch, capsys):
    digest = tar(tmp_path / "rest.tgz", {"postgrest": PROGRAM})
    good = catalogue_of(archive((tmp_path / "rest.tgz").as_uri(), member="postgrest", sha256=digest)).model_dump()
    good["services"]["auth"] = catalogue_of(archive((tmp_path / "none").as_uri(), sha256=WRONG)).model_dump()[
        "services"
    ]["rest"]
    monkeypatch.setattr(artifacts, "catalogue", lambda: Catalogue.model_validate(good))

    assert artifacts.main(["fetch", "rest", "auth"]) == 1
    first = capsys.readouterr()
    assert first.out.startswith("rest 1.0: ")
    assert "auth 1.0 for linux-x86_64 is not available" in first.err

    assert artifacts.main(["fetch", "auth", "rest", "--allow-missing", "auth"]) == 0
    second = capsys.readouterr()
    assert second.out.splitlines()[0] == "auth 1.0: NOT AVAILABLE; going on without auth"
    assert artifacts.main(["fetch", "kong", "--allow-missing", "kong"]) == 1
