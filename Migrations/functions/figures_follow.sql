-- Figures follow the tables step by step. One transaction at a time has a workspace's figures in
-- hand, by the row of the feed `entries`.

-- What is to be counted of a table in one step: the present snapshot where that is not more than
-- p_rows rows, else one that ends before the transaction with which it would become more. Null: there
-- is nothing. The old one again: a single transaction wrote more, and p_takes_all does not say to
-- take it.
create or replace function _figures_until(
  p_workspace bigint, p_table text, p_column text, p_old pg_snapshot, p_now pg_snapshot,
  p_rows int, p_takes_all boolean
) returns pg_snapshot language plpgsql stable as $$
declare
  v_first xid8;
  v_end xid8;
begin
  execute format(
    'select (array_agg(n.xid))[1], (array_agg(n.xid))[$4] from ('
    'select t.%1$I as xid from %2$I t where t.workspace_id = $1 and t.%1$I is not null'
    ' and t.%1$I >= pg_snapshot_xmin($2) and t.%1$I < pg_snapshot_xmax($3) %3$s'
    ' and not pg_visible_in_snapshot(t.%1$I, $2) and pg_visible_in_snapshot(t.%1$I, $3)'
    ' order by t.%1$I limit $4) n', p_column, p_table,
    case p_table when 'api_requests' then 'and t.action is not null' else '' end)
    into v_first, v_end using p_workspace, p_old, p_now, p_rows + 1;
  if v_first is null then
    return null;
  end if;
  if v_end is null then
    return p_now;
  end if;
  if v_end = v_first then
    if not p_takes_all then
      return p_old;
    end if;
    v_end := (v_end::text::bigint + 1)::text::xid8;
  end if;
  -- What the old one has seen stays seen.
  if v_end < pg_snapshot_xmax(p_old) then
    v_end := pg_snapshot_xmax(p_old);
  end if;
  return (
    select coalesce(min(x.xid), v_end::text::bigint) || ':' || v_end::text || ':'
      || coalesce(string_agg(x.xid::text, ',' order by x.xid), '')
    from (
      select i.xid::text::bigint as xid from pg_snapshot_xip(p_now) i (xid) where i.xid < v_end
    ) x)::pg_snapshot;
end $$;

-- Whether anything is there that no figure has. The order makes each look the index's: whoever looks
-- for any row may read the whole table to find none. The oldest transaction is worked out beforehand,
-- because an index is no use under row-level security for what a function makes of a column.
create or replace function _figures_has_news(p_workspace bigint) returns boolean
language plpgsql stable as $$
begin
  return coalesce((
    with m as materialized (
      select r.feed, r.time_zone, r.counted, pg_snapshot_xmin(r.counted) as oldest
      from rollup_marks r where r.workspace_id = p_workspace
    )
    select bool_or(m.time_zone <> w.time_zone or coalesce(case m.feed
    when 'entries' then (select true from entries t
      where t.workspace_id = p_workspace and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1)
    when 'payments' then (select true from payments t
      where t.workspace_id = p_workspace and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1)
    when 'refunds' then (select true from refunds t
      where t.workspace_id = p_workspace and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1)
    when 'checkout_transitions' then (select true from checkout_transitions t
      where t.workspace_id = p_workspace and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1)
    when 'subscription_changes' then (select true from subscription_changes t
      where t.workspace_id = p_workspace and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1)
    when 'api_requests' then (select true from api_requests t
      where t.workspace_id = p_workspace and t.action is not null and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1)
    else coalesce((select true from customers t
      where t.workspace_id = p_workspace and t.xid >= m.oldest
        and not pg_visible_in_snapshot(t.xid, m.counted) order by t.xid limit 1), (select true from customers t
      where t.workspace_id = p_workspace and t.traffic_source_xid is not null and t.traffic_source_xid >= m.oldest
        and not pg_visible_in_snapshot(t.traffic_source_xid, m.counted) order by t.traffic_source_xid limit 1))
    end, false))
    from m cross join workspaces w where w.workspace_id = p_workspace), true);
end $$;

-- Deletes at most so many rows of a workspace's figures and returns how many.
create or replace function _figures_clear(p_workspace bigint, p_rows int) returns int
language plpgsql volatile as $$
declare
  v_table text;
  v_gone int;
  v_total int := 0;
begin
  foreach v_table in array array['credit_days', 'usage_days', 'sale_days', 'checkout_days',
    'subscription_days', 'newcomer_days', 'hours', 'customer_tops', 'customer_days']
  loop
    execute format(
      'delete from %1$I where workspace_id = $1 and ctid = any (array('
      'select t.ctid from %1$I t where t.workspace_id = $1 limit $2))', v_table)
      using p_workspace, p_rows - v_total;
    get diagnostics v_gone = row_count;
    v_total := v_total + v_gone;
    exit when v_total >= p_rows;
  end loop;
  return v_total;
end $$;

-- Whether more than so many payments were made on the days that a table's news are of.
create or replace function _figures_day_is_large(
  p_workspace bigint, p_feed text, p_old pg_snapshot, p_new pg_snapshot, p_zone text, p_rows int
) returns boolean language plpgsql stable as $$
declare
  v_days date[];
begin
  execute format(
    'select array(select distinct _figures_day(u.at, $4) from %I t '
    'cross join lateral unnest(%s) u (at) where t.workspace_id = $1 '
    'and t.xid >= pg_snapshot_xmin($2) and t.xid < pg_snapshot_xmax($3) '
    'and _figures_is_new(t.xid, $2, $3) and u.at is not null)', p_feed,
    case p_feed when 'payments' then 'array[t.paid_at, t.refunded_at]'
      else 'array[t.refunded_at]' end)
    into v_days using p_workspace, p_old, p_new, p_zone;
  return (
    with d as materialized (
      select _figures_day_start(u.day, p_zone) as starts_at,
        _figures_day_start(u.day + 1, p_zone) as ends_at
      from unnest(v_days) u (day)
    )
    select count(*) > p_rows from (
      select from d cross join lateral (
        select from payments p
        where p.workspace_id = p_workspace and p.paid_at >= d.starts_at and p.paid_at < d.ends_at
        limit p_rows + 1) p
      limit p_rows + 1) n);
end $$;

-- Counts what is new, at most about so many rows of each table. is_current: everything is counted that
-- had been committed when it began. is_busy: somebody else has the figures in hand.
-- What is new is little beside the tables that it is looked up in, which the planner cannot know in a
-- plan for all snapshots: here everything is looked up by its key.
create or replace function figures_follow(
  p_workspace bigint, p_rows int, p_takes_all boolean, out is_current boolean, out is_busy boolean,
  out seen_until timestamptz
) language plpgsql volatile
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off as $$
declare
  v_zone text;
  v_marked text;
  v_now pg_snapshot;
  v_mark record;
  v_until pg_snapshot;
  v_sourced pg_snapshot;
  v_newest timestamptz;
  v_people_are_current boolean;
begin
  is_busy := false;
  is_current := not _figures_has_news(p_workspace);
  if is_current then
    return;
  end if;
  select w.time_zone into v_zone from workspaces w where w.workspace_id = p_workspace;
  if (select count(*) from rollup_marks m where m.workspace_id = p_workspace) < 7 then
    insert into rollup_marks (workspace_id, feed)
    select p_workspace, f.feed from unnest(array['entries', 'payments', 'refunds',
      'checkout_transitions', 'subscription_changes', 'api_requests', 'customers']) f (feed)
    on conflict do nothing;
  end if;
  select m.time_zone into v_marked from rollup_marks m
    where m.workspace_id = p_workspace and m.feed = 'entries' for update skip locked;
  if not found then
    is_busy := true;
    select m.seen_until into seen_until from rollup_marks m
      where m.workspace_id = p_workspace and m.feed = 'entries';
    return;
  end if;
  if v_marked <> v_zone then
    if _figures_clear(p_workspace, p_rows) >= p_rows then
      return;
    end if;
    update rollup_marks m set counted = '1:1:', time_zone = v_zone, seen_until = null
      where m.workspace_id = p_workspace;
  end if;
  v_now := pg_current_snapshot();
  is_current := true;
  -- Customers come before what they paid: whose source becomes known later has all days counted anew on
  -- which they ever paid.
  for v_mark in
    select m.feed, m.counted from rollup_marks m where m.workspace_id = p_workspace
    order by m.feed <> 'customers'
  loop
    continue when v_mark.feed in ('payments', 'refunds') and not v_people_are_current;
    v_until := _figures_until(p_workspace, v_mark.feed, 'xid', v_mark.counted, v_now, p_rows,
      p_takes_all);
    if v_mark.feed = 'customers' then
      v_sourced := _figures_until(p_workspace, v_mark.feed, 'traffic_source_xid', v_mark.counted,
        v_now, p_rows, p_takes_all);
      -- The shorter of both; where there is nothing of one, the other's.
      if v_until is null
        or (v_sourced is not null and pg_snapshot_xmax(v_sourced) < pg_snapshot_xmax(v_until))
      then
        v_until := v_sourced;
      end if;
    end if;
    is_current := is_current and (v_until is null or v_until::text = v_now::text);
    if v_mark.feed = 'customers' then
      v_people_are_current := is_current;
    end if;
    continue when v_until is null or v_until::text = v_mark.counted::text;
    -- Sold days are counted anew as a whole, which is not for somebody who waits for a page.
    if v_mark.feed in ('payments', 'refunds') and not p_takes_all and _figures_day_is_large(
      p_workspace, v_mark.feed, v_mark.counted, v_until, v_zone, p_rows)
    then
      is_current := false;
      continue;
    end if;
    v_newest := _figures_count(p_workspace, v_mark.feed, v_mark.counted, v_until, v_zone);
    update rollup_marks m
      set counted = v_until, seen_until = greatest(m.seen_until, v_newest)
      where m.workspace_id = p_workspace and m.feed = v_mark.feed;
  end loop;
  select m.seen_until into seen_until from rollup_marks m
    where m.workspace_id = p_workspace and m.feed = 'entries';
end $$;

-- Counts what one table has between two snapshots. Returns the time of the newest entry.
create or replace function _figures_count(
  p_workspace bigint, p_feed text, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns timestamptz language plpgsql volatile as $$
declare
  v_nothing pg_snapshot[] := array[p_new, p_new];
  v_news pg_snapshot[] := array[p_old, p_new];
begin
  case p_feed
    when 'entries' then
      return _figures_count_entries(p_workspace, p_old, p_new, p_zone);
    when 'api_requests' then
      perform _figures_count_free_uses(p_workspace, p_old, p_new, p_zone);
    when 'payments' then
      perform _figures_count_sales(p_workspace, v_news, v_nothing, v_nothing, p_zone);
    when 'refunds' then
      perform _figures_count_sales(p_workspace, v_nothing, v_news, v_nothing, p_zone);
    when 'checkout_transitions' then
      perform _figures_count_checkouts(p_workspace, p_old, p_new, p_zone);
    when 'subscription_changes' then
      perform _figures_count_subscriptions(p_workspace, p_old, p_new, p_zone);
    when 'customers' then
      perform _figures_count_newcomers(p_workspace, p_old, p_new, p_zone);
      perform _figures_count_sales(p_workspace, v_nothing, v_nothing, v_news, p_zone);
  end case;
  return null;
end $$;

grant execute on function _figures_until, _figures_has_news, _figures_day_is_large, _figures_clear,
  _figures_count, figures_follow to estars_app;
