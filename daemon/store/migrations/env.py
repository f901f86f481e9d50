"""Runs the steps on the connection it is handed, inside the transaction that is already open there."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, render_as_batch=True)
context.run_migrations()
