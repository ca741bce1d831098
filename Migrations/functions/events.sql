-- Tells a bot what happened, in the transaction in which it happens. Sending is timed by our own
-- clock, whatever the clock of the workspace says.
create or replace function event_emit(
  p_workspace bigint, p_bot bigint, p_customer bigint, p_kind text, p_body text, p_at timestamptz
) returns bigint language plpgsql volatile as $$
declare
  v_event bigint;
begin
  insert into events (workspace_id, bot_id, customer_id, kind, body, state, next_at, give_up_at,
    created_at)
  select p_workspace, b.bot_id, p_customer, p_kind, p_body,
    case when b.event_url is null then 'skipped' else 'pending' end,
    case when b.event_url is not null then now() end,
    case when b.event_url is not null then now() + interval '24 hours' end, p_at
  from bots b where b.workspace_id = p_workspace and b.bot_id = p_bot
  returning event_id into v_event;
  return v_event;
end $$;

grant execute on function event_emit to estars_app;
