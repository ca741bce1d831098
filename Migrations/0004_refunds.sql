-- A refund becomes a case: somebody asks for it, somebody decides, Telegram carries it out, and the
-- case knows at every moment how far it came.

alter table refunds
  drop constraint refunds_source_check,
  drop constraint refunds_state_check,
  drop column clawback_status,
  alter column refunded_at drop not null,
  add column reason text not null default 'refunded_elsewhere' check (reason in (
    'customer_asked', 'not_delivered', 'bought_by_mistake', 'double_payment', 'other',
    'refunded_elsewhere')),
  -- What the operators tell each other.
  add column note text not null default '' check (length(note) <= 1000),
  -- What the buyer reads after our own words.
  add column buyer_message text not null default '' check (length(buyer_message) <= 1000),
  add column state_at timestamptz,
  add column decided_at timestamptz,
  add column decided_by text,
  -- The workspace's policy when it was approved: what was shown is what is done.
  add column debt_policy text check (debt_policy in ('forgive', 'debt')),
  -- How often it was approved; a failed refund may be approved again, with a hold of its own.
  add column approvals int not null default 0 check (approvals >= 0),
  -- The open hold over what was left of the charge.
  add column hold_key text,
  add column goodwill_credits bigint check (goodwill_credits > 0),
  -- Whether the buyer was told of the decision; null = there is nothing to tell.
  add column notice_state text check (notice_state in ('due', 'sent', 'failed')),
  -- What stands in the way at the moment, or why it failed.
  add column last_error text;
alter table refunds rename column recorded_at to opened_at;
-- Row-level security would hide every row from the owner, too.
alter table refunds no force row level security;
update refunds set state_at = opened_at;
alter table refunds force row level security;
alter table refunds
  alter column state_at set not null,
  alter column reason drop default,
  add constraint refunds_source_check check (source in ('operator', 'telegram', 'second_payment')),
  add constraint refunds_state_check check (state in (
    'requested', 'approved', 'sending', 'unknown', 'confirmed', 'failed', 'declined', 'goodwill')),
  add constraint refunds_confirmed check ((state = 'confirmed') = (refunded_at is not null)),
  add constraint refunds_decided check (
    state in ('requested', 'confirmed') or decided_at is not null),
  add constraint refunds_policy check (
    state not in ('approved', 'sending', 'unknown') or debt_policy is not null),
  add constraint refunds_hold check (
    hold_key is null or state in ('approved', 'sending', 'unknown')),
  add constraint refunds_goodwill check (state <> 'goodwill' or goodwill_credits is not null),
  add foreign key (workspace_id, customer_id) references customers (workspace_id, customer_id);
-- Cases that wait for a person.
create index refunds_open on refunds (workspace_id, refund_id)
  where state in ('requested', 'failed');

create index refunds_customer on refunds (workspace_id, customer_id);

-- A refund takes no step that is not on its way, whoever writes it. Telegram's own word that the
-- Stars went back is final and may come at any time.
create function refund_step() returns trigger language plpgsql as $$
begin
  if new.state = old.state then
    return new;
  end if;
  if old.state <> 'confirmed' and new.state = 'confirmed' or (old.state, new.state) in (
    ('requested', 'approved'), ('requested', 'declined'), ('requested', 'goodwill'),
    ('approved', 'sending'),
    ('sending', 'failed'), ('sending', 'unknown'), ('unknown', 'failed'),
    ('failed', 'approved'), ('failed', 'declined'), ('failed', 'goodwill'),
    ('declined', 'approved'), ('declined', 'goodwill'), ('goodwill', 'approved'))
  then
    return new;
  end if;
  raise exception 'refund % does not go from % to %', old.refund_id, old.state, new.state
    using errcode = 'restrict_violation';
end $$;
create trigger stepwise before update on refunds
  for each row execute function refund_step();

-- A settled charge may not come back as a paid one.
create function payment_stays_refunded() returns trigger language plpgsql as $$
begin
  raise exception 'payment % was refunded', old.payment_id using errcode = 'restrict_violation';
end $$;
create trigger refunded before update of state on payments
  for each row when (old.state = 'refunded' and new.state <> 'refunded')
  execute function payment_stays_refunded();
