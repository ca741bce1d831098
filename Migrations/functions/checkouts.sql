-- Whether a buyer may pay a checkout now: what Telegram asks before every payment. One round trip
-- locks the checkout, decides, moves it on and remembers the answer, so that of two fast taps one is
-- accepted and a question that arrives twice is answered alike.
create or replace function checkout_pre_check(
  p_workspace bigint, p_bot bigint, p_checkout bigint, p_query text, p_stars bigint,
  -- What was found against it without a database, if anything.
  p_refusal text,
  -- For so long after one was accepted no other tap is; and so many purchases fit into an hour.
  p_busy_seconds int, p_purchases int, p_at timestamptz
) returns text language plpgsql volatile as $$
declare
  c checkouts;
  v_refusal text;
  v_busy_since timestamptz := p_at - make_interval(secs => p_busy_seconds);
begin
  select * into c from checkouts k
    where k.workspace_id = p_workspace and k.checkout_id = p_checkout
    for no key update;
  if not found or c.bot_id <> p_bot then return 'unknown_invoice'; end if;
  select q.refusal into v_refusal from pre_checkout_queries q
    where q.workspace_id = p_workspace and q.bot_id = p_bot and q.query_id = p_query;
  if found then return v_refusal; end if;
  v_refusal := case
    when c.stars <> p_stars then 'wrong_price'
    when c.state in ('processing', 'completed', 'failed') then 'already_paid'
    when c.state = 'cancelled' and c.state_reason = 'newer_checkout' then 'cancelled'
    when c.state = 'cancelled' then 'called_off'
    when c.state = 'expired' or c.expires_at <= p_at then 'expired'
    when p_refusal is not null then p_refusal
    when c.state = 'validating' and c.accepted_at > v_busy_since then 'under_way'
    else coalesce(_checkout_refusal(c),
      case when _purchases_lately(c, p_purchases, v_busy_since, p_at) >= p_purchases
        then 'too_many_purchases' end)
  end;
  insert into pre_checkout_queries (workspace_id, bot_id, query_id, checkout_id, refusal, at)
    values (p_workspace, p_bot, p_query, p_checkout, v_refusal, p_at);
  if v_refusal is null then
    update checkouts k set state = 'validating', state_reason = 'accepted', accepted_at = p_at,
        state_at = case when k.state = 'validating' then k.state_at else p_at end
      where k.workspace_id = p_workspace and k.checkout_id = p_checkout;
  elsif c.state in ('pending', 'validating', 'rejected')
    and v_refusal not in ('wrong_price', 'under_way')
  then
    update checkouts k set state_at = p_at,
        state = case v_refusal when 'expired' then 'expired' else 'rejected' end,
        state_reason = case v_refusal when 'expired' then 'time_over' else v_refusal end
      where k.workspace_id = p_workspace and k.checkout_id = p_checkout
        and (k.state <> 'rejected' or k.state_reason <> v_refusal);
  end if;
  return v_refusal;
end $$;

-- Why what the checkout sells is not, or no longer, for its buyer.
create or replace function _checkout_refusal(c checkouts) returns text
language sql stable as $$
  select case
    when c.product = 'plan' and p.withdrawn_at is not null
      or coalesce(k.withdrawn_at, b.withdrawn_at) is not null then 'withdrawn'
    when k.available_to = 'first_purchase' and u.has_purchased then 'first_purchase_only'
    when k.available_to = 'admins' and not u.is_admin then 'not_available'
    when c.product = 'plan' and exists (select from subscriptions s
      where s.workspace_id = c.workspace_id and s.customer_id = c.customer_id and s.plan = c.sku
        and s.state = 'active' and s.renewal = 'on') then 'already_subscribed'
  end
  from customers u
  left join packs k on c.product = 'pack' and k.workspace_id = c.workspace_id and k.sku = c.sku
  left join packs b on b.workspace_id = k.workspace_id and b.sku = k.base_sku
  left join plans p on c.product = 'plan' and p.workspace_id = c.workspace_id and p.plan = c.sku
  where u.workspace_id = c.workspace_id and u.customer_id = c.customer_id
$$;

-- Purchases of a checkout's buyer within the hour, with those that are being paid just now: an
-- accepted one whose payment is on its way counts, though a newer invoice has replaced it.
create or replace function _purchases_lately(
  c checkouts, p_limit int, p_busy_since timestamptz, p_at timestamptz
) returns bigint language sql stable as $$
  select (select count(*) from (
      select from payments p
      where p.workspace_id = c.workspace_id and p.customer_id = c.customer_id
        and p.paid_at > p_at - interval '1 hour' and (not p.is_recurring or p.is_first_recurring)
      limit p_limit) paid)
    + (select count(*) from (
      select o.checkout_id, o.state, o.accepted_at from checkouts o
      where o.workspace_id = c.workspace_id and o.customer_id = c.customer_id
      order by o.checkout_id desc limit 2 * p_limit) o
      where o.checkout_id <> c.checkout_id and o.state <> 'completed'
        and o.accepted_at > p_busy_since)
$$;

-- So many of a workspace's checkouts whose time is over are closed; somebody who is paying one just
-- now is not waited for.
create or replace function checkouts_expire(p_workspace bigint, p_limit int, p_at timestamptz)
returns bigint language plpgsql volatile as $$
declare
  v_count bigint;
begin
  with due as (
    select k.checkout_id from checkouts k
    where k.workspace_id = p_workspace and k.state in ('pending', 'validating', 'rejected')
      and k.expires_at <= p_at
    order by k.expires_at limit p_limit for no key update skip locked)
  update checkouts k set state = 'expired', state_reason = 'time_over', state_at = p_at
    from due where k.workspace_id = p_workspace and k.checkout_id = due.checkout_id;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

grant execute on function checkout_pre_check, _checkout_refusal, _purchases_lately, checkouts_expire
  to estars_app;
