-- A refund takes back what its charge granted. What is left of the charge's lots goes, with what
-- the approved refund held. For what was used, the policy decides: 'forgive' books it as forgiven,
-- 'debt' takes it from the other lots and then below zero, and counts what other holds have of the
-- charge as used. What had expired is never owed.

create or replace function ledger_clawback(
  p_workspace bigint, p_bot bigint, p_charge text, p_key text, p_policy text, p_reason text,
  p_at timestamptz
) returns ledger_clawback_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  v_account accounts;
  v_entry entries;
  v_clawback clawbacks;
  v_answer ledger_clawback_answer;
begin
  perform _ledger_guard(p_workspace, p_at);
  if not _ledger_is_key(p_key) or p_bot is null or p_charge is null
    or p_policy is null or p_policy not in ('forgive', 'debt')
  then
    v_answer.status := 'invalid';
    return v_answer;
  end if;
  for v_locks in 0 .. 1 loop
    v_account := _ledger_charge_account(p_workspace, p_bot, p_charge, v_locks = 1);
    select * into v_clawback from clawbacks c
      where c.workspace_id = p_workspace and c.bot_id = p_bot and c.charge_id = p_charge;
    v_entry := _ledger_entry(p_workspace, p_key);
    if v_entry.version is not null then
      if v_entry.operation = 'clawback' and v_clawback.policy = p_policy
        and (v_clawback.account_id, v_clawback.unit, v_clawback.version)
          = (v_entry.account_id, v_entry.unit, v_entry.version)
      then
        return _ledger_clawback_answer('replayed', v_entry.balance_after, v_clawback);
      end if;
      v_answer.status := 'conflict';
      return v_answer;
    end if;
    if v_account.version is null then
      v_answer.status := 'unknown';
      return v_answer;
    end if;
    if v_clawback.version is not null then
      v_answer.status := 'closed';
      v_answer.balance := v_account.balance;
      return v_answer;
    end if;
  end loop;
  v_account := _ledger_expire(v_account, p_at);
  v_entry := _ledger_draft(v_account, 'clawback', p_at);
  v_entry.idempotency_key := p_key;
  v_entry.action := p_policy;
  v_entry.reason := p_reason;
  v_entry.bot_id := p_bot;
  v_clawback.bot_id := p_bot;
  v_clawback.charge_id := p_charge;
  v_clawback.policy := p_policy;
  return _ledger_take_back(v_account, v_clawback, v_entry);
end $$;

create or replace function _ledger_clawback_answer(
  p_status text, p_balance bigint, p_clawback clawbacks
) returns ledger_clawback_answer language plpgsql immutable as $$
declare
  v_answer ledger_clawback_answer;
begin
  v_answer.status := p_status;
  v_answer.balance := p_balance;
  v_answer.version := p_clawback.version;
  v_answer.taken := p_clawback.taken;
  v_answer.used := p_clawback.used;
  v_answer.held := p_clawback.held;
  v_answer.expired := p_clawback.expired;
  return v_answer;
end $$;

create or replace function _ledger_take_back(
  p_account accounts, p_clawback clawbacks, p_entry entries
) returns ledger_clawback_answer language plpgsql volatile as $$
declare
  v_lot record;
  v_used ledger_parts := _ledger_parts(null, null);
  v_taken ledger_parts;
  v_amount bigint;
begin
  p_clawback.granted := 0;
  p_clawback.taken := 0;
  p_clawback.used := 0;
  p_clawback.held := 0;
  p_clawback.expired := 0;
  for v_lot in
    select * from _ledger_charge_lots(p_account, p_clawback.bot_id, p_clawback.charge_id)
  loop
    p_clawback.granted := p_clawback.granted + v_lot.amount;
    p_clawback.taken := p_clawback.taken + v_lot.amount_left + v_lot.refund_held;
    p_clawback.used := p_clawback.used + v_lot.used;
    p_clawback.held := p_clawback.held + v_lot.held;
    p_clawback.expired := p_clawback.expired + v_lot.expired;
    if v_lot.used > 0 then
      v_used.ids := v_used.ids || v_lot.lot_id;
      v_used.amounts := v_used.amounts || v_lot.used;
    end if;
  end loop;
  p_account := _ledger_end_refund_hold(p_account, p_clawback, p_entry);
  v_amount := p_clawback.taken + p_clawback.used;
  if p_clawback.policy = 'forgive' then
    p_account := _ledger_forgive(p_account, v_used, p_entry);
  else
    v_amount := v_amount + p_clawback.held;
  end if;
  v_taken := _ledger_charge_left(p_account, p_clawback.bot_id, p_clawback.charge_id);
  if p_clawback.policy = 'debt' then
    v_taken := _ledger_before_others(p_account, v_taken);
  end if;
  p_entry.kind := 'clawback';
  p_account := _ledger_lose(p_account, v_taken, v_amount, p_entry);
  insert into clawbacks (
    workspace_id, bot_id, charge_id, account_id, unit, version, policy, granted, taken, used,
    held, expired, created_at)
  values (
    p_account.workspace_id, p_clawback.bot_id, p_clawback.charge_id, p_account.account_id,
    p_account.unit, p_account.version, p_clawback.policy, p_clawback.granted, p_clawback.taken,
    p_clawback.used, p_clawback.held, p_clawback.expired, p_entry.created_at);
  p_clawback.version := p_account.version;
  return _ledger_clawback_answer('applied', p_account.balance, p_clawback);
end $$;

-- Where the credits of a charge are, lot by lot in burn order. What was carried on into another lot
-- counts in that one alone: here it was neither granted nor did it expire.
create or replace function _ledger_charge_lots(
  p_account accounts, p_bot bigint, p_charge text
) returns table (
  lot_id bigint, source text, paid boolean, amount bigint, expires_at timestamptz,
  amount_left bigint, refund_held bigint, held bigint, expired bigint, used bigint
) language sql stable as $$
  select w.lot_id, w.source, w.paid, w.amount - w.carried, w.expires_at, w.amount_left,
    w.refund_held, w.held, w.expired - w.carried,
    w.amount - w.amount_left - w.refund_held - w.held - w.expired
  from (
    select l.lot_id, l.source, l.paid, l.amount, l.expires_at,
      (select coalesce(sum(c.amount), 0)::bigint from lots c
        where c.workspace_id = l.workspace_id and c.bot_id = p_bot and c.charge_id = p_charge
          and c.account_id = l.account_id and c.unit = l.unit and c.carried_from = l.lot_id)
        as carried,
      coalesce((p_account).lot_left[array_position((p_account).lot_ids, l.lot_id)], 0)
        as amount_left,
      coalesce(h.refund_held, 0) as refund_held, coalesce(h.held, 0) as held,
      case when l.expires_at = 'infinity' then 0 else coalesce(x.expired, 0) end as expired
    from lots l
    left join lateral (
      select sum(o.amount) filter (where o.is_refund)::bigint as refund_held,
        sum(o.amount) filter (where not o.is_refund)::bigint as held
      from (
        select p.amount, h.charge_id is not null as is_refund
        from holds h
        join entries e on e.workspace_id = h.workspace_id and e.account_id = h.account_id
          and e.unit = h.unit and e.version = h.version
        cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
        where h.workspace_id = l.workspace_id and h.account_id = l.account_id
          and h.unit = l.unit and p.lot_id = l.lot_id
      ) o
    ) h on true
    left join lateral (
      select sum(p.amount)::bigint as expired
      from entries e
      cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
      where l.expires_at < 'infinity' and e.workspace_id = l.workspace_id
        and e.account_id = l.account_id and e.unit = l.unit and e.version > l.lot_id
        and e.kind = 'expire' and p.lot_id = l.lot_id
    ) x on true
    where l.workspace_id = (p_account).workspace_id and l.account_id = (p_account).account_id
      and l.unit = (p_account).unit and l.bot_id = p_bot and l.charge_id = p_charge
  ) w
  where w.amount > w.carried
  order by w.expires_at, w.paid, w.lot_id
$$;

-- What the approved refund held returns, to be taken with the rest.
create or replace function _ledger_end_refund_hold(
  p_account accounts, p_clawback clawbacks, p_entry entries
) returns accounts language plpgsql volatile as $$
declare
  v_hold holds;
  v_held ledger_parts;
begin
  delete from holds h
    where h.workspace_id = p_account.workspace_id and h.bot_id = p_clawback.bot_id
      and h.charge_id = p_clawback.charge_id
    returning * into v_hold;
  if not found then
    return p_account;
  end if;
  select e.lot_ids, e.lot_amounts into v_held.ids, v_held.amounts from entries e
    where e.workspace_id = v_hold.workspace_id and e.account_id = v_hold.account_id
      and e.unit = v_hold.unit and e.version = v_hold.version;
  p_entry.idempotency_key := null;
  p_entry.hold_key := v_hold.hold_key;
  return _ledger_return(p_account,
    _ledger_first(v_held, _ledger_through_lots(p_account.balance, v_hold.amount)),
    v_hold.amount, p_entry);
end $$;

-- The given parts, then the account's other open lots in burn order.
create or replace function _ledger_before_others(p_account accounts, p_parts ledger_parts)
returns ledger_parts language plpgsql immutable as $$
begin
  for i in 1 .. cardinality(p_account.lot_ids) loop
    if p_account.lot_ids[i] <> all (p_parts.ids) then
      p_parts.ids := p_parts.ids || p_account.lot_ids[i];
      p_parts.amounts := p_parts.amounts || p_account.lot_left[i];
    end if;
  end loop;
  return p_parts;
end $$;

grant execute on function ledger_clawback to estars_app;
