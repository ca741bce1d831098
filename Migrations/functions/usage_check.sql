-- Checks, and what a customer may do with every action. They change nothing and lock nothing.

drop function if exists usage_check_batch(bigint, bigint[], text[], bigint[], timestamptz);
create or replace function usage_check_batch(
  p_workspace bigint, p_users bigint[], p_actions text[], p_units bigint[], p_at timestamptz
) returns table (
  ord bigint, status text, cost bigint, balance bigint, tier text, free_units bigint,
  entitlement text, quota_period text, quota_limit int, quota_used bigint,
  quota_resets_at timestamptz, is_known boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return query
    select q.ord,
      coalesce(q.refusal, case
        when q.is_unmetered then 'allowed'
        when not q.has_room then 'quota_exceeded'
        when q.cost > 0 and q.available < q.cost then 'insufficient'
        else 'allowed' end),
      case when q.is_unmetered then 0 else q.cost end, q.available, q.tier,
      case when q.is_unmetered then 0 else q.free_units end,
      case q.refusal when 'no_access' then q.required_entitlement end,
      q.quota_period, q.quota_limit, q.quota_used, q.quota_resets_at, q.customer_id is not null
    from (
      select r.ord, c.customer_id, a.required_entitlement, _usage_refusal(a, c.customer_id, r.units, p_at) as refusal,
        _usage_is_unmetered(a, c.customer_id, p_at)
          or coalesce(c.unlimited_until > p_at, false) as is_unmetered,
        coalesce(t.cost, a.price_credits * r.units, 0) as cost,
        coalesce(t.free_units, 0) as free_units, _usage_available(b, p_at) as available,
        k.tier, t.has_room, t.quota_period, t.quota_limit, t.quota_used, t.quota_resets_at
      from unnest(p_users, p_actions, p_units) with ordinality r (telegram_id, action, units, ord)
      left join actions a on a.workspace_id = p_workspace and a.action = r.action
        and a.withdrawn_at is null
      left join customers c on c.workspace_id = p_workspace and c.telegram_id = r.telegram_id
      left join accounts b on b.workspace_id = p_workspace and b.account_id = c.customer_id
        and b.unit = coalesce(a.credit_unit, 1::smallint)
      -- As _usage_tier says it, without a statement of its own for every check.
      cross join lateral (
        select (
          select t.tier from tiers t
          where t.workspace_id = p_workspace
            and (t.entitlement is null or exists (
              select from access_grants g
              where g.workspace_id = p_workspace and g.customer_id = c.customer_id
                and g.entitlement = t.entitlement and g.ended_at is null
                and g.starts_at <= p_at and g.ends_at > p_at))
          order by t.position desc limit 1) as tier
        offset 0
      ) k
      left join lateral _usage_terms(a, c.customer_id, r.units, k.tier, p_at) t
        on not _usage_is_unmetered(a, c.customer_id, p_at)
          and not coalesce(c.unlimited_until > p_at, false)
          and _usage_refusal(a, c.customer_id, r.units, p_at) is null
      offset 0
    ) q;
end $$;

-- The customer's tier, and every quota that it sets. A customer nobody knows is in the base tier.
create or replace function usage_tier(p_workspace bigint, p_customer bigint, p_at timestamptz)
returns table (tier text, title text, entitlement text, "position" int)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return query
    select t.tier, t.title, t.entitlement, t.position from tiers t
    where t.workspace_id = p_workspace
      and t.tier = _usage_tier(p_workspace, p_customer, p_at);
end $$;

create or replace function usage_quotas(p_workspace bigint, p_customer bigint, p_at timestamptz)
returns table (
  action text, title text, quota_period text, quota_limit int, quota_used bigint,
  quota_resets_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_tier text;
begin
  perform _ledger_guard(p_workspace, p_at);
  v_tier := _usage_tier(p_workspace, p_customer, p_at);
  return query
    select a.action, a.title, w.period, w.quota_limit, w.quota_used, w.resets_at
    from actions a
    cross join lateral _usage_windows(p_workspace, p_customer, a.action, v_tier, p_at) w
    where a.workspace_id = p_workspace and a.withdrawn_at is null and a.is_limited
      and w.quota_limit is not null and not _usage_is_unmetered(a, p_customer, p_at)
      and not exists (
        select from customers c where c.workspace_id = p_workspace
          and c.customer_id = p_customer and c.unlimited_until > p_at)
    order by a.position, a.action, w.rank;
end $$;

grant execute on function usage_check_batch, usage_tier, usage_quotas to estars_app;
