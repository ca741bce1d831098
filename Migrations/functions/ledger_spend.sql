-- Debits and holds: credits leave the open lots in burn order.

drop function if exists ledger_debit(
  bigint, bigint, smallint, bigint, text, bigint, text, integer, text, timestamptz);
drop function if exists ledger_hold(
  bigint, bigint, smallint, bigint, text, bigint, text, integer, text, timestamptz, timestamptz);
drop function if exists _ledger_hold(
  bigint, bigint, smallint, bigint, text, bigint, text, integer, text, timestamptz, timestamptz);
drop function if exists _ledger_take(
  bigint, bigint, smallint, bigint, text, bigint, entry_kind, text, integer, text, timestamptz);
drop function if exists _ledger_take_slowly(
  bigint, bigint, smallint, bigint, text, bigint, entry_kind, text, integer, text, timestamptz);
-- p_bot is the bot that it is for; null = none.
create or replace function ledger_debit(
  p_workspace bigint, p_account bigint, p_unit smallint, p_amount bigint, p_key text,
  p_fingerprint bigint, p_action text, p_units integer, p_ref text, p_at timestamptz,
  p_bot bigint default null
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return _ledger_take(p_workspace, p_account, p_unit, p_amount, p_key, p_fingerprint,
    'debit', p_action, p_units, p_ref, p_at, p_bot);
end $$;

-- p_until is when a hold that nobody closed is to be released.
create or replace function ledger_hold(
  p_workspace bigint, p_account bigint, p_unit smallint, p_amount bigint, p_key text,
  p_fingerprint bigint, p_action text, p_units integer, p_ref text, p_until timestamptz,
  p_at timestamptz, p_bot bigint default null
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return _ledger_hold(p_workspace, p_account, p_unit, p_amount, p_key, p_fingerprint,
    p_action, p_units, p_ref, p_until, p_at, p_bot);
end $$;

create or replace function _ledger_hold(
  p_workspace bigint, p_account bigint, p_unit smallint, p_amount bigint, p_key text,
  p_fingerprint bigint, p_action text, p_units integer, p_ref text, p_until timestamptz,
  p_at timestamptz, p_bot bigint
) returns ledger_answer language plpgsql volatile as $$
declare
  v_answer ledger_answer;
begin
  if p_until is null or p_until <= p_at or not isfinite(p_until) then
    return _ledger_decline('invalid', null);
  end if;
  v_answer := _ledger_take(p_workspace, p_account, p_unit, p_amount, p_key, p_fingerprint,
    'hold', p_action, p_units, p_ref, p_at, p_bot);
  if v_answer.status = 'applied' then
    insert into holds (
      workspace_id, hold_key, account_id, unit, version, amount, expires_at)
    values (
      p_workspace, p_key, p_account, p_unit, v_answer.version, p_amount, p_until);
  end if;
  return v_answer;
end $$;

create or replace function _ledger_take(
  p_workspace bigint, p_account bigint, p_unit smallint, p_amount bigint, p_key text,
  p_fingerprint bigint, p_kind entry_kind, p_action text, p_units integer, p_ref text,
  p_at timestamptz, p_bot bigint
) returns ledger_answer language plpgsql volatile as $$
declare
  v_answer ledger_answer;
  v_lot bigint[];
begin
  if not _ledger_is_amount(p_amount) or not _ledger_is_key(p_key)
    or p_account is null or p_unit is null or p_units <= 0
  then
    return _ledger_decline('invalid', null);
  end if;
  -- The usual case: the first open lot covers it. The key is probed by the same statement, again
  -- if it had to wait for the row.
  update accounts a
    set balance = a.balance - p_amount, version = a.version + 1,
      lot_left[1] = a.lot_left[1] - p_amount
    where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit
      and a.lot_left[1] > p_amount and a.due_at > p_at
      and not _ledger_has_key(p_workspace, p_key)
    returning a.balance, a.version, a.lot_ids[1:1]
    into v_answer.balance, v_answer.version, v_lot;
  if not found then
    return _ledger_take_slowly(p_workspace, p_account, p_unit, p_amount, p_key, p_fingerprint,
      p_kind, p_action, p_units, p_ref, p_at, p_bot);
  end if;
  insert into entries (
    workspace_id, account_id, unit, version, kind, counter, operation, amount, balance_after,
    lot_ids, lot_amounts, created_at, idempotency_key, fingerprint, units, action, ref, bot_id)
  values (
    p_workspace, p_account, p_unit, v_answer.version, p_kind, _ledger_counter(p_kind),
    case p_kind when 'hold' then 'hold'::ledger_operation else 'debit' end, -p_amount,
    v_answer.balance, v_lot, array[p_amount], p_at, p_key, p_fingerprint, p_units, p_action,
    p_ref, p_bot);
  v_answer.status := 'applied';
  v_answer.amount := p_amount;
  return v_answer;
end $$;

create or replace function _ledger_take_slowly(
  p_workspace bigint, p_account bigint, p_unit smallint, p_amount bigint, p_key text,
  p_fingerprint bigint, p_kind entry_kind, p_action text, p_units integer, p_ref text,
  p_at timestamptz, p_bot bigint
) returns ledger_answer language plpgsql volatile as $$
declare
  v_account accounts;
  v_entry entries;
  v_parts ledger_parts;
  v_answer ledger_answer;
begin
  -- Without a lock first, so that a decline takes none. The account is read before the key: a twin
  -- that spent the balance is then seen as a twin, not as a shortage.
  for v_locks in 0 .. 1 loop
    if v_locks = 0 then
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit;
    else
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit
        for no key update;
    end if;
    v_entry := _ledger_entry(p_workspace, p_key);
    if v_entry.version is not null then
      return _ledger_again(v_entry,
        v_entry.account_id = p_account and v_entry.unit = p_unit
        and v_entry.operation = p_kind::text::ledger_operation
        and case when v_entry.fingerprint is not null and p_fingerprint is not null
          then v_entry.fingerprint = p_fingerprint
          else v_entry.amount = -p_amount and v_entry.action is not distinct from p_action end);
    end if;
    if v_account.version is null then
      return _ledger_decline('insufficient', 0);
    end if;
    if v_locks = 1 then
      v_account := _ledger_expire(v_account, p_at);
    end if;
    if v_account.balance < p_amount and v_account.due_at > p_at then
      return _ledger_decline('insufficient', v_account.balance);
    end if;
  end loop;
  v_parts := _ledger_first(_ledger_parts(v_account.lot_ids, v_account.lot_left), p_amount);
  v_entry := _ledger_draft(v_account, p_kind::text::ledger_operation, p_at);
  v_entry.kind := p_kind;
  v_entry.amount := -p_amount;
  v_entry.lot_ids := v_parts.ids;
  v_entry.lot_amounts := v_parts.amounts;
  v_entry.idempotency_key := p_key;
  v_entry.fingerprint := p_fingerprint;
  v_entry.units := p_units;
  v_entry.action := p_action;
  v_entry.ref := p_ref;
  v_entry.bot_id := p_bot;
  v_account := _ledger_post(_ledger_burn(v_account, v_parts), v_entry);
  v_answer.status := 'applied';
  v_answer.balance := v_account.balance;
  v_answer.version := v_account.version;
  v_answer.amount := p_amount;
  return v_answer;
end $$;

-- Holds what is left of a charge while its refund is under way: without a ttl, closed by the
-- clawback or by a release.
create or replace function ledger_hold_charge(
  p_workspace bigint, p_bot bigint, p_charge text, p_key text, p_reason text, p_at timestamptz
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  v_account accounts;
  v_charge ledger_parts;
  v_parts ledger_parts;
  v_entry entries;
  v_refusal text;
  v_answer ledger_answer;
begin
  perform _ledger_guard(p_workspace, p_at);
  if not _ledger_is_key(p_key) or p_bot is null or p_charge is null then
    return _ledger_decline('invalid', null);
  end if;
  for v_locks in 0 .. 1 loop
    v_account := _ledger_charge_account(p_workspace, p_bot, p_charge, v_locks = 1);
    v_entry := _ledger_entry(p_workspace, p_key);
    if v_entry.version is not null then
      return _ledger_again(v_entry, v_entry.operation = 'hold_charge' and exists (
        select from lots l
        where l.workspace_id = p_workspace and l.account_id = v_entry.account_id
          and l.unit = v_entry.unit and l.lot_id = any (v_entry.lot_ids)
          and l.bot_id = p_bot and l.charge_id = p_charge));
    end if;
    if v_account.version is null then
      return _ledger_decline('unknown', null);
    end if;
    v_refusal := case
      when exists (select from clawbacks c where c.workspace_id = p_workspace
        and c.bot_id = p_bot and c.charge_id = p_charge) then 'closed'
      when exists (select from holds h where h.workspace_id = p_workspace
        and h.bot_id = p_bot and h.charge_id = p_charge) then 'duplicate_charge'
    end;
    if v_refusal is not null then
      -- Between the probe and this look a twin may have been stored: then the lock decides.
      continue when v_locks = 0 and _ledger_has_key(p_workspace, p_key);
      return _ledger_decline(v_refusal, v_account.balance);
    end if;
    if v_locks = 1 then
      v_account := _ledger_expire(v_account, p_at);
    end if;
    v_charge := _ledger_charge_left(v_account, p_bot, p_charge);
    if v_charge.ids = '{}' and v_account.due_at > p_at then
      return _ledger_decline('none', v_account.balance);
    end if;
  end loop;
  v_parts := v_charge;
  v_entry := _ledger_draft(v_account, 'hold_charge', p_at);
  v_entry.kind := 'hold';
  v_entry.amount := -_ledger_total(v_parts);
  v_entry.lot_ids := v_parts.ids;
  v_entry.lot_amounts := v_parts.amounts;
  v_entry.idempotency_key := p_key;
  v_entry.reason := p_reason;
  v_entry.bot_id := p_bot;
  v_account := _ledger_post(_ledger_burn(v_account, v_parts), v_entry);
  insert into holds (
    workspace_id, hold_key, account_id, unit, version, amount, expires_at, bot_id, charge_id)
  values (
    p_workspace, p_key, v_account.account_id, v_account.unit, v_account.version,
    -v_entry.amount, 'infinity', p_bot, p_charge);
  v_answer.status := 'applied';
  v_answer.balance := v_account.balance;
  v_answer.version := v_account.version;
  v_answer.amount := -v_entry.amount;
  return v_answer;
end $$;

-- The account that a charge's lots belong to; null fields when it granted nothing.
create or replace function _ledger_charge_account(
  p_workspace bigint, p_bot bigint, p_charge text, p_locks boolean
) returns accounts language plpgsql volatile as $$
declare
  v_account accounts;
  v_lot lots;
begin
  select * into v_lot from lots l
    where l.workspace_id = p_workspace and l.bot_id = p_bot and l.charge_id = p_charge limit 1;
  if not found then
    return v_account;
  end if;
  if p_locks then
    select * into v_account from accounts a
      where a.workspace_id = p_workspace and a.account_id = v_lot.account_id
        and a.unit = v_lot.unit
      for no key update;
  else
    select * into v_account from accounts a
      where a.workspace_id = p_workspace and a.account_id = v_lot.account_id
        and a.unit = v_lot.unit;
  end if;
  return v_account;
end $$;

-- What the account's open lots still have of a charge, in burn order.
create or replace function _ledger_charge_left(
  p_account accounts, p_bot bigint, p_charge text
) returns ledger_parts language plpgsql stable as $$
declare
  v_parts ledger_parts;
begin
  select coalesce(array_agg(o.lot_id order by o.position), '{}'),
      coalesce(array_agg(o.amount order by o.position), '{}')
    into v_parts.ids, v_parts.amounts
    from unnest(p_account.lot_ids, p_account.lot_left)
      with ordinality o (lot_id, amount, position)
    join lots l on l.workspace_id = p_account.workspace_id
      and l.account_id = p_account.account_id and l.unit = p_account.unit
      and l.lot_id = o.lot_id
    where l.bot_id = p_bot and l.charge_id = p_charge;
  return v_parts;
end $$;

grant execute on function ledger_debit, ledger_hold, ledger_hold_charge to estars_app;
