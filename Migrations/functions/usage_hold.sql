-- Holds that a bot makes for work: reserve, use, give back. What a hold says was fixed when it was
-- made; rules that change later never alter it.
-- Locks are taken in this order: account, hold, counters.

drop function if exists usage_hold(
  bigint, bigint, bigint, text, bigint, int, text, bigint, text, timestamptz);
-- p_seconds: how long it stays open when nobody closes it.
create or replace function usage_hold(
  p_workspace bigint, p_bot bigint, p_user bigint, p_action text, p_units bigint,
  p_seconds int, p_key text, p_fingerprint bigint, p_ref text, p_at timestamptz
) returns table (
  status text, cost bigint, balance bigint, free_units bigint, entitlement text,
  quota_period text, quota_limit int, quota_used bigint, quota_resets_at timestamptz,
  hold usage_holds, is_known boolean)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_action actions;
  v_customer bigint;
  v_is_unlimited boolean;
  v_is_unmetered boolean;
  v_admitted record;
begin
  perform _ledger_guard(p_workspace, p_at);
  cost := 0;
  balance := 0;
  free_units := 0;
  select g.status into status from _usage_again(p_workspace, p_key, 'hold', p_fingerprint) g;
  if status is null then
    select * into v_action from actions a
      where a.workspace_id = p_workspace and a.action = p_action and a.withdrawn_at is null;
    select c.customer_id, coalesce(c.unlimited_until > p_at, false)
      into v_customer, v_is_unlimited
      from customers c where c.workspace_id = p_workspace and c.telegram_id = p_user;
    is_known := v_customer is not null;
    if v_customer is null and (v_action.is_limited or v_action.price_credits = 0) then
      v_customer := _usage_welcome(p_workspace, p_user, p_action, p_units, p_at);
    end if;
    status := _usage_refusal(v_action, v_customer, p_units, p_at);
    if status is not null then
      cost := coalesce(v_action.price_credits * p_units, 0);
      entitlement := case status when 'no_access' then v_action.required_entitlement end;
      return next;
      return;
    end if;
    v_is_unmetered := coalesce(v_is_unlimited, false)
      or _usage_is_unmetered(v_action, v_customer, p_at);
    select * into v_admitted from _usage_admit(
      v_action, v_customer, p_units, v_is_unmetered, p_key, 'hold', p_fingerprint, p_at);
    status := v_admitted.status;
    cost := coalesce(v_admitted.cost, 0);
    balance := coalesce(v_admitted.balance, 0);
    free_units := coalesce(v_admitted.free_units, 0);
    quota_period := v_admitted.quota_period;
    quota_limit := v_admitted.quota_limit;
    quota_used := v_admitted.quota_used;
    quota_resets_at := v_admitted.quota_resets_at;
    if status is null then
      hold := _usage_open_hold(v_action, v_customer, v_is_unmetered, p_bot, p_units, cost,
        free_units, balance, p_seconds, p_key, p_fingerprint, p_ref, p_at);
      status := 'applied';
      balance := hold.balance;
    end if;
  end if;
  if status = 'replayed' then
    select * into hold from usage_holds h
      where h.workspace_id = p_workspace and h.idempotency_key = p_key;
  end if;
  return next;
end $$;

-- Writes a hold that was admitted. One of no credits has no hold in the ledger.
create or replace function _usage_open_hold(
  p_action actions, p_customer bigint, p_is_unmetered boolean, p_bot bigint, p_units bigint,
  p_cost bigint, p_free bigint, p_balance bigint, p_seconds int, p_key text,
  p_fingerprint bigint, p_ref text, p_at timestamptz
) returns usage_holds language plpgsql volatile as $$
declare
  v_until timestamptz := p_at + make_interval(secs => p_seconds);
  v_is_counted boolean := p_action.is_limited and not p_is_unmetered;
  v_threshold bigint;
  v_answer ledger_answer;
  v_hold usage_holds;
begin
  v_answer.balance := p_balance;
  if p_cost > 0 then
    v_answer := _ledger_hold(p_action.workspace_id, p_customer, p_action.credit_unit, p_cost,
      'api:' || p_key, p_fingerprint, p_action.action, p_units::int, p_ref, v_until, p_at, p_bot);
    if v_answer.status <> 'applied' then
      raise exception 'a hold that was admitted is answered %', v_answer.status
        using errcode = 'serialization_failure';
    end if;
    -- What is held cannot be spent: it is now that the credits run low. A commit takes no more.
    select w.low_credits_threshold into v_threshold from workspaces w
      where w.workspace_id = p_action.workspace_id;
    if v_answer.balance < v_threshold and v_answer.balance + p_cost >= v_threshold then
      perform _usage_warn(p_action.workspace_id, p_bot, p_customer, v_answer.balance, v_threshold,
        p_at);
    end if;
  end if;
  perform _usage_note(p_action.workspace_id, p_customer, p_action.action, p_units, p_free, p_key,
    'hold', p_fingerprint, p_ref, v_answer.balance, p_at, p_bot);
  if v_is_counted then
    perform _usage_count(
      p_action.workspace_id, p_customer, p_action.action, p_units, p_free, p_at);
  end if;
  insert into usage_holds (workspace_id, bot_id, customer_id, action, credit_unit, units,
    price_credits, free_units, credits, is_unmetered, day_starts_on, month_starts_on, ref,
    idempotency_key, fingerprint, balance, created_at, expires_at)
  select p_action.workspace_id, p_bot, p_customer, p_action.action, p_action.credit_unit, p_units,
    case when p_is_unmetered then 0 else p_action.price_credits end, p_free, p_cost,
    p_is_unmetered, d.day_starts_on, d.month_starts_on, p_ref, p_key, p_fingerprint,
    v_answer.balance, p_at, v_until
  from (
    select max(p.starts_on) filter (where p.period = 'day') as day_starts_on,
      max(p.starts_on) filter (where p.period = 'month') as month_starts_on
    from _usage_periods(p_action.workspace_id, p_at) p
    where v_is_counted
  ) d
  returning * into v_hold;
  return v_hold;
end $$;

-- p_units: what was used of it; null = all. Statuses: applied, replayed, conflict, unknown, closed,
-- too_many_units.
create or replace function usage_hold_commit(
  p_workspace bigint, p_hold bigint, p_units bigint, p_key text, p_fingerprint bigint,
  p_at timestamptz
) returns table (status text, hold usage_holds)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return query select * from _usage_close_hold(
    p_workspace, p_hold, 'committed', p_units, p_key, p_fingerprint, p_at);
end $$;

-- p_key is null where a person gives the hold back in the dashboard.
create or replace function usage_hold_release(
  p_workspace bigint, p_hold bigint, p_key text, p_fingerprint bigint, p_at timestamptz
) returns table (status text, hold usage_holds)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return query select * from _usage_close_hold(
    p_workspace, p_hold, 'released', 0, p_key, p_fingerprint, p_at);
end $$;

-- Closes a hold whose time is over, and tells its bot. Until then it may be committed.
create or replace function usage_hold_expire(
  p_workspace bigint, p_hold bigint, p_at timestamptz
) returns table (status text, hold usage_holds)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_closed record;
begin
  perform _ledger_guard(p_workspace, p_at);
  select * into v_closed from _usage_close_hold(
    p_workspace, p_hold, 'expired', 0, null, null, p_at);
  status := v_closed.status;
  hold := v_closed.hold;
  if status = 'applied' then
    perform event_emit(p_workspace, hold.bot_id, hold.customer_id, 'hold.expired',
      jsonb_build_object('hold', hold.hold_id, 'action', hold.action, 'units', hold.units,
        'credits', hold.credits, 'balance', hold.close_balance)::text, p_at);
  end if;
  return next;
end $$;

create or replace function _usage_close_hold(
  p_workspace bigint, p_hold bigint, p_state text, p_used bigint, p_key text,
  p_fingerprint bigint, p_at timestamptz, out status text, out hold usage_holds
) language plpgsql volatile as $$
declare
  v_operation text := case p_state when 'committed' then 'commit' else 'release' end;
  v_account accounts;
  v_used bigint;
  v_free bigint;
  v_again text;
begin
  for v_locks in 0 .. 1 loop
    if v_locks = 1 then
      select * into v_account from accounts a
        where a.workspace_id = p_workspace and a.account_id = hold.customer_id
          and a.unit = hold.credit_unit
        for no key update;
      select * into hold from usage_holds h
        where h.workspace_id = p_workspace and h.hold_id = p_hold for update;
    else
      select * into hold from usage_holds h
        where h.workspace_id = p_workspace and h.hold_id = p_hold;
    end if;
    if p_key is not null then
      select g.status into v_again
        from _usage_again(p_workspace, p_key, v_operation, p_fingerprint) g;
    end if;
    status := case
      when hold.hold_id is null then coalesce(nullif(v_again, 'replayed'), 'unknown')
      when v_again is not null then v_again
      when hold.state <> 'open' or (p_state = 'expired' and hold.expires_at > p_at) then 'closed'
      when p_used > hold.units then 'too_many_units'
    end;
    if status is not null then
      return;
    end if;
  end loop;
  v_used := coalesce(p_used, hold.units);
  v_free := least(v_used, hold.free_units);
  hold.state := p_state;
  hold.closed_at := p_at;
  hold.close_key := p_key;
  hold.close_fingerprint := p_fingerprint;
  if p_state = 'committed' then
    hold.used_units := v_used;
    hold.used_credits := hold.price_credits * (v_used - v_free);
  end if;
  hold.close_balance := _usage_settle_hold(hold, v_account, v_operation, v_used, p_at);
  if hold.day_starts_on is not null then
    perform _usage_uncount(hold, hold.units - v_used, hold.free_units - v_free);
  end if;
  if p_key is not null then
    perform _usage_note(p_workspace, hold.customer_id, hold.action, nullif(v_used, 0), null, p_key,
      v_operation, p_fingerprint, hold.ref, hold.close_balance, p_at, hold.bot_id);
  end if;
  update usage_holds h
    set state = hold.state, closed_at = hold.closed_at, used_units = hold.used_units,
      used_credits = hold.used_credits, close_key = hold.close_key,
      close_fingerprint = hold.close_fingerprint, close_balance = hold.close_balance
    where h.workspace_id = p_workspace and h.hold_id = p_hold;
  status := 'applied';
end $$;

-- Books what was used of a hold's credits and gives the rest back; returns the balance.
create or replace function _usage_settle_hold(
  p_hold usage_holds, p_account accounts, p_operation text, p_used bigint, p_at timestamptz
) returns bigint language plpgsql volatile as $$
declare
  v_hold_key text := 'api:' || p_hold.idempotency_key;
  v_key text := coalesce('api:' || p_hold.close_key,
    case p_hold.state when 'expired' then 'job' else 'operator' end || ':release:' || v_hold_key);
  v_credits bigint := coalesce(p_hold.used_credits, 0);
  v_answer ledger_answer;
begin
  if p_hold.credits = 0 then
    return _usage_available(p_account, p_at);
  end if;
  v_answer := _ledger_close(p_hold.workspace_id, p_hold.customer_id, v_hold_key, v_credits, v_key,
    p_hold.close_fingerprint, p_operation::ledger_operation,
    case when v_credits > 0 then p_used::int end, p_at);
  -- The ledger gave it back before: nothing moves, and the hold is closed as it should be.
  if p_operation = 'release' and v_answer.status in ('replayed', 'closed') then
    return _usage_available(p_account, p_at);
  end if;
  if v_answer.status <> 'applied' then
    raise exception 'hold % of % is answered % by the ledger', p_hold.hold_id,
      p_hold.workspace_id, v_answer.status using errcode = 'serialization_failure';
  end if;
  return v_answer.balance;
end $$;

-- Units that a hold did not use are free again, in the periods in which they were taken.
create or replace function _usage_uncount(p_hold usage_holds, p_units bigint, p_free bigint)
returns void language plpgsql volatile as $$
begin
  update usage_counters c
    set units = c.units - p_units, free_units = c.free_units - p_free
    where c.workspace_id = p_hold.workspace_id and c.customer_id = p_hold.customer_id
      and c.action = p_hold.action
      and (c.period, c.starts_on) in (
        ('day', p_hold.day_starts_on), ('month', p_hold.month_starts_on),
        ('lifetime', '-infinity'::date))
      and p_units > 0;
end $$;

grant execute on function usage_hold, usage_hold_commit, usage_hold_release, usage_hold_expire
  to estars_app;
