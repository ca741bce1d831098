-- Selling: what a pack and a plan cost and bring, checkouts as a state machine, receipts and
-- reminders, subscriptions, and the comparison with Telegram's own books.

-- Rates are scaled integers: a price in millionths of a currency.
alter table workspaces
  add column currency text not null default 'BRL' check (currency ~ '^[A-Z]{3}$'),
  add column usd_micros_per_100_stars bigint not null default 1300000
    check (usd_micros_per_100_stars between 1 and 1000000000),
  add column currency_micros_per_usd bigint not null default 5400000
    check (currency_micros_per_usd between 1 and 1000000000000),
  -- What one credit costs the operator, in millionths of `currency`.
  add column credit_cost_micros bigint not null default 0
    check (credit_cost_micros between 0 and 1000000000000),
  -- A checkout that is open for longer counts as an abandoned cart.
  add column cart_minutes int not null default 30 check (cart_minutes between 5 and 1380),
  add column cart_reminds boolean not null default true,
  -- 0 = the reminder offers the same price.
  add column cart_discount_percent smallint not null default 0
    check (cart_discount_percent between 0 and 90),
  add column cart_alerts boolean not null default true,
  -- Whether a mismatch with Telegram's books that has one safe answer gets it without a click.
  add column reconciles_by_itself boolean not null default true;

-- Numbers of the two sides never mix: live bots on the live side, all others on the test side.
create function bot_environment_fits() returns trigger language plpgsql as $$
begin
  if (new.environment = 'live') is distinct from
    (select w.side = 'live' from workspaces w where w.workspace_id = new.workspace_id)
  then
    raise exception 'a bot of the environment % does not belong to this side', new.environment
      using errcode = 'check_violation', constraint = 'bots_environment_fits';
  end if;
  return new;
end $$;
create trigger environment_fits before insert or update of workspace_id, environment on bots
  for each row execute function bot_environment_fits();
alter table bots add column sends_receipts boolean not null default true;

-- Catalogue -------------------------------------------------------------------------------------

-- People of the house, who may buy what is for admins only.
create table staff (
  workspace_id bigint not null references workspaces,
  telegram_id bigint not null check (telegram_id > 0),
  name text not null default '' check (length(name) <= 60),
  added_by text not null default '',
  added_at timestamptz not null,
  primary key (workspace_id, telegram_id)
);
-- `customers.is_admin` says the same of those who are customers, so that nobody looks twice.
create function staff_are_admins() returns trigger language plpgsql as $$
begin
  update customers c set is_admin = (tg_op = 'INSERT')
    where c.workspace_id = coalesce(new.workspace_id, old.workspace_id)
      and c.telegram_id = coalesce(new.telegram_id, old.telegram_id);
  return null;
end $$;
create trigger customers_follow after insert or delete on staff
  for each row execute function staff_are_admins();
create function customer_is_admin() returns trigger language plpgsql as $$
begin
  new.is_admin := exists (select from staff s
    where s.workspace_id = new.workspace_id and s.telegram_id = new.telegram_id);
  return new;
end $$;

alter table packs
  -- Not listed; sold to whoever is given its sku.
  add column is_hidden boolean not null default false;
-- A discounted pack is its base but for the price, which is rounded half up: a Star at least.
create function pack_follows_base() returns trigger language plpgsql as $$
begin
  if new.base_sku is not null then
    select b.title, b.description, b.emoji, b.credit_unit, b.credits, b.bonus_credits,
        greatest(1, (b.stars * (100 - new.discount_percent) + 50) / 100), b.available_to,
        b.credits_valid_days,
        b.position
      into new.title, new.description, new.emoji, new.credit_unit, new.credits, new.bonus_credits,
        new.stars, new.available_to, new.credits_valid_days, new.position
      from packs b where b.workspace_id = new.workspace_id and b.sku = new.base_sku;
  end if;
  return new;
end $$;
create trigger follows_base before insert or update on packs
  for each row execute function pack_follows_base();
create function base_leads_discounts() returns trigger language plpgsql as $$
begin
  update packs p set base_sku = p.base_sku
    where p.workspace_id = new.workspace_id and p.base_sku = new.sku;
  return null;
end $$;
create trigger leads_discounts after update on packs for each row
  when (new.base_sku is null) execute function base_leads_discounts();

-- A pack's words in other languages than the one it was written in.
create table pack_names (
  workspace_id bigint not null,
  sku text not null,
  language text not null check (language ~ '^[a-z]{2}(-[a-z]{2})?$'),
  title text not null check (length(title) between 1 and 32),
  description text not null check (length(description) between 1 and 255),
  primary key (workspace_id, sku, language),
  foreign key (workspace_id, sku) references packs (workspace_id, sku)
);

-- Plans -----------------------------------------------------------------------------------------

create table plans (
  workspace_id bigint not null references workspaces,
  plan text not null check (plan ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
  title text not null check (length(title) between 1 and 32),
  description text not null check (length(description) between 1 and 255),
  -- free: of everybody without a subscription. recurring: paid in Stars every 30 days. custom: given
  -- to a customer by the operator.
  kind text not null check (kind in ('free', 'recurring', 'custom')),
  -- Its quotas and free units are those of its tier, whose entitlement it grants.
  tier text not null,
  -- What Telegram takes at most for a subscription.
  stars bigint check (stars between 1 and 10000),
  credit_unit smallint not null default 1,
  -- null = as many as they like
  credits_per_cycle bigint check (credits_per_cycle between 0 and 1000000000),
  -- Of what is left of a cycle's credits, so many are carried into the next one.
  rollover_cap_credits bigint not null default 0
    check (rollover_cap_credits between 0 and 1000000000),
  trial_days int not null default 0 check (trial_days between 0 and 60),
  trial_credits bigint not null default 0 check (trial_credits between 0 and 1000000000),
  -- Access goes on for so long after a paid period.
  grace_days int not null default 7 check (grace_days between 0 and 30),
  is_hidden boolean not null default false,
  position int not null,
  created_at timestamptz not null,
  withdrawn_at timestamptz,
  primary key (workspace_id, plan),
  foreign key (workspace_id, tier) references tiers (workspace_id, tier),
  foreign key (workspace_id, credit_unit) references credit_units (workspace_id, unit),
  check ((kind = 'recurring') = (stars is not null)),
  check (kind = 'custom' or credits_per_cycle is not null),
  check (kind = 'recurring' or trial_days = 0),
  check (trial_days > 0 or trial_credits = 0)
);
create unique index plans_free on plans (workspace_id) where kind = 'free' and withdrawn_at is null;
-- Beside the entitlement of its tier.
create table plan_entitlements (
  workspace_id bigint not null,
  plan text not null,
  entitlement text not null,
  primary key (workspace_id, plan, entitlement),
  foreign key (workspace_id, plan) references plans (workspace_id, plan),
  foreign key (workspace_id, entitlement) references entitlements (workspace_id, entitlement)
);
create table plan_names (
  workspace_id bigint not null,
  plan text not null,
  language text not null check (language ~ '^[a-z]{2}(-[a-z]{2})?$'),
  title text not null check (length(title) between 1 and 32),
  description text not null check (length(description) between 1 and 255),
  primary key (workspace_id, plan, language),
  foreign key (workspace_id, plan) references plans (workspace_id, plan)
);

-- Checkouts -------------------------------------------------------------------------------------

alter table checkouts no force row level security;
alter table customers no force row level security;
alter table checkouts
  drop constraint checkouts_state_check,
  drop constraint checkouts_check,
  drop constraint checkouts_credits_check,
  alter column state set default 'pending',
  -- pack: `sku` names a pack. plan: it names a plan, and the first payment begins a subscription.
  add column product text not null default 'pack' check (product in ('pack', 'plan')),
  -- Of a plan: Telegram renews it every so many seconds.
  add column period_seconds int check (period_seconds > 0),
  add column discount_percent smallint not null default 0
    check (discount_percent between 0 and 90),
  -- chat: the invoice is a message of the bot. link: a link, whoever passes it on.
  add column delivery text not null default 'link' check (delivery in ('link', 'chat')),
  add column message_id bigint,
  -- Of a chat's invoice: how often it was sent without Telegram's word on what came of it, and since
  -- when somebody has been sending it.
  add column send_attempts smallint not null default 0,
  add column sending_at timestamptz,
  -- The bot, the operator or the job that asked for it.
  add column opened_by text not null default '',
  -- Why it is in its state: a code.
  add column state_reason text not null default 'opened',
  add column state_at timestamptz,
  add column steps int not null default 0,
  -- When a pre-checkout was accepted last.
  add column accepted_at timestamptz,
  -- Noticed as an abandoned cart.
  add column is_abandoned boolean not null default false;
update checkouts set state_at = coalesce(closed_at, created_at),
  state_reason = case state when 'open' then 'opened' when 'paid' then 'paid' else 'newer_checkout' end,
  state = case state when 'open' then 'pending' when 'paid' then 'completed' else 'cancelled' end,
  steps = case state when 'open' then 1 else 2 end;
alter table checkouts
  alter column state_at set not null,
  add constraint checkouts_credits_check check (credits >= 0 and (product = 'plan' or credits > 0)),
  add constraint checkouts_state_check check (state in ('pending', 'validating', 'processing',
    'completed', 'rejected', 'failed', 'cancelled', 'expired')),
  add constraint checkouts_closed_check check (
    (state in ('pending', 'validating', 'processing', 'rejected')) = (closed_at is null)),
  add check ((product = 'plan') = (period_seconds is not null));
drop index checkouts_open;
create index checkouts_open on checkouts (workspace_id, customer_id)
  where state in ('pending', 'validating', 'rejected');
create index checkouts_expiring on checkouts (workspace_id, expires_at)
  where state in ('pending', 'validating', 'rejected');
create index checkouts_unnoticed on checkouts (workspace_id, created_at)
  where state in ('pending', 'validating', 'rejected') and not is_abandoned;
create index checkouts_customer on checkouts (workspace_id, customer_id, checkout_id desc);
create index checkouts_by_state on checkouts (workspace_id, state, checkout_id desc);

-- Every step with its reason, written by the checkout itself.
create table checkout_transitions (
  workspace_id bigint not null,
  checkout_id bigint not null,
  step int not null check (step > 0),
  from_state text,
  to_state text not null,
  reason text not null check (length(reason) between 1 and 200),
  at timestamptz not null,
  primary key (workspace_id, checkout_id, step),
  foreign key (workspace_id, checkout_id) references checkouts (workspace_id, checkout_id)
);
insert into checkout_transitions (workspace_id, checkout_id, step, from_state, to_state, reason, at)
  select workspace_id, checkout_id, 1, null, 'pending', 'opened', created_at from checkouts
  union all
  select workspace_id, checkout_id, 2, 'pending', state, state_reason, state_at from checkouts
  where steps = 2;
-- A genuine payment is always taken, so every state but the last leads to `processing`.
create function checkout_step() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    -- A buyer may be refused again, for another reason.
    if new.state = old.state
      and (new.state <> 'rejected' or new.state_reason = old.state_reason)
    then return new; end if;
    if not (new.state = any (case old.state
      when 'pending' then
        array['validating', 'processing', 'rejected', 'cancelled', 'expired']
      when 'validating' then array['processing', 'rejected', 'cancelled', 'expired']
      when 'rejected' then
        array['rejected', 'validating', 'processing', 'cancelled', 'expired']
      when 'cancelled' then array['processing']
      when 'expired' then array['processing']
      when 'failed' then array['processing']
      when 'processing' then array['completed', 'failed']
      else array[]::text[] end))
    then
      raise exception 'checkout % does not go from % to %', new.checkout_id, old.state, new.state
        using errcode = 'restrict_violation';
    end if;
  end if;
  new.state_at := coalesce(new.state_at, new.created_at);
  new.steps := new.steps + 1;
  new.closed_at := case when new.state in ('completed', 'failed', 'cancelled', 'expired')
    then new.state_at end;
  return new;
end $$;
create trigger step before insert or update of state on checkouts
  for each row execute function checkout_step();
create function checkout_stepped() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' or new.steps > old.steps then
    insert into checkout_transitions (
      workspace_id, checkout_id, step, from_state, to_state, reason, at)
    values (new.workspace_id, new.checkout_id, new.steps,
      case when tg_op = 'UPDATE' then old.state end, new.state, new.state_reason, new.state_at);
  end if;
  return null;
end $$;
create trigger stepped after insert or update of state on checkouts
  for each row execute function checkout_stepped();

-- What Telegram asked before a payment, and what it was told: the same question is answered alike.
create table pre_checkout_queries (
  workspace_id bigint not null,
  bot_id bigint not null,
  query_id text not null check (length(query_id) between 1 and 200),
  checkout_id bigint not null,
  -- null = it was accepted.
  refusal text,
  at timestamptz not null,
  primary key (workspace_id, bot_id, query_id),
  foreign key (workspace_id, checkout_id) references checkouts (workspace_id, checkout_id)
);
create index pre_checkout_queries_at on pre_checkout_queries (workspace_id, at);

-- Payments --------------------------------------------------------------------------------------

alter table payments no force row level security;
alter table payments
  add column product text not null default 'pack' check (product in ('pack', 'plan')),
  add column is_first_recurring boolean not null default false,
  add column subscription_id bigint,
  -- Until when Telegram says that a subscription is paid.
  add column period_ends_at timestamptz,
  -- How we learned of it.
  add column source text not null default 'update'
    check (source in ('update', 'reconciliation'));
create index payments_checkout on payments (workspace_id, checkout_id, payment_id)
  where checkout_id is not null;
alter table payments force row level security;

-- Messages ---------------------------------------------------------------------------------------

-- What a bot is to say: receipts, reminders, links, alerts. A subject is told once for each kind.
create table outgoing_messages (
  workspace_id bigint not null references workspaces,
  message_id bigint generated by default as identity,
  bot_id bigint not null,
  kind text not null check (kind ~ '^[a-z]+([._][a-z]+)*$'),
  subject text not null check (length(subject) between 1 and 200),
  -- To whom: a customer, or a chat of the operator's.
  customer_id bigint,
  chat_id bigint,
  body text not null check (length(body) between 1 and 4096),
  -- One button beneath it.
  button_title text,
  button_url text,
  -- blocked: the customer has stopped the bot. dropped: there was no use in it any more.
  state text not null default 'due' check (state in ('due', 'sent', 'failed', 'blocked', 'dropped')),
  attempts int not null default 0,
  -- Calls that Telegram gave no answer to: each may have been heard.
  unanswered smallint not null default 0,
  last_error text,
  asked_by text not null default '',
  created_at timestamptz not null,
  closed_at timestamptz,
  primary key (workspace_id, message_id),
  unique (workspace_id, kind, subject),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id),
  foreign key (workspace_id, customer_id) references customers (workspace_id, customer_id),
  check ((customer_id is null) <> (chat_id is null)),
  check ((button_title is null) = (button_url is null)),
  check ((state = 'due') = (closed_at is null))
);
create index outgoing_messages_customer on outgoing_messages (workspace_id, customer_id, message_id desc);

-- Where a workspace's operators read alerts: a chat that was linked by a one-time code.
create table alert_chats (
  workspace_id bigint not null,
  bot_id bigint not null,
  chat_id bigint not null,
  title text not null default '',
  linked_by text not null,
  linked_at timestamptz not null,
  primary key (workspace_id, bot_id, chat_id),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id)
);
create table alert_codes (
  workspace_id bigint not null,
  code_hash bytea not null check (length(code_hash) = 32),
  bot_id bigint not null,
  made_by text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (workspace_id, code_hash),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id)
);

-- An invoice that waited too long, and what came of it.
create table abandoned_carts (
  workspace_id bigint not null,
  checkout_id bigint not null,
  customer_id bigint not null,
  noticed_at timestamptz not null,
  -- The reminder's own invoice, which may be cheaper.
  reminder_checkout_id bigint,
  -- Why the buyer was not reminded; null = he was, or will be.
  skipped text check (skipped in ('switched_off', 'paid_since', 'reminded_lately', 'newer_checkout',
    'withdrawn', 'not_reached')),
  reminded_at timestamptz,
  alerted_at timestamptz,
  recovered_payment_id bigint,
  recovered_at timestamptz,
  primary key (workspace_id, checkout_id),
  foreign key (workspace_id, checkout_id) references checkouts (workspace_id, checkout_id),
  foreign key (workspace_id, reminder_checkout_id) references checkouts (workspace_id, checkout_id),
  foreign key (workspace_id, customer_id) references customers (workspace_id, customer_id),
  foreign key (workspace_id, recovered_payment_id) references payments (workspace_id, payment_id),
  check ((recovered_payment_id is null) = (recovered_at is null))
);
create index abandoned_carts_open on abandoned_carts (workspace_id, customer_id, noticed_at)
  where recovered_at is null;
create index abandoned_carts_recent on abandoned_carts (workspace_id, noticed_at desc, checkout_id desc);

-- Subscriptions ----------------------------------------------------------------------------------

create table subscriptions (
  workspace_id bigint not null references workspaces,
  subscription_id bigint generated by default as identity,
  bot_id bigint not null,
  customer_id bigint not null,
  plan text not null,
  -- Its payload comes back with every payment and every change; null for trials and custom plans.
  checkout_id bigint,
  is_trial boolean not null default false,
  -- trial: nothing was paid. active: in a paid period. grace: after one, with access still.
  -- replaced: by an upgrade, or a trial by what was bought.
  state text not null check (state in ('trial', 'active', 'grace', 'expired', 'replaced')),
  -- on: Telegram renews it. off: it does not. allowed: we let the buyer switch it on again.
  -- failed: there were too few Stars. none: nothing is ever renewed.
  renewal text not null check (renewal in ('on', 'off', 'allowed', 'failed', 'none')),
  -- Who ended the renewal: `user`, `operator`, `bot`, `upgrade`, `downgrade`, `refund`.
  renewal_ended_by text,
  -- What Telegram is being asked and has not confirmed.
  renewal_wish text check (renewal_wish in ('cancel', 'allow')),
  renewal_wish_by text,
  renewal_wish_at timestamptz,
  renewal_error text,
  -- The plan as it was sold.
  stars bigint not null check (stars >= 0),
  credit_unit smallint not null,
  credits_per_cycle bigint,
  rollover_cap_credits bigint not null,
  grace_days int not null,
  -- Telegram knows a subscription by its first charge.
  first_charge_id text,
  started_at timestamptz not null,
  period_started_at timestamptz not null,
  -- infinity for a custom plan without an end
  period_ends_at timestamptz not null,
  ended_at timestamptz,
  -- A downgrade that waits for the end of the period and for its buyer.
  next_plan text,
  -- Of the last `subscription` update that counted.
  last_update_id bigint,
  last_update_at timestamptz,
  -- Of the last change in subscription_changes.
  steps int not null default 0,
  primary key (workspace_id, subscription_id),
  unique (workspace_id, checkout_id),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id),
  foreign key (workspace_id, customer_id) references customers (workspace_id, customer_id),
  foreign key (workspace_id, plan) references plans (workspace_id, plan),
  foreign key (workspace_id, next_plan) references plans (workspace_id, plan),
  foreign key (workspace_id, checkout_id) references checkouts (workspace_id, checkout_id),
  check ((state in ('expired', 'replaced')) = (ended_at is not null)),
  check (period_ends_at > period_started_at),
  check ((renewal_wish is null) = (renewal_wish_at is null))
);
create index subscriptions_customer on subscriptions (workspace_id, customer_id, subscription_id desc);
create index subscriptions_ending on subscriptions (workspace_id, period_ends_at)
  where state in ('trial', 'active', 'grace');
-- A customer tries a plan once.
create unique index subscriptions_trial on subscriptions (workspace_id, customer_id, plan)
  where is_trial;
create table subscription_cycles (
  workspace_id bigint not null,
  subscription_id bigint not null,
  -- A renewal has a charge of its own; a custom plan's and a trial's cycles have none.
  cycle text not null check (length(cycle) between 1 and 600),
  charge_id text,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  credits bigint not null check (credits >= 0),
  -- Credits carried over from the cycle before.
  carried_credits bigint not null default 0 check (carried_credits >= 0),
  refunded_at timestamptz,
  primary key (workspace_id, subscription_id, cycle),
  foreign key (workspace_id, subscription_id) references subscriptions (workspace_id, subscription_id)
);
create table subscription_changes (
  workspace_id bigint not null,
  subscription_id bigint not null,
  step int not null check (step > 0),
  kind text not null check (kind in ('trial', 'subscribe', 'renew', 'upgrade', 'downgrade', 'cancel',
    'allow', 'reenable', 'fail', 'grace', 'expire', 'refund', 'replace')),
  -- Who: `user`, `telegram`, `job`, or an operator.
  by text not null,
  from_plan text,
  to_plan text,
  charge_id text,
  reason text not null default '',
  at timestamptz not null,
  primary key (workspace_id, subscription_id, step),
  foreign key (workspace_id, subscription_id) references subscriptions (workspace_id, subscription_id)
);
create index subscription_changes_recent on subscription_changes (workspace_id, at desc);
-- Custom plans, whose next cycle a job gives.
create index subscriptions_given on subscriptions (workspace_id, subscription_id)
  where state = 'active' and renewal = 'none';
alter table payments add foreign key (workspace_id, subscription_id)
  references subscriptions (workspace_id, subscription_id);
alter table access_grants
  -- What comes with a subscription is one grant a feature, which every payment prolongs.
  add column subscription_id bigint,
  add foreign key (workspace_id, subscription_id)
    references subscriptions (workspace_id, subscription_id);
create unique index access_grants_subscription
  on access_grants (workspace_id, subscription_id, entitlement)
  where subscription_id is not null and ended_at is null;

-- Credits that are carried into the next cycle stay their charge's, in a lot that lives longer.
alter table lots
  add column carried_from bigint check (
    carried_from is null or carried_from < lot_id and not paid and charge_id is not null);
drop index lots_charge;
create unique index lots_charge
  -- A lot may be carried twice: what was held comes back to it.
  on lots (workspace_id, bot_id, charge_id, paid,
    (case when carried_from is null then 0 else lot_id end))
  where charge_id is not null;

-- What was carried was granted once.
create or replace function _ledger_check_clawback() returns trigger language plpgsql as $$
declare
  v_granted bigint;
  v_amount bigint;
begin
  select sum(l.amount) into v_granted from lots l
    where l.workspace_id = new.workspace_id and l.bot_id = new.bot_id
      and l.charge_id = new.charge_id and l.account_id = new.account_id and l.unit = new.unit
      and l.carried_from is null;
  select -e.amount into v_amount from entries e
    where e.workspace_id = new.workspace_id and e.account_id = new.account_id
      and e.unit = new.unit and e.version = new.version and e.kind = 'clawback';
  if v_granted is distinct from new.granted or v_amount is null or v_amount > new.granted then
    raise exception 'clawback exceeds what its charge granted'
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;

alter table customers
  -- Until then every action is free of credits and quotas; null = never.
  add column unlimited_until timestamptz,
  -- The month, by its first day, whose credits of the free plan the customer has.
  add column free_plan_month date;
create index customers_free_plan on customers (workspace_id, free_plan_month, customer_id);
insert into staff (workspace_id, telegram_id, name, added_at)
  select workspace_id, telegram_id, left(first_name, 60), created_at from customers where is_admin;
create trigger is_admin before insert on customers
  for each row execute function customer_is_admin();

-- Reconciliation ---------------------------------------------------------------------------------

-- Telegram's books, movement by movement. A refund has the id of its payment.
create table star_transactions (
  workspace_id bigint not null,
  bot_id bigint not null,
  transaction_id text not null check (length(transaction_id) between 1 and 512),
  direction text not null check (direction in ('incoming', 'outgoing')),
  -- Where it stands in the bot's books, from 0.
  position bigint not null check (position >= 0),
  stars bigint not null check (stars >= 0),
  nanostars bigint not null default 0 check (nanostars between 0 and 999999999),
  -- `user`, `fragment`, …, as Telegram names it; and what for.
  partner text not null,
  transaction_type text,
  telegram_id bigint,
  invoice_payload text,
  subscription_period int,
  withdrawal_state text,
  at timestamptz not null,
  first_seen_at timestamptz not null,
  -- Our own books say the same, or a person has said that it is as it should be.
  is_matched boolean not null default false,
  primary key (workspace_id, bot_id, transaction_id, direction),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id)
);
create index star_transactions_unmatched on star_transactions (workspace_id, bot_id, position)
  where not is_matched;
create index star_transactions_at on star_transactions (workspace_id, bot_id, at desc);
create table reconciliations (
  workspace_id bigint not null,
  reconciliation_id bigint generated by default as identity,
  bot_id bigint not null,
  state text not null default 'due' check (state in ('due', 'running', 'done', 'failed')),
  asked_by text not null,
  asked_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- Where it began to read, how far it is, how many movements it read and how many agreed.
  from_position bigint not null default 0,
  next_position bigint not null default 0,
  -- The last movement that it compared; -1 = none yet.
  compared_position bigint not null default -1,
  read_count bigint not null default 0,
  matched_count bigint not null default 0,
  mismatch_count bigint not null default 0,
  fixed_count bigint not null default 0,
  -- When the movement was that was read last.
  reached_at timestamptz,
  -- getMyStarBalance; may be negative. And what all movements read so far add up to.
  balance_stars bigint,
  books_stars bigint,
  last_error text,
  primary key (workspace_id, reconciliation_id),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id),
  check ((state in ('done', 'failed')) = (finished_at is not null))
);
-- One at a time for a bot.
create unique index reconciliations_running on reconciliations (workspace_id, bot_id)
  where state in ('due', 'running');
create index reconciliations_recent on reconciliations (workspace_id, bot_id, reconciliation_id desc);
create table mismatches (
  workspace_id bigint not null,
  mismatch_id bigint generated by default as identity,
  bot_id bigint not null,
  transaction_id text not null,
  direction text not null check (direction in ('incoming', 'outgoing')),
  -- payment_unseen: Telegram has a payment of ours that we have not. refund_unseen: the same of a
  -- refund. amount_differs: both know it with different Stars. credits_missing: a payment or a
  -- refund without its entry in the ledger. unknown_partner: nothing that we know moves Stars so.
  -- not_in_telegram: we have a payment or a refund that Telegram's books lack.
  kind text not null check (kind in ('payment_unseen', 'refund_unseen', 'amount_differs',
    'credits_missing', 'unknown_partner', 'not_in_telegram')),
  stars bigint not null,
  our_stars bigint,
  customer_id bigint,
  state text not null default 'open' check (state in ('open', 'fixed', 'accepted')),
  found_at timestamptz not null,
  closed_at timestamptz,
  -- `rule`, `telegram` (its own update came after all) or an operator.
  closed_by text,
  note text not null default '' check (length(note) <= 1000),
  primary key (workspace_id, mismatch_id),
  unique (workspace_id, bot_id, transaction_id, direction, kind),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id),
  foreign key (workspace_id, customer_id) references customers (workspace_id, customer_id),
  check ((state = 'open') = (closed_at is null))
);
create index mismatches_open on mismatches (workspace_id, mismatch_id desc) where state = 'open';

alter table checkouts force row level security;
alter table customers force row level security;

select protect_tenant_table(t) from unnest(array['staff', 'pack_names', 'plans',
  'plan_entitlements', 'plan_names', 'checkout_transitions', 'pre_checkout_queries',
  'outgoing_messages', 'alert_chats',
  'alert_codes', 'abandoned_carts', 'subscriptions', 'subscription_cycles',
  'subscription_changes', 'star_transactions', 'reconciliations', 'mismatches']::regclass[]) t;

grant select, insert, update on pack_names, plans, plan_names, outgoing_messages, alert_codes,
  abandoned_carts, subscriptions, subscription_cycles, star_transactions, reconciliations, mismatches
  to estars_app;
grant select, insert, delete on staff, plan_entitlements, alert_chats, pre_checkout_queries
  to estars_app;
grant update on alert_chats to estars_app;
grant delete on pack_names, plan_names, alert_codes to estars_app;
grant select, insert on checkout_transitions, subscription_changes to estars_app;
