"""What every service's migrations share: the way they run, and the way they run SQL."""

from alembic import context, op


def run() -> None:
    """Run what `alembic.command` asked for, in the transaction `migrate` opened: env.py calls it."""
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
    context.run_migrations()


def execute(script: str) -> None:
    """Execute the statements of a script, each ended by a semicolon at the end of a line."""
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)
