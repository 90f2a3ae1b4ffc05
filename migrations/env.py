"""Runs migrations on the product's own engine, one transaction for all of them."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


PLAIN_TYPES = {"UtcDateTime": "sa.DateTime(timezone=True)", "Encrypted": "sa.Text()"}
JSON_TYPE = "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"


def render_item(kind: str, item: object, autogen_context: object) -> str | bool:
    """Write our column types as what the database knows, so that a migration does not change when our code does."""
    if kind != "type":
        return False
    name = type(item).__name__
    if name == "JSON":
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return JSON_TYPE
    return PLAIN_TYPES.get(name, False)


def run() -> None:
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A table rebuilt by batch mode must not cascade into the rows that point at it.
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727001)")  # two releases at once take turns
        context.configure(
            connection=connection,
            target_metadata=db.metadatas[None],
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
        )
        context.run_migrations()
        connection.commit()


run()
