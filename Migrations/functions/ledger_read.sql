-- Reads. They change nothing: what is due counts as gone already.

create or replace function ledger_balance(
  p_workspace bigint, p_account bigint, p_unit smallint, p_at timestamptz
) returns table (balance bigint, held bigint, version bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
  v_account accounts;
begin
  perform _ledger_guard(p_workspace, p_at);
  select * into v_account from accounts a
    where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit;
  return query select
    _ledger_available(v_account, p_at),
    (select coalesce(sum(h.amount), 0)::bigint from holds h
      where h.workspace_id = p_workspace and h.account_id = p_account and h.unit = p_unit),
    coalesce(v_account.version, 0);
end $$;

-- What a debit at that time could take; debt is negative.
create or replace function _ledger_available(p_account accounts, p_at timestamptz)
returns bigint language plpgsql stable as $$
begin
  if p_account.version is null then
    return 0;
  end if;
  if p_account.due_at > p_at then
    return p_account.balance;
  end if;
  return p_account.balance - (
    select coalesce(sum(o.amount), 0)
    from unnest(p_account.lot_ids, p_account.lot_left) o (lot_id, amount)
    join lots l on l.workspace_id = p_account.workspace_id
      and l.account_id = p_account.account_id and l.unit = p_account.unit
      and l.lot_id = o.lot_id
    where l.expires_at <= p_at);
end $$;

-- An account's movements, newest first, older than p_before (null: from the newest), with the
-- source and charge of each lot they moved.
create or replace function ledger_history(
  p_workspace bigint, p_account bigint, p_unit smallint, p_before bigint, p_limit integer
) returns table (
  version bigint, kind entry_kind, operation ledger_operation, counter counter_account,
  amount bigint, balance_after bigint, created_at timestamptz, requested bigint, units integer,
  action text, ref text, reason text, idempotency_key text, hold_key text, lot_ids bigint[],
  lot_amounts bigint[], lot_sources text[], lot_bots bigint[], lot_charges text[]
) language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
  perform _ledger_guard(p_workspace, now());
  return query
    select e.version, e.kind, e.operation, e.counter, e.amount, e.balance_after, e.created_at,
      e.requested, e.units, e.action, e.ref, e.reason, e.idempotency_key, e.hold_key, e.lot_ids,
      e.lot_amounts, g.sources, g.bots, g.charges
    from entries e
    cross join lateral (
      select coalesce(array_agg(l.source order by p.position), '{}') as sources,
        coalesce(array_agg(l.bot_id order by p.position), '{}') as bots,
        coalesce(array_agg(l.charge_id order by p.position), '{}') as charges
      from unnest(e.lot_ids) with ordinality p (lot_id, position)
      join lots l on l.workspace_id = e.workspace_id and l.account_id = e.account_id
        and l.unit = e.unit and l.lot_id = p.lot_id
    ) g
    where e.workspace_id = p_workspace and e.account_id = p_account and e.unit = p_unit
      and e.version < coalesce(p_before, 9223372036854775807)
    order by e.version desc
    limit least(greatest(p_limit, 0), 500);
end $$;

-- Where a charge's credits are: one row a lot. What an approved refund holds counts as held.
create or replace function ledger_charge(p_workspace bigint, p_bot bigint, p_charge text)
returns table (
  account_id bigint, unit smallint, lot_id bigint, source text, paid boolean, amount bigint,
  expires_at timestamptz, amount_left bigint, refund_held bigint, held bigint, expired bigint,
  used bigint
) language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
  v_account accounts;
begin
  perform _ledger_guard(p_workspace, now());
  select a.* into v_account
    from lots l
    join accounts a on a.workspace_id = l.workspace_id and a.account_id = l.account_id
      and a.unit = l.unit
    where l.workspace_id = p_workspace and l.bot_id = p_bot and l.charge_id = p_charge limit 1;
  return query
    select v_account.account_id, v_account.unit, c.lot_id, c.source, c.paid, c.amount,
      c.expires_at, c.amount_left, c.refund_held, c.held, c.expired, c.used
    from _ledger_charge_lots(v_account, p_bot, p_charge) c;
end $$;

grant execute on function ledger_balance, ledger_history, ledger_charge to estars_app;
