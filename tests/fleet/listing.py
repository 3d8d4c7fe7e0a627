"""All that a host has, line by line, so that two moments can be compared."""

from fleet.fleet import Fleet

# What changes by itself: journals, data of PostgreSQL (its catalogue is listed below), sessions, temporary files.
VOLATILE = r"""
/proc|/sys|/dev|/tmp|/var/tmp/systemd-private.*|/var/lib/postgresql/.*|/var/log/journal.*|/run/log.*|/run/user.*
/run/udev.*|/run/systemd/(sessions|users|journal|netif|inaccessible|propagate|transient|timesync|seats|ask).*
/run/systemd/units/(invocation|log).*|/run/(utmp|postgresql|sshd|lock|ansible|credentials|berth/(wake|gate|hold)|berth-rest).*
.*/\.ansible.*|/var/lib/(apt|dpkg|systemd|logrotate|private).*|/var/cache.*|/var/log/(postgresql|nginx/(error|access|berth/unknown)).*
/run/systemd/namespace-.*
/etc/(passwd|group|shadow|gshadow|subuid|subgid)-
"""
COMMAND = """
set -eu
find / /run -xdev -regextype posix-extended -regex '{volatile}' -prune -o -printf '%p %M %u %g %l\\n'
find /run /var/lib/systemd /var/log /var/spool /var/tmp /tmp -xdev -name '*{name}*' -printf '%p\\n'
find /etc/postgresql /var/lib/postgresql -mindepth 2 -maxdepth 2 -printf 'directory %p\\n'
find /var/log/postgresql -name '*{database}*' -printf '%p\\n'
find / -xdev -nouser -printf 'without owner: %p\\n'
find /etc -xdev -type f -not -name '*-' -exec sha256sum {{}} +
getent passwd
getent group
nft list ruleset
systemctl list-units --all --plain --no-legend '*@{name}.*'
systemctl list-units --all --plain --no-legend 'berth-{name}*' 'berth-{database}.slice' 'postgresql@*-berth_{database}*'
! command -v podman >/dev/null || podman ps --all --format '{{{{.Names}}}}'
! command -v podman >/dev/null || podman network ls --format '{{{{.Name}}}}'
ip -o link show type bridge | cut -d: -f2
systemctl list-dependencies --plain sockets.target multi-user.target | grep -- '@{name}[.]' || true
psql -U supabase_admin -d postgres -At <<SQL
SELECT 'database', datname, datacl FROM pg_database ORDER BY 2;
SELECT 'role', rolname FROM pg_roles ORDER BY 2;
SELECT 'member', member::regrole, roleid::regrole FROM pg_auth_members ORDER BY 2, 3;
SELECT 'setting', setrole::regrole, datname, (SELECT array_agg(one ORDER BY one) FROM unnest(setconfig) AS one)
    FROM pg_db_role_setting
    LEFT JOIN pg_database d ON d.oid = setdatabase ORDER BY 2, 3;
SELECT 'comment', coalesce(datname, objoid::text), description FROM pg_shdescription
    LEFT JOIN pg_database d ON d.oid = objoid ORDER BY 2;
SELECT 'login', map_name, sys_name, pg_username FROM pg_ident_file_mappings ORDER BY 2, 3, 4;
SQL
"""


def listing(fleet: Fleet, host: str, name: str) -> list[str]:
    """Returns files, users, units, firewall, roles and databases of a host; of volatile things those of one project."""
    words = {"name": name, "database": name.replace("-", "_"), "volatile": "|".join(VOLATILE.split())}
    return sorted(set(fleet.on(host, COMMAND.format(**words)).splitlines()))
