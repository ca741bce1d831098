-- Paid actions: a request names a customer and an action; the price comes from the catalogue.
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

-- Why the action may not run for this customer, apart from credits; null = it may.
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

create or replace function usage_check_batch(
  p_workspace bigint, p_users bigint[], p_actions text[], p_units bigint[], p_at timestamptz
) returns table (ord bigint, status text, cost bigint, balance bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
  perform _ledger_guard(p_workspace, p_at);
  return query
    select r.ord,
      coalesce(
        _usage_refusal(a, c.customer_id, r.units, p_at),
        case when _usage_available(b, p_at) < a.price_credits * r.units then 'insufficient'
          else 'allowed' end),
      coalesce(a.price_credits * r.units, 0), _usage_available(b, p_at)
    from unnest(p_users, p_actions, p_units) with ordinality r (telegram_id, action, units, ord)
    left join actions a on a.workspace_id = p_workspace and a.action = r.action
      and a.withdrawn_at is null
    left join customers c on c.workspace_id = p_workspace and c.telegram_id = r.telegram_id
    left join accounts b on b.workspace_id = p_workspace and b.account_id = c.customer_id
      and b.unit = coalesce(a.credit_unit, 1::smallint);
end $$;

-- Debits in one transaction, each with its own answer. Accounts are taken in order, so that two
-- batches never wait for each other.
create or replace function usage_post_batch(
  p_workspace bigint, p_users bigint[], p_actions text[], p_units bigint[], p_keys text[],
  p_fingerprints bigint[], p_refs text[], p_at timestamptz
) returns table (
  ord bigint, status text, cost bigint, balance bigint, version bigint, posted_at timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
  r record;
  v_answer ledger_answer;
  v_entry entries;
  v_request api_requests;
  v_took_keys boolean := false;
begin
  perform _ledger_guard(p_workspace, p_at);
  -- Whatever one statement can find out for all is asked here: another statement a debit would
  -- cost more than what it asks.
  for r in
    select q.ord, q.action, q.units, q.idempotency_key, q.fingerprint, q.ref, c.customer_id,
      a.credit_unit, coalesce(a.price_credits * q.units, 0) as cost,
      _usage_refusal(a, c.customer_id, q.units, p_at) as refusal,
      exists (
        select from api_requests k
        where k.workspace_id = p_workspace and k.idempotency_key = q.idempotency_key) as has_request
    from unnest(p_users, p_actions, p_units, p_keys, p_fingerprints, p_refs)
      with ordinality q (telegram_id, action, units, idempotency_key, fingerprint, ref, ord)
    left join customers c on c.workspace_id = p_workspace and c.telegram_id = q.telegram_id
    left join actions a on a.workspace_id = p_workspace and a.action = q.action
      and a.withdrawn_at is null
    order by c.customer_id, a.credit_unit, q.ord
  loop
    ord := r.ord;
    version := null;
    posted_at := p_at;
    balance := 0;
    cost := r.cost;
    status := r.refusal;
    -- Keys of writes that are no postings: checkouts, and debits of nothing, of this batch too.
    if r.has_request or v_took_keys then
      select * into v_request from api_requests q
        where q.workspace_id = p_workspace and q.idempotency_key = r.idempotency_key;
    end if;
    if v_request.idempotency_key = r.idempotency_key then
      status := 'conflict';
      if v_request.operation = 'debit' and v_request.fingerprint = r.fingerprint then
        status := 'replayed';
        cost := 0;
        balance := v_request.balance;
        posted_at := v_request.created_at;
      end if;
      return next;
      continue;
    end if;
    if status is null and r.customer_id is not null and cost > 0 then
      v_answer := _ledger_take(p_workspace, r.customer_id, r.credit_unit, cost,
        'api:' || r.idempotency_key, r.fingerprint, 'debit', r.action, r.units::int, r.ref, p_at);
      -- Invalid: more credits than the ledger moves at once.
      status := case v_answer.status when 'invalid' then 'too_many_units' else v_answer.status end;
      balance := coalesce(v_answer.balance, 0);
      version := v_answer.version;
      cost := coalesce(v_answer.amount, cost);
    elsif status is null and cost > 0 then
      status := 'insufficient';
    end if;
    -- A request that was answered before gets that answer, whatever has changed since: the price,
    -- the action, the access. A decline of the ledger has looked already.
    if status is distinct from 'applied'
      and (status is distinct from 'insufficient' or r.customer_id is null)
    then
      v_entry := _ledger_entry(p_workspace, 'api:' || r.idempotency_key);
      if v_entry.version is not null then
        status := 'conflict';
        if v_entry.fingerprint = r.fingerprint and v_entry.operation = 'debit' then
          status := 'replayed';
          cost := -v_entry.amount;
          balance := v_entry.balance_after;
          version := v_entry.version;
          posted_at := v_entry.created_at;
        end if;
      end if;
    end if;
    if status is null then
      -- The entitlement alone pays: nothing is posted, but the key is taken.
      status := 'applied';
      balance := coalesce((
        select _usage_available(b, p_at) from accounts b
        where b.workspace_id = p_workspace and b.account_id = r.customer_id
          and b.unit = r.credit_unit), 0);
      insert into api_requests (
        workspace_id, idempotency_key, operation, fingerprint, created_at, balance)
      values (p_workspace, r.idempotency_key, 'debit', r.fingerprint, p_at, balance);
      v_took_keys := true;
    end if;
    return next;
  end loop;
end $$;

grant execute on function usage_check_batch, usage_post_batch to estars_app;
