"""How Alembic runs: on SQLite with a connection, on PostgreSQL by writing a script (see ``inkan.store.migrate``)."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(dialect_name="postgresql", dialect_opts={}, literal_binds=True)
else:
    context.configure(connection=connection, render_as_batch=True)

# The caller holds the transaction: either the whole upgrade happens or nothing of it
context.run_migrations()
