-- The ledger: what a customer's credits are. Rows are written by ledger_* functions alone.

-- A function is executable by nobody until it is granted.
alter default privileges revoke execute on functions from public;

-- What happened to the customer's account.
create type entry_kind as enum (
  'credit', 'debit', 'hold', 'release', 'expire', 'clawback', 'forgive');
-- The other leg of every movement.
create type counter_account as enum (
  'issued', 'used', 'held', 'expired', 'refunded', 'forgiven');
-- What was asked for. One request may take several movements.
create type ledger_operation as enum (
  'credit', 'debit', 'hold', 'hold_charge', 'commit', 'release', 'clawback', 'expire');

create type ledger_answer as (status text, balance bigint, version bigint, amount bigint);
create type ledger_clawback_answer as (
  status text, balance bigint, version bigint,
  taken bigint, used bigint, held bigint, expired bigint);
-- Credits by lot.
create type ledger_parts as (ids bigint[], amounts bigint[]);

-- On the path of a debit, what a row must satisfy is mostly said by triggers: PostgreSQL reads a
-- check constraint's expression again in every statement, a function's once a session.
create table accounts (
  workspace_id bigint not null references workspaces,
  account_id bigint not null,
  -- The lowest balance allowed: below zero only while a refund's debt is open.
  floor bigint not null default 0,
  -- Not later than the soonest expiry of an open lot. A debit never moves it, so that a debit
  -- changes no indexed column.
  due_at timestamptz not null default 'infinity',
  unit smallint not null default 1,
  balance bigint not null default 0,
  version bigint not null default 0,
  -- What the last step added to the balance: a trigger's note, for the entry to agree with.
  last_amount bigint not null default 0,
  -- The open lots in burn order. Next to balance and version: a debit then logs one short range.
  lot_left bigint[] not null default '{}',
  lot_ids bigint[] not null default '{}',
  primary key (workspace_id, account_id, unit),
  constraint accounts_no_overdraft check (balance >= floor)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
create index accounts_due on accounts (workspace_id, due_at) where due_at < 'infinity';

create table entries (
  workspace_id bigint not null,
  account_id bigint not null,
  version bigint not null,
  amount bigint not null,
  balance_after bigint not null,
  created_at timestamptz not null,
  -- Readers that follow the table go by this, below pg_snapshot_xmin: ids and times become
  -- visible in another order than they were given.
  xid xid8 not null default pg_current_xact_id(),
  fingerprint bigint,
  -- What the request asked for, where that is not the movement's amount.
  requested bigint,
  kind entry_kind not null,
  operation ledger_operation not null,
  counter counter_account not null,
  units integer,
  unit smallint not null,
  lot_ids bigint[] not null,
  lot_amounts bigint[] not null,
  -- On the last movement of its request, whose balance is the answer to a replay.
  idempotency_key text,
  hold_key text,
  action text,
  ref text,
  reason text,
  primary key (workspace_id, account_id, unit, version),
  constraint entries_idempotency_key unique (workspace_id, idempotency_key)
);
create index entries_xid on entries (workspace_id, xid);

-- A table that was never analyzed is taken to have ten pages, on which a workspace would have one
-- row, so that any index would serve as well as the right one; and the first sessions keep such
-- plans until autovacuum comes. Pages that an undone insert leaves behind make the guess better.
alter table entries alter column reason set storage plain;
do $$
begin
  insert into entries (
    workspace_id, account_id, unit, version, kind, counter, operation, amount, balance_after,
    lot_ids, lot_amounts, created_at, reason)
  select 0, 0, 0, n, 'credit', 'issued', 'credit', 0, 0, '{}', '{}', now(), repeat(' ', 7000)
  from generate_series(1, 40) n;
  raise sqlstate 'UNDO0';
exception when sqlstate 'UNDO0' then
  null;
end $$;
alter table entries alter column reason set storage extended;

-- One row a grant. The lot's id is the version of its credit entry.
create table lots (
  workspace_id bigint not null,
  account_id bigint not null,
  unit smallint not null,
  lot_id bigint not null,
  source text not null check (source in (
    'payment', 'bonus', 'trial', 'promo', 'subscription', 'goodwill', 'adjustment')),
  bot_id bigint,
  charge_id text check (length(charge_id) between 1 and 512),
  paid boolean not null,
  amount bigint not null check (amount > 0),
  expires_at timestamptz not null default 'infinity',
  -- What the customer paid, for the margin.
  stars bigint check (stars >= 0),
  -- At the cap of open lots a grant may flow into an open lot of the same kind.
  merged_into bigint check (merged_into < lot_id),
  reason text,
  primary key (workspace_id, account_id, unit, lot_id),
  foreign key (workspace_id, account_id, unit, lot_id) references entries,
  constraint lots_charge_whole check ((bot_id is null) = (charge_id is null)),
  constraint lots_paid_by_charge check (not paid or charge_id is not null),
  constraint lots_paid_source check (
    case source when 'payment' then paid when 'subscription' then true else not paid end),
  constraint lots_stars_paid check (stars is null or paid),
  constraint lots_merged_free check (merged_into is null or charge_id is null)
);
create unique index lots_charge on lots (workspace_id, bot_id, charge_id, paid)
  where charge_id is not null;

-- A row is an open hold; its entry stays for ever.
create table holds (
  workspace_id bigint not null,
  hold_key text not null,
  account_id bigint not null,
  unit smallint not null,
  version bigint not null,
  amount bigint not null check (amount > 0),
  expires_at timestamptz not null,
  -- Set when an approved refund holds what is left of its charge.
  bot_id bigint,
  charge_id text,
  primary key (workspace_id, hold_key),
  foreign key (workspace_id, account_id, unit, version) references entries,
  check ((bot_id is null) = (charge_id is null)),
  check (charge_id is null or expires_at = 'infinity')
);
create index holds_account on holds (workspace_id, account_id, unit);
create index holds_due on holds (workspace_id, expires_at) where expires_at < 'infinity';
create unique index holds_charge on holds (workspace_id, bot_id, charge_id)
  where charge_id is not null;

-- What became of a refunded charge's credits at the moment of the refund.
create table clawbacks (
  workspace_id bigint not null,
  bot_id bigint not null,
  charge_id text not null,
  account_id bigint not null,
  unit smallint not null,
  version bigint not null,
  policy text not null check (policy in ('forgive', 'debt')),
  granted bigint not null check (granted > 0),
  taken bigint not null check (taken >= 0),
  used bigint not null check (used >= 0),
  held bigint not null check (held >= 0),
  expired bigint not null check (expired >= 0),
  created_at timestamptz not null,
  primary key (workspace_id, bot_id, charge_id),
  foreign key (workspace_id, account_id, unit, version) references entries,
  constraint clawbacks_within_grant check (taken + used + held + expired = granted)
);

create function _ledger_deny() returns trigger language plpgsql as $$
begin
  raise exception '% of % is not allowed: the ledger only grows', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end $$;

create trigger immutable before update or delete on entries
  for each row execute function _ledger_deny();
create trigger immutable before update or delete on lots
  for each row execute function _ledger_deny();
create trigger immutable before update or delete on clawbacks
  for each row execute function _ledger_deny();
create trigger immutable before update on holds
  for each row execute function _ledger_deny();
create trigger undeletable before delete on accounts
  for each row execute function _ledger_deny();
-- Credits move one version at a time, or not at all; and never to another account.
create function _ledger_check_step() returns trigger language plpgsql as $$
begin
  if new.account_id <> old.account_id or new.unit <> old.unit
    or new.workspace_id <> old.workspace_id or new.floor > 0
    or new.version <> old.version + 1
    and (new.version <> old.version or new.balance <> old.balance
      or new.lot_left <> old.lot_left or new.lot_ids <> old.lot_ids)
  then
    raise exception 'account % does not step from version % to %',
      old.account_id, old.version, new.version using errcode = 'restrict_violation';
  end if;
  if new.version <> old.version then
    new.last_amount := new.balance - old.balance;
  end if;
  return new;
end $$;
create trigger stepwise before update on accounts
  for each row execute function _ledger_check_step();

create trigger untruncatable before truncate on accounts execute function _ledger_deny();
create trigger untruncatable before truncate on entries execute function _ledger_deny();
create trigger untruncatable before truncate on lots execute function _ledger_deny();
create trigger untruncatable before truncate on holds execute function _ledger_deny();
create trigger untruncatable before truncate on clawbacks execute function _ledger_deny();

-- The movement's other leg.
create function _ledger_counter(p_kind entry_kind) returns counter_account
language sql immutable as $$
  select case p_kind
    when 'credit' then 'issued'::counter_account
    when 'debit' then 'used'::counter_account
    when 'hold' then 'held'::counter_account
    when 'release' then 'held'::counter_account
    when 'expire' then 'expired'::counter_account
    when 'clawback' then 'refunded'::counter_account
    else 'forgiven'::counter_account
  end
$$;

-- An entry has the sign and the counter account of its kind, is the newest of its account, follows
-- the one before and leaves the account as the account row says; and the open lots are the balance.
-- Only a commit may end below zero: it honours what was held, even when a refund has put the
-- account into debt meanwhile.
create function _ledger_check_entry() returns trigger language plpgsql as $$
declare
  v_balance bigint;
  v_version bigint;
  v_left bigint[];
  v_ids bigint[];
  v_before bigint := new.balance_after - new.amount;
  v_last_amount bigint;
  v_lots bigint := 0;
  v_moved bigint := 0;
  v_amount bigint;
begin
  if new.counter <> _ledger_counter(new.kind)
    or (case
      when new.kind in ('credit', 'release', 'forgive') then new.amount <= 0
      when new.kind = 'clawback' then new.amount > 0
      else new.amount >= 0
    end)
    or (new.balance_after < 0 and new.kind in ('debit', 'hold') and new.operation <> 'commit')
    or cardinality(new.lot_ids) <> cardinality(new.lot_amounts)
    or length(new.idempotency_key) not between 1 and 600 or new.units <= 0
  then
    raise exception 'entry % of account % is not a movement of its kind',
      new.version, new.account_id using errcode = 'integrity_constraint_violation';
  end if;
  select a.balance, a.version, a.lot_left, a.lot_ids, a.last_amount
    into v_balance, v_version, v_left, v_ids, v_last_amount
    from accounts a
    where a.workspace_id = new.workspace_id and a.account_id = new.account_id
      and a.unit = new.unit;
  foreach v_amount in array v_left loop
    v_lots := v_lots + v_amount;
  end loop;
  foreach v_amount in array new.lot_amounts loop
    v_moved := v_moved + v_amount;
  end loop;
  if v_version is distinct from new.version
    or v_balance <> new.balance_after
    or v_last_amount <> new.amount
    or v_lots <> greatest(new.balance_after, 0)
    or cardinality(v_left) <> cardinality(v_ids)
    or v_moved <> abs(greatest(new.balance_after, 0) - greatest(v_before, 0))
  then
    raise exception 'entry % of account % does not follow from the account',
      new.version, new.account_id using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger chain after insert on entries
  for each row execute function _ledger_check_entry();

-- A lot is its credit entry's, and a charge stays with one account.
create function _ledger_check_lot() returns trigger language plpgsql as $$
begin
  if not exists (
    select from entries e
    where e.workspace_id = new.workspace_id and e.account_id = new.account_id
      and e.unit = new.unit and e.version = new.lot_id
      and e.kind = 'credit' and e.amount = new.amount)
  then
    raise exception 'lot % of account % has no credit entry of its amount',
      new.lot_id, new.account_id using errcode = 'integrity_constraint_violation';
  end if;
  if new.charge_id is not null and exists (
    select from lots l
    where l.workspace_id = new.workspace_id and l.bot_id = new.bot_id
      and l.charge_id = new.charge_id
      and (l.account_id, l.unit) <> (new.account_id, new.unit))
  then
    raise exception 'the charge of lot % belongs to another account', new.lot_id
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger chain after insert on lots
  for each row execute function _ledger_check_lot();

-- A refund takes back what its charge granted, never more.
create function _ledger_check_clawback() returns trigger language plpgsql as $$
declare
  v_granted bigint;
  v_amount bigint;
begin
  select sum(l.amount) into v_granted from lots l
    where l.workspace_id = new.workspace_id and l.bot_id = new.bot_id
      and l.charge_id = new.charge_id and l.account_id = new.account_id and l.unit = new.unit;
  select -e.amount into v_amount from entries e
    where e.workspace_id = new.workspace_id and e.account_id = new.account_id
      and e.unit = new.unit and e.version = new.version and e.kind = 'clawback';
  if v_granted is distinct from new.granted or v_amount is null or v_amount > new.granted then
    raise exception 'clawback exceeds what its charge granted'
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger chain after insert on clawbacks
  for each row execute function _ledger_check_clawback();

select protect_tenant_table('accounts');
select protect_tenant_table('entries');
select protect_tenant_table('lots');
select protect_tenant_table('holds');
select protect_tenant_table('clawbacks');
grant select on accounts, entries, lots, holds, clawbacks to estars_app;

-- What is left of each grant, in burn order.
create view open_lots with (security_invoker = true) as
  select a.workspace_id, a.account_id, a.unit, o.lot_id, o.position, o.amount_left,
    l.source, l.bot_id, l.charge_id, l.paid, l.amount, l.expires_at, l.stars, l.reason
  from accounts a
  cross join lateral unnest(a.lot_ids, a.lot_left)
    with ordinality o (lot_id, amount_left, position)
  join lots l on l.workspace_id = a.workspace_id and l.account_id = a.account_id
    and l.unit = a.unit and l.lot_id = o.lot_id;
grant select on open_lots to estars_app;
