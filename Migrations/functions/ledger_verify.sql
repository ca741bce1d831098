-- Replays a workspace's entries and compares every projection of them. No rows: healthy.

create or replace function ledger_verify(p_workspace bigint)
returns table (problem text, account_id bigint, unit smallint, detail text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform _ledger_guard(p_workspace, now());
  return query select * from _ledger_verify_accounts(p_workspace);
  return query select * from _ledger_verify_lots(p_workspace);
  return query select * from _ledger_verify_holds(p_workspace);
  return query select * from _ledger_verify_clawbacks(p_workspace);
end $$;

create or replace function _ledger_verify_accounts(p_workspace bigint)
returns table (problem text, account_id bigint, unit smallint, detail text)
language sql stable as $$
  with replay as (
    select e.account_id, e.unit, sum(e.amount) as balance, count(*) as entries,
      max(e.version) as version
    from entries e where e.workspace_id = p_workspace
    group by e.account_id, e.unit
  ), chain as (
    select e.*, lag(e.balance_after, 1, 0::bigint) over w as balance_before,
      lag(e.version, 1, 0::bigint) over w as version_before,
      (select coalesce(sum(m), 0) from unnest(e.lot_amounts) m) as moved,
      0 >= any (e.lot_amounts) as moves_nothing
    from entries e where e.workspace_id = p_workspace
    window w as (partition by e.account_id, e.unit order by e.version)
  )
  select 'the balance is not the sum of the entries', coalesce(a.account_id, r.account_id),
      coalesce(a.unit, r.unit), format('%s, entries say %s', a.balance, r.balance)
    from (select * from accounts where workspace_id = p_workspace) a
    full join replay r on r.account_id = a.account_id and r.unit = a.unit
    where a.account_id is null or a.balance <> coalesce(r.balance, 0)
  union all
  select 'the version is not the number of entries', a.account_id, a.unit,
      format('%s, of %s entries the last is %s', a.version, r.entries, r.version)
    from accounts a
    left join replay r on r.account_id = a.account_id and r.unit = a.unit
    where a.workspace_id = p_workspace
      and (a.version <> coalesce(r.entries, 0) or a.version <> coalesce(r.version, 0))
  union all
  select 'an entry does not follow from the one before', c.account_id, c.unit,
      format('version %s after %s: %s + %s is not %s', c.version, c.version_before,
        c.balance_before, c.amount, c.balance_after)
    from chain c
    where c.version <> c.version_before + 1 or c.balance_before + c.amount <> c.balance_after
  union all
  select 'an entry''s lots are not its movement', c.account_id, c.unit,
      format('version %s moves %s, its lots %s', c.version, c.amount, c.moved)
    from chain c
    where c.moves_nothing
      or c.moved <> abs(greatest(c.balance_after, 0) - greatest(c.balance_before, 0))
  union all
  select 'a floor below zero without debt', a.account_id, a.unit,
      format('floor %s, balance %s', a.floor, a.balance)
    from accounts a
    where a.workspace_id = p_workspace and a.floor <> least(0, a.balance)
  -- The legs: what stands with customers and what stands with the counter accounts is zero.
  union all
  select 'the legs do not add up to zero', null::bigint, null::smallint,
      format('customers %s, counter accounts %s', s.customers, s.counters)
    from (
      select
        (select coalesce(sum(a.balance), 0) from accounts a
          where a.workspace_id = p_workspace) as customers,
        (select coalesce(sum(t.total), 0) from (
          select e.counter, sum(-e.amount) as total from entries e
          where e.workspace_id = p_workspace group by e.counter) t) as counters
    ) s
    where s.customers + s.counters <> 0
$$;

create or replace function _ledger_verify_lots(p_workspace bigint)
returns table (problem text, account_id bigint, unit smallint, detail text)
language sql stable as $$
  with movement as (
    select e.account_id, e.unit, e.version, p.lot_id, e.kind,
      case when e.kind in ('credit', 'release', 'forgive') then p.amount else -p.amount end
        as amount
    from entries e cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
    where e.workspace_id = p_workspace
  ), run as (
    select m.*, sum(m.amount) over (
      partition by m.account_id, m.unit, m.lot_id order by m.version) as amount_left
    from movement m
  ), replay as (
    select m.account_id, m.unit, m.lot_id, sum(m.amount)::bigint as amount_left
    from movement m group by m.account_id, m.unit, m.lot_id
  ), open as (
    select a.account_id, a.unit, o.lot_id, o.amount_left, o.position, a.due_at
    from accounts a
    cross join lateral unnest(a.lot_ids, a.lot_left)
      with ordinality o (lot_id, amount_left, position)
    where a.workspace_id = p_workspace
  )
  select 'a lot is not what its entries leave', coalesce(o.account_id, r.account_id),
      coalesce(o.unit, r.unit),
      format('lot %s: %s open, entries leave %s', coalesce(o.lot_id, r.lot_id),
        coalesce(o.amount_left, 0), coalesce(r.amount_left, 0))
    from open o
    full join replay r on r.account_id = o.account_id and r.unit = o.unit
      and r.lot_id = o.lot_id
    where coalesce(o.amount_left, 0) <> coalesce(r.amount_left, 0) or o.amount_left <= 0
  union all
  select 'a lot gave more than it had', r.account_id, r.unit,
      format('lot %s at version %s', r.lot_id, r.version)
    from run r where r.amount_left < 0
  union all
  select 'the open lots are not the balance', a.account_id, a.unit,
      format('balance %s, lots %s', a.balance, a.lot_left)
    from accounts a
    where a.workspace_id = p_workspace
      and greatest(a.balance, 0) <> (select coalesce(sum(x), 0) from unnest(a.lot_left) x)
  union all
  select 'the open lots are not in burn order', q.account_id, q.unit,
      format('lot %s at position %s', q.lot_id, q.position)
    from (
      select o.*, row_number() over (
        partition by o.account_id, o.unit order by l.expires_at, l.paid, l.lot_id) as due_position,
        l.lot_id is null or l.merged_into is not null as is_stray
      from open o
      left join lots l on l.workspace_id = p_workspace and l.account_id = o.account_id
        and l.unit = o.unit and l.lot_id = o.lot_id
    ) q
    where q.position <> q.due_position or q.is_stray
  union all
  select 'the next expiry is later than an open lot''s', o.account_id, o.unit,
      format('lot %s expires %s, due %s', o.lot_id, l.expires_at, o.due_at)
    from open o
    join lots l on l.workspace_id = p_workspace and l.account_id = o.account_id
      and l.unit = o.unit and l.lot_id = o.lot_id
    where o.due_at > l.expires_at
  union all
  select 'a lot is not its credit entry''s', coalesce(l.account_id, e.account_id),
      coalesce(l.unit, e.unit),
      format('lot %s of %s, entry of %s', coalesce(l.lot_id, e.version), l.amount, e.amount)
    from (select * from lots where workspace_id = p_workspace) l
    full join (
      select * from entries where workspace_id = p_workspace and kind = 'credit') e
      on e.account_id = l.account_id and e.unit = l.unit and e.version = l.lot_id
    where l.amount is distinct from e.amount
      or (e.lot_ids <> '{}' and e.lot_ids <> array[coalesce(l.merged_into, l.lot_id)])
$$;

create or replace function _ledger_verify_holds(p_workspace bigint)
returns table (problem text, account_id bigint, unit smallint, detail text)
language sql stable as $$
  with taken as (
    select e.account_id, e.unit, e.version, e.idempotency_key as hold_key, -e.amount as amount
    from entries e where e.workspace_id = p_workspace and e.kind = 'hold'
  ), returned as (
    select e.account_id, e.unit, e.hold_key, sum(e.amount) as amount, count(*) as times
    from entries e where e.workspace_id = p_workspace and e.kind = 'release'
    group by e.account_id, e.unit, e.hold_key
  )
  select 'a hold is not what its entries say', coalesce(t.account_id, h.account_id, r.account_id),
      coalesce(t.unit, h.unit, r.unit),
      format('hold %s: took %s, open %s, returned %s',
        coalesce(t.hold_key, h.hold_key, r.hold_key), t.amount, h.amount, r.amount)
    from taken t
    full join (select * from holds where workspace_id = p_workspace) h
      on h.hold_key = t.hold_key and h.account_id = t.account_id and h.unit = t.unit
      and h.version = t.version
    full join returned r on r.hold_key = t.hold_key and r.account_id = t.account_id
      and r.unit = t.unit
    where t.amount is null
      or t.amount <> coalesce(h.amount, 0) + coalesce(r.amount, 0)
      or (h.amount is null) = (r.amount is null)
      or r.times > 1
$$;

create or replace function _ledger_verify_clawbacks(p_workspace bigint)
returns table (problem text, account_id bigint, unit smallint, detail text)
language sql stable as $$
  with granted as (
    select l.bot_id, l.charge_id, l.account_id, l.unit, sum(l.amount) as amount
    from lots l where l.workspace_id = p_workspace and l.charge_id is not null
      and l.carried_from is null
    group by l.bot_id, l.charge_id, l.account_id, l.unit
  ), clawed as (
    -- What a forgiving refund gave back first, so that the whole charge could be taken, is not
    -- taken twice.
    select e.account_id, e.unit, p.lot_id,
      sum(case e.kind when 'clawback' then p.amount else -p.amount end) as amount
    from entries e cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
    where e.workspace_id = p_workspace and e.kind in ('clawback', 'forgive')
    group by e.account_id, e.unit, p.lot_id
  )
  select 'a clawback is not what its entry says', c.account_id, c.unit,
      format('charge at version %s: granted %s of %s, took %s', c.version, c.granted, g.amount,
        -e.amount)
    from clawbacks c
    left join granted g on g.bot_id = c.bot_id and g.charge_id = c.charge_id
      and g.account_id = c.account_id and g.unit = c.unit
    left join entries e on e.workspace_id = p_workspace and e.account_id = c.account_id
      and e.unit = c.unit and e.version = c.version and e.kind = 'clawback'
      and e.operation = 'clawback'
    where c.workspace_id = p_workspace
      and (c.granted is distinct from g.amount
        or c.taken + c.used + c.held + c.expired <> c.granted
        or -e.amount is distinct from
          c.taken + c.used + case c.policy when 'debt' then c.held else 0 end)
  union all
  select 'a clawback without its row', e.account_id, e.unit, format('version %s', e.version)
    from entries e
    left join clawbacks c on c.workspace_id = p_workspace and c.account_id = e.account_id
      and c.unit = e.unit and c.version = e.version
    where e.workspace_id = p_workspace and e.kind = 'clawback' and e.operation = 'clawback'
      and c.charge_id is null
  union all
  select 'more was clawed back than granted', w.account_id, w.unit,
      format('lot %s: %s of %s', w.lot_id, w.amount, g.amount)
    from clawed w
    cross join lateral (
      select sum(l.amount) as amount from lots l
      where l.workspace_id = p_workspace and l.account_id = w.account_id and l.unit = w.unit
        and w.lot_id in (l.lot_id, l.merged_into)
    ) g
    where w.amount > g.amount
$$;

grant execute on function ledger_verify to estars_app;
