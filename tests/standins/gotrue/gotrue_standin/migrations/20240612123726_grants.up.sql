-- The role named literally "postgres" must exist: GoTrue's own migration of this version needs it too.
DO $$
DECLARE
    table_name text;
BEGIN
    FOR table_name IN SELECT tablename FROM pg_tables WHERE schemaname = 'auth' LOOP
        EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('GRANT SELECT ON auth.%I TO postgres WITH GRANT OPTION', table_name);
        IF table_name <> 'schema_migrations' THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON auth.%I TO postgres', table_name);
        END IF;
    END LOOP;
END
$$;
