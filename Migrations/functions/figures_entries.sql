-- Figures of what the ledger's entries moved. They are added up: every entry once, whatever order
-- transactions end in, because a snapshot says which of them are counted.

create or replace function _figures_day(p_at timestamptz, p_zone text) returns date
language sql immutable as $$ select (p_at at time zone p_zone)::date $$;

-- When a day begins: the first moment that has its date, where a clock set back at midnight makes two
-- midnights of one. Postgres takes the second of them.
create or replace function _figures_day_start(p_day date, p_zone text) returns timestamptz
language sql immutable as $$
  select min(t.at) from (
    select p_day::timestamp at time zone p_zone - b.back as at
    from unnest('{0, 30 minutes, 1 hour, 2 hours}'::interval[]) b (back)
  ) t where (t.at at time zone p_zone)::date >= p_day
$$;

-- Whether a transaction's rows are to be counted now: it had not ended in the old snapshot and has
-- in the new one.
create or replace function _figures_is_new(p_xid xid8, p_old pg_snapshot, p_new pg_snapshot)
returns boolean language sql immutable as $$
  select not pg_visible_in_snapshot(p_xid, p_old) and pg_visible_in_snapshot(p_xid, p_new)
$$;

-- What belongs to a row is looked up beside it, by its key: `offset 0` or a query for one value. A
-- workspace that the planner's statistics do not know yet looks to it as if it had one row in each
-- table, and a join would read the whole workspace for every row.

-- Movements of the entries between two snapshots, a row for every lot that one touches, and one for
-- what passed by the lots because it made debt. A grant is its own lot's from end to end.
create or replace function _figures_movements(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns table (
  account_id bigint, unit smallint, version bigint, xid xid8, kind entry_kind, at timestamptz,
  day date, bot_id bigint, action text, units bigint, source text, is_first boolean,
  credits bigint, stars_micros bigint
) language sql stable as $$
  select e.account_id, e.unit, e.version, e.xid, e.kind, e.created_at,
    (e.created_at at time zone p_zone)::date, e.bot_id, e.action, coalesce(e.units, 1)::bigint,
    case when p.lot_id is null then 'debt'
      when e.kind = 'credit' and l.carried_from is not null then 'carried' else l.source end,
    p.position = 1, case when e.amount < 0 then -p.amount else p.amount end,
    -- What was paid for credits goes with them into the lot that they are carried to.
    case when e.kind not in ('debit', 'forgive') or p.lot_id is null then 0
      when l.stars is not null then (p.amount::numeric * l.stars * 1000000 / l.amount)::bigint
      when l.carried_from is not null then coalesce((
        select (p.amount::numeric * o.stars * 1000000 / o.amount)::bigint from lots o
        where o.workspace_id = p_workspace and o.bot_id = l.bot_id
          and o.charge_id = l.charge_id and o.paid), 0)
      else 0 end
  from entries e
  cross join lateral (
    select case
      when e.kind = 'credit' or (e.balance_after >= 0 and e.balance_after >= e.amount) then 0
      else abs(e.amount) - (select coalesce(sum(x), 0)::bigint from unnest(e.lot_amounts) x)
    end as by_the_lots) d
  cross join lateral unnest(
    case when e.kind = 'credit' then array[e.version]
      when d.by_the_lots > 0 then e.lot_ids || null::bigint else e.lot_ids end,
    case when e.kind = 'credit' then array[e.amount]
      when d.by_the_lots > 0 then e.lot_amounts || d.by_the_lots else e.lot_amounts end)
    with ordinality p (lot_id, amount, position)
  left join lateral (
    select o.source, o.stars, o.amount, o.carried_from, o.bot_id, o.charge_id from lots o
    where o.workspace_id = p_workspace and o.account_id = e.account_id and o.unit = e.unit
      and o.lot_id = p.lot_id offset 0) l on true
  where e.workspace_id = p_workspace and e.xid >= pg_snapshot_xmin(p_old)
    and e.xid < pg_snapshot_xmax(p_new)
    and not pg_visible_in_snapshot(e.xid, p_old) and pg_visible_in_snapshot(e.xid, p_new)
$$;

-- What one unit of an action cost when a transaction used it.
create or replace function _figures_cost(p_workspace bigint, p_action text, p_xid xid8)
returns table (unit_cost_micros bigint, cost_currency text) language sql stable as $$
  select k.unit_cost_micros, k.cost_currency from action_costs k
  where k.workspace_id = p_workspace and k.action = p_action
    and not pg_visible_in_snapshot(p_xid, k.seen)
  order by pg_snapshot_xmax(k.seen) desc, k.since desc limit 1
$$;

-- Returns the time of the newest entry that it counted.
create or replace function _figures_count_entries(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns timestamptz language plpgsql volatile as $$
declare
  v_newest timestamptz;
begin
  with m as materialized (
    select * from _figures_movements(p_workspace, p_old, p_new, p_zone)
  ), used as materialized (
    select u.account_id, u.day, u.unit, u.action, coalesce(u.bot_id, 0) as bot_id, u.units,
      u.credits, u.stars_micros, coalesce((
        select c.traffic_source from customers c
        where c.workspace_id = p_workspace and c.customer_id = u.account_id), '') as traffic_source,
      coalesce(k.cost_currency, '') as cost_currency,
      coalesce(k.unit_cost_micros * u.units, 0) as cost_micros
    from (
      select m.account_id, m.version, m.xid, m.day, m.unit, m.action, m.bot_id, m.units,
        -sum(m.credits)::bigint as credits, sum(m.stars_micros)::bigint as stars_micros
      from m where m.kind = 'debit' and m.action is not null
      group by m.account_id, m.version, m.xid, m.day, m.unit, m.action, m.bot_id, m.units
    ) u
    left join lateral _figures_cost(p_workspace, u.action, u.xid) k on true
  ), credits as (
    insert into credit_days as d (workspace_id, day, unit, kind, source, credits, entries)
    select p_workspace, m.day, m.unit, m.kind, m.source, sum(m.credits),
      count(*) filter (where m.is_first)
    from m group by m.day, m.unit, m.kind, m.source
    on conflict (workspace_id, day, unit, kind, source) do update
      set credits = d.credits + excluded.credits, entries = d.entries + excluded.entries
  ), uses as (
    insert into usage_days as d (workspace_id, day, bot_id, action, unit, traffic_source, uses,
      units, credits, stars_micros, cost_currency, cost_micros)
    select p_workspace, u.day, u.bot_id, u.action, u.unit, u.traffic_source, count(*),
      sum(u.units), sum(u.credits), sum(u.stars_micros), u.cost_currency, sum(u.cost_micros)
    from used u
    group by u.day, u.bot_id, u.action, u.unit, u.traffic_source, u.cost_currency
    on conflict (workspace_id, day, action, bot_id, unit, traffic_source, cost_currency) do update
      set uses = d.uses + excluded.uses, units = d.units + excluded.units,
        credits = d.credits + excluded.credits,
        stars_micros = d.stars_micros + excluded.stars_micros,
        cost_micros = d.cost_micros + excluded.cost_micros
  ), people as (
    insert into customer_days as d (workspace_id, day, customer_id, credits_used, stars_micros,
      cost_micros, cost_currency)
    select p_workspace, x.day, x.account_id, sum(x.credits), sum(x.stars_micros),
      sum(x.cost_micros), x.cost_currency
    from (
      select u.day, u.account_id, u.credits, u.stars_micros, u.cost_micros,
        case when u.cost_micros = 0 then '' else u.cost_currency end as cost_currency
      from used u
      union all
      select m.day, m.account_id, case m.kind when 'debit' then -m.credits else 0 end,
        case m.kind when 'forgive' then -m.stars_micros else m.stars_micros end, 0, ''
      from m where m.kind = 'forgive' or (m.kind = 'debit' and m.action is null)
    ) x
    group by x.day, x.account_id, x.cost_currency
    on conflict (workspace_id, day, customer_id, cost_currency) do update
      set credits_used = d.credits_used + excluded.credits_used,
        stars_micros = d.stars_micros + excluded.stars_micros,
        cost_micros = d.cost_micros + excluded.cost_micros
  ), by_hour as (
    insert into hours as d (workspace_id, hour, credits_issued, credits_used, credits_expired)
    select p_workspace, date_trunc('hour', m.at, 'UTC'),
      coalesce(sum(m.credits) filter (where m.kind = 'credit' and m.source <> 'carried'), 0),
      coalesce(-sum(m.credits) filter (where m.kind = 'debit'), 0),
      coalesce(-sum(m.credits) filter (where m.kind = 'expire' or m.source = 'carried'), 0)
    from m where m.unit = 1 and m.kind in ('credit', 'debit', 'expire')
    group by 2
    on conflict (workspace_id, hour) do update
      set credits_issued = d.credits_issued + excluded.credits_issued,
        credits_used = d.credits_used + excluded.credits_used,
        credits_expired = d.credits_expired + excluded.credits_expired
  )
  select max(m.at) into v_newest from m;
  return v_newest;
end $$;

-- Uses that cost nothing: requests without a debit in the ledger beside them.
create or replace function _figures_free_uses(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns table (
  customer_id bigint, day date, bot_id bigint, action text, unit smallint, traffic_source text,
  units bigint, cost_currency text, cost_micros bigint
) language sql stable as $$
  select q.customer_id, (q.created_at at time zone p_zone)::date, coalesce(q.bot_id, 0), q.action,
    a.credit_unit, coalesce((
      select c.traffic_source from customers c
      where c.workspace_id = p_workspace and c.customer_id = q.customer_id), ''), q.units::bigint,
    coalesce(k.cost_currency, ''), coalesce(k.unit_cost_micros * q.units, 0)
  from api_requests q
  join actions a on a.workspace_id = p_workspace and a.action = q.action
  left join lateral _figures_cost(p_workspace, q.action, q.xid) k on true
  where q.workspace_id = p_workspace and q.action is not null and q.units is not null
    and q.operation in ('debit', 'commit')
    and q.xid >= pg_snapshot_xmin(p_old) and q.xid < pg_snapshot_xmax(p_new)
    and not pg_visible_in_snapshot(q.xid, p_old) and pg_visible_in_snapshot(q.xid, p_new)
    -- A commit that used nothing of its credits only gave them back.
    and not exists (
      select from entries e
      where e.workspace_id = p_workspace and e.idempotency_key = 'api:' || q.idempotency_key
        and coalesce(e.requested, 1) > 0)
$$;

create or replace function _figures_count_free_uses(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns void language plpgsql volatile as $$
begin
  with f as materialized (
    select * from _figures_free_uses(p_workspace, p_old, p_new, p_zone)
  ), people as (
    insert into customer_days as d (workspace_id, day, customer_id, cost_micros, cost_currency)
    select p_workspace, f.day, f.customer_id, sum(f.cost_micros), f.cost_currency
    from f where f.cost_micros > 0
    group by f.day, f.customer_id, f.cost_currency
    on conflict (workspace_id, day, customer_id, cost_currency) do update
      set cost_micros = d.cost_micros + excluded.cost_micros
  )
  insert into usage_days as d (workspace_id, day, bot_id, action, unit, traffic_source, uses, units,
    credits, stars_micros, cost_currency, cost_micros)
  select p_workspace, f.day, f.bot_id, f.action, f.unit, f.traffic_source, count(*), sum(f.units),
    0, 0, f.cost_currency, sum(f.cost_micros)
  from f group by f.day, f.bot_id, f.action, f.unit, f.traffic_source, f.cost_currency
  on conflict (workspace_id, day, action, bot_id, unit, traffic_source, cost_currency) do update
    set uses = d.uses + excluded.uses, units = d.units + excluded.units,
      cost_micros = d.cost_micros + excluded.cost_micros;
end $$;

grant execute on function _figures_day, _figures_day_start, _figures_is_new, _figures_movements, _figures_cost,
  _figures_count_entries, _figures_free_uses, _figures_count_free_uses to estars_app;
