-- Debits in one transaction, each with its own answer. Customers are made and accounts taken in the
-- order of Telegram ids, as payments that arrive together take theirs, so that neither two batches
-- nor a batch and payments wait for each other.

drop function if exists usage_post_batch(
  bigint, bigint[], text[], bigint[], text[], bigint[], text[], timestamptz);
drop function if exists usage_post_batch(
  bigint, bigint[], bigint[], text[], bigint[], text[], bigint[], text[], timestamptz);
-- p_bots: for whom it is, and whom to tell when credits run low; null = nobody.
create or replace function usage_post_batch(
  p_workspace bigint, p_bots bigint[], p_users bigint[], p_actions text[], p_units bigint[],
  p_keys text[], p_fingerprints bigint[], p_refs text[], p_at timestamptz
) returns table (
  ord bigint, status text, cost bigint, balance bigint, version bigint, posted_at timestamptz,
  free_units bigint, entitlement text, quota_period text, quota_limit int, quota_used bigint,
  quota_resets_at timestamptz, is_known boolean)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
  r record;
  v_answer ledger_answer;
  v_taken record;
  v_entry entries;
  v_took_keys boolean := false;
begin
  perform _ledger_guard(p_workspace, p_at);
  -- Whatever one statement can find out for all is asked here: another statement a debit would
  -- cost more than what it asks.
  for r in
    select q.ord, q.bot_id, q.telegram_id, q.action, q.units, q.idempotency_key, q.fingerprint, q.ref,
      c.customer_id, a.credit_unit, a.required_entitlement,
      a.is_limited or a.price_credits = 0 as may_be_free,
      a.is_limited and not u.is_unmetered as is_metered,
      case when u.is_unmetered then 0 else coalesce(a.price_credits * q.units, 0) end as cost,
      _usage_refusal(a, c.customer_id, q.units, p_at) as refusal,
      exists (
        select from api_requests k
        where k.workspace_id = p_workspace and k.idempotency_key = q.idempotency_key) as has_request,
      (select w.low_credits_threshold from workspaces w where w.workspace_id = p_workspace)
        as threshold
    from unnest(p_bots, p_users, p_actions, p_units, p_keys, p_fingerprints, p_refs)
      with ordinality q (bot_id, telegram_id, action, units, idempotency_key, fingerprint, ref, ord)
    left join customers c on c.workspace_id = p_workspace and c.telegram_id = q.telegram_id
    left join actions a on a.workspace_id = p_workspace and a.action = q.action
      and a.withdrawn_at is null
    cross join lateral (
      select _usage_is_unmetered(a, c.customer_id, p_at)
        or coalesce(c.unlimited_until > p_at, false) as is_unmetered) u
    order by q.telegram_id, a.credit_unit, q.action, q.ord
  loop
    ord := r.ord;
    version := null;
    posted_at := p_at;
    balance := 0;
    cost := r.cost;
    free_units := 0;
    entitlement := null;
    quota_period := null;
    quota_limit := null;
    quota_used := null;
    quota_resets_at := null;
    status := r.refusal;
    is_known := r.customer_id is not null;
    -- Keys of writes that are no postings: checkouts, and debits of nothing, of this batch too.
    if r.has_request or v_took_keys then
      select g.status, g.cost, g.balance, g.version, g.posted_at, g.free_units into v_taken
        from _usage_again(p_workspace, r.idempotency_key, 'debit', r.fingerprint) g;
      if v_taken.status is not null then
        status := v_taken.status;
        cost := coalesce(v_taken.cost, cost);
        balance := coalesce(v_taken.balance, 0);
        version := v_taken.version;
        posted_at := coalesce(v_taken.posted_at, p_at);
        free_units := coalesce(v_taken.free_units, 0);
        return next;
        continue;
      end if;
    end if;
    -- Only when their turn has come: who makes a customer keeps all others who would waiting.
    if status is null and r.customer_id is null and r.may_be_free then
      r.customer_id := _usage_welcome(p_workspace, r.telegram_id, r.action, r.units, p_at);
    end if;
    if status is null and r.is_metered then
      select * into v_taken from _usage_take(p_workspace, r.customer_id, r.action, r.units,
        r.idempotency_key, r.fingerprint, r.ref, p_at, r.bot_id);
      status := v_taken.status;
      cost := coalesce(v_taken.cost, cost);
      balance := coalesce(v_taken.balance, 0);
      version := v_taken.version;
      posted_at := coalesce(v_taken.posted_at, p_at);
      free_units := coalesce(v_taken.free_units, 0);
      quota_period := v_taken.quota_period;
      quota_limit := v_taken.quota_limit;
      quota_used := v_taken.quota_used;
      quota_resets_at := v_taken.quota_resets_at;
      v_took_keys := true;
    elsif status is null and r.customer_id is not null and cost > 0 then
      v_answer := _ledger_take(p_workspace, r.customer_id, r.credit_unit, cost,
        'api:' || r.idempotency_key, r.fingerprint, 'debit', r.action, r.units::int, r.ref, p_at,
        r.bot_id);
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
    if status is distinct from 'applied' and not coalesce(r.is_metered and r.refusal is null, false)
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
      perform _usage_note(p_workspace, r.customer_id, r.action, r.units, 0, r.idempotency_key,
        'debit', r.fingerprint, r.ref, balance, p_at, r.bot_id);
      v_took_keys := true;
    end if;
    if status = 'no_access' then
      entitlement := r.required_entitlement;
    end if;
    if status = 'applied' and balance < r.threshold and balance + cost >= r.threshold
      and r.bot_id is not null
    then
      perform _usage_warn(p_workspace, r.bot_id, r.customer_id, balance, r.threshold, p_at);
    end if;
    return next;
  end loop;
end $$;

-- A debit of an action that has quotas or free units. Counters move only where the posting does.
drop function if exists _usage_take(
  bigint, bigint, text, bigint, text, bigint, text, timestamptz);
create or replace function _usage_take(
  p_workspace bigint, p_customer bigint, p_action text, p_units bigint, p_key text,
  p_fingerprint bigint, p_ref text, p_at timestamptz, p_bot bigint, out status text, out cost bigint,
  out balance bigint, out version bigint, out posted_at timestamptz, out free_units bigint,
  out quota_period text, out quota_limit int, out quota_used bigint,
  out quota_resets_at timestamptz
) language plpgsql volatile as $$
declare
  v_action actions;
  v_answer ledger_answer;
begin
  select * into v_action from actions a
    where a.workspace_id = p_workspace and a.action = p_action;
  select * into status, cost, balance, version, posted_at, free_units, quota_period, quota_limit,
      quota_used, quota_resets_at
    from _usage_admit(v_action, p_customer, p_units, false, p_key, 'debit', p_fingerprint, p_at);
  if status is not null then
    return;
  end if;
  status := 'applied';
  posted_at := p_at;
  if cost > 0 then
    v_answer := _ledger_take(p_workspace, p_customer, v_action.credit_unit, cost, 'api:' || p_key,
      p_fingerprint, 'debit', p_action, p_units::int, p_ref, p_at, p_bot);
    if v_answer.status <> 'applied' then
      raise exception 'a debit that was admitted is answered %', v_answer.status
        using errcode = 'serialization_failure';
    end if;
    balance := v_answer.balance;
    version := v_answer.version;
  end if;
  if cost = 0 or free_units > 0 then
    perform _usage_note(p_workspace, p_customer, p_action, p_units, free_units, p_key, 'debit',
      p_fingerprint, p_ref, balance, p_at, p_bot);
  end if;
  if v_action.is_limited then
    perform _usage_count(p_workspace, p_customer, p_action, p_units, free_units, p_at);
  end if;
end $$;

-- Takes a key for a use, and keeps of it what no ledger entry says.
drop function if exists _usage_note(
  bigint, bigint, text, bigint, bigint, text, text, bigint, text, bigint, timestamptz);
create or replace function _usage_note(
  p_workspace bigint, p_customer bigint, p_action text, p_units bigint, p_free bigint,
  p_key text, p_operation text, p_fingerprint bigint, p_ref text, p_balance bigint,
  p_at timestamptz, p_bot bigint
) returns void language plpgsql volatile as $$
begin
  insert into api_requests (workspace_id, idempotency_key, operation, fingerprint, created_at,
    balance, customer_id, action, units, free_units, ref, bot_id)
  values (p_workspace, p_key, p_operation, p_fingerprint, p_at, p_balance, p_customer, p_action,
    p_units::int, p_free::int, p_ref, p_bot);
end $$;

-- Tells the bot that this use took the customer below the workspace's threshold.
create or replace function _usage_warn(
  p_workspace bigint, p_bot bigint, p_customer bigint, p_balance bigint, p_threshold bigint,
  p_at timestamptz
) returns void language plpgsql volatile as $$
begin
  perform event_emit(p_workspace, p_bot, p_customer, 'credits.low',
    format('{"balance":%s,"threshold":%s}', p_balance, p_threshold), p_at);
end $$;

grant execute on function usage_post_batch to estars_app;
