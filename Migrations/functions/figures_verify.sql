-- Counts every figure anew from the tables it is of and compares. No rows: they agree. Right while
-- nothing is left to be counted, and in a transaction that sees one moment only.
-- What came from where is compared as it is known now, but for uses, which keep what was known when
-- they were counted.
create or replace function figures_verify(p_workspace bigint)
returns table (figure text, side text, detail text) language plpgsql volatile as $$
declare
  v_zone text;
  v_all pg_snapshot := pg_current_snapshot();
  v_none pg_snapshot := '1:1:';
begin
  select w.time_zone into v_zone from workspaces w where w.workspace_id = p_workspace;
  return query
    with m as materialized (
      select * from _figures_movements(p_workspace, v_none, v_all, v_zone)
    ), used as materialized (
      select u.*, coalesce(k.cost_currency, '') as cost_currency,
        coalesce(k.unit_cost_micros * u.units, 0) as cost_micros
      from (
        select m.account_id, m.version, m.xid, m.day, m.unit, m.action,
          coalesce(m.bot_id, 0) as bot_id, m.units, -sum(m.credits) as credits,
          sum(m.stars_micros) as stars_micros
        from m where m.kind = 'debit' and m.action is not null
        group by m.account_id, m.version, m.xid, m.day, m.unit, m.action, m.bot_id, m.units
      ) u
      left join lateral _figures_cost(p_workspace, u.action, u.xid) k on true
    ), free as materialized (
      select * from _figures_free_uses(p_workspace, v_none, v_all, v_zone)
    ), credits as materialized (
      select m.day, m.unit, m.kind, m.source, sum(m.credits)::bigint as credits,
        count(*) filter (where m.is_first) as entries
      from m group by m.day, m.unit, m.kind, m.source
    ), uses as materialized (
      select u.day, u.bot_id, u.action, u.unit, u.cost_currency, sum(u.uses)::bigint as uses,
        sum(u.units)::bigint as units, sum(u.credits)::bigint as credits,
        sum(u.stars_micros)::bigint as stars_micros, sum(u.cost_micros)::bigint as cost_micros
      from (
        select x.day, x.bot_id, x.action, x.unit, x.cost_currency, 1 as uses, x.units, x.credits,
          x.stars_micros, x.cost_micros
        from used x
        union all
        select x.day, x.bot_id, x.action, x.unit, x.cost_currency, 1, x.units, 0, 0, x.cost_micros
        from free x
      ) u group by u.day, u.bot_id, u.action, u.unit, u.cost_currency
    ), people as materialized (
      select p.day, p.customer_id, p.cost_currency, sum(p.stars)::bigint as stars,
        sum(p.stars_refunded)::bigint as stars_refunded, sum(p.credits)::bigint as credits,
        sum(p.stars_micros)::bigint as stars_micros, sum(p.cost_micros)::bigint as cost_micros
      from (
        select x.day, x.account_id as customer_id,
          case when x.cost_micros = 0 then '' else x.cost_currency end as cost_currency, 0 as stars,
          0 as stars_refunded, x.credits, x.stars_micros, x.cost_micros
        from used x
        union all
        select x.day, x.customer_id, x.cost_currency, 0, 0, 0, 0, x.cost_micros from free x
        where x.cost_micros > 0
        union all
        select m.day, m.account_id, '', 0, 0, -m.credits, m.stars_micros, 0 from m
        where m.kind = 'debit' and m.action is null
        union all
        select m.day, m.account_id, '', 0, 0, 0, -m.stars_micros, 0 from m
        where m.kind = 'forgive'
        union all
        select _figures_day(t.paid_at, v_zone), t.customer_id, '', t.stars, 0, 0, 0, 0
        from payments t where t.workspace_id = p_workspace
        union all
        select _figures_day(t.refunded_at, v_zone), t.customer_id, '', 0, t.stars, 0, 0, 0
        from refunds t where t.workspace_id = p_workspace and t.refunded_at is not null
          and t.customer_id is not null
      ) p group by p.day, p.customer_id, p.cost_currency
    ), by_hour as materialized (
      select h.hour, sum(h.payments)::bigint as payments, sum(h.stars)::bigint as stars,
        sum(h.stars_refunded)::bigint as stars_refunded, sum(h.issued)::bigint as issued,
        sum(h.used)::bigint as used, sum(h.expired)::bigint as expired
      from (
        select date_trunc('hour', m.at, 'UTC') as hour, 0 as payments, 0 as stars,
          0 as stars_refunded,
          case when m.kind = 'credit' and m.source <> 'carried' then m.credits else 0 end as issued,
          case when m.kind = 'debit' then -m.credits else 0 end as used,
          case when m.kind = 'expire' or m.source = 'carried' then -m.credits else 0 end as expired
        from m where m.unit = 1 and m.kind in ('credit', 'debit', 'expire')
        union all
        select date_trunc('hour', t.paid_at, 'UTC'), 1, t.stars, 0, 0, 0, 0
        from payments t where t.workspace_id = p_workspace
        union all
        select date_trunc('hour', t.refunded_at, 'UTC'), 0, 0, t.stars, 0, 0, 0
        from refunds t where t.workspace_id = p_workspace and t.refunded_at is not null
      ) h group by h.hour
    )
    select x.figure, x.side, x.detail from (
      select 'credit_days' as figure, d.side, d.line as detail from _figures_lines(array(
        select (s.day, s.unit, s.kind, s.source, s.credits, s.entries)::text from credit_days s
        where s.workspace_id = p_workspace), array(
        select (c.day, c.unit, c.kind, c.source, c.credits, c.entries)::text from credits c)) d
      union all
      select 'usage_days', d.side, d.line from _figures_lines(array(
        select (s.day, s.bot_id, s.action, s.unit, s.cost_currency, sum(s.uses)::bigint,
          sum(s.units)::bigint, sum(s.credits)::bigint, sum(s.stars_micros)::bigint,
          sum(s.cost_micros)::bigint)::text
        from usage_days s where s.workspace_id = p_workspace
        group by s.day, s.bot_id, s.action, s.unit, s.cost_currency), array(
        select (c.day, c.bot_id, c.action, c.unit, c.cost_currency, c.uses, c.units, c.credits,
          c.stars_micros, c.cost_micros)::text from uses c)) d
      union all
      select 'hours', d.side, d.line from _figures_lines(array(
        select (s.hour, s.payments, s.stars, s.stars_refunded, s.credits_issued, s.credits_used,
          s.credits_expired)::text from hours s
        where s.workspace_id = p_workspace), array(
        select (c.hour, c.payments, c.stars, c.stars_refunded, c.issued, c.used, c.expired)::text
        from by_hour c)) d
      union all
      -- There may be millions of them.
      select 'customer_days', case when c.day is null then 'stored' else 'counted' end,
        (coalesce(s.day, c.day), coalesce(s.customer_id, c.customer_id),
          coalesce(s.cost_currency, c.cost_currency),
          s.stars, c.stars, s.stars_refunded, c.stars_refunded, s.credits_used, c.credits,
          s.stars_micros, c.stars_micros, s.cost_micros, c.cost_micros)::text
      from (select * from customer_days z where z.workspace_id = p_workspace) s
      full join people c on c.day = s.day and c.customer_id = s.customer_id
        and c.cost_currency = s.cost_currency
      where (s.stars, s.stars_refunded, s.credits_used, s.stars_micros, s.cost_micros)
        is distinct from (c.stars, c.stars_refunded, c.credits, c.stars_micros, c.cost_micros)
    ) x limit 1000;
  return query select * from _figures_verify_sales(p_workspace, v_none, v_all, v_zone);
end $$;

-- Lines that only one side has.
create or replace function _figures_lines(p_stored text[], p_counted text[])
returns table (side text, line text) language sql immutable as $$
  (select 'stored', s.line from unnest(p_stored) s (line)
    except all select 'stored', c.line from unnest(p_counted) c (line))
  union all
  (select 'counted', c.line from unnest(p_counted) c (line)
    except all select 'counted', s.line from unnest(p_stored) s (line))
$$;

create or replace function _figures_verify_sales(
  p_workspace bigint, p_none pg_snapshot, p_all pg_snapshot, p_zone text
) returns table (figure text, side text, detail text) language sql stable as $$
  with t as materialized (
    select d.day, _figures_day_start(d.day, p_zone) as starts_at,
      _figures_day_start(d.day + 1, p_zone) as ends_at
    from (
      select _figures_day(p.paid_at, p_zone) as day from payments p
      where p.workspace_id = p_workspace
      union select _figures_day(r.refunded_at, p_zone) from refunds r
      where r.workspace_id = p_workspace and r.refunded_at is not null
    ) d
  )
  select 'sale_days', d.side, d.line from _figures_lines(array(
    select (s.day, s.bot_id, s.product, s.sku, s.traffic_source, s.payments, s.stars,
      s.first_purchases, s.refunds, s.stars_refunded)::text
    from sale_days s where s.workspace_id = p_workspace), array(
    select (t.day, s.bot_id, s.product, s.sku, s.traffic_source, sum(s.payments)::bigint,
      sum(s.stars)::bigint, sum(s.first_purchases)::bigint, sum(s.refunds)::bigint,
      sum(s.stars_refunded)::bigint)::text
    from t cross join lateral _figures_sales(p_workspace, t.starts_at, t.ends_at) s
    group by t.day, s.bot_id, s.product, s.sku, s.traffic_source)) d
  union all
  select 'checkout_days', d.side, d.line from _figures_lines(array(
    select (s.day, s.bot_id, s.product, s.sku, s.state, s.reason, s.checkouts)::text
    from checkout_days s where s.workspace_id = p_workspace), array(
    select (s.day, s.bot_id, s.product, s.sku, s.state, s.reason, count(*))::text
    from _figures_steps(p_workspace, p_none, p_all, p_zone) s
    group by s.day, s.bot_id, s.product, s.sku, s.state, s.reason)) d
  union all
  select 'subscription_days', d.side, d.line from _figures_lines(array(
    select (s.day, s.plan, s.active, s.mrr_stars, s.started, s.renewed, s.churned,
      s.trials_started, s.trials_converted)::text
    from subscription_days s where s.workspace_id = p_workspace), array(
    select (f.day, f.plan, f.active, f.mrr_stars, f.started, f.renewed, f.churned,
      f.trials_started, f.trials_converted)::text
    from _figures_subscriptions(p_workspace, '-infinity', p_zone) f)) d
  union all
  select 'newcomer_days', d.side, d.line from _figures_lines(array(
    select (s.day, s.traffic_source, s.customers)::text from newcomer_days s
    where s.workspace_id = p_workspace and s.customers <> 0), array(
    select (_figures_day(c.created_at, p_zone), c.traffic_source, count(*))::text
    from customers c where c.workspace_id = p_workspace
    group by _figures_day(c.created_at, p_zone), c.traffic_source)) d
$$;

grant execute on function figures_verify, _figures_verify_sales, _figures_lines to estars_app;
