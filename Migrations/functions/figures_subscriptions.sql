-- Figures of subscriptions, read from the steps that each of them took: what stands at the end of a
-- day is what stood before it and what its steps changed.

-- A downgrade that was asked for is a wish of the old subscription; the others begin a new one.
create or replace function _figures_begins(p_kind text, p_reason text) returns boolean
language sql immutable as $$
  select p_kind in ('subscribe', 'upgrade') or (p_kind = 'downgrade' and p_reason <> 'asked')
$$;

-- Whether a subscription is active after a step, and whether it is to be renewed. Trials never are. A
-- payment for a time that was over when it came in makes nothing active; what another plan replaced
-- stays replaced.
create or replace function _figures_standing(p_workspace bigint, p_subscription bigint, p_step int)
returns table (is_active boolean, is_renewing boolean) language sql stable as $$
  select b.is_active, b.is_active and b.begun > b.stopped and b.paid > b.failed
  from (
    select t.running > t.ended and t.replaced = 0 as is_active, t.begun, t.stopped, t.paid, t.failed
    from (
      select
        coalesce(max(c.step) filter (where (c.is_begin or c.kind = 'renew')
          and coalesce(y.ends_at > c.at, true)), 0) as running,
        coalesce(max(c.step) filter (where c.kind in ('grace', 'expire')), 0) as ended,
        coalesce(max(c.step) filter (where c.kind = 'replace'), 0) as replaced,
        coalesce(max(c.step) filter (where c.is_begin or c.kind = 'reenable'), 0) as begun,
        coalesce(max(c.step) filter (where c.kind = 'cancel'), 0) as stopped,
        coalesce(max(c.step) filter (where c.is_begin or c.kind in ('renew', 'reenable')), 0)
          as paid,
        coalesce(max(c.step) filter (where c.kind = 'fail'), 0) as failed
      from (
        select h.*, _figures_begins(h.kind, h.reason) as is_begin from subscription_changes h
        where h.workspace_id = p_workspace and h.subscription_id = p_subscription
          and h.step <= p_step
      ) c
      left join lateral (
        select o.ends_at from subscription_cycles o
        where o.workspace_id = p_workspace and o.subscription_id = p_subscription
          and o.cycle = c.charge_id offset 0) y on true
    ) t
  ) b
$$;

-- What the steps since a moment changed, one row each.
create or replace function _figures_changes(
  p_workspace bigint, p_since timestamptz, p_zone text
) returns table (
  day date, plan text, active int, mrr_stars bigint, started int, renewed int, churned int,
  trials_started int, trials_converted int
) language sql stable as $$
  select (c.at at time zone p_zone)::date, s.plan,
    case when s.is_trial then 0 else n.is_active::int - coalesce(b.is_active::int, 0) end,
    (n.is_renewing::int - coalesce(b.is_renewing::int, 0)) * case when s.is_trial then 0
      else s.stars * 2592000 / coalesce(k.period_seconds, 2592000) end,
    (f.begins and not s.is_trial)::int, (c.kind = 'renew')::int,
    (c.kind = 'expire' and not s.is_trial)::int, (c.kind = 'trial')::int,
    (f.begins and not s.is_trial and exists (
      select from subscriptions o
      where o.workspace_id = p_workspace and o.customer_id = s.customer_id
        and o.subscription_id < s.subscription_id
      having bool_or(o.is_trial) and bool_and(o.is_trial)))::int
  from subscription_changes c
  cross join lateral (
    select o.* from subscriptions o
    where o.workspace_id = p_workspace and o.subscription_id = c.subscription_id offset 0) s
  left join lateral (
    select o.period_seconds from checkouts o
    where o.workspace_id = p_workspace and o.checkout_id = s.checkout_id offset 0) k on true
  cross join lateral (select _figures_begins(c.kind, c.reason) as begins) f
  cross join lateral _figures_standing(p_workspace, c.subscription_id, c.step) n
  cross join lateral _figures_standing(p_workspace, c.subscription_id, c.step - 1) b
  where c.workspace_id = p_workspace and c.at >= p_since
$$;

-- The figures of days from the first one on, upon what stood before it.
create or replace function _figures_subscriptions(p_workspace bigint, p_first date, p_zone text)
returns table (
  day date, plan text, active bigint, mrr_stars bigint, started bigint, renewed bigint,
  churned bigint, trials_started bigint, trials_converted bigint
) language sql stable as $$
  select d.day, d.plan,
    (coalesce(b.active, 0) + sum(d.active) over w)::bigint,
    (coalesce(b.mrr_stars, 0) + sum(d.mrr_stars) over w)::bigint,
    d.started, d.renewed, d.churned, d.trials_started, d.trials_converted
  from (
    select c.day, c.plan, sum(c.active) as active, sum(c.mrr_stars) as mrr_stars,
      sum(c.started) as started, sum(c.renewed) as renewed, sum(c.churned) as churned,
      sum(c.trials_started) as trials_started, sum(c.trials_converted) as trials_converted
    from _figures_changes(p_workspace, case when isfinite(p_first)
      then _figures_day_start(p_first, p_zone) else '-infinity'::timestamptz end, p_zone) c
    group by c.day, c.plan
  ) d
  left join lateral (
    select s.active, s.mrr_stars from subscription_days s
    where s.workspace_id = p_workspace and s.plan = d.plan and s.day < p_first
    order by s.day desc limit 1) b on true
  window w as (partition by d.plan order by d.day)
$$;

create or replace function _figures_count_subscriptions(
  p_workspace bigint, p_old pg_snapshot, p_new pg_snapshot, p_zone text
) returns void language plpgsql volatile as $$
declare
  v_first date;
begin
  select min((c.at at time zone p_zone)::date) into v_first
    from subscription_changes c
    where c.workspace_id = p_workspace
      and c.xid >= pg_snapshot_xmin(p_old) and c.xid < pg_snapshot_xmax(p_new)
      and _figures_is_new(c.xid, p_old, p_new);
  delete from subscription_days s where s.workspace_id = p_workspace and s.day >= v_first;
  insert into subscription_days (workspace_id, day, plan, active, mrr_stars, started, renewed,
    churned, trials_started, trials_converted)
  select p_workspace, f.* from _figures_subscriptions(p_workspace, v_first, p_zone) f
    where v_first is not null;
end $$;

grant execute on function _figures_standing, _figures_begins, _figures_changes,
  _figures_subscriptions, _figures_count_subscriptions to estars_app;
