-- Paid actions: what a customer may do, and at what price. The price comes from the catalogue, the
-- limits and what is free from the customer's tier.
-- Every row of a batch is found by a key, so the plan that suits one batch suits all; left to
-- itself PostgreSQL may plan each anew, which takes longer than a few debits do.

-- Functions of one expression without a query in it become part of the statement that calls them;
-- others start a statement of their own at every call. What most rows do not need is therefore apart.

-- Credits of the open lots that have not expired.
create or replace function _usage_unexpired(
  p_workspace bigint, p_account bigint, p_unit smallint, p_at timestamptz
) returns bigint language sql stable as $$
  select coalesce(sum(o.amount_left), 0)::bigint from open_lots o
  where o.workspace_id = p_workspace and o.account_id = p_account and o.unit = p_unit
    and o.expires_at > p_at
$$;

-- Credits free to spend at a time, whether or not a job has booked expiry yet. Writes nothing.
create or replace function _usage_available(p_account accounts, p_at timestamptz)
returns bigint language sql stable as $$
  select case
    when p_account.version is null then 0
    when p_account.due_at > p_at or p_account.balance < 0 then p_account.balance
    else _usage_unexpired(p_account.workspace_id, p_account.account_id, p_account.unit, p_at)
  end
$$;

drop function if exists _usage_available(bigint, bigint, smallint, timestamptz);

create or replace function _usage_has_access(
  p_workspace bigint, p_customer bigint, p_entitlement text, p_at timestamptz
) returns boolean language sql stable as $$
  select exists (
    select from access_grants g
    where g.workspace_id = p_workspace and g.customer_id = p_customer
      and g.entitlement = p_entitlement and g.ended_at is null
      and g.starts_at <= p_at and g.ends_at > p_at)
$$;

-- Why the action may not run for this customer, apart from credits and quotas; null = it may.
create or replace function _usage_refusal(
  p_action actions, p_customer bigint, p_units bigint, p_at timestamptz
) returns text language sql stable as $$
  select case
    when p_action.action is null then 'unknown_action'
    when p_units > p_action.max_units then 'too_many_units'
    when p_action.required_entitlement is not null
      and not _usage_has_access(
        p_action.workspace_id, p_customer, p_action.required_entitlement, p_at) then 'no_access'
  end
$$;

-- Whether an entitlement pays for every use: no credits, and no quota. So it is for every action
-- while a plan without limits runs, which customers.unlimited_until says.
create or replace function _usage_is_unmetered(
  p_action actions, p_customer bigint, p_at timestamptz
) returns boolean language sql stable as $$
  select p_action.unmetered_entitlement is not null and _usage_has_access(
    p_action.workspace_id, p_customer, p_action.unmetered_entitlement, p_at)
$$;

-- The highest tier whose entitlement runs; the base tier needs none.
create or replace function _usage_tier(
  p_workspace bigint, p_customer bigint, p_at timestamptz
) returns text language sql stable as $$
  select (
    select t.tier from tiers t
    where t.workspace_id = p_workspace
      and (t.entitlement is null
        or _usage_has_access(p_workspace, p_customer, t.entitlement, p_at))
    order by t.position desc limit 1)
$$;

-- The periods that a moment belongs to, in the workspace's time zone. The longest has the highest
-- rank.
create or replace function _usage_periods(p_workspace bigint, p_at timestamptz)
returns table (period text, starts_on date, resets_at timestamptz, rank int)
language sql stable as $$
  select p.period, p.starts_on, p.resets_at, p.rank
  from (
    select w.time_zone, (p_at at time zone w.time_zone)::date as day,
      date_trunc('month', p_at at time zone w.time_zone) as month
    from workspaces w where w.workspace_id = p_workspace
  ) d
  cross join lateral (values
    ('day', d.day, (d.day + interval '1 day') at time zone d.time_zone, 1),
    ('month', d.month::date, (d.month + interval '1 month') at time zone d.time_zone, 2),
    ('lifetime', '-infinity'::date, null, 3)) p (period, starts_on, resets_at, rank)
$$;

-- What the customer's tier may do with an action in each period, and did. A null limit = none.
create or replace function _usage_windows(
  p_workspace bigint, p_customer bigint, p_action text, p_tier text, p_at timestamptz
) returns table (
  period text, resets_at timestamptz, rank int, quota_limit int, quota_used bigint,
  free_left bigint
) language sql stable as $$
  select p.period, p.resets_at, p.rank,
    case p.period when 'day' then r.units_per_day when 'month' then r.units_per_month
      else r.units_lifetime end,
    coalesce(c.units, 0),
    case when p.period = r.free_period
      then greatest(r.free_units - coalesce(c.free_units, 0), 0) else 0 end
  from _usage_periods(p_workspace, p_at) p
  left join action_tiers r on r.workspace_id = p_workspace and r.action = p_action
    and r.tier = p_tier
  left join usage_counters c on c.workspace_id = p_workspace and c.customer_id = p_customer
    and c.action = p_action and c.period = p.period and c.starts_on = p.starts_on
$$;

-- What a limited action would cost the customer and whether its quotas have room, with the one
-- window to tell of: of those without room the longest, else the one with the least left. No row
-- for an action without limits.
create or replace function _usage_terms(
  p_action actions, p_customer bigint, p_units bigint, p_tier text, p_at timestamptz
) returns table (
  cost bigint, free_units bigint, has_room boolean, quota_period text, quota_limit int,
  quota_used bigint, quota_resets_at timestamptz
) language sql stable as $$
  select p_action.price_credits * (p_units - least(p_units, w.free_left)),
    least(p_units, w.free_left), w.has_room,
    case when w.quota_limit is not null then w.period end, w.quota_limit, w.quota_used,
    case when w.quota_limit is not null then w.resets_at end
  from (
    select v.period, v.resets_at, v.rank, v.quota_limit, v.quota_used,
      max(v.free_left) over () as free_left,
      bool_and(v.quota_limit is null or v.quota_limit - v.quota_used >= p_units) over ()
        as has_room
    from _usage_windows(
      p_action.workspace_id, p_customer, p_action.action, p_tier, p_at) v
  ) w
  where p_action.is_limited
  order by w.quota_limit is null, w.quota_limit - w.quota_used >= p_units,
    greatest(w.quota_limit - w.quota_used, p_units - 1), w.rank desc
  limit 1
$$;

-- Counts units in the periods of a moment, or of the days given.
create or replace function _usage_count(
  p_workspace bigint, p_customer bigint, p_action text, p_units bigint, p_free bigint,
  p_at timestamptz
) returns void language plpgsql volatile as $$
begin
  insert into usage_counters as c (
    workspace_id, customer_id, action, period, starts_on, units, free_units)
  select p_workspace, p_customer, p_action, p.period, p.starts_on, p_units, p_free
  from _usage_periods(p_workspace, p_at) p
  on conflict (workspace_id, customer_id, action, period, starts_on) do update
    set units = c.units + excluded.units, free_units = c.free_units + excluded.free_units;
end $$;

-- What a key of the API was used for: null status = nothing yet.
create or replace function _usage_again(
  p_workspace bigint, p_key text, p_operation text, p_fingerprint bigint, out status text,
  out cost bigint, out balance bigint, out version bigint, out posted_at timestamptz,
  out free_units bigint
) language plpgsql volatile as $$
declare
  v_request api_requests;
  v_entry entries;
begin
  select * into v_request from api_requests q
    where q.workspace_id = p_workspace and q.idempotency_key = p_key;
  if v_request.idempotency_key is not null then
    if v_request.operation <> p_operation or v_request.fingerprint <> p_fingerprint then
      status := 'conflict';
      return;
    end if;
    status := 'replayed';
    cost := 0;
    balance := v_request.balance;
    posted_at := v_request.created_at;
    free_units := coalesce(v_request.free_units, 0);
  end if;
  v_entry := _ledger_entry(p_workspace, 'api:' || p_key);
  if v_entry.version is null then
    return;
  end if;
  if status is null
    and (v_entry.operation::text <> p_operation
      or v_entry.fingerprint is distinct from p_fingerprint)
  then
    status := 'conflict';
    return;
  end if;
  status := 'replayed';
  cost := -v_entry.amount;
  balance := v_entry.balance_after;
  version := v_entry.version;
  posted_at := v_entry.created_at;
  free_units := coalesce(free_units, 0);
end $$;

-- Whether the action may run now: null status = it may, and then the account is locked where
-- anything of it will move. Looks without a lock first, so that a decline takes none. All that
-- moves an account's counters or credits holds its lock, so what is read under it stays true.
create or replace function _usage_admit(
  p_action actions, p_customer bigint, p_units bigint, p_is_unmetered boolean, p_key text,
  p_operation text, p_fingerprint bigint, p_at timestamptz, out status text, out cost bigint,
  out balance bigint, out version bigint, out posted_at timestamptz, out free_units bigint,
  out quota_period text, out quota_limit int, out quota_used bigint,
  out quota_resets_at timestamptz
) language plpgsql volatile as $$
declare
  v_account accounts;
  v_terms record;
  v_again record;
begin
  for v_locks in 0 .. 1 loop
    if v_locks = 1 then
      insert into accounts (workspace_id, account_id, unit)
        values (p_action.workspace_id, p_customer, p_action.credit_unit) on conflict do nothing;
      select * into v_account from accounts a
        where a.workspace_id = p_action.workspace_id and a.account_id = p_customer
          and a.unit = p_action.credit_unit
        for no key update;
    else
      select * into v_account from accounts a
        where a.workspace_id = p_action.workspace_id and a.account_id = p_customer
          and a.unit = p_action.credit_unit;
    end if;
    select * into v_again
      from _usage_again(p_action.workspace_id, p_key, p_operation, p_fingerprint);
    if v_again.status is not null then
      status := v_again.status;
      cost := v_again.cost;
      balance := v_again.balance;
      version := v_again.version;
      posted_at := v_again.posted_at;
      free_units := v_again.free_units;
      return;
    end if;
    select * into v_terms from _usage_terms(p_action, p_customer, p_units,
        _usage_tier(p_action.workspace_id, p_customer, p_at), p_at)
      where not p_is_unmetered;
    cost := case when p_is_unmetered then 0
      else coalesce(v_terms.cost, p_action.price_credits * p_units) end;
    free_units := coalesce(v_terms.free_units, 0);
    balance := _usage_available(v_account, p_at);
    quota_period := v_terms.quota_period;
    quota_limit := v_terms.quota_limit;
    quota_used := v_terms.quota_used;
    quota_resets_at := v_terms.quota_resets_at;
    status := case
      when not v_terms.has_room then 'quota_exceeded'
      when cost > 0 and not _ledger_is_amount(cost) then 'too_many_units'
      when cost > 0 and balance < cost then 'insufficient'
    end;
    exit when status is not null or (cost = 0 and v_terms.has_room is null);
    -- Made for it before, unless the rules changed in between.
    if p_customer is null then
      status := 'insufficient';
      return;
    end if;
  end loop;
end $$;

drop function if exists _usage_welcome(bigint, bigint[], text[], bigint[], timestamptz);
-- Makes a customer of somebody whom nobody has seen, where what is asked for costs nothing: it is to
-- be counted. What would be declined leaves no trace. Returns the customer, where there is one.
create or replace function _usage_welcome(
  p_workspace bigint, p_user bigint, p_action text, p_units bigint, p_at timestamptz
) returns bigint language plpgsql volatile as $$
declare
  v_customer bigint;
begin
  select c.customer_id into v_customer from customers c
    where c.workspace_id = p_workspace and c.telegram_id = p_user;
  if v_customer is not null then
    return v_customer;
  end if;
  insert into customers (workspace_id, telegram_id, created_at, last_seen_at)
  select p_workspace, p_user, p_at, p_at
  from actions a
  left join lateral _usage_terms(
    a, null, p_units, _usage_tier(p_workspace, null, p_at), p_at) t on true
  where a.workspace_id = p_workspace and a.action = p_action and a.withdrawn_at is null
    and _usage_refusal(a, null, p_units, p_at) is null
    and coalesce(t.has_room, true) and coalesce(t.cost, a.price_credits * p_units) = 0
  on conflict do nothing;
  select c.customer_id into v_customer from customers c
    where c.workspace_id = p_workspace and c.telegram_id = p_user;
  return v_customer;
end $$;
