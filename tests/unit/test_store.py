"""Declarations written by commands: numbers, checks before writing, concurrent writers, files that people edited."""

import multiprocessing
import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from berth.declarations import DeclarationError, load
from berth.errors import BerthError
from berth.names import HIGHEST_NUMBER, NAME_RULE, InvalidName, database_name, validate_name
from berth.staging import staged
from berth.store import DeclarationStore, StoreError
from berth.yaml_edit import compose, edit
from berth.yaml_files import InvalidYaml, parse_mapping

HOSTS = ("alpha", "bravo")
EDITED = """\
# The blog of Ada
---
# do not touch
name: blog   # the name

number: 7
host: 'alpha'
architecture: "shared"

domains:
- blog.example.com  # since 2021
- www.example.com   # the old one
# how long
idle_timeout: 1h    # saves memory
limits:
    connections: 20  # enough
    # measured in May
    memory: 1G
# of the API
rest: {schemas: [public, api], max_rows: 500}  # small
# the end
"""


@pytest.fixture
def store(tmp_path: Path) -> DeclarationStore:
    """The store of an environment without projects."""
    return DeclarationStore(tmp_path, HOSTS)


@pytest.fixture
def edited(store: DeclarationStore) -> DeclarationStore:
    """A store with one project, whose file a person wrote with care."""
    store.directory.mkdir()
    (store.directory / "blog.yml").write_text(EDITED)
    return store


def files(store: DeclarationStore) -> dict[str, str]:
    """The files of the projects with their texts, without the lock."""
    there = store.directory.iterdir() if store.directory.is_dir() else []
    return {path.name: path.read_text() for path in there if path.name != ".lock"}


def test_add_writes_a_declaration_for_people(store: DeclarationStore) -> None:
    project = store.add("blog", "alpha", domains=["blog.example.com"], idle_timeout="1h")
    assert files(store) == {
        "blog.yml": "---\nname: blog\nnumber: 1\nhost: alpha\narchitecture: shared\n"
        "domains: [blog.example.com]\nidle_timeout: 1h\n",
        ".highest-number": "1\n",
    }
    assert stat.S_IMODE((store.directory / "blog.yml").stat().st_mode) == 0o644
    assert store.load() == {"blog": project}


def test_add_leaves_out_what_was_not_given(store: DeclarationStore) -> None:
    store.add("blog", "alpha", domains=[], idle_timeout=None)
    assert "domains" not in files(store)["blog.yml"]
    assert "idle_timeout" not in files(store)["blog.yml"]


def test_numbers_are_never_used_again(store: DeclarationStore) -> None:
    assert [store.add(name, "alpha").number for name in ("one", "two", "three")] == [1, 2, 3]
    (store.directory / "three.yml").unlink()
    assert store.add("four", "alpha").number == 4


def test_removed_number_is_never_used_again(edited: DeclarationStore) -> None:
    edited.remove("blog")
    assert files(edited) == {".highest-number": "7\n"}
    assert edited.add("shop", "alpha").number == 8
    edited.remove("shop")
    assert edited.add("shop", "alpha").number == 9
    with pytest.raises(StoreError, match="'blog' is not declared"):
        edited.remove("blog")


def test_numbers_written_by_hand_count(edited: DeclarationStore) -> None:
    (edited.directory / ".highest-number").write_text("3\n")
    assert edited.add("shop", "alpha").number == 8


def test_highest_number_has_no_next(edited: DeclarationStore) -> None:
    (edited.directory / ".highest-number").write_text(f"{HIGHEST_NUMBER}\n")
    before = files(edited)
    with pytest.raises(StoreError, match=f"number: {HIGHEST_NUMBER} is taken"):
        edited.add("shop", "alpha")
    assert files(edited) == before


@pytest.mark.parametrize("text", ["", "many", "-1", "1 2", "\u0663", "99999"])
def test_broken_highest_number_is_told(edited: DeclarationStore, text: str) -> None:
    (edited.directory / ".highest-number").write_text(text)
    with pytest.raises(StoreError, match=r"\.highest-number: found .*, allowed: the highest number ever given"):
        edited.add("shop", "alpha")


def add_one(directory: Path, index: int, start: object) -> None:
    """Adds one project as soon as all are ready."""
    start.wait()
    DeclarationStore(directory, HOSTS).add(f"p{index}", HOSTS[index % 2], domains=[f"p{index}.example.com"])


def test_twenty_adds_at_once_give_twenty_right_projects(store: DeclarationStore) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(20)
    writers = [context.Process(target=add_one, args=(store.inventory_dir, index, start)) for index in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 20
    projects = load(store.inventory_dir, HOSTS)
    assert sorted(projects) == sorted(f"p{index}" for index in range(20))
    assert sorted(project.number for project in projects.values()) == list(range(1, 21))
    assert all(project.domains == [f"{name}.example.com"] for name, project in projects.items())
    assert files(store)[".highest-number"] == "20\n"


def change_once(directory: Path, key: str, start: object) -> None:
    """Changes one key as soon as all are ready."""
    start.wait()
    DeclarationStore(directory, HOSTS).update("blog", {key: 50})


def test_changes_at_once_lose_none(edited: DeclarationStore) -> None:
    keys = ["limits.connections", "limits.requests_per_second", "rest.max_rows"]
    context = multiprocessing.get_context("fork")
    start = context.Barrier(len(keys))
    writers = [context.Process(target=change_once, args=(edited.inventory_dir, key, start)) for key in keys]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    project = edited.load()["blog"]
    assert (project.limits.connections, project.limits.requests_per_second, project.rest.max_rows) == (50, 50, 50)


BAD_ADDS = {
    "upper case": ({"name": "Blog"}, NAME_RULE),
    "look-alike": ({"name": "bl\u043eg"}, NAME_RULE),
    "underscore": ({"name": "blog_"}, NAME_RULE),
    "one character": ({"name": "b"}, NAME_RULE),
    "25 characters": ({"name": "b" * 25}, NAME_RULE),
    "path": ({"name": "../blog"}, NAME_RULE),
    "reserved": ({"name": "postgres"}, "reserved for PostgreSQL, Supabase or Berth itself"),
    "taken": ({"name": "blog"}, "name: found 'blog', which .*blog.yml has already"),
    "host": ({"host": "gamma"}, "^host: found 'gamma', allowed: a host of the inventory .alpha, bravo.; correct"),
    "database": ({"database": "dedicated"}, "^database: found 'dedicated', allowed: shared, as long as"),
    "word": ({"architecture": "big"}, "^architecture: found 'big', allowed: shared or isolated"),
    "domain": ({"domains": ["BLOG.example.com"]}, r"^domains\[0\]: found 'BLOG.example.com', allowed: a DNS name"),
    "domain twice": ({"domains": ["a.b.com", "a.b.com"]}, "^domains: found .* a.b.com is there twice"),
    "domain of another": (
        {"name": "a-shop", "domains": ["blog.example.com"]},
        "^domains: found 'blog.example.com', which .*blog.yml has already",
    ),
    "idle timeout": ({"idle_timeout": "soon"}, "^idle_timeout: found 'soon', allowed: a time up to 30d"),
}


@pytest.mark.parametrize("case", BAD_ADDS)
def test_bad_add_is_refused_in_one_line_and_writes_nothing(edited: DeclarationStore, case: str) -> None:
    values, told = BAD_ADDS[case]
    before = files(edited)
    with pytest.raises(BerthError, match=told) as refusal:
        edited.add(**{"name": "shop", "host": "alpha"} | values)
    assert len(str(refusal.value).splitlines()) == 1
    assert files(edited) == before


BAD_UPDATES = {
    "value": ({"limits.connections": 4}, "^limits.connections: found 4, allowed: a whole number from 5 to 500"),
    "type": ({"rest.max_rows": "many"}, "^rest.max_rows: found 'many', allowed: a whole number"),
    "key": ({"limits.conections": 9}, "^limits.conections: unknown key, .* did you mean connections"),
    "section": ({"limitz.connections": 9}, "^limitz: unknown key, .* did you mean limits"),
    "no section": ({"idle_timeout.x": 1}, "^idle_timeout.x: not a key of a declaration"),
    "too deep": ({"auth.providers.a.b.c": 1}, "^auth.providers.a.b.c: not a key of a declaration"),
    "empty key": ({"": 1}, "not a key of a declaration"),
    "half a key": ({"limits.": 1}, "not a key of a declaration"),
    "twice": ({"limits": {}, "limits.connections": 9}, "^limits: given as a whole and by its keys"),
    "name": ({"name": "shop"}, "^name: cannot be changed: add another project"),
    "number": ({"number": 8}, "^number: cannot be changed"),
    "host": ({"host": "bravo"}, "^host: cannot be changed: moving a project"),
    "database": ({"database": "dedicated"}, "^database: cannot be changed: berth convert moves it"),
    "together": ({"rest.pool": 20}, "^rest.pool: found 20, allowed: less than limits.connections"),
}


@pytest.mark.parametrize("case", BAD_UPDATES)
def test_bad_update_is_refused_in_one_line_and_writes_nothing(edited: DeclarationStore, case: str) -> None:
    changes, told = BAD_UPDATES[case]
    with pytest.raises(BerthError, match=told) as refusal:
        edited.update("blog", changes)
    assert len(str(refusal.value).splitlines()) == 1
    assert files(edited) == {"blog.yml": EDITED}


def test_update_of_an_unknown_project_names_the_known_ones(edited: DeclarationStore) -> None:
    with pytest.raises(StoreError, match=r"project 'shop' is not declared in .*projects; declared: blog"):
        edited.update("shop", {"idle_timeout": "1h"})


def test_another_broken_file_keeps_everything_as_it_is(edited: DeclarationStore) -> None:
    (edited.directory / "shop.yml").write_text("name: [")
    before = files(edited)
    with pytest.raises(DeclarationError, match=r"shop\.yml: not readable as YAML"):
        edited.add("wiki", "alpha")
    assert files(edited) == before


UPDATES = {
    "a value": ({"idle_timeout": "never"}, ("idle_timeout: 1h   ", "idle_timeout: never")),
    "a value in a section": ({"limits.connections": 50}, ("connections: 20", "connections: 50")),
    "a value on a line": ({"rest.max_rows": 100}, ("max_rows: 500", "max_rows: 100")),
    "a new key in a section": ({"limits.temp_file_limit": "2GB"}, ("1G\n", "1G\n    temp_file_limit: 2GB\n")),
    "a new section": ({"auth.disable_signup": True}, ("# the end", "auth: {disable_signup: true}\n# the end")),
    "a new key": ({"state": "paused"}, ("# the end", "state: paused\n# the end")),
    "a removed key": ({"limits.memory": None}, ("    memory: 1G\n", "")),
    "nothing": ({"idle_timeout": "1h", "auth.site_url": None}, ("", "")),
}


@pytest.mark.parametrize("case", UPDATES)
def test_update_changes_nothing_else_in_a_file(edited: DeclarationStore, case: str) -> None:
    changes, (before, after) = UPDATES[case]
    edited.update("blog", changes)
    assert normal(files(edited)["blog.yml"]) == normal(EDITED.replace(before, after, 1))


def normal(text: str) -> list[str]:
    """The lines of a file without the number of spaces before a comment, which moves with the value."""
    return [" #".join(part.rstrip() for part in line.split(" #")) for line in text.splitlines()]


def test_domains_keep_their_comments(edited: DeclarationStore) -> None:
    edited.change_domains("blog", add=["new.example.com"])
    text = files(edited)["blog.yml"]
    assert "# the old one\n- new.example.com\n# how long\n" in text
    edited.change_domains("blog", remove=["www.example.com", "new.example.com"])
    assert "- blog.example.com  # since 2021\n# how long\n" in files(edited)["blog.yml"]
    edited.change_domains("blog", remove=["blog.example.com"])
    assert "domains: []\n# how long\n" in files(edited)["blog.yml"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"remove": ["x.example.com"]}, "^domains: found 'x.example.com' to remove, allowed: blog.example.com, www"),
        ({"add": ["blog.example.com"]}, "^domains: found 'blog.example.com' to add, which blog has already"),
        ({"add": ["n.example.com", "n.example.com"]}, "is there twice"),
        ({"add": ["nothing"]}, r"^domains\[2\]: found 'nothing', allowed: a DNS name"),
    ],
)
def test_bad_change_of_domains_is_refused(edited: DeclarationStore, change: dict, told: str) -> None:
    with pytest.raises(BerthError, match=told):
        edited.change_domains("blog", **change)
    assert files(edited) == {"blog.yml": EDITED}


def test_file_keeps_its_mode_and_a_link_stays_a_link(edited: DeclarationStore, tmp_path: Path) -> None:
    real = (edited.directory / "blog.yml").rename(tmp_path / "real.yml")
    real.chmod(0o640)
    (edited.directory / "blog.yml").symlink_to(real)
    edited.update("blog", {"idle_timeout": "2h"})
    assert (edited.directory / "blog.yml").is_symlink()
    assert "idle_timeout: 2h" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_alias_that_would_change_more_is_refused(store: DeclarationStore) -> None:
    text = "rest: {schemas: &s [public], extra_search_path: *s}\nname: blog\n"
    with pytest.raises(InvalidYaml, match="without changing more of it; edit the file by hand"):
        edit(text, {("rest", "schemas"): ["public", "api"]})


def test_words_that_yaml_reads_otherwise_are_quoted() -> None:
    values = {"schemas": ["on", "no", "1:30", "0x1f", "null", "a b", "a, b", "{", "~"], "mode": "yes"}
    assert parse_mapping(compose(values)) == values
    assert parse_mapping(edit("name: x\n", {("rest",): values})) == {"name": "x", "rest": values}


DOMAINS = st.from_regex(r"[a-z]{1,8}\.example\.com", fullmatch=True)


@given(st.lists(DOMAINS, unique=True, max_size=4), st.lists(DOMAINS, unique=True, max_size=4), st.booleans())
def test_any_change_of_a_list_keeps_every_comment_line(old: list[str], new: list[str], is_indented: bool) -> None:
    dash = "  - " if is_indented else "- "
    block = "".join(f"# before {item}\n{dash}{item}\n" for item in old)
    text = f"name: blog\n# of domains\ndomains:{f'{chr(10)}{block}' if old else ' []'}# after\nnumber: 1 # one\n# end\n"
    changed = edit(text, {("domains",): new})
    assert parse_mapping(changed) == {"name": "blog", "domains": new, "number": 1}
    for comment in ("# of domains", "# after", "# one", "# end"):
        assert comment in changed
    assert changed.index("# after") < changed.index("number: 1")


@given(st.text(max_size=30))
def test_any_name_is_either_refused_or_a_file_of_its_own(name: str) -> None:
    store = DeclarationStore(Path("/nowhere-at-all"), HOSTS)
    try:
        validate_name(name)
    except InvalidName:
        with pytest.raises(InvalidName):
            store.draft_add(name, "alpha")
    else:
        assert (store.directory / f"{name}.yml").parent == store.directory
        assert database_name(name).replace("_", "-") == name


def test_any_domain_is_refused_or_written_as_it_is(tmp_path: Path) -> None:
    store = DeclarationStore(tmp_path, HOSTS)

    @given(st.one_of(st.text(max_size=20), DOMAINS))
    def check(domain: str) -> None:
        try:
            draft = store.draft_add("blog", "alpha", domains=[domain])
        except DeclarationError as error:
            refused = error.problems
        else:
            refused = []
            assert yaml.safe_load(draft.text)["domains"] == [domain]
            assert set(domain) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert len(refused) <= 1

    check()
    assert files(store) == {}


def test_staged_environment_has_the_draft_and_leaves_the_real_one_alone(edited: DeclarationStore) -> None:
    hosts = edited.inventory_dir / "hosts.yml"
    hosts.write_text("all: {}\n")
    (edited.inventory_dir / ".vault-password").write_text("x")
    before = files(edited)
    for draft in (edited.draft_add("shop", "bravo"), edited.draft_update("blog", {"state": "paused"})):
        with staged(hosts, draft) as inventory:
            assert inventory.read_text() == "all: {}\n"
            assert stat.S_IMODE(inventory.parent.stat().st_mode) == 0o700
            assert (inventory.parent / ".vault-password").read_text() == "x"
            assert load(inventory.parent, HOSTS)[draft.project.name] == draft.project
            assert "blog" in load(inventory.parent, HOSTS)
        assert not inventory.parent.exists()
        assert files(edited) == before


def test_staged_environment_works_before_there_is_any_project(store: DeclarationStore) -> None:
    with staged(store.inventory_dir, store.draft_add("shop", "bravo")) as inventory:
        assert list(load(inventory, HOSTS)) == ["shop"]
    assert not store.directory.exists()


def test_directory_that_cannot_be_written_is_told(store: DeclarationStore) -> None:
    store.directory.write_text("a file where the directory belongs")
    with pytest.raises(StoreError, match=r"projects: not writable .*; correct the directory"):
        store.add("blog", "alpha")
