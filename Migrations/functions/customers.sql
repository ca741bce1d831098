-- Customers whose folded name or username contains the text, newest first.
-- LIKE is not leakproof: under row-level security the planner must check the policy before it,
-- so the trigram index would never be used. This function therefore runs as estars_search, which
-- the policy `lookup` lets read customers and nothing else, and takes the workspace from the
-- setting alone, so that no argument can name another one.
create or replace function customer_search(p_pattern text, p_before bigint, p_limit int)
returns setof customers language plpgsql stable security definer
set search_path = pg_catalog, public as $$
declare
  v_workspace bigint := nullif(current_setting('estars.workspace_id', true), '')::bigint;
begin
  return query
    select c.* from public.customers c
    where c.workspace_id = v_workspace and c.search_name like p_pattern
      and (p_before is null or c.customer_id < p_before)
    order by c.customer_id desc
    limit least(p_limit, 200);
end $$;
grant create on schema public to estars_search;
alter function customer_search(text, bigint, int) owner to estars_search;
revoke create on schema public from estars_search;
grant execute on function customer_search(text, bigint, int) to estars_app;
