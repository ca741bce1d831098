-- Commit and release: what a hold took is used or comes back.

create or replace function ledger_commit(
  p_workspace bigint, p_hold_key text, p_used bigint, p_key text, p_fingerprint bigint,
  p_units integer, p_at timestamptz
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return _ledger_close(
    p_workspace, null, p_hold_key, p_used, p_key, p_fingerprint, 'commit', p_units, p_at);
end $$;

create or replace function ledger_release(
  p_workspace bigint, p_hold_key text, p_key text, p_at timestamptz
) returns ledger_answer language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return _ledger_close(p_workspace, null, p_hold_key, 0, p_key, null, 'release', null, p_at);
end $$;

-- p_account, when given, must be the hold's: a batch has locked its accounts by then.
create or replace function _ledger_close(
  p_workspace bigint, p_account bigint, p_hold_key text, p_used bigint, p_key text,
  p_fingerprint bigint, p_operation ledger_operation, p_units integer, p_at timestamptz
) returns ledger_answer language plpgsql volatile as $$
declare
  v_hold holds;
  v_account accounts;
  v_entry entries;
  v_answer ledger_answer;
begin
  if not _ledger_is_key(p_key) or p_hold_key is null or p_units <= 0
    or not (p_used = 0 or _ledger_is_amount(p_used)) or p_used is null
  then
    return _ledger_decline('invalid', null);
  end if;
  for v_locks in 0 .. 1 loop
    if v_locks = 1 then
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = v_hold.account_id
          and a.unit = v_hold.unit
        for no key update;
    end if;
    select * into v_hold from holds h
      where h.workspace_id = p_workspace and h.hold_key = p_hold_key;
    v_entry := _ledger_entry(p_workspace, p_key);
    if v_entry.version is not null then
      return _ledger_again(v_entry,
        v_entry.operation = p_operation and v_entry.hold_key = p_hold_key
        and case when v_entry.fingerprint is not null and p_fingerprint is not null
          then v_entry.fingerprint = p_fingerprint else v_entry.requested = p_used end);
    end if;
    if v_hold.version is null then
      return _ledger_hold_gone(p_workspace, p_hold_key);
    end if;
    if v_hold.account_id <> p_account then
      return _ledger_decline('unknown', null);
    end if;
    -- What an approved refund holds may be clawed back or given back, not used.
    if p_operation = 'commit' and v_hold.charge_id is not null then
      return _ledger_decline('invalid', null);
    end if;
    if v_locks = 1 then
      v_account := _ledger_expire(v_account, p_at);
    else
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = v_hold.account_id
          and a.unit = v_hold.unit;
    end if;
    if p_used > v_hold.amount and v_account.balance < p_used - v_hold.amount
      and v_account.due_at > p_at
    then
      return _ledger_decline('insufficient', v_account.balance);
    end if;
  end loop;
  v_entry := _ledger_draft(v_account, p_operation, p_at);
  v_entry.idempotency_key := p_key;
  v_entry.fingerprint := p_fingerprint;
  v_entry.requested := p_used;
  v_entry.units := p_units;
  v_account := _ledger_settle(v_account, v_hold, v_entry);
  v_answer.status := 'applied';
  v_answer.balance := v_account.balance;
  v_answer.version := v_account.version;
  v_answer.amount := p_used;
  return v_answer;
end $$;

create or replace function _ledger_hold_gone(p_workspace bigint, p_hold_key text)
returns ledger_answer language plpgsql volatile as $$
declare
  v_entry entries := _ledger_entry(p_workspace, p_hold_key);
  v_balance bigint;
begin
  if v_entry.kind is distinct from 'hold' then
    return _ledger_decline('unknown', null);
  end if;
  select a.balance into v_balance from accounts a
    where a.workspace_id = p_workspace and a.account_id = v_entry.account_id
      and a.unit = v_entry.unit;
  return _ledger_decline('closed', v_balance);
end $$;

-- Closes a hold: everything returns, what was used leaves again, then what came back to a dead lot.
-- p_entry carries what all movements share, and the key of the last one.
create or replace function _ledger_settle(p_account accounts, p_hold holds, p_entry entries)
returns accounts language plpgsql volatile as $$
declare
  v_hold_entry entries;
  v_held ledger_parts;
  v_used ledger_parts;
  v_back ledger_parts;
  v_extra ledger_parts;
  v_fate record;
  v_last entries := p_entry;
  v_debit entries;
begin
  select * into v_hold_entry from entries e
    where e.workspace_id = p_hold.workspace_id and e.account_id = p_hold.account_id
      and e.unit = p_hold.unit and e.version = p_hold.version;
  delete from holds h
    where h.workspace_id = p_hold.workspace_id and h.hold_key = p_hold.hold_key;
  p_entry.hold_key := p_hold.hold_key;
  p_entry.action := v_hold_entry.action;
  p_entry.ref := v_hold_entry.ref;
  p_entry.bot_id := v_hold_entry.bot_id;
  p_entry.units := coalesce(p_entry.units, v_hold_entry.units);
  p_entry.idempotency_key := null;
  v_held := _ledger_parts(v_hold_entry.lot_ids, v_hold_entry.lot_amounts);
  v_used := _ledger_first(v_held, p_entry.requested);
  v_back := _ledger_rest(v_held, p_entry.requested);
  v_extra := _ledger_first(_ledger_parts(p_account.lot_ids, p_account.lot_left),
    greatest(p_entry.requested - p_hold.amount, 0));
  -- A held lot that is still open is neither expired nor clawed back.
  if v_held.ids <@ p_account.lot_ids then
    v_last.kind := case when p_entry.requested = 0 then 'release'::entry_kind else 'debit' end;
    p_entry.idempotency_key := case v_last.kind when 'release' then v_last.idempotency_key end;
    p_account := _ledger_return(p_account, v_held, p_hold.amount, p_entry);
    p_entry.idempotency_key := v_last.idempotency_key;
    return _ledger_use(p_account, v_used, v_extra, p_entry);
  end if;
  select * into v_fate from _ledger_fate(p_account, v_used, v_back, p_entry.created_at);
  p_account.due_at := least(p_account.due_at, v_fate.due_at);
  v_last.kind := case
    when v_fate.forgiven_total + v_fate.clawed_total > 0 then 'clawback'::entry_kind
    when v_fate.expired_total > 0 then 'expire'
    when p_entry.requested > 0 then 'debit' else 'release' end;
  p_entry.idempotency_key := case v_last.kind when 'release' then v_last.idempotency_key end;
  p_account := _ledger_return(p_account,
    _ledger_returning(p_account, p_hold.amount, v_held, v_used, v_fate.expired, v_fate.clawed,
      v_fate.alive), p_hold.amount, p_entry);
  v_debit := p_entry;
  v_debit.idempotency_key := case v_last.kind when 'debit' then v_last.idempotency_key end;
  p_account := _ledger_use(p_account, v_used, v_extra, v_debit);
  p_entry.action := null;
  p_entry.units := null;
  if v_fate.expired_total > 0 then
    p_entry.kind := 'expire';
    p_entry.idempotency_key := case v_last.kind when 'expire' then v_last.idempotency_key end;
    p_account := _ledger_lose(p_account, v_fate.expired, v_fate.expired_total, p_entry);
  end if;
  if v_last.kind = 'clawback' then
    p_entry.idempotency_key := v_last.idempotency_key;
    p_account := _ledger_forgive(p_account, v_fate.forgiven, p_entry);
    p_entry.kind := 'clawback';
    p_account := _ledger_lose(p_account,
      _ledger_in_order(p_account, (v_fate.forgiven).ids || (v_fate.clawed).ids,
        (v_fate.forgiven).amounts || (v_fate.clawed).amounts),
      v_fate.forgiven_total + v_fate.clawed_total, p_entry);
  end if;
  return p_account;
end $$;

-- What becomes of a hold's parts. A charge that was refunded under the policy of forgiving takes
-- its credits back when they return, and forgives what is used of them; expiry takes the next.
create or replace function _ledger_fate(
  p_account accounts, p_used ledger_parts, p_back ledger_parts, p_at timestamptz,
  out expired ledger_parts, out clawed ledger_parts, out alive ledger_parts,
  out forgiven ledger_parts, out expired_total bigint, out clawed_total bigint,
  out forgiven_total bigint, out due_at timestamptz
) language plpgsql stable as $$
declare
  v_part record;
begin
  expired := _ledger_parts(null, null);
  clawed := expired;
  alive := expired;
  forgiven := expired;
  due_at := 'infinity';
  for v_part in
    select u.lot_id, u.amount, u.is_used, l.expires_at,
      exists (
        select from clawbacks c
        where c.workspace_id = l.workspace_id and c.bot_id = l.bot_id
          and c.charge_id = l.charge_id and c.policy = 'forgive') as is_refunded
    from (
      select f.lot_id, f.amount, true, f.position
      from unnest(p_used.ids, p_used.amounts) with ordinality f (lot_id, amount, position)
      union all
      select f.lot_id, f.amount, false, f.position
      from unnest(p_back.ids, p_back.amounts) with ordinality f (lot_id, amount, position)
    ) u (lot_id, amount, is_used, position)
    join lots l on l.workspace_id = p_account.workspace_id
      and l.account_id = p_account.account_id and l.unit = p_account.unit
      and l.lot_id = u.lot_id
    order by u.position
  loop
    if v_part.is_used then
      if v_part.is_refunded then
        forgiven.ids := forgiven.ids || v_part.lot_id;
        forgiven.amounts := forgiven.amounts || v_part.amount;
      end if;
    elsif v_part.is_refunded then
      clawed.ids := clawed.ids || v_part.lot_id;
      clawed.amounts := clawed.amounts || v_part.amount;
    elsif v_part.expires_at <= p_at then
      expired.ids := expired.ids || v_part.lot_id;
      expired.amounts := expired.amounts || v_part.amount;
    else
      alive.ids := alive.ids || v_part.lot_id;
      alive.amounts := alive.amounts || v_part.amount;
      due_at := least(due_at, v_part.expires_at);
    end if;
  end loop;
  expired_total := _ledger_total(expired);
  clawed_total := _ledger_total(clawed);
  forgiven_total := _ledger_total(forgiven);
end $$;

-- Which of a hold's parts reach their lots when the account is in debt. Living credits repay debt;
-- what leaves again in the same posting repays nothing, unless debt swallows it all meanwhile.
create or replace function _ledger_returning(
  p_account accounts, p_amount bigint, p_held ledger_parts, p_used ledger_parts,
  p_expired ledger_parts, p_clawed ledger_parts, p_alive ledger_parts
) returns ledger_parts language plpgsql stable as $$
declare
  v_fills bigint := _ledger_through_lots(p_account.balance, p_amount);
  v_leaving ledger_parts;
  v_staying ledger_parts;
begin
  if v_fills = p_amount then
    return p_held;
  end if;
  v_leaving := _ledger_first(_ledger_parts(
    p_used.ids || p_expired.ids || p_clawed.ids,
    p_used.amounts || p_expired.amounts || p_clawed.amounts), v_fills);
  v_staying := _ledger_rest(p_alive,
    _ledger_total(p_alive) - (v_fills - _ledger_total(v_leaving)));
  return _ledger_in_order(p_account,
    v_leaving.ids || v_staying.ids, v_leaving.amounts || v_staying.amounts);
end $$;

create or replace function _ledger_return(
  p_account accounts, p_fills ledger_parts, p_amount bigint, p_entry entries
) returns accounts language plpgsql volatile as $$
begin
  p_entry.kind := 'release';
  p_entry.amount := p_amount;
  p_entry.units := null;
  p_entry.lot_ids := p_fills.ids;
  p_entry.lot_amounts := p_fills.amounts;
  return _ledger_post(_ledger_fill(p_account, p_fills), p_entry);
end $$;

-- Books what a commit used: the hold's own lots first, then, above the held amount, others.
create or replace function _ledger_use(
  p_account accounts, p_used ledger_parts, p_extra ledger_parts, p_entry entries
) returns accounts language plpgsql volatile as $$
begin
  if p_entry.requested = 0 then
    return p_account;
  end if;
  if p_extra.ids <> '{}' then
    p_used := _ledger_in_order(p_account,
      p_used.ids || p_extra.ids, p_used.amounts || p_extra.amounts);
  end if;
  p_entry.kind := 'debit';
  return _ledger_lose(p_account, p_used, p_entry.requested, p_entry);
end $$;

-- Takes an amount out of the given parts as far as it stands in lots.
create or replace function _ledger_lose(
  p_account accounts, p_parts ledger_parts, p_amount bigint, p_entry entries
) returns accounts language plpgsql volatile as $$
begin
  p_parts := _ledger_first(p_parts, _ledger_through_lots(p_account.balance, -p_amount));
  p_entry.amount := -p_amount;
  p_entry.lot_ids := p_parts.ids;
  p_entry.lot_amounts := p_parts.amounts;
  return _ledger_post(_ledger_burn(p_account, p_parts), p_entry);
end $$;

-- Gives used credits of a refunded charge back to their lots, from where the clawback takes them:
-- the two movements say what was forgiven and that the whole charge was refunded.
create or replace function _ledger_forgive(
  p_account accounts, p_parts ledger_parts, p_entry entries
) returns accounts language plpgsql volatile as $$
begin
  if p_parts.ids = '{}' then
    return p_account;
  end if;
  p_entry.kind := 'forgive';
  p_entry.idempotency_key := null;
  p_entry.amount := _ledger_total(p_parts);
  p_parts := _ledger_first(p_parts, _ledger_through_lots(p_account.balance, p_entry.amount));
  p_entry.lot_ids := p_parts.ids;
  p_entry.lot_amounts := p_parts.amounts;
  return _ledger_post(_ledger_fill(p_account, p_parts), p_entry);
end $$;

grant execute on function ledger_commit, ledger_release to estars_app;
