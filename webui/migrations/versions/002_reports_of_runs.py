"""Runs keep what they found."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("runs", sa.Column("report", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_column("report")
