-- Figures of what is sold. Payments and refunds change after they were made, so the days, hours and
-- customers that a change touches are counted anew: nothing is counted twice however often it
-- changes.

-- Payments and refunds between two snapshots of each, and payments of customers whose traffic source
-- has become known.
create or replace function _figures_count_sales(
  p_workspace bigint, p_payments pg_snapshot[], p_refunds pg_snapshot[],
  p_customers pg_snapshot[], p_zone text
) returns void language plpgsql volatile as $$
declare
  v_days date[];
  v_hours timestamptz[];
  v_people bigint[];
  v_people_days date[];
  -- What is not counted yet is counted with its customer's source when its turn comes.
  v_payments pg_snapshot := (select m.counted from rollup_marks m
    where m.workspace_id = p_workspace and m.feed = 'payments');
  v_refunds pg_snapshot := (select m.counted from rollup_marks m
    where m.workspace_id = p_workspace and m.feed = 'refunds');
begin
  with t as materialized (
    select p.payment_id, p.customer_id, p.paid_at, p.refunded_at, p.sku
    from payments p
    where p.workspace_id = p_workspace
      and p.xid >= pg_snapshot_xmin(p_payments[1]) and p.xid < pg_snapshot_xmax(p_payments[2])
      and _figures_is_new(p.xid, p_payments[1], p_payments[2])
    union
    select p.payment_id, p.customer_id, p.paid_at, p.refunded_at, p.sku
    from customers c
    cross join lateral (
      select o.* from payments o
      where o.workspace_id = p_workspace and o.customer_id = c.customer_id
        and pg_visible_in_snapshot(o.xid, v_payments) offset 0) p
    where c.workspace_id = p_workspace and c.traffic_source_xid is not null
      and c.traffic_source_xid >= pg_snapshot_xmin(p_customers[1])
      and c.traffic_source_xid < pg_snapshot_xmax(p_customers[2])
      and _figures_is_new(c.traffic_source_xid, p_customers[1], p_customers[2])
  ), touched as materialized (
    select t.paid_at as at, t.customer_id from t
    union select t.refunded_at, t.customer_id from t where t.refunded_at is not null
    union select r.refunded_at, r.customer_id
    from refunds r
    where r.workspace_id = p_workspace and r.refunded_at is not null
      and r.xid >= pg_snapshot_xmin(p_refunds[1]) and r.xid < pg_snapshot_xmax(p_refunds[2])
      and _figures_is_new(r.xid, p_refunds[1], p_refunds[2])
    -- One that no payment of ours stands beside has its customer's source as well.
    union select r.refunded_at, r.customer_id
    from customers c
    cross join lateral (
      select o.* from refunds o
      where o.workspace_id = p_workspace and o.customer_id = c.customer_id
        and pg_visible_in_snapshot(o.xid, v_refunds) offset 0) r
    where c.workspace_id = p_workspace and c.traffic_source_xid is not null
      and c.traffic_source_xid >= pg_snapshot_xmin(p_customers[1])
      and c.traffic_source_xid < pg_snapshot_xmax(p_customers[2])
      and _figures_is_new(c.traffic_source_xid, p_customers[1], p_customers[2])
      and r.refunded_at is not null
  ), people as (
    select distinct x.customer_id, (x.at at time zone p_zone)::date as day from touched x
    where x.customer_id is not null
  )
  select
    array(
      select (x.at at time zone p_zone)::date from touched x
      -- Whoever paid before a payment that was thought to be the first.
      union select (n.paid_at at time zone p_zone)::date
      from t cross join lateral (
        select p.paid_at, p.xid from payments p
        where p.workspace_id = p_workspace and p.customer_id = t.customer_id
          and p.sku is not null and (p.paid_at, p.payment_id) > (t.paid_at, t.payment_id)
        order by p.paid_at, p.payment_id limit 1) n
      where t.sku is not null and pg_visible_in_snapshot(n.xid, p_payments[1])),
    array(select distinct date_trunc('hour', x.at, 'UTC') from touched x),
    array(select y.customer_id from people y order by y.customer_id, y.day),
    array(select y.day from people y order by y.customer_id, y.day)
    into v_days, v_hours, v_people, v_people_days;
  delete from sale_days d where d.workspace_id = p_workspace and d.day = any (v_days);
  -- Bounds are worked out beforehand: under row-level security an index is no use for what a function
  -- makes of another table's column.
  with d as materialized (
    select u.day, _figures_day_start(u.day, p_zone) as starts_at,
      _figures_day_start(u.day + 1, p_zone) as ends_at
    from unnest(v_days) u (day)
  )
  insert into sale_days (workspace_id, day, bot_id, product, sku, traffic_source, payments, stars,
    first_purchases, refunds, stars_refunded)
  select p_workspace, d.day, s.bot_id, s.product, s.sku, s.traffic_source, sum(s.payments),
    sum(s.stars), sum(s.first_purchases), sum(s.refunds), sum(s.stars_refunded)
  from d cross join lateral _figures_sales(p_workspace, d.starts_at, d.ends_at) s
  group by d.day, s.bot_id, s.product, s.sku, s.traffic_source;
  with u as materialized (
    select n.hour, n.hour + interval '1 hour' as ends_at from unnest(v_hours) n (hour)
  )
  insert into hours as h (workspace_id, hour, payments, stars, stars_refunded)
  select p_workspace, u.hour, p.payments, p.stars, r.stars
  from u
  cross join lateral (
    select count(*) as payments, coalesce(sum(p.stars), 0) as stars from payments p
    where p.workspace_id = p_workspace and p.paid_at >= u.hour
      and p.paid_at < u.ends_at) p
  cross join lateral (
    select coalesce(sum(r.stars), 0) as stars from refunds r
    where r.workspace_id = p_workspace and r.refunded_at >= u.hour
      and r.refunded_at < u.ends_at) r
  on conflict (workspace_id, hour) do update
    set payments = excluded.payments, stars = excluded.stars,
      stars_refunded = excluded.stars_refunded;
  with b as materialized (
    select u.customer_id, u.day, _figures_day_start(u.day, p_zone) as starts_at,
      _figures_day_start(u.day + 1, p_zone) as ends_at
    from unnest(v_people, v_people_days) u (customer_id, day)
  )
  insert into customer_days as c (workspace_id, day, customer_id, stars, stars_refunded)
  select p_workspace, b.day, b.customer_id, p.stars, r.stars
  from b
  cross join lateral (
    select coalesce(sum(p.stars), 0) as stars from payments p
    where p.workspace_id = p_workspace and p.customer_id = b.customer_id
      and p.paid_at >= b.starts_at and p.paid_at < b.ends_at) p
  cross join lateral (
    select coalesce(sum(r.stars), 0) as stars from refunds r
    where r.workspace_id = p_workspace and r.customer_id = b.customer_id
      and r.refunded_at >= b.starts_at and r.refunded_at < b.ends_at) r
  on conflict (workspace_id, day, customer_id, cost_currency) do update
    set stars = excluded.stars, stars_refunded = excluded.stars_refunded;
end $$;

drop function if exists _figures_sales(bigint, date, text);
-- Payments of a time, and the refunds that were made in it.
create or replace function _figures_sales(
  p_workspace bigint, p_from timestamptz, p_until timestamptz
) returns table (
  bot_id bigint, product text, sku text, traffic_source text, payments bigint, stars bigint,
  first_purchases bigint, refunds bigint, stars_refunded bigint
) language sql stable as $$
  select p.bot_id, case when p.sku is null then 'unknown' else p.product end, coalesce(p.sku, ''),
    (select c.traffic_source from customers c
      where c.workspace_id = p_workspace and c.customer_id = p.customer_id),
    1::bigint, p.stars,
    (p.sku is not null and not exists (
      select from payments o
      where o.workspace_id = p_workspace and o.customer_id = p.customer_id
        and o.sku is not null and (o.paid_at, o.payment_id) < (p.paid_at, p.payment_id)
    ))::int::bigint, 0::bigint, 0::bigint
  from payments p
  where p.workspace_id = p_workspace and p.paid_at >= p_from and p.paid_at < p_until
  union all
  select r.bot_id, case when p.sku is null then 'unknown' else p.product end, coalesce(p.sku, ''),
    coalesce((select c.traffic_source from customers c
      where c.workspace_id = p_workspace and c.customer_id = r.customer_id), ''), 0, 0, 0, 1, r.stars
  from refunds r
  left join lateral (
    select o.sku, o.product from payments o
    where o.workspace_id = p_workspace and o.bot_id = r.bot_id and o.charge_id = r.charge_id
    offset 0) p on true
  where r.workspace_id = p_workspace and r.refunded_at >= p_from
    and r.refunded_at < p_until
$$;

-- Steps of checkouts are never changed: they are added up.
create or replace function _figures_count_checkouts(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns void language plpgsql volatile as $$
begin
  insert into checkout_days as d (workspace_id, day, bot_id, product, sku, state, reason, checkouts)
  select p_workspace, s.day, s.bot_id, s.product, s.sku, s.state, s.reason, count(*)
  from _figures_steps(p_workspace, p_old, p_new, p_zone) s
  group by s.day, s.bot_id, s.product, s.sku, s.state, s.reason
  on conflict (workspace_id, day, bot_id, product, sku, state, reason) do update
    set checkouts = d.checkouts + excluded.checkouts;
end $$;

create or replace function _figures_steps(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns table (day date, bot_id bigint, product text, sku text, state text, reason text)
language sql stable as $$
  select (t.at at time zone p_zone)::date, c.bot_id, c.product, c.sku, t.to_state, t.reason
  from checkout_transitions t
  cross join lateral (
    select o.bot_id, o.product, o.sku from checkouts o
    where o.workspace_id = p_workspace and o.checkout_id = t.checkout_id offset 0) c
  where t.workspace_id = p_workspace
    and t.xid >= pg_snapshot_xmin(p_old) and t.xid < pg_snapshot_xmax(p_new)
    and not pg_visible_in_snapshot(t.xid, p_old) and pg_visible_in_snapshot(t.xid, p_new)
$$;

-- Customers on the day of their first sight. One whose traffic source becomes known later moves
-- over.
create or replace function _figures_newcomers(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns table (day date, traffic_source text, customers bigint) language sql stable as $$
  select (c.created_at at time zone p_zone)::date, '', 1::bigint from customers c
  where c.workspace_id = p_workspace
    and c.xid >= pg_snapshot_xmin(p_old) and c.xid < pg_snapshot_xmax(p_new)
    and not pg_visible_in_snapshot(c.xid, p_old) and pg_visible_in_snapshot(c.xid, p_new)
  union all
  select (c.created_at at time zone p_zone)::date, s.traffic_source, s.change from customers c
  cross join lateral (values ('', -1::bigint), (c.traffic_source, 1)) s (traffic_source, change)
  where c.workspace_id = p_workspace and c.traffic_source_xid is not null
    and c.traffic_source_xid >= pg_snapshot_xmin(p_old)
    and c.traffic_source_xid < pg_snapshot_xmax(p_new)
    and not pg_visible_in_snapshot(c.traffic_source_xid, p_old)
    and pg_visible_in_snapshot(c.traffic_source_xid, p_new)
$$;

create or replace function _figures_count_newcomers(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns void language plpgsql volatile as $$
begin
  insert into newcomer_days as d (workspace_id, day, traffic_source, customers)
  select p_workspace, n.day, n.traffic_source, sum(n.customers)
  from _figures_newcomers(p_workspace, p_old, p_new, p_zone) n
  group by n.day, n.traffic_source having sum(n.customers) <> 0
  on conflict (workspace_id, day, traffic_source) do update
    set customers = d.customers + excluded.customers;
end $$;

grant execute on function _figures_count_sales, _figures_sales, _figures_count_checkouts,
  _figures_steps, _figures_newcomers, _figures_count_newcomers to estars_app;
