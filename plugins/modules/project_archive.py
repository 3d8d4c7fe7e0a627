#!/usr/bin/python
"""Ansible module: a last encrypted dump of a project's database; the action of the same name fetches it."""

DOCUMENTATION = r"""
module: project_archive
short_description: Keeps an encrypted archive of a project on the controller
description:
  - Closes the database to all but the superuser, dumps it with C(pg_dump), compresses and encrypts the dump on its way
    to the disk of the host, fetches it, and keeps it on the controller in C(archives/) beside the inventory, with the
    declaration and the secrets, once it was read back as a whole.
  - Fails, and has dropped nothing, where any of this fails. Does nothing where the database is not there.
options:
  project:
    description: Name of the project.
    type: str
    required: true
  number:
    description: Number of the project.
    type: int
    required: true
  database:
    description: Name of its database.
    type: str
    required: true
  port:
    description: Port of the cluster, which names its unix socket.
    type: int
    default: 5432
  socket_directory:
    description: Directory of that socket.
    type: path
    default: /run/postgresql
  path:
    description: File on the host for the encrypted dump until it is fetched; a file that is there is replaced.
    type: path
    required: true
  passphrase:
    description: What the dump is encrypted with; made by the action.
    type: str
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows what would be dumped.
"""

EXAMPLES = r"""
- name: Ensure an archive of the project is kept
  berth.supabase.project_archive:
    project: blog
    number: 7
    database: blog
    path: /var/tmp/berth-archive-blog
"""

RETURN = r"""
archive:
  description: Directory of the archive on the controller.
  type: str
  returned: when the database was there
dumped:
  description: Whether the database was there.
  type: bool
  returned: always
"""

import os
import subprocess
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    CONNECTION_SPEC,
    SUPERUSER,
    Clusters,
    compose,
    is_installed,
)

ENCRYPT = ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-salt"]


def close(cluster, database):
    """Ends all connections and lets nobody but the superuser in, so that nothing is written after the dump."""
    cluster.change(compose("ALTER DATABASE {name} CONNECTION LIMIT 0", name=database))
    if not cluster.check_mode:
        cluster.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])


def new_file(path):
    """Returns a descriptor of a fresh file that only the account which logged in can read: it fetches the file."""
    Path(path).unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.fchown(descriptor, int(os.environ.get("SUDO_UID", "0")), -1)
    return descriptor


def readable(text):
    """Returns a descriptor that gives a short text to the one who reads it."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def dump(params):
    """Writes the encrypted dump; OSError or RuntimeError with the last words of whoever failed."""
    command = ["pg_dump", f"--host={params['socket_directory']}", f"--port={params['port']}", f"--username={SUPERUSER}"]
    command += ["--no-password", "--clean", "--if-exists", "--compress=6", params["database"]]
    passphrase, out = readable(params["passphrase"] + "\n"), new_file(params["path"])
    try:
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as dumping,
        ):
            encrypted = subprocess.run(
                [*ENCRYPT, "-pass", f"fd:{passphrase}"],
                stdin=dumping.stdout,
                stdout=out,
                stderr=subprocess.PIPE,
                pass_fds=[passphrase],
                check=False,
            )
            dumping.stdout.close()
            dumping.wait()
            said.seek(0)
            words = said.read()
        os.fsync(out)
    finally:
        os.close(passphrase)
        os.close(out)
    for code, text in ((dumping.returncode, words), (encrypted.returncode, encrypted.stderr)):
        if code != 0:
            raise RuntimeError(" | ".join(text.decode(errors="replace").strip().splitlines()[-3:]) or f"code {code}")


def main():
    module = AnsibleModule(
        argument_spec={
            **CONNECTION_SPEC,
            "project": {"type": "str", "required": True},
            "number": {"type": "int", "required": True},
            "database": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "passphrase": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    if not is_installed():
        module.exit_json(changed=False, dumped=False, msg="PostgreSQL was never installed here")
    clusters = Clusters(module)
    cluster = clusters.open(params, when_absent=f"archive of database {params['database']}\n")
    if cluster is None:
        clusters.exit(dumped=True)
    if not cluster.rows("SELECT 1 FROM pg_database WHERE datname = %s", [params["database"]]):
        module.exit_json(changed=False, dumped=False)
    close(cluster, params["database"])
    cluster.statements.append(f"-- pg_dump {params['database']}, encrypted")
    if not module.check_mode:
        try:
            dump(params)
        except (OSError, RuntimeError) as error:
            Path(params["path"]).unlink(missing_ok=True)
            module.fail_json(
                msg=f"Database {params['database']} could not be dumped to {params['path']}: {error}. Nothing was "
                "dropped; make room or mend the cause, then run it again"
            )
    clusters.exit(dumped=True)


if __name__ == "__main__":
    main()
