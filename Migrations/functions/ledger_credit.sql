-- A grant: debt is repaid first, the rest opens a lot.

create or replace function ledger_credit(
  p_workspace bigint, p_account bigint, p_unit smallint, p_amount bigint, p_key text,
  p_source text, p_bot bigint, p_charge text, p_paid boolean, p_expires timestamptz,
  p_stars bigint, p_reason text, p_ref text, p_at timestamptz
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  v_lot lots;
  v_account accounts;
  v_entry entries;
  v_refusal text;
  v_answer ledger_answer;
begin
  perform _ledger_guard(p_workspace, p_at);
  v_lot.workspace_id := p_workspace;
  v_lot.account_id := p_account;
  v_lot.unit := p_unit;
  v_lot.source := p_source;
  v_lot.bot_id := p_bot;
  v_lot.charge_id := p_charge;
  v_lot.paid := p_paid;
  v_lot.amount := p_amount;
  v_lot.expires_at := p_expires;
  v_lot.stars := p_stars;
  v_lot.reason := p_reason;
  if not _ledger_is_key(p_key) or not _ledger_is_grant(v_lot) or p_expires <= p_at then
    return _ledger_decline('invalid', null);
  end if;
  for v_locks in 0 .. 1 loop
    if v_locks = 1 then
      insert into accounts (workspace_id, account_id, unit) values (p_workspace, p_account, p_unit)
        on conflict do nothing;
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit
        for no key update;
    else
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit;
    end if;
    v_entry := _ledger_entry(p_workspace, p_key);
    if v_entry.version is not null then
      return _ledger_again(v_entry, _ledger_is_same_grant(v_entry, v_lot));
    end if;
    if v_locks = 1 then
      v_account := _ledger_expire(v_account, p_at);
    end if;
    v_refusal := _ledger_grant_refusal(v_account, v_lot, p_at);
    if v_refusal is not null then
      -- Between the probe and this look a twin may have been stored: then the lock decides.
      continue when v_locks = 0 and _ledger_has_key(p_workspace, p_key);
      return _ledger_decline(v_refusal, coalesce(v_account.balance, 0));
    end if;
  end loop;
  v_entry := _ledger_draft(v_account, 'credit', p_at);
  v_entry.idempotency_key := p_key;
  v_entry.reason := p_reason;
  v_entry.ref := p_ref;
  v_entry.bot_id := p_bot;
  v_account := _ledger_open_lot(v_account, v_lot, v_entry);
  v_answer.status := 'applied';
  v_answer.balance := v_account.balance;
  v_answer.version := v_account.version;
  v_answer.amount := p_amount;
  return v_answer;
end $$;

create or replace function _ledger_is_grant(p_lot lots) returns boolean
language plpgsql immutable as $$
begin
  return coalesce(
    _ledger_is_amount(p_lot.amount)
    and p_lot.account_id is not null and p_lot.unit > 0
    and p_lot.source in (
      'payment', 'bonus', 'trial', 'promo', 'subscription', 'goodwill', 'adjustment')
    and (p_lot.bot_id is null) = (p_lot.charge_id is null)
    and (p_lot.charge_id is null or length(p_lot.charge_id) between 1 and 512)
    and (not p_lot.paid or p_lot.charge_id is not null)
    and case p_lot.source
      when 'payment' then p_lot.paid when 'subscription' then true else not p_lot.paid end
    and (p_lot.stars is null or (p_lot.paid and p_lot.stars >= 0)), false);
end $$;

-- A retry that computes its expiry afresh is the same grant.
create or replace function _ledger_is_same_grant(p_entry entries, p_lot lots) returns boolean
language plpgsql stable as $$
begin
  return p_entry.operation = 'credit' and exists (
    select from lots l
    where l.workspace_id = p_lot.workspace_id and l.account_id = p_lot.account_id
      and l.unit = p_lot.unit and l.lot_id = p_entry.version
      and p_entry.account_id = p_lot.account_id and p_entry.unit = p_lot.unit
      and l.amount = p_lot.amount and l.source = p_lot.source and l.paid = p_lot.paid
      and l.bot_id is not distinct from p_lot.bot_id
      and l.charge_id is not distinct from p_lot.charge_id);
end $$;

-- Why a grant is refused, or null.
create or replace function _ledger_grant_refusal(
  p_account accounts, p_lot lots, p_at timestamptz
) returns text language plpgsql volatile as $$
begin
  if p_lot.charge_id is not null then
    if exists (
      select from lots l
      where l.workspace_id = p_lot.workspace_id and l.bot_id = p_lot.bot_id
        and l.charge_id = p_lot.charge_id
        and (l.paid = p_lot.paid or l.account_id <> p_lot.account_id or l.unit <> p_lot.unit))
    then
      return 'duplicate_charge';
    end if;
    if exists (
      select from clawbacks c
      where c.workspace_id = p_lot.workspace_id and c.bot_id = p_lot.bot_id
        and c.charge_id = p_lot.charge_id)
    then
      return 'refunded_charge';
    end if;
    return null;
  end if;
  if _ledger_is_full(p_account) and p_account.due_at > p_at
    and _ledger_merge_target(p_account, p_lot) is null
  then
    return 'lot_limit';
  end if;
  return null;
end $$;

-- Every open lot makes the account's row wider. What a payment buys passes the cap.
create or replace function _ledger_is_full(p_account accounts) returns boolean
language sql immutable as $$ select coalesce(cardinality(p_account.lot_ids), 0) >= 64 $$;

-- An open lot that differs from the grant in nothing but its age.
create or replace function _ledger_merge_target(p_account accounts, p_lot lots) returns bigint
language plpgsql stable as $$
begin
  return (
    select l.lot_id
    from unnest(p_account.lot_ids) o (lot_id)
    join lots l on l.workspace_id = p_account.workspace_id
      and l.account_id = p_account.account_id and l.unit = p_account.unit
      and l.lot_id = o.lot_id
    where not l.paid and l.charge_id is null and l.source = p_lot.source
      and l.expires_at = p_lot.expires_at
    order by l.lot_id limit 1);
end $$;

create or replace function _ledger_open_lot(
  p_account accounts, p_lot lots, p_entry entries
) returns accounts language plpgsql volatile as $$
declare
  v_net bigint := _ledger_through_lots(p_account.balance, p_lot.amount);
  v_at int;
begin
  p_lot.lot_id := p_account.version + 1;
  p_entry.kind := 'credit';
  p_entry.amount := p_lot.amount;
  p_entry.lot_ids := '{}';
  p_entry.lot_amounts := '{}';
  if v_net > 0 then
    if p_lot.charge_id is null and _ledger_is_full(p_account) then
      p_lot.merged_into := _ledger_merge_target(p_account, p_lot);
    end if;
    if p_lot.merged_into is not null then
      v_at := array_position(p_account.lot_ids, p_lot.merged_into);
      p_account.lot_left[v_at] := p_account.lot_left[v_at] + v_net;
    else
      -- The youngest of its kind comes after its equals.
      select count(*) into v_at
        from unnest(p_account.lot_ids) o (lot_id)
        join lots l on l.workspace_id = p_account.workspace_id
          and l.account_id = p_account.account_id and l.unit = p_account.unit
          and l.lot_id = o.lot_id
        where (l.expires_at, l.paid) <= (p_lot.expires_at, p_lot.paid);
      p_account.lot_ids :=
        p_account.lot_ids[:v_at] || p_lot.lot_id || p_account.lot_ids[v_at + 1:];
      p_account.lot_left := p_account.lot_left[:v_at] || v_net || p_account.lot_left[v_at + 1:];
      p_account.due_at := least(p_account.due_at, p_lot.expires_at);
    end if;
    p_entry.lot_ids := array[coalesce(p_lot.merged_into, p_lot.lot_id)];
    p_entry.lot_amounts := array[v_net];
  end if;
  p_account := _ledger_post(p_account, p_entry);
  insert into lots select (p_lot).*;
  return p_account;
end $$;

grant execute on function ledger_credit to estars_app;
