-- Many requests, one commit. Sorted by account, so that batches that overlap cannot deadlock;
-- each request gets its own answer, and a key that occurs twice replays.
-- The arrays run in parallel; what a request does not need is null there.

create or replace function ledger_post_batch(
  p_workspace bigint, p_operations text[], p_accounts bigint[], p_account_units smallint[],
  p_amounts bigint[], p_keys text[], p_fingerprints bigint[], p_hold_keys text[],
  p_actions text[], p_units integer[], p_refs text[], p_until timestamptz[], p_at timestamptz
) returns table (ordinal integer, status text, balance bigint, version bigint, amount bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_request record;
  v_answer ledger_answer;
begin
  perform _ledger_guard(p_workspace, p_at);
  if cardinality(p_operations) > 1000 then
    raise exception 'a batch takes at most 1000 requests'
      using errcode = 'program_limit_exceeded';
  end if;
  for v_request in
    select r.*, coalesce(r.account_id, e.account_id, s.account_id) as locks
    from unnest(p_operations, p_accounts, p_account_units, p_amounts, p_keys, p_fingerprints,
      p_hold_keys, p_actions, p_units, p_refs, p_until) with ordinality
      r (operation, account_id, account_unit, amount, key, fingerprint, hold_key, action, units,
        ref, until, ordinal)
    -- A commit or release locks its hold's account, which an earlier posting or this batch names.
    left join entries e on r.account_id is null and e.workspace_id = p_workspace
      and e.idempotency_key = r.hold_key
    left join lateral (
      select h.account_id from unnest(p_operations, p_keys, p_accounts)
        h (operation, key, account_id)
      where r.account_id is null and h.operation = 'hold' and h.key = r.hold_key limit 1
    ) s on true
    order by locks nulls last, coalesce(r.account_unit, e.unit), r.ordinal
  loop
    case v_request.operation
      when 'debit' then
        v_answer := _ledger_take(p_workspace, v_request.account_id, v_request.account_unit,
          v_request.amount, v_request.key, v_request.fingerprint, 'debit', v_request.action,
          v_request.units, v_request.ref, p_at, null);
      when 'hold' then
        v_answer := _ledger_hold(p_workspace, v_request.account_id, v_request.account_unit,
          v_request.amount, v_request.key, v_request.fingerprint, v_request.action,
          v_request.units, v_request.ref, v_request.until, p_at, null);
      when 'commit', 'release' then
        -- No account has the number 0: a hold made just now is unknown, not locked out of order.
        v_answer := _ledger_close(p_workspace, coalesce(v_request.locks, 0),
          v_request.hold_key,
          case v_request.operation when 'commit' then v_request.amount else 0 end,
          v_request.key, v_request.fingerprint, v_request.operation::ledger_operation,
          v_request.units, p_at);
      when 'expire' then
        v_answer := _ledger_expire_account(
          p_workspace, v_request.account_id, v_request.account_unit, p_at);
      else
        v_answer := _ledger_decline('invalid', null);
    end case;
    ordinal := v_request.ordinal;
    status := v_answer.status;
    balance := v_answer.balance;
    version := v_answer.version;
    amount := v_answer.amount;
    return next;
  end loop;
end $$;

grant execute on function ledger_post_batch to estars_app;
