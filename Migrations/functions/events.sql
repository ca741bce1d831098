-- Tells a bot what happened, in the transaction in which it happens, and asks for the job that sends
-- it: one job for the events of one customer, so that they leave in order. Sending is timed by our
-- own clock, whatever the clock of the workspace says.
create or replace function event_emit(
  p_workspace bigint, p_bot bigint, p_customer bigint, p_kind text, p_body text, p_at timestamptz
) returns bigint language plpgsql volatile as $$
declare
  v_event bigint;
  v_state text;
begin
  insert into events (workspace_id, bot_id, customer_id, kind, body, state, next_at, give_up_at,
    created_at)
  select p_workspace, b.bot_id, p_customer, p_kind, p_body,
    case when b.event_url is null then 'skipped' else 'pending' end,
    case when b.event_url is not null then now() end,
    case when b.event_url is not null then now() + interval '24 hours' end, p_at
  from bots b where b.workspace_id = p_workspace and b.bot_id = p_bot
  returning event_id, state into v_event, v_state;
  if v_state = 'pending' then
    perform event_queue(p_workspace, p_bot, p_customer);
  end if;
  return v_event;
end $$;

-- A job that waits keeps its time, so that new events do not hurry a bot that is down. One that runs
-- just now may have looked already: it is to look again. The row stays locked until the transaction
-- ends, so that no run ends between this and the event's being seen.
create or replace function event_queue(
  p_workspace bigint, p_bot bigint, p_customer bigint
) returns void language sql volatile as $$
  insert into jobs (workspace_id, kind, subject, run_at)
  values (p_workspace, 'events.send', p_bot || ':' || coalesce(p_customer, 0), now())
  on conflict (workspace_id, kind, subject) do update set run_at = now(), attempts = 0
    where jobs.leased_until is not null;
$$;

grant execute on function event_emit, event_queue to estars_app;
