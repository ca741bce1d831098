-- The end of a cycle. Of what is left in the lots of some charges, as much as the cap goes on into
-- lots that live until p_until, the newest charge first; the rest expires before its time. Carried
-- credits stay their charge's: a refund takes them back.

-- p_cap: null = all of it. What these charges have carried to that day before counts, too.
-- Statuses: applied, replayed, conflict, invalid, none.
create or replace function ledger_carry(
  p_workspace bigint, p_account bigint, p_unit smallint, p_bots bigint[], p_charges text[],
  p_cap bigint, p_until timestamptz, p_key text, p_at timestamptz, out status text,
  out balance bigint, out version bigint, out carried bigint, out retired bigint
) language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_account accounts;
  v_entry entries;
  v_lot lots;
  v_left record;
  v_room bigint;
  v_part bigint;
  v_taken ledger_parts := _ledger_parts(null, null);
  v_going ledger_parts := _ledger_parts(null, null);
begin
  perform _ledger_guard(p_workspace, p_at);
  if not _ledger_is_key(p_key) or p_until is null or p_until <= p_at or p_cap < 0
    or p_account is null or p_unit is null or cardinality(p_bots) <> cardinality(p_charges)
  then
    status := 'invalid';
    return;
  end if;
  select * into v_account from accounts a
    where a.workspace_id = p_workspace and a.account_id = p_account and a.unit = p_unit
    for no key update;
  v_entry := _ledger_entry(p_workspace, p_key);
  if v_entry.version is not null then
    status := case when (v_entry.account_id, v_entry.unit) = (p_account, p_unit)
      then 'replayed' else 'conflict' end;
    balance := v_entry.balance_after;
    version := v_entry.version;
    return;
  end if;
  status := 'none';
  carried := 0;
  retired := 0;
  if v_account.version is null then
    return;
  end if;
  v_account := _ledger_expire(v_account, p_at);
  balance := v_account.balance;
  version := v_account.version;
  select p_cap - coalesce(sum(l.amount), 0) into v_room
    from unnest(p_bots, p_charges) c (bot_id, charge_id)
    join lots l on l.workspace_id = p_workspace and l.bot_id = c.bot_id
      and l.charge_id = c.charge_id
    where l.account_id = p_account and l.unit = p_unit and l.carried_from is not null
      and l.expires_at >= p_until;
  for v_left in
    select o.lot_id, o.amount
    from unnest(v_account.lot_ids, v_account.lot_left) o (lot_id, amount)
    join lots l on l.workspace_id = p_workspace and l.account_id = p_account
      and l.unit = p_unit and l.lot_id = o.lot_id
    where l.expires_at < p_until and (l.bot_id, l.charge_id) in (
      select c.bot_id, c.charge_id from unnest(p_bots, p_charges) c (bot_id, charge_id))
    order by (
      select min(m.lot_id) from lots m where m.workspace_id = p_workspace
        and m.bot_id = l.bot_id and m.charge_id = l.charge_id) desc, o.lot_id desc
  loop
    v_taken.ids := v_taken.ids || v_left.lot_id;
    v_taken.amounts := v_taken.amounts || v_left.amount;
    v_part := greatest(least(v_left.amount, v_room), 0);
    if v_part > 0 then
      v_going.ids := v_going.ids || v_left.lot_id;
      v_going.amounts := v_going.amounts || v_part;
      v_room := v_room - v_part;
    end if;
  end loop;
  if v_taken.ids = '{}' then
    return;
  end if;
  carried := _ledger_total(v_going);
  retired := _ledger_total(v_taken) - carried;
  v_entry := _ledger_draft(v_account, 'expire', p_at);
  v_entry.kind := 'expire';
  v_entry.idempotency_key := case when v_going.ids = '{}' then p_key end;
  v_account := _ledger_lose(v_account,
    _ledger_in_order(v_account, v_taken.ids, v_taken.amounts), _ledger_total(v_taken), v_entry);
  for i in 1 .. cardinality(v_going.ids) loop
    select * into v_lot from lots l
      where l.workspace_id = p_workspace and l.account_id = p_account and l.unit = p_unit
        and l.lot_id = v_going.ids[i];
    v_lot.carried_from := v_lot.lot_id;
    v_lot.source := 'subscription';
    v_lot.paid := false;
    v_lot.stars := null;
    v_lot.reason := null;
    v_lot.amount := v_going.amounts[i];
    v_lot.expires_at := p_until;
    v_entry := _ledger_draft(v_account, 'credit', p_at);
    v_entry.bot_id := v_lot.bot_id;
      v_entry.idempotency_key := case when i = cardinality(v_going.ids) then p_key end;
    v_account := _ledger_open_lot(v_account, v_lot, v_entry);
  end loop;
  status := 'applied';
  balance := v_account.balance;
  version := v_account.version;
end $$;

grant execute on function ledger_carry to estars_app;
