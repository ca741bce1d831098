-- The operators' desk: how customers are found and forgotten, the rule for refunds, support, alerts,
-- who may come in, and figures that cost the same at ten million entries.

-- Customers ---------------------------------------------------------------------------------------

alter table customers no force row level security;
alter table customers
  -- Personal fields are gone since then; the ledger goes on under the customer's number.
  add column erased_at timestamptz,
  -- Where the customer came from, as the first trial's request said.
  add column traffic_source text not null default '' check (length(traffic_source) <= 60),
  -- For readers that follow the table; see entries.xid. The other one is of the transaction that
  -- found the traffic source out.
  add column xid xid8 not null default pg_current_xact_id(),
  add column traffic_source_xid xid8,
  drop constraint customers_telegram_id_check,
  -- An erased customer's Telegram id is minus the customer's number, so that the person, should
  -- they come back, is somebody new.
  add constraint customers_telegram_id_check check (
    case when erased_at is null then telegram_id > 0 else telegram_id = -customer_id end);
create index customers_xid on customers (workspace_id, xid);
create index customers_sourced on customers (workspace_id, traffic_source_xid)
  where traffic_source_xid is not null;
create function traffic_source_settles() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.traffic_source <> '' then
    raise exception 'the traffic source of customer % is known', old.customer_id
      using errcode = 'restrict_violation';
  end if;
  new.traffic_source_xid := pg_current_xact_id();
  return new;
end $$;
create trigger sourced before insert on customers for each row
  when (new.traffic_source <> '') execute function traffic_source_settles();
create trigger sourced_later before update of traffic_source on customers for each row
  when (old.traffic_source <> new.traffic_source) execute function traffic_source_settles();
-- What is typed of a name is found at its beginning, at the beginning of a later word of it, or of
-- the username; functions/customers.sql. A name may be long, an index row may not.
create index customers_name on customers (workspace_id, (left(search_name, 100)) collate "C");
create index customers_later_words on customers (
  workspace_id, (substr(search_name, strpos(search_name, ' ') + 1, 100)) collate "C");
create index customers_username on customers (workspace_id, (lower(username)) collate "C")
  where username <> '';
alter table customers force row level security;

-- Refunds -----------------------------------------------------------------------------------------

-- The workspace's rule for refunds: what it recommends, and what it decides by itself. A workspace
-- without a row has the defaults.
create table refund_policies (
  workspace_id bigint not null references workspaces,
  max_age_hours int not null default 24 check (max_age_hours between 1 and 8760),
  -- Of the credits that the charge gave.
  max_used_percent smallint not null default 0 check (max_used_percent between 0 and 100),
  one_per_customer boolean not null default true,
  -- Cases that the rule recommends are approved without a person.
  auto_approves boolean not null default false,
  -- From so many Stars on, two people decide; null = one is enough.
  four_eyes_stars bigint check (four_eyes_stars between 1 and 10000000),
  primary key (workspace_id)
);

alter table refunds no force row level security;
alter table refunds
  -- Why not, from a list.
  add column decline_reason text check (decline_reason in (
    'outside_policy', 'credits_used', 'already_refunded_once', 'delivered', 'suspected_abuse', 'other')),
  -- The first of two people who agree; whoever it was may not be the second.
  add column proposed_by text,
  add column proposed_at timestamptz,
  -- What the rule said when it was decided: the name of the clause, and whether it spoke for it.
  add column verdict text check (verdict in (
    'within_policy', 'too_old', 'too_much_used', 'not_the_first', 'not_credited', 'access_only')),
  add constraint refunds_proposed check ((proposed_by is null) = (proposed_at is null)),
  drop constraint refunds_source_check,
  -- buyer: asked for through the bot.
  add constraint refunds_source_check check (
    source in ('operator', 'telegram', 'second_payment', 'buyer'));
-- A closed case waits for a person again when the first of two has spoken.
drop index refunds_open;
create index refunds_open on refunds (workspace_id, refund_id)
  where state in ('requested', 'failed', 'approved', 'sending', 'unknown') or proposed_by is not null;
alter table refunds force row level security;

-- Support -----------------------------------------------------------------------------------------

alter table workspaces
  -- How soon a buyer is to be answered.
  add column support_sla_minutes int not null default 480
    check (support_sla_minutes between 5 and 43200);

create table support_cases (
  workspace_id bigint not null references workspaces,
  support_case_id bigint generated by default as identity,
  bot_id bigint not null,
  customer_id bigint not null,
  -- What it is about, where that is known.
  payment_id bigint,
  refund_id bigint,
  -- sku or plan of that payment, for the pressure by product.
  product text not null default '',
  topic text not null check (topic in (
    'credits_missing', 'refund', 'not_delivered', 'access', 'subscription', 'other')),
  subject text not null check (length(subject) between 1 and 200),
  source text not null check (source in ('bot', 'buyer', 'operator', 'system')),
  -- open: the next word is ours. waiting: it is the buyer's.
  state text not null default 'open' check (state in ('open', 'waiting', 'closed')),
  assigned_to bigint,
  opened_at timestamptz not null,
  -- Since when the next word is ours; null while it is not.
  waits_since timestamptz,
  first_answered_at timestamptz,
  closed_at timestamptz,
  closed_by text,
  last_message_at timestamptz not null,
  primary key (workspace_id, support_case_id),
  foreign key (workspace_id, bot_id) references bots (workspace_id, bot_id),
  foreign key (workspace_id, customer_id) references customers (workspace_id, customer_id),
  foreign key (workspace_id, payment_id) references payments (workspace_id, payment_id),
  foreign key (workspace_id, refund_id) references refunds (workspace_id, refund_id),
  -- Who leaves the team leaves the cases first.
  foreign key (workspace_id, assigned_to) references memberships (workspace_id, operator_id),
  check ((state = 'open') = (waits_since is not null)),
  check ((state = 'closed') = (closed_at is not null))
);
create index support_cases_open on support_cases (workspace_id, waits_since, support_case_id)
  where state <> 'closed';
create index support_cases_customer on support_cases (workspace_id, customer_id, support_case_id desc);
create index support_cases_assigned on support_cases (workspace_id, assigned_to)
  where assigned_to is not null;
create index support_cases_payment on support_cases (workspace_id, payment_id)
  where payment_id is not null;

create table support_messages (
  workspace_id bigint not null references workspaces,
  support_message_id bigint generated by default as identity,
  support_case_id bigint not null,
  author_kind text not null check (author_kind in ('buyer', 'operator', 'system')),
  -- An e-mail address or a bot's username; empty for the buyer, who is the case's customer.
  author text not null default '',
  -- A note is for operators' eyes.
  is_note boolean not null default false,
  body text not null check (length(body) <= 4096),
  -- What the buyer sent beside words, or without any.
  attachment text check (attachment in (
    'photo', 'voice', 'video', 'document', 'audio', 'sticker', 'video_note')),
  -- The buyer's message in Telegram, so that one that arrives twice is kept once.
  update_id bigint,
  bot_id bigint,
  -- Ours, as it is being sent.
  message_id bigint,
  -- Of an API call or a form.
  idempotency_key text,
  at timestamptz not null,
  primary key (workspace_id, support_message_id),
  unique (workspace_id, bot_id, update_id),
  unique (workspace_id, idempotency_key),
  foreign key (workspace_id, support_case_id) references support_cases (workspace_id, support_case_id),
  foreign key (workspace_id, message_id) references outgoing_messages (workspace_id, message_id),
  check ((update_id is null) = (bot_id is null)),
  check (body <> '' or attachment is not null)
);
create index support_messages_case on support_messages (workspace_id, support_case_id, support_message_id);

-- Words that operators use again and again, in each language.
create table reply_templates (
  workspace_id bigint not null references workspaces,
  reply_template text not null check (reply_template ~ '^[a-z0-9][a-z0-9_-]{0,47}$'),
  language text not null check (language ~ '^[a-z]{2,3}(-[a-z0-9]{2,8})?$'),
  title text not null check (length(title) between 1 and 60),
  body text not null check (length(body) between 1 and 3000),
  primary key (workspace_id, reply_template, language)
);

-- Alerts ------------------------------------------------------------------------------------------

-- Only where a workspace has settled something of its own.
create table alert_rules (
  workspace_id bigint not null references workspaces,
  alert_kind text not null check (alert_kind ~ '^[a-z]+([._][a-z]+)*$'),
  is_on boolean not null default true,
  in_chat boolean not null default true,
  threshold bigint check (threshold >= 0),
  muted_until timestamptz,
  primary key (workspace_id, alert_kind)
);

-- One row while the same thing goes on about the same subject; when it is over and comes back, another.
create table alerts (
  workspace_id bigint not null references workspaces,
  alert_id bigint generated by default as identity,
  alert_kind text not null check (alert_kind ~ '^[a-z]+([._][a-z]+)*$'),
  subject text not null default '' check (length(subject) <= 200),
  -- What the words are made of.
  facts jsonb not null default '{}',
  opened_at timestamptz not null,
  last_seen_at timestamptz not null,
  -- How often it was seen.
  sightings bigint not null default 1 check (sightings > 0),
  -- When the chats were told; null = they were not, because the rule is quiet.
  told_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  ended_at timestamptz,
  -- It happened and was over: nothing goes on. Such a thing is told of once, for ever.
  is_moment boolean not null default false,
  primary key (workspace_id, alert_id),
  check ((acknowledged_at is null) = (acknowledged_by is null)),
  check (not is_moment or ended_at is not null)
);
create unique index alerts_going_on on alerts (workspace_id, alert_kind, subject)
  where ended_at is null or is_moment;
create index alerts_open on alerts (workspace_id, alert_id desc) where acknowledged_at is null;

-- Deliveries beyond the first: Telegram's retries, forwarding bots that forward twice.
alter table updates no force row level security;
alter table updates
  add column repeats int not null default 0,
  add column repeated_at timestamptz,
  -- How long after its message was sent it came, by Telegram's clock and ours; null = it has no time.
  add column delay_seconds int check (delay_seconds >= 0);
create index updates_failed on updates (workspace_id) where state = 'failed';
create index updates_repeated on updates (workspace_id, repeated_at) where repeats > 0;
alter table updates force row level security;

-- Team --------------------------------------------------------------------------------------------

alter table operators
  -- The secret counts from here on; before that it is only being set up. Sealed like bots' tokens.
  add column totp_confirmed_at timestamptz,
  -- The last time step that was used: a code opens one door.
  add column totp_last_step bigint not null default 0;
alter table sessions
  add column session_id bigint generated always as identity unique,
  -- The password was right; the second factor is still to come.
  add column awaits_totp boolean not null default false;

-- One-time codes for whoever lost the phone.
create table recovery_codes (
  operator_id bigint not null references operators,
  code_hash bytea not null check (length(code_hash) = 32),
  used_at timestamptz,
  primary key (operator_id, code_hash)
);
-- A link that sets a new password or removes the second factor. There is no e-mail: an owner, an
-- admin or the command line hands it over.
create table reset_links (
  token_hash bytea primary key check (length(token_hash) = 32),
  operator_id bigint not null references operators,
  kind text not null check (kind in ('password', 'totp')),
  made_by text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index reset_links_operator on reset_links (operator_id);
-- A link by which somebody joins a workspace.
create table invitations (
  token_hash bytea primary key check (length(token_hash) = 32),
  invitation_id bigint generated by default as identity unique,
  workspace_id bigint not null references workspaces,
  -- For whom, in the inviter's words.
  name text not null check (length(name) between 1 and 80),
  role text not null check (role in ('viewer', 'support', 'manager', 'owner')),
  -- Into the other side of the business, too.
  both_sides boolean not null,
  made_by text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by bigint references operators,
  revoked_at timestamptz
);
create index invitations_workspace on invitations (workspace_id, invitation_id desc);
grant select, insert, update, delete on recovery_codes, reset_links to estars_app;
grant select, insert, update on invitations to estars_app;

-- The log as it is read: newest first, by who and by what, too.
create index audit_entries_at on audit_entries (workspace_id, at, audit_entry_id);
create index audit_entries_actor on audit_entries (workspace_id, actor, at, audit_entry_id);
create index audit_entries_action on audit_entries (workspace_id, action, at, audit_entry_id);

-- Payments, as they are looked through -------------------------------------------------------------

create index payments_state on payments (workspace_id, state, paid_at desc, payment_id desc);
create index payments_bot on payments (workspace_id, bot_id, paid_at desc, payment_id desc);
create index payments_sku on payments (workspace_id, sku, paid_at desc, payment_id desc);

-- Figures -----------------------------------------------------------------------------------------

-- Which bot an entry was made for; null where no bot had a part in it.
alter table entries add column bot_id bigint;

-- Readers that follow a table go by the transaction that last wrote a row; see entries.xid.
create function follow_by_xid() returns trigger language plpgsql as $$
begin
  new.xid := pg_current_xact_id();
  return new;
end $$;
alter table payments no force row level security;
alter table payments add column xid xid8 not null default pg_current_xact_id();
create trigger followed before update on payments for each row execute function follow_by_xid();
create index payments_xid on payments (workspace_id, xid);
create index payments_refunded on payments (workspace_id, refunded_at) where refunded_at is not null;
alter table payments force row level security;
alter table refunds no force row level security;
alter table refunds add column xid xid8 not null default pg_current_xact_id();
create trigger followed before update on refunds for each row execute function follow_by_xid();
create index refunds_xid on refunds (workspace_id, xid);
create index refunds_refunded on refunds (workspace_id, refunded_at) where refunded_at is not null;
alter table refunds force row level security;
alter table checkout_transitions no force row level security;
alter table checkout_transitions add column xid xid8 not null default pg_current_xact_id();
create index checkout_transitions_xid on checkout_transitions (workspace_id, xid);
create index checkout_transitions_at on checkout_transitions (workspace_id, at);
alter table checkout_transitions force row level security;
alter table subscription_changes no force row level security;
alter table subscription_changes add column xid xid8 not null default pg_current_xact_id();
create index subscription_changes_xid on subscription_changes (workspace_id, xid);
alter table subscription_changes force row level security;
-- Uses that cost nothing stand here alone.
alter table api_requests no force row level security;
alter table api_requests
  add column xid xid8 not null default pg_current_xact_id(),
  add column bot_id bigint;
create index api_requests_xid on api_requests (workspace_id, xid) where action is not null;
alter table api_requests force row level security;

-- Where customers came from, as far as figures tell it apart: a bot may name another source for each
-- of them, and a page that shows every one would grow with the customers.
create table traffic_sources (
  workspace_id bigint not null references workspaces,
  source text not null check (length(source) between 1 and 60),
  primary key (workspace_id, source)
);

-- The first request for a trial that named a source said where its customer came from.
alter table customers no force row level security;
alter table trial_grants no force row level security;
create temporary table first_sources on commit drop as
  select distinct on (workspace_id, customer_id) workspace_id, customer_id, source, trial_grant_id
  from trial_grants where source <> '' order by workspace_id, customer_id, trial_grant_id;
insert into traffic_sources (workspace_id, source)
  select workspace_id, source from (
    select workspace_id, source,
      row_number() over (partition by workspace_id order by min(trial_grant_id)) as place
    from first_sources group by workspace_id, source) s
  where place <= 100;
update customers c set traffic_source = case when exists (
    select from traffic_sources t
    where t.workspace_id = f.workspace_id and t.source = f.source)
  then f.source else 'other' end
from first_sources f
where c.workspace_id = f.workspace_id and c.customer_id = f.customer_id;
drop table first_sources;
alter table trial_grants force row level security;
alter table customers force row level security;

-- What one unit of an action cost the operator, and since when: a use keeps the cost of its time.
create table action_costs (
  workspace_id bigint not null references workspaces,
  action text not null,
  since timestamptz not null,
  unit_cost_micros bigint not null check (unit_cost_micros >= 0),
  cost_currency text not null check (cost_currency ~ '^[A-Z]{3}$'),
  -- What had been committed when it was written, and so keeps the cost before it.
  seen pg_snapshot not null default pg_current_snapshot(),
  primary key (workspace_id, action, since),
  foreign key (workspace_id, action) references actions (workspace_id, action)
);
alter table actions no force row level security;
insert into action_costs (workspace_id, action, since, unit_cost_micros, cost_currency, seen)
  select workspace_id, action, '-infinity', unit_cost_micros, cost_currency, '1:1:' from actions;
alter table actions force row level security;
create function action_costs_begin() returns trigger language plpgsql as $$
begin
  insert into action_costs (workspace_id, action, since, unit_cost_micros, cost_currency, seen)
    values (new.workspace_id, new.action, '-infinity', new.unit_cost_micros, new.cost_currency,
      '1:1:');
  return null;
end $$;
create trigger costs after insert on actions
  for each row execute function action_costs_begin();

-- How far the figures of a workspace follow its tables. What is visible in the snapshot is counted,
-- once; what is not is yet to come, in whatever order transactions end.
create table rollup_marks (
  workspace_id bigint not null references workspaces,
  -- The table that is followed.
  feed text not null check (feed in ('entries', 'payments', 'refunds', 'checkout_transitions',
    'subscription_changes', 'api_requests', 'customers')),
  counted pg_snapshot not null default '1:1:',
  -- The time of the newest row that is counted, for people.
  seen_until timestamptz,
  -- Whose days the figures are of; while it is not the workspace's, they are being cleared.
  time_zone text not null default '',
  primary key (workspace_id, feed)
);

-- A day is one in the workspace's time zone; another zone has all figures made anew.
create table credit_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  unit smallint not null,
  -- What happened, and to credits from where: a lot's source; `carried` for credits that went on into
  -- another lot, whose expiry stands beside it; `debt` for what passed by all lots.
  kind entry_kind not null,
  source text not null,
  -- Signed as in the ledger.
  credits bigint not null,
  entries bigint not null,
  primary key (workspace_id, day, unit, kind, source)
);
create table usage_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  -- 0 = no bot.
  bot_id bigint not null,
  action text not null,
  unit smallint not null,
  -- As it was known when the use was counted.
  traffic_source text not null default '',
  uses bigint not null,
  units bigint not null,
  credits bigint not null,
  -- What was paid for the credits that were burned, in millionths of a Star.
  stars_micros bigint not null,
  cost_currency text not null,
  cost_micros bigint not null,
  primary key (workspace_id, day, action, bot_id, unit, traffic_source, cost_currency)
);
create table sale_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  bot_id bigint not null,
  product text not null check (product in ('pack', 'plan', 'unknown')),
  -- Key of the pack or plan.
  sku text not null,
  traffic_source text not null default '',
  payments bigint not null,
  stars bigint not null,
  first_purchases bigint not null,
  -- By the day of the refund.
  refunds bigint not null,
  stars_refunded bigint not null,
  primary key (workspace_id, day, bot_id, product, sku, traffic_source)
);
create table checkout_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  bot_id bigint not null,
  product text not null check (product in ('pack', 'plan')),
  sku text not null,
  -- The step taken that day, and why.
  state text not null,
  reason text not null,
  checkouts bigint not null,
  primary key (workspace_id, day, bot_id, product, sku, state, reason)
);
create table subscription_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  plan text not null,
  -- As it stood at the end of the day, or stands. Only days have a row on which something changed:
  -- on the others it stands as on the last one before. Trials are not active.
  active bigint not null,
  mrr_stars bigint not null,
  started bigint not null,
  renewed bigint not null,
  churned bigint not null,
  trials_started bigint not null,
  trials_converted bigint not null,
  primary key (workspace_id, day, plan)
);
create table customer_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  customer_id bigint not null,
  stars bigint not null default 0,
  stars_refunded bigint not null default 0,
  credits_used bigint not null default 0,
  -- What was paid for them, in millionths of a Star, less what a refund forgave.
  stars_micros bigint not null default 0,
  cost_micros bigint not null default 0,
  -- Of the cost; empty where there is none. Payments stand there.
  cost_currency text not null default '',
  primary key (workspace_id, day, customer_id, cost_currency)
);
create index customer_days_customer on customer_days (workspace_id, customer_id, day);
create table newcomer_days (
  workspace_id bigint not null references workspaces,
  day date not null,
  traffic_source text not null default '',
  customers bigint not null,
  primary key (workspace_id, day, traffic_source)
);
-- For "the last 24 hours": the same sums by the hour, in UTC; credits of the first unit.
create table hours (
  workspace_id bigint not null references workspaces,
  hour timestamptz not null,
  payments bigint not null default 0,
  stars bigint not null default 0,
  stars_refunded bigint not null default 0,
  credits_issued bigint not null default 0,
  credits_used bigint not null default 0,
  credits_expired bigint not null default 0,
  primary key (workspace_id, hour)
);
-- Who stands on top, counted now and then by a job.
create table customer_tops (
  workspace_id bigint not null references workspaces,
  -- Days up to today; 0 = all time.
  days smallint not null check (days in (0, 1, 7, 30, 90)),
  measure text not null check (measure in ('net_stars', 'credits_used', 'loss')),
  rank smallint not null check (rank between 1 and 50),
  customer_id bigint not null,
  -- Stars or credits; of a loss, millionths of the workspace's currency.
  amount bigint not null,
  counted_at timestamptz not null,
  primary key (workspace_id, days, measure, rank)
);

-- The planner's picture of the large tables follows sooner than after a tenth of all rows: a workspace
-- that it does not know looks to it as if it had a row of each.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['customers', 'accounts', 'entries', 'lots', 'payments', 'checkouts',
    'checkout_transitions', 'api_requests', 'customer_days', 'usage_days']
  loop
    execute format('alter table %I set (autovacuum_analyze_scale_factor = 0.02)', v_table);
  end loop;
end $$;

select protect_tenant_table(t) from unnest(array['refund_policies', 'support_cases',
  'support_messages', 'reply_templates', 'alert_rules', 'alerts', 'traffic_sources', 'action_costs',
  'rollup_marks', 'credit_days', 'usage_days', 'sale_days', 'checkout_days', 'subscription_days', 'customer_days',
  'newcomer_days', 'hours', 'customer_tops']::regclass[]) t;

grant select, insert, update on refund_policies, support_cases, support_messages, alert_rules, alerts
  to estars_app;
grant select, insert, update, delete on reply_templates, rollup_marks, credit_days, usage_days,
  sale_days, checkout_days, subscription_days, customer_days, newcomer_days, hours, customer_tops
  to estars_app;
grant select, insert, update on action_costs to estars_app;
grant select, insert on traffic_sources to estars_app;
