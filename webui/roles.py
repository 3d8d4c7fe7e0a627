"""What a role may: one for everything, and a higher one for single projects."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MEMBER, VIEWER, OPERATOR, ADMIN = "member", "viewer", "operator", "admin"
ROLES = (MEMBER, VIEWER, OPERATOR, ADMIN)
MEANING = {
    MEMBER: "sees and does nothing but with the projects named below",
    VIEWER: "sees everything but keys",
    OPERATOR: "adds and changes projects, and sees their keys",
    ADMIN: "also people, tokens of others, and runs over all hosts",
}


@dataclass(frozen=True)
class Access:
    """The role of a person, and higher ones by project."""

    role: str
    grants: dict[str, str] = field(default_factory=dict)

    def allows(self, role: str, project: str | None = None) -> bool:
        """Whether this is enough where `role` is needed, for one project or for everything."""
        best = max(_rank(self.role), _rank(self.grants.get(project, MEMBER)) if project else 0)
        return best >= _rank(role)

    def sees(self, projects: Iterable[str]) -> list[str]:
        """Those projects that the person may look at."""
        return [name for name in projects if self.allows(VIEWER, name)]

    @property
    def only(self) -> list[str] | None:
        """The names of the only projects that the person may look at; None when that is all of them."""
        return None if self.allows(VIEWER) else [name for name in self.grants if self.allows(VIEWER, name)]


def _rank(role: str) -> int:
    return ROLES.index(role)
