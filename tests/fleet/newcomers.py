"""Projects that a test adds to the fleet and takes away again, and all that a host holds of one."""

import re

import yaml

from berth.keys import symmetric_jwk
from berth.names import auth_port, database_name
from berth.secrets import SecretStore
from fleet.fleet import Fleet, Project

HOLDINGS = """
set -eu
{{ find /etc /run/berth /run/berth-rest -xdev -name '*{name}*' -o -path '*/{name}/*'; }} | sort |
    while read -r path; do stat --format '%n %A %U %G' "$path"; test ! -f "$path" || cat "$path"; done
grep -h 'berth-{name} ' /etc/postgresql/*/berth/pg_ident.conf
for unit in berth-rest-wake@{name}.socket berth-auth-wake@{name}.socket berth-rest-wake@{name}.service; do
    systemctl show --property=Id,ActiveState,UnitFileState "$unit"
done
getent passwd berth-{name} | cut -d: -f1,5-
nft list set inet berth owners | tr ',' '\\n' | grep -ow '{port}'
psql -U supabase_admin -d postgres -At <<SQL
SELECT rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolpassword IS NOT NULL FROM pg_authid
    WHERE rolname ~ '^{database}(_rest|_auth|_owner)?$' ORDER BY rolname;
SELECT member::regrole, roleid::regrole, admin_option FROM pg_auth_members
    WHERE member::regrole::text ~ '^{database}(_rest|_auth|_owner)?$' ORDER BY 1, 2;
SELECT datname, datconnlimit, datdba::regrole, shobj_description(oid, 'pg_database'),
    (SELECT string_agg(entry::text, ' ' ORDER BY entry::text) FROM unnest(datacl) entry) FROM pg_database
    WHERE datname = '{database}';
SELECT setrole::regrole, setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
    WHERE datname = '{database}' ORDER BY 1;
SQL
psql -U supabase_admin -d {database} -At <<SQL
SELECT nspname, nspowner::regrole, nspacl FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1;
SELECT count(*) FROM auth.schema_migrations;
SQL
"""


def declare(fleet: Fleet, name: str, number: int, host: str, **more: object) -> Project:
    """Writes a declaration and returns the project as it will be; its secrets are made now."""
    declaration = {"name": name, "number": number, "host": host, "architecture": "shared", **more}
    (fleet.inventory / "projects" / f"{name}.yml").write_text(yaml.safe_dump(declaration, sort_keys=False))
    secrets = SecretStore(fleet.inventory).project(name)
    values = fleet.variables[host]
    owner = f"{database_name(name)}_owner:{secrets.owner_password}"
    return Project(
        name=name,
        host=host,
        urls=[f"{values['berth_public_url']}/projects/{name}"],
        anon_key=secrets.anon_key,
        service_role_key=secrets.service_role_key,
        db_url=f"postgresql://{owner}@{values['berth_database_address']}/{database_name(name)}",
    )


def forget(fleet: Fleet, name: str) -> None:
    """Removes a project from its host and from the inventory, wholly or partly made as it may be."""
    if (fleet.inventory / "projects" / f"{name}.yml").exists():
        fleet.succeed("remove.yml", "-e", f"project={name}", "-e", "project_archive=false")


def holdings(fleet: Fleet, project: Project, number: int) -> list[str]:
    """Returns all that the host holds of a project, line by line, its name, port and secrets replaced by others."""
    words = {"name": project.name, "database": project.database, "port": auth_port(number)}
    text = fleet.on(project.host, HOLDINGS.format(**words))
    secrets = SecretStore(fleet.inventory).project(project.name)
    keys = secrets.current.as_mapping()
    parts = (keys | keys["signing_key"] | symmetric_jwk(keys["jwt_secret"])).values()
    for value in (secrets.owner_password, *(part for part in parts if isinstance(part, str))):
        text = text.replace(value, "SECRET") if len(value) > 30 else text
    text = re.sub(r'(?m)^NAME "[^"]+"', "NAME CONNECTION", text.replace(project.name, "NAME"))
    return text.replace(str(words["port"]), "PORT").replace(project.database, "DATABASE").splitlines()
