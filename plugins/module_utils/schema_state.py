"""A fingerprint of the schema of a database, since logical replication brings rows and no changes of the schema."""

# ruff: noqa: S608 - all names in these queries are constants of this file

from __future__ import annotations

# Of each catalog the column that leads to the relation, or to the schema, that its rows belong to
OF_RELATION = {
    "pg_attribute": "attrelid",
    "pg_attrdef": "adrelid",
    "pg_index": "indrelid",
    "pg_inherits": "inhrelid",
    "pg_policy": "polrelid",
    "pg_rewrite": "ev_class",
    "pg_sequence": "seqrelid",
    "pg_trigger": "tgrelid",
}
WITHOUT_OID = {
    "pg_attribute": "attrelid || '.' || attnum",
    "pg_index": "indexrelid::text",
    "pg_inherits": "inhrelid || '.' || inhseqno",
    "pg_sequence": "seqrelid::text",
    "pg_description": "classoid || '.' || objoid || '.' || objsubid",
}
OF_SCHEMA = {"pg_constraint": "connamespace", "pg_proc": "pronamespace", "pg_type": "typnamespace"}
PLAIN = (
    "pg_cast",
    "pg_collation",
    "pg_default_acl",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_server",
    "pg_language",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_publication",
    "pg_publication_rel",
    "pg_statistic_ext",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_user_mapping",
)
# TRUNCATE and VACUUM write to rows of pg_class that mean nothing here
RELATIONS = """
    SELECT 'pg_class', oid::text, concat_ws(' ', relname, relnamespace, relkind, relowner, relpersistence,
    relrowsecurity, relforcerowsecurity, relreplident, relacl, reloptions, relpartbound,
    CASE WHEN relkind = 'm' THEN relfilenode END)
    FROM pg_class WHERE relpersistence <> 't'
"""
KEPT = "SELECT oid FROM pg_class WHERE relpersistence <> 't'"
SCHEMAS = "SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'"


def fingerprint(connection):
    """Returns a text that differs once anybody has changed the schema, rows and temporary tables left aside."""
    parts = [RELATIONS, f"SELECT 'pg_namespace', oid::text, xmin::text FROM pg_namespace WHERE oid IN ({SCHEMAS})"]
    for catalog, column in OF_RELATION.items():
        key = WITHOUT_OID.get(catalog, "oid::text")
        parts.append(f"SELECT '{catalog}', {key}, xmin::text FROM {catalog} WHERE {column} IN ({KEPT})")
    for catalog, column in OF_SCHEMA.items():
        parts.append(f"SELECT '{catalog}', oid::text, xmin::text FROM {catalog} WHERE {column} IN ({SCHEMAS})")
    for catalog in PLAIN:
        parts.append(f"SELECT '{catalog}', {WITHOUT_OID.get(catalog, 'oid::text')}, xmin::text FROM {catalog}")
    lines = " UNION ALL ".join(parts)
    whole = "md5(string_agg(concat_ws(' ', a, b, c), ',' ORDER BY a, b))"
    query = f"SELECT {whole} AS value FROM ({lines}) AS x (a, b, c)"
    return connection.execute(query).fetchone().value
