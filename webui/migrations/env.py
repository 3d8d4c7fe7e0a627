"""Runs migrations over the connection that webui.db hands in."""

from alembic import context

from webui.models import Base

NOT_OURS = ("kv", "schedule", "task", "counter")  # tables of the queue


def _ours(item: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    return not (kind == "table" and name in NOT_OURS)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=_ours,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
