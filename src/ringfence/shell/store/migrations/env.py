"""What Alembic runs: the migrations, over the connection and in the transaction of the one who asks."""

from alembic import context

from ringfence.shell.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
