-- Paid actions: a request names a customer and an action, the price comes from the catalogue.

-- What each request would cost and whether it may run. Writes nothing.
create or replace function usage_check_batch(
  p_workspace bigint, p_users bigint[], p_actions text[], p_units bigint[], p_at timestamptz)
returns table (ord bigint, status text, cost bigint, balance bigint)
language plpgsql stable set search_path = pg_catalog, public as $$
begin
  return query
    select r.ord,
      case
        when a.action is null then 'unknown_action'
        when r.units > a.max_units then 'too_many_units'
        when a.required_entitlement is not null and not exists (
          select from public.access_grants g
          where g.workspace_id = p_workspace and g.customer_id = c.customer_id
            and g.entitlement = a.required_entitlement and g.ended_at is null
            and g.starts_at <= p_at and g.ends_at > p_at) then 'no_access'
        when b.available < a.price_credits * r.units then 'insufficient'
        else 'allowed'
      end,
      coalesce(a.price_credits * r.units, 0), b.available
    from unnest(p_users, p_actions, p_units) with ordinality r(telegram_id, action, units, ord)
    left join public.actions a on a.workspace_id = p_workspace and a.action = r.action
      and a.withdrawn_at is null
    left join public.customers c on c.workspace_id = p_workspace
      and c.telegram_id = r.telegram_id
    cross join lateral (select coalesce(public.ledger_balance(
      p_workspace, c.customer_id, coalesce(a.credit_unit, 1::smallint), p_at), 0) available) b;
end $$;
revoke execute on function usage_check_batch(bigint, bigint[], text[], bigint[], timestamptz)
  from public;
grant execute on function usage_check_batch(bigint, bigint[], text[], bigint[], timestamptz)
  to estars_app;
