-- What every posting is made of. Functions that begin with an underscore are for other functions:
-- they trust their arguments, and the app may not execute them.

-- The workspace must be the transaction's own, because row-level security does not see what a
-- definer's caller may do; and only a test side has a clock other than ours.
create or replace function _ledger_guard(p_workspace bigint, p_at timestamptz) returns void
language plpgsql stable as $$
begin
  if p_workspace is distinct from
    nullif(current_setting('estars.workspace_id', true), '')::bigint
  then
    raise exception 'the workspace is not the one of this transaction'
      using errcode = 'insufficient_privilege';
  end if;
  if p_at is null then
    raise exception 'a posting needs its time' using errcode = 'null_value_not_allowed';
  end if;
  if p_at between now() - interval '5 minutes' and now() + interval '5 minutes' then
    return;
  end if;
  if not isfinite(p_at) or not exists (
    select from workspaces w where w.workspace_id = p_workspace and w.side = 'test')
  then
    raise exception 'the live side takes no other time than now'
      using errcode = 'invalid_parameter_value';
  end if;
end $$;

-- Bounded so that no sum of a customer's amounts overflows.
create or replace function _ledger_is_amount(p_amount bigint) returns boolean
language sql immutable as $$ select coalesce(p_amount between 1 and 1000000000000, false) $$;

create or replace function _ledger_is_key(p_key text) returns boolean
language sql immutable as $$ select coalesce(length(p_key) between 1 and 600, false) $$;

-- Not inlined, and with a snapshot of its own at each call: in the condition of an UPDATE that has
-- waited for a row it therefore sees the twin that committed meanwhile.
create or replace function _ledger_has_key(p_workspace bigint, p_key text) returns boolean
language plpgsql volatile as $$
begin
  return exists (
    select from entries e where e.workspace_id = p_workspace and e.idempotency_key = p_key);
end $$;

create or replace function _ledger_entry(p_workspace bigint, p_key text) returns entries
language plpgsql volatile as $$
declare
  v_entry entries;
begin
  select * into v_entry from entries e
    where e.workspace_id = p_workspace and e.idempotency_key = p_key;
  return v_entry;
end $$;

create or replace function _ledger_decline(p_status text, p_balance bigint)
returns ledger_answer language plpgsql immutable as $$
declare
  v_answer ledger_answer;
begin
  v_answer.status := p_status;
  v_answer.balance := p_balance;
  return v_answer;
end $$;

-- The answer to a key that was used before.
create or replace function _ledger_again(p_entry entries, p_is_same boolean)
returns ledger_answer language plpgsql immutable as $$
declare
  v_answer ledger_answer;
begin
  if p_is_same is not true then
    v_answer.status := 'conflict';
    return v_answer;
  end if;
  v_answer.status := 'replayed';
  v_answer.balance := p_entry.balance_after;
  v_answer.version := p_entry.version;
  v_answer.amount := coalesce(p_entry.requested, abs(p_entry.amount));
  return v_answer;
end $$;

-- An entry that still lacks its movement.
create or replace function _ledger_draft(
  p_account accounts, p_operation ledger_operation, p_at timestamptz
) returns entries language plpgsql immutable as $$
declare
  v_entry entries;
begin
  v_entry.workspace_id := p_account.workspace_id;
  v_entry.account_id := p_account.account_id;
  v_entry.unit := p_account.unit;
  v_entry.operation := p_operation;
  v_entry.created_at := p_at;
  return v_entry;
end $$;

-- Writes one movement: the account as given, with its lots already moved, and the entry. The
-- caller holds the account's row lock. Only a clawback lowers the floor, and the last movement of
-- a request (it carries the key) raises it again.
create or replace function _ledger_post(p_account accounts, p_entry entries)
returns accounts language plpgsql volatile as $$
begin
  p_account.balance := p_account.balance + p_entry.amount;
  p_account.version := p_account.version + 1;
  if p_entry.kind = 'clawback' then
    p_account.floor := least(0, p_account.balance);
  elsif p_entry.idempotency_key is not null then
    p_account.floor := greatest(p_account.floor, least(0, p_account.balance));
  end if;
  update accounts a
    set balance = p_account.balance, version = p_account.version, floor = p_account.floor,
      due_at = p_account.due_at, lot_left = p_account.lot_left, lot_ids = p_account.lot_ids
    where a.workspace_id = p_account.workspace_id and a.account_id = p_account.account_id
      and a.unit = p_account.unit;
  insert into entries (
    workspace_id, account_id, unit, version, kind, counter, operation, amount, balance_after,
    lot_ids, lot_amounts, created_at, idempotency_key, fingerprint, requested, units, hold_key, action,
    ref, reason, bot_id)
  values (
    p_entry.workspace_id, p_entry.account_id, p_entry.unit, p_account.version, p_entry.kind,
    _ledger_counter(p_entry.kind), p_entry.operation, p_entry.amount, p_account.balance, p_entry.lot_ids, p_entry.lot_amounts,
    p_entry.created_at, p_entry.idempotency_key, p_entry.fingerprint, p_entry.requested,
    p_entry.units, p_entry.hold_key, p_entry.action, p_entry.ref, p_entry.reason, p_entry.bot_id);
  return p_account;
end $$;

-- How much of a movement passes through lots; the rest makes or repays debt.
create or replace function _ledger_through_lots(p_balance bigint, p_amount bigint)
returns bigint language sql immutable as $$
  select abs(greatest(p_balance + p_amount, 0) - greatest(p_balance, 0))
$$;

create or replace function _ledger_total(p_parts ledger_parts) returns bigint
language plpgsql immutable as $$
declare
  v_total bigint := 0;
  v_amount bigint;
begin
  foreach v_amount in array p_parts.amounts loop
    v_total := v_total + v_amount;
  end loop;
  return v_total;
end $$;

create or replace function _ledger_parts(p_ids bigint[], p_amounts bigint[])
returns ledger_parts language plpgsql immutable as $$
declare
  v_parts ledger_parts;
begin
  v_parts.ids := coalesce(p_ids, '{}');
  v_parts.amounts := coalesce(p_amounts, '{}');
  return v_parts;
end $$;

-- The first p_amount credits of the parts, in their order.
create or replace function _ledger_first(p_parts ledger_parts, p_amount bigint)
returns ledger_parts language plpgsql immutable as $$
declare
  v_need bigint := p_amount;
  v_count int := 0;
begin
  while v_need > 0 and v_count < cardinality(p_parts.ids) loop
    v_count := v_count + 1;
    if p_parts.amounts[v_count] > v_need then
      p_parts.amounts[v_count] := v_need;
    end if;
    v_need := v_need - p_parts.amounts[v_count];
  end loop;
  p_parts.ids := p_parts.ids[:v_count];
  p_parts.amounts := p_parts.amounts[:v_count];
  return p_parts;
end $$;

-- The parts without their first p_amount credits.
create or replace function _ledger_rest(p_parts ledger_parts, p_amount bigint)
returns ledger_parts language plpgsql immutable as $$
declare
  v_need bigint := p_amount;
  v_at int := 1;
begin
  while v_at <= cardinality(p_parts.ids) and p_parts.amounts[v_at] <= v_need loop
    v_need := v_need - p_parts.amounts[v_at];
    v_at := v_at + 1;
  end loop;
  p_parts.ids := p_parts.ids[v_at:];
  p_parts.amounts := p_parts.amounts[v_at:];
  if v_need > 0 and cardinality(p_parts.ids) > 0 then
    p_parts.amounts[1] := p_parts.amounts[1] - v_need;
  end if;
  return p_parts;
end $$;

-- Parts of an account's lots, one a lot, in burn order: soonest expiry, unpaid before paid, oldest.
create or replace function _ledger_in_order(
  p_account accounts, p_ids bigint[], p_amounts bigint[]
) returns ledger_parts language plpgsql stable as $$
declare
  v_parts ledger_parts;
begin
  if cardinality(p_ids) > 1 then
    select array_agg(m.lot_id order by l.expires_at, l.paid, m.lot_id),
        array_agg(m.amount order by l.expires_at, l.paid, m.lot_id)
      into p_ids, p_amounts
      from (
        select u.lot_id, sum(u.amount)::bigint as amount
        from unnest(p_ids, p_amounts) u (lot_id, amount) group by u.lot_id
      ) m
      join lots l on l.workspace_id = p_account.workspace_id
        and l.account_id = p_account.account_id and l.unit = p_account.unit
        and l.lot_id = m.lot_id;
  end if;
  v_parts.ids := p_ids;
  v_parts.amounts := p_amounts;
  return v_parts;
end $$;

-- Puts parts back into the account's open lots.
create or replace function _ledger_fill(p_account accounts, p_parts ledger_parts)
returns accounts language plpgsql stable as $$
declare
  v_open ledger_parts;
  v_at int;
begin
  if p_parts.ids <@ p_account.lot_ids then
    for i in 1 .. cardinality(p_parts.ids) loop
      v_at := array_position(p_account.lot_ids, p_parts.ids[i]);
      p_account.lot_left[v_at] := p_account.lot_left[v_at] + p_parts.amounts[i];
    end loop;
    return p_account;
  end if;
  v_open := _ledger_in_order(p_account,
    p_account.lot_ids || p_parts.ids, p_account.lot_left || p_parts.amounts);
  p_account.lot_ids := v_open.ids;
  p_account.lot_left := v_open.amounts;
  return p_account;
end $$;

-- Takes parts out of the account's open lots, which hold at least as much.
create or replace function _ledger_burn(p_account accounts, p_parts ledger_parts)
returns accounts language plpgsql immutable as $$
declare
  v_at int;
begin
  for i in 1 .. cardinality(p_parts.ids) loop
    v_at := array_position(p_account.lot_ids, p_parts.ids[i]);
    if p_account.lot_left[v_at] > p_parts.amounts[i] then
      p_account.lot_left[v_at] := p_account.lot_left[v_at] - p_parts.amounts[i];
    else
      p_account.lot_left := p_account.lot_left[:v_at - 1] || p_account.lot_left[v_at + 1:];
      p_account.lot_ids := p_account.lot_ids[:v_at - 1] || p_account.lot_ids[v_at + 1:];
    end if;
  end loop;
  return p_account;
end $$;

-- Expires what is due and finds out what is due next. The caller holds the account's row lock.
create or replace function _ledger_expire(
  p_account accounts, p_at timestamptz
) returns accounts language plpgsql volatile as $$
declare
  v_count int;
  v_next timestamptz;
  v_expired ledger_parts;
  v_entry entries;
begin
  if p_account.due_at > p_at then
    return p_account;
  end if;
  select count(*) filter (where l.expires_at <= p_at),
      coalesce(min(l.expires_at) filter (where l.expires_at > p_at), 'infinity')
    into v_count, v_next
    from unnest(p_account.lot_ids) o (lot_id)
    join lots l on l.workspace_id = p_account.workspace_id
      and l.account_id = p_account.account_id and l.unit = p_account.unit
      and l.lot_id = o.lot_id;
  p_account.due_at := v_next;
  if v_count = 0 then
    update accounts a set due_at = v_next
      where a.workspace_id = p_account.workspace_id and a.account_id = p_account.account_id
        and a.unit = p_account.unit;
    return p_account;
  end if;
  -- Expired lots are the first ones: the burn order is by expiry.
  v_expired := _ledger_parts(p_account.lot_ids[:v_count], p_account.lot_left[:v_count]);
  p_account.lot_ids := p_account.lot_ids[v_count + 1:];
  p_account.lot_left := p_account.lot_left[v_count + 1:];
  v_entry := _ledger_draft(p_account, 'expire', p_at);
  v_entry.kind := 'expire';
  v_entry.amount := -_ledger_total(v_expired);
  v_entry.lot_ids := v_expired.ids;
  v_entry.lot_amounts := v_expired.amounts;
  return _ledger_post(p_account, v_entry);
end $$;

create or replace function ledger_expire(
  p_workspace bigint, p_account bigint, p_unit smallint, p_at timestamptz
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return _ledger_expire_account(p_workspace, p_account, p_unit, p_at);
end $$;

create or replace function _ledger_expire_account(
  p_workspace bigint, p_account bigint, p_unit smallint, p_at timestamptz
) returns ledger_answer language plpgsql volatile as $$
declare
  v_before accounts;
  v_account accounts;
  v_answer ledger_answer;
begin
  select * into v_before from accounts a
    where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit
      and a.due_at <= p_at
    for no key update;
  if not found then
    return _ledger_decline('none', null);
  end if;
  v_account := _ledger_expire(v_before, p_at);
  if v_account.version = v_before.version then
    return _ledger_decline('none', null);
  end if;
  v_answer.status := 'applied';
  v_answer.balance := v_account.balance;
  v_answer.version := v_account.version;
  v_answer.amount := v_before.balance - v_account.balance;
  return v_answer;
end $$;

grant execute on function ledger_expire to estars_app;
