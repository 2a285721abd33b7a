"""Databases that speak PostgreSQL's language and are not one PostgreSQL."""

from typing import Any

from consent_server.core.errors import UnsuitableDatabase

# What each calls itself in version(). All of them spread a table over several nodes.
DISTRIBUTED = {
    "CockroachDB": "CockroachDB",
    "-YB-": "YugabyteDB",
    "Greenplum": "Greenplum",
    "Redshift": "Amazon Redshift",
    "Materialize": "Materialize",
    "CrateDB": "CrateDB",
}
SPREAD_BY_CITUS = "SELECT count(*) FROM pg_dist_partition WHERE logicalrel::text = 'decisions'"


def refuse_distributed(connection: Any, _record: object = None) -> None:
    """Raises UnsuitableDatabase on an engine that spreads records over nodes.

    Which records are settled is read from one node's `pg_locks` and from ids that never come late (ledger/
    store_settled.py). Elsewhere both are silent, and sealing would pass over records without a word.
    """
    version = connection.execute("SELECT version()").fetchone()[0]
    name = next((name for mark, name in DISTRIBUTED.items() if mark in version), None)
    if name is None and _by_citus(connection):
        name = "Citus, with `decisions` as a distributed table"
    locks = connection.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()").fetchone()[0]
    connection.rollback()
    if name is None and not locks:
        # The question itself holds a lock on pg_locks, on any PostgreSQL.
        name = f"a database without pg_locks ({version})"
    if name:
        raise UnsuitableDatabase(
            f"CONSENT_DATABASE_URL leads to {name}. The ledger needs the locks and ids of one PostgreSQL: records"
            " could be left out of it elsewhere. Use PostgreSQL itself; docs/scale.md says how far it carries."
        )


def _by_citus(connection: Any) -> bool:
    if connection.execute("SELECT to_regclass('pg_dist_partition')").fetchone()[0] is None:
        return False
    return bool(connection.execute(SPREAD_BY_CITUS).fetchone()[0])
