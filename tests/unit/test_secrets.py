"""Secrets: made once, encrypted as ansible-vault does it, shown nowhere."""

import multiprocessing
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
import yaml

from berth.names import InvalidName
from berth.project_secrets import ProjectSecrets
from berth.secrets import SecretsError, SecretsMissing, SecretStore
from berth.vault import PASSWORD_FILE

NO_SECRETS = ("id", "created")
ANSIBLE_VAULT = Path(sys.executable).parent / "ansible-vault"


@pytest.fixture(autouse=True)
def _no_password_file_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_below(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def vault(*arguments: object) -> str:
    command = [str(ANSIBLE_VAULT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def values_of(secrets: ProjectSecrets) -> list[str]:
    """Return all that nobody may see."""
    texts = [value for one in secrets.key_sets for name, value in one.as_mapping().items() if name not in NO_SECRETS]
    keys = [one.signing_key["d"] for one in secrets.key_sets]
    return [secrets.owner_password, *keys, *secrets.auth.values(), *(text for text in texts if isinstance(text, str))]


def test_secrets_of_a_project_are_complete(tmp_path: Path) -> None:
    made = SecretStore(tmp_path).project("my-blog")
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,}", made.owner_password)
    assert made.auth == {}
    [keys] = made.key_sets
    assert keys.id == "k1"
    for key, role in ((made.anon_key, "anon"), (made.service_role_key, "service_role")):
        claims = jwt.decode(key, keys.jwt_secret, algorithms=["HS256"])
        assert (claims["role"], claims["ref"]) == (role, "my-blog")


def test_secrets_are_made_once(tmp_path: Path) -> None:
    first = SecretStore(tmp_path)
    again = SecretStore(tmp_path)
    assert again.project("blog") == first.project("blog")
    assert again.host("alpha") == first.host("alpha")


def test_projects_and_hosts_share_nothing(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    blog, shop = store.project("blog"), store.project("shop")
    values = [*values_of(blog), *values_of(shop)]
    values += [store.host(name).meta_crypto_key for name in ("alpha", "bravo")]
    assert len(set(values)) == len(values)


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        store = SecretStore(tmp_path)
        store.project("blog")
        store.host("alpha")
    finally:
        os.umask(old_mask)
    for name in (PASSWORD_FILE, "secrets/blog.yml", "secrets/hosts/alpha.yml"):
        assert mode_of(tmp_path / name) == 0o600, name
    for name in ("secrets", "secrets/hosts"):
        assert mode_of(tmp_path / name) == 0o700, name


def test_ansible_vault_opens_the_file_and_nothing_is_left_in_the_clear(tmp_path: Path) -> None:
    made = SecretStore(tmp_path).project("blog")
    path = tmp_path / "secrets/blog.yml"
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    shown = vault("view", "--vault-password-file", tmp_path / PASSWORD_FILE, path)
    assert yaml.safe_load(shown) == made.as_mapping()
    assert files_below(tmp_path) == {PASSWORD_FILE, "secrets/blog.yml", "secrets/.lock"}
    for file in files_below(tmp_path):
        assert not any(value in (tmp_path / file).read_text() for value in values_of(made))


def test_file_written_by_ansible_vault_is_read(tmp_path: Path) -> None:
    made = SecretStore(tmp_path).project("blog")
    path = tmp_path / "secrets/blog.yml"
    vault("decrypt", "--vault-password-file", tmp_path / PASSWORD_FILE, path)
    vault("encrypt", "--vault-password-file", tmp_path / PASSWORD_FILE, path)
    assert SecretStore(tmp_path).project("blog") == made


def test_no_value_is_shown_by_repr(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    blog, alpha = store.project("blog"), store.host("alpha")
    shown = repr(blog) + str(blog) + repr(blog.current.api_keys) + repr(alpha) + str(alpha)
    assert not any(value in shown for value in (*values_of(blog), alpha.meta_crypto_key))


def test_without_create_nothing_is_made(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    with pytest.raises(SecretsMissing, match=r"blog\.yml.*run playbooks/site\.yml first"):
        store.project("blog", create=False)
    with pytest.raises(SecretsMissing, match=r"hosts/alpha\.yml"):
        store.host("alpha", create=False)
    assert files_below(tmp_path) == set()


def test_ephemeral_store_writes_nothing_and_stays_the_same(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, ephemeral=True)
    assert store.project("blog") == store.project("blog")
    assert store.project("blog") != store.project("shop")
    assert store.host("alpha") == store.host("alpha")
    assert list(tmp_path.iterdir()) == []


def test_ephemeral_store_reads_what_is_there(tmp_path: Path) -> None:
    made = SecretStore(tmp_path).project("blog")
    assert SecretStore(tmp_path, ephemeral=True).project("blog") == made


@pytest.mark.parametrize("name", ["../shop", "", "my_blog", "hosts/alpha", ".lock"])
def test_project_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidName):
        SecretStore(tmp_path).project(name)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize("name", ["../alpha", "", "a/b", ".hidden", "al pha"])
def test_host_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(SecretsError, match="not the name of a host"):
        SecretStore(tmp_path).host(name)
    assert files_below(tmp_path) == set()


def test_missing_environment_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretsError, match=r"blog\.yml: not writable"):
        SecretStore(tmp_path / "nowhere").project("blog")


def test_lost_password_file_is_told_and_not_replaced(tmp_path: Path) -> None:
    SecretStore(tmp_path).project("blog")
    (tmp_path / PASSWORD_FILE).unlink()
    for name in ("blog", "shop"):
        with pytest.raises(SecretsError, match=r"vault-password: not found; restore it or set ANSIBLE_VAULT"):
            SecretStore(tmp_path).project(name)
    assert not (tmp_path / PASSWORD_FILE).exists()
    assert not (tmp_path / "secrets/shop.yml").exists()


def test_wrong_password_names_both_files_and_the_remedy(tmp_path: Path) -> None:
    SecretStore(tmp_path).project("blog")
    (tmp_path / PASSWORD_FILE).write_text("another\n")
    with pytest.raises(SecretsError, match=r"secrets/blog\.yml: cannot be decrypted .*vault-password; set ANSIBLE_"):
        SecretStore(tmp_path).project("blog")


def test_empty_password_file_is_told(tmp_path: Path) -> None:
    (tmp_path / PASSWORD_FILE).touch()
    with pytest.raises(SecretsError, match=r"vault-password: empty"):
        SecretStore(tmp_path).project("blog")


def test_password_file_of_the_environment_variable_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.write_text("given\n")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(mine))
    environment = tmp_path / "env"
    environment.mkdir()
    made = SecretStore(environment).project("blog")
    assert not (environment / PASSWORD_FILE).exists()
    assert yaml.safe_load(vault("view", environment / "secrets/blog.yml")) == made.as_mapping()


def test_configured_password_file_that_is_missing_is_not_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(tmp_path / "mine"))
    with pytest.raises(SecretsError, match="mine: not found"):
        SecretStore(tmp_path).project("blog")
    assert files_below(tmp_path) == {"secrets/.lock"}


def test_password_script_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "ask"
    script.write_text("#!/bin/sh\necho from-the-script\n")
    script.chmod(0o700)
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(script))
    made = SecretStore(tmp_path).project("blog")
    plain = tmp_path / "plain"
    plain.write_text("from-the-script")
    assert (
        yaml.safe_load(vault("view", "--vault-password-file", plain, tmp_path / "secrets/blog.yml"))
        == made.as_mapping()
    )


def test_password_script_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "ask"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o700)
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(script))
    with pytest.raises(SecretsError, match="a script that failed"):
        SecretStore(tmp_path).project("blog")


def seal(tmp_path: Path, name: str, text: str) -> None:
    store = SecretStore(tmp_path)
    store.project("other")
    path = tmp_path / f"secrets/{name}.yml"
    path.write_text(text)
    vault("encrypt", "--vault-password-file", tmp_path / PASSWORD_FILE, path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jwt_secret: hidden-value\n", "anon_key, service_role_key, owner_password: missing or not text"),
        ("key_sets: []\nowner_password: hidden-value\n", "key_sets: missing or no list"),
        ("key_sets: [hidden-value]\nowner_password: p\n", "an entry of key_sets is no mapping"),
        (
            "key_sets: [{id: k1}]\nowner_password: hidden-value\n",
            "key_sets: jwt_secret, anon_key, .* missing or not text",
        ),
        ("key_sets: [{id: k1}]\nowner_password: p\nauth: {smtp: [hidden-value]}\n", "auth: not a mapping of texts"),
        ("jwt_secret: [hidden-value\n", "not YAML inside"),
        ("hidden-value\n", "not YAML inside"),
    ],
)
def test_damaged_content_is_told_without_showing_it(tmp_path: Path, text: str, told: str) -> None:
    seal(tmp_path, "blog", text)
    with pytest.raises(SecretsError, match=told) as caught:
        SecretStore(tmp_path).project("blog")
    assert "hidden-value" not in str(caught.value)


def test_plain_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/blog.yml").write_text("jwt_secret: abc\n")
    with pytest.raises(SecretsError, match=r"not encrypted; run: ansible-vault encrypt .*blog\.yml"):
        SecretStore(tmp_path).project("blog")


def test_secrets_of_one_project_do_not_serve_another(tmp_path: Path) -> None:
    SecretStore(tmp_path).project("blog")
    (tmp_path / "secrets/shop.yml").write_bytes((tmp_path / "secrets/blog.yml").read_bytes())
    with pytest.raises(SecretsError, match=r"shop\.yml: a key in it is not of project shop"):
        SecretStore(tmp_path).project("shop")


def test_failed_write_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SecretStore(tmp_path)
    store.host("alpha")
    before = files_below(tmp_path)

    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(SecretsError, match="No space left"):
        store.project("blog")
    assert files_below(tmp_path) == before


def _make_at_once(directory: Path, barrier, answers) -> None:
    barrier.wait(30)
    answers.put(SecretStore(directory).project("blog").as_mapping())


def _start_together(tmp_path: Path) -> list[dict]:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_make_at_once, args=(tmp_path, barrier, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    given = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    return given


def test_processes_that_start_together_make_one_set(tmp_path: Path) -> None:
    given = _start_together(tmp_path)
    assert all(one == given[0] for one in given)
    assert SecretStore(tmp_path).project("blog").as_mapping() == given[0]


BEFORE = ("jwt_secret", "anon_key", "service_role_key")


def write_file_of_the_form_before(tmp_path: Path) -> dict[str, str]:
    """Write secrets/blog.yml as it was before there were sets of keys, and return what is in it."""
    made = SecretStore(tmp_path).project("blog")
    values = {name: getattr(made.current, name) for name in BEFORE} | {"owner_password": made.owner_password}
    (tmp_path / "secrets/blog.yml").unlink()
    seal(tmp_path, "blog", yaml.safe_dump(values))
    return values


@pytest.mark.parametrize("create", [True, False])
def test_file_of_the_form_before_is_completed_once_and_keeps_its_keys(tmp_path: Path, create: bool) -> None:
    before = write_file_of_the_form_before(tmp_path)
    completed = SecretStore(tmp_path).project("blog", create=create)
    [keys] = completed.key_sets
    assert {name: getattr(keys, name) for name in BEFORE} | {"owner_password": completed.owner_password} == before
    claims = jwt.decode(keys.anon_key, options={"verify_signature": False})
    assert (keys.id, int(keys.created.timestamp())) == ("k1", claims["iat"])
    text = (tmp_path / "secrets/blog.yml").read_text()
    assert SecretStore(tmp_path).project("blog") == completed
    assert (tmp_path / "secrets/blog.yml").read_text() == text


def test_file_of_the_form_before_is_completed_alike_by_processes_that_start_together(tmp_path: Path) -> None:
    before = write_file_of_the_form_before(tmp_path)
    given = _start_together(tmp_path)
    assert all(one == given[0] for one in given)
    assert given[0]["key_sets"][0]["anon_key"] == before["anon_key"]


def test_check_mode_completes_a_file_of_the_form_before_in_memory_alone(tmp_path: Path) -> None:
    write_file_of_the_form_before(tmp_path)
    text = (tmp_path / "secrets/blog.yml").read_text()
    store = SecretStore(tmp_path, ephemeral=True)
    assert store.project("blog") == store.project("blog")
    assert (tmp_path / "secrets/blog.yml").read_text() == text


def test_change_of_secrets_is_kept_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    made = store.project("blog")
    changed = store.change_project("blog", lambda found: replace(found, auth={"smtp_password": "s3cret"}))
    assert changed == replace(made, auth={"smtp_password": "s3cret"})
    assert SecretStore(tmp_path).project("blog") == changed


def test_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    store.project("blog")
    text = (tmp_path / "secrets/blog.yml").read_text()
    store.change_project("blog", lambda found: found)
    assert (tmp_path / "secrets/blog.yml").read_text() == text


@pytest.mark.parametrize("part", ["anon_key", "secret_key", "service_token", "signing_key"])
def test_key_of_another_project_in_a_set_is_told(tmp_path: Path, part: str) -> None:
    store = SecretStore(tmp_path)
    values = store.project("blog").as_mapping()
    foreign = store.project("shop").as_mapping()["key_sets"][0][part]
    values["key_sets"][0][part] = foreign if part != "secret_key" else foreign[:-1] + "!"
    (tmp_path / "secrets/blog.yml").unlink()
    seal(tmp_path, "blog", yaml.safe_dump(values))
    with pytest.raises(SecretsError, match=r"blog\.yml: .*restore the file from a backup"):
        SecretStore(tmp_path).project("blog")
