-- How customers are found by what somebody types of a name. Ids are found by plain indexes.
--
-- Comparing parts of a text is not leakproof: under row-level security the planner must check the
-- policy before it, so an index of names would never be used. These functions therefore run as
-- estars_search, which the policy `lookup` lets read customers and nothing else, and take the
-- workspace from the setting alone, so that no argument can name another one.
--
-- Each looks at a bounded number of rows, however many customers there are and however common the
-- name is: walks along an index in its own order, and an index of trigrams for what is rare.

drop function if exists customer_search(text, bigint, int);

-- Whose name, a later word of it, or username begins with the text.
create or replace function customers_beginning(p_text text, p_limit int)
returns setof customers language plpgsql stable security definer
set search_path = pg_catalog, public set enable_seqscan = off set enable_bitmapscan = off
set enable_sort = off set jit = off as $$
declare
  v_workspace bigint := nullif(current_setting('estars.workspace_id', true), '')::bigint;
  -- Behind all that begins with it.
  v_end text := p_text || chr(1114111);
begin
  p_limit := least(p_limit, 200);
  return query
    select c.* from public.customers c
      where c.workspace_id = v_workspace
        and left(c.search_name, 100) collate "C" >= p_text
        and left(c.search_name, 100) collate "C" < v_end
      order by left(c.search_name, 100) collate "C" limit p_limit;
  return query
    select c.* from public.customers c
      where c.workspace_id = v_workspace and c.username <> ''
        and lower(c.username) collate "C" >= p_text and lower(c.username) collate "C" < v_end
      order by lower(c.username) collate "C" limit p_limit;
  return query
    select c.* from public.customers c
      where c.workspace_id = v_workspace
        and substr(c.search_name, strpos(c.search_name, ' ') + 1, 100) collate "C" >= p_text
        and substr(c.search_name, strpos(c.search_name, ' ') + 1, 100) collate "C" < v_end
      order by substr(c.search_name, strpos(c.search_name, ' ') + 1, 100) collate "C" limit p_limit;
end $$;

-- Whose folded name and username match all of the patterns. What is common is found among the
-- newest, what is rare by its trigrams.
create or replace function customers_containing(p_patterns text[], p_limit int)
returns setof customers language plpgsql stable security definer
set search_path = pg_catalog, public set enable_seqscan = off set enable_indexscan = on
set jit = off as $$
declare
  v_workspace bigint := nullif(current_setting('estars.workspace_id', true), '')::bigint;
  v_matches text := '';
  v_found int;
begin
  p_limit := least(p_limit, 200);
  for i in 1 .. least(cardinality(p_patterns), 8) loop
    v_matches := v_matches || format(' and c.search_name like %L', p_patterns[i]);
  end loop;
  return query execute
    'select * from (
       select * from public.customers where workspace_id = $1
       order by customer_id desc limit 6000) c
     where true' || v_matches || ' limit $2'
    using v_workspace, p_limit;
  get diagnostics v_found = row_count;
  if v_found < p_limit then
    perform set_config('enable_indexscan', 'off', true);
    return query execute
      'select c.* from public.customers c where c.workspace_id = $1' || v_matches || ' limit $2'
      using v_workspace, p_limit;
  end if;
end $$;

-- Of these texts, those with which the name, a later word of it, or the username of somebody begins.
create or replace function customer_spellings(p_texts text[], p_limit int)
returns setof text language plpgsql stable security definer
set search_path = pg_catalog, public set enable_seqscan = off set enable_bitmapscan = off
set jit = off as $$
declare
  v_workspace bigint := nullif(current_setting('estars.workspace_id', true), '')::bigint;
begin
  return query
    select t.word from unnest(p_texts) with ordinality t (word, place)
    where exists (
        select from public.customers c where c.workspace_id = v_workspace
          and left(c.search_name, 100) collate "C" >= t.word
          and left(c.search_name, 100) collate "C" < t.word || chr(1114111))
      or exists (
        select from public.customers c where c.workspace_id = v_workspace
          and substr(c.search_name, strpos(c.search_name, ' ') + 1, 100) collate "C" >= t.word
          and substr(c.search_name, strpos(c.search_name, ' ') + 1, 100) collate "C"
            < t.word || chr(1114111))
      or exists (
        select from public.customers c where c.workspace_id = v_workspace and c.username <> ''
          and lower(c.username) collate "C" >= t.word
          and lower(c.username) collate "C" < t.word || chr(1114111))
    limit p_limit;
end $$;

grant create on schema public to estars_search;
alter function customers_beginning(text, int) owner to estars_search;
alter function customers_containing(text[], int) owner to estars_search;
alter function customer_spellings(text[], int) owner to estars_search;
revoke create on schema public from estars_search;
grant execute on function customers_beginning(text, int), customers_containing(text[], int),
  customer_spellings(text[], int) to estars_app;

-- What operators wrote when they did something for a customer who is now erased. Nobody else may
-- write into the lines of the audit log, and not into these of anybody who is not erased.
create or replace function customer_forget_reasons(p_customer bigint, p_telegram_id text)
returns void language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  v_workspace bigint := nullif(current_setting('estars.workspace_id', true), '')::bigint;
begin
  if not exists (
    select from customers c where c.workspace_id = v_workspace and c.customer_id = p_customer
      and c.erased_at is not null)
  then
    return;
  end if;
  update credit_grants g set reason = '–'
    where g.workspace_id = v_workspace and g.customer_id = p_customer;
  update subscription_changes h set reason = ''
    where h.workspace_id = v_workspace and h.by like '%@%' and h.subscription_id in (
      select s.subscription_id from subscriptions s
      where s.workspace_id = v_workspace and s.customer_id = p_customer);
  update audit_entries a set reason = null
    where a.workspace_id = v_workspace and a.reason is not null
      and (a.subject_kind, a.subject) in (
        select 'customer', p_customer::text
        union all select 'subscription', s.subscription_id::text from subscriptions s
          where s.workspace_id = v_workspace and s.customer_id = p_customer
        union all select 'checkout', k.checkout_id::text from checkouts k
          where k.workspace_id = v_workspace and k.customer_id = p_customer
        union all select 'payment', p.payment_id::text from payments p
          where p.workspace_id = v_workspace and p.customer_id = p_customer
        union all select 'refund', r.refund_id::text from refunds r
          where r.workspace_id = v_workspace and r.customer_id = p_customer
        union all select 'hold', h.hold_id::text from usage_holds h
          where h.workspace_id = v_workspace and h.customer_id = p_customer
        union all select 'support_case', c.support_case_id::text from support_cases c
          where c.workspace_id = v_workspace and c.customer_id = p_customer);
  update audit_entries a set subject = '–', before = null, after = null
    where a.workspace_id = v_workspace and a.subject_kind = 'staff' and a.subject = p_telegram_id;
end $$;
grant execute on function customer_forget_reasons(bigint, text) to estars_app;
