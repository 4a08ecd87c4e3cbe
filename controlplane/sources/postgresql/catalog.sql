-- Who may do what in this database, one JSON object a line: inscope import postgresql reads it. It only reads the system
-- catalogs, which every role may. Run it in each database:
--   psql -X -A -t -f catalog.sql DATABASE > grants.jsonl
SET search_path = pg_catalog;
SELECT json_build_object('kind', 'database', 'name', datname, 'acl', (
  SELECT json_agg(json_build_array(a.grantee::regrole::text, a.privilege_type))
  FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) a))
FROM pg_database WHERE datname = current_database();
SELECT json_build_object('kind', 'role', 'name', rolname, 'superuser', rolsuper, 'inherit', rolinherit,
  'login', rolcanlogin, 'createrole', rolcreaterole, 'bypassrls', rolbypassrls, 'replication', rolreplication)
FROM pg_roles;
SELECT json_build_object('kind', 'member', 'role', g.rolname, 'member', m.rolname,
  'inherit', coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit),
  'set', coalesce((to_jsonb(a) ->> 'set_option')::boolean, true))
FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member;
SELECT json_build_object('kind', 'schema', 'name', nspname, 'acl', (
  SELECT json_agg(json_build_array(a.grantee::regrole::text, a.privilege_type))
  FROM aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a))
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';
SELECT json_build_object('kind', CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
  'schema', n.nspname, 'name', c.relname, 'rls', c.relrowsecurity, 'comment', obj_description(c.oid, 'pg_class'),
  'acl', (SELECT json_agg(json_build_array(a.grantee::regrole::text, a.privilege_type))
    FROM aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))) a),
  'columns', (SELECT json_agg(json_build_object('name', t.attname, 'comment', col_description(c.oid, t.attnum),
      'acl', (SELECT json_agg(json_build_array(a.grantee::regrole::text, a.privilege_type)) FROM aclexplode(t.attacl) a)))
    FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND c.relkind <> 'S'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
SELECT json_build_object('kind', 'function', 'schema', n.nspname, 'name', p.proname, 'definer', p.prosecdef,
  'acl', (SELECT json_agg(json_build_array(a.grantee::regrole::text, a.privilege_type))
    FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
