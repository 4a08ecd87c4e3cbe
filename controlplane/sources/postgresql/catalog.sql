-- Who may do what in this database, one JSON object a line: `inscope import postgresql` reads it. It only reads the system
-- catalogs, which every role may, and nothing of any table. Run it in each database:
--   psql -X -A -t -f catalog.sql DATABASE > grants.jsonl
-- An access list is [grantee, privilege, with grant option]; the grantee that is everybody has no name.
SET search_path = pg_catalog;
SELECT json_build_object('kind', 'database', 'name', datname, 'owner', pg_get_userbyid(datdba), 'acl', (
  SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
  FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) a))
FROM pg_database WHERE datname = current_database();
SELECT json_build_object('kind', 'role', 'name', rolname, 'superuser', rolsuper, 'login', rolcanlogin,
  'createrole', rolcreaterole, 'createdb', rolcreatedb, 'bypassrls', rolbypassrls, 'replication', rolreplication)
FROM pg_roles;
SELECT json_build_object('kind', 'member', 'role', g.rolname, 'member', m.rolname, 'admin', a.admin_option,
  'inherit', coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit),
  'set', coalesce((to_jsonb(a) ->> 'set_option')::boolean, true))
FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member;
SELECT json_build_object('kind', 'schema', 'name', quote_ident(nspname), 'owner', pg_get_userbyid(nspowner), 'acl', (
  SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
  FROM aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a))
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';
SELECT json_build_object('kind', CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
  'schema', quote_ident(n.nspname), 'name', quote_ident(c.relname), 'owner', pg_get_userbyid(c.relowner),
  'rls', c.relrowsecurity, 'forced', c.relforcerowsecurity, 'comment', obj_description(c.oid, 'pg_class'),
  'acl', (SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
    FROM aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))) a),
  'columns', (SELECT json_agg(json_build_object('name', quote_ident(t.attname), 'comment', col_description(c.oid, t.attnum),
      'acl', (SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
        FROM aclexplode(t.attacl) a)) ORDER BY t.attnum)
    FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND c.relkind <> 'S'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
SELECT json_build_object('kind', 'function', 'schema', quote_ident(n.nspname), 'name', quote_ident(p.proname),
  'arguments', oidvectortypes(p.proargtypes), 'owner', pg_get_userbyid(p.proowner), 'definer', p.prosecdef,
  'extension', (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'),
  'acl', (SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
    FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
  OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee >= 16384);
SELECT json_build_object('kind', 'server', 'name', quote_ident(s.srvname), 'owner', pg_get_userbyid(s.srvowner),
  'wrapper', w.fdwname, 'acl', (
    SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
    FROM aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) a))
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw;
SELECT json_build_object('kind', 'default', 'owner', pg_get_userbyid(d.defaclrole), 'schema', coalesce(quote_ident(n.nspname), ''),
  'name', CASE d.defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'function'
    WHEN 'n' THEN 'schema' ELSE 'type' END, 'acl', (
    SELECT json_agg(json_build_array(CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable))
    FROM aclexplode(d.defaclacl) a))
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace;
