-- Who stands on top of the last days, by what was paid, what was used and what was lost. A loss is
-- what an operator's actions cost for a customer less what was paid for the credits that they took,
-- in millionths of the workspace's currency. Costs in other currencies count only in US dollars, at
-- the workspace's rate.
create or replace function figures_count_tops(p_workspace bigint, p_at timestamptz)
returns void language plpgsql volatile as $$
declare
  v_days smallint;
  v_today date;
  v_currency text;
  v_usd_per_100_stars numeric;
  v_per_usd numeric;
begin
  select (p_at at time zone w.time_zone)::date, w.currency, w.usd_micros_per_100_stars,
      w.currency_micros_per_usd
    into v_today, v_currency, v_usd_per_100_stars, v_per_usd
    from workspaces w where w.workspace_id = p_workspace;
  delete from customer_tops t where t.workspace_id = p_workspace;
  foreach v_days in array array[0, 1, 7, 30, 90]
  loop
    insert into customer_tops (workspace_id, days, measure, rank, customer_id, amount, counted_at)
    with people as materialized (
      select c.customer_id, sum(c.stars - c.stars_refunded)::bigint as net_stars,
        sum(c.credits_used)::bigint as credits_used,
        (sum(case c.cost_currency when v_currency then c.cost_micros
            when 'USD' then c.cost_micros * v_per_usd / 1000000 else 0 end)
          - sum(c.stars_micros) * v_usd_per_100_stars * v_per_usd / 100000000000000)::bigint as loss
      from customer_days c
      where c.workspace_id = p_workspace
        and c.day > case v_days when 0 then '-infinity'::date else v_today - v_days end
        and c.day <= case v_days when 0 then 'infinity'::date else v_today end
      group by c.customer_id
    )
    select p_workspace, v_days, t.measure,
      row_number() over (partition by t.measure order by t.amount desc, t.customer_id), t.customer_id,
      t.amount, p_at
    from (
      (select 'net_stars' as measure, p.customer_id, p.net_stars as amount from people p
        where p.net_stars > 0 order by p.net_stars desc, p.customer_id limit 50)
      union all
      (select 'credits_used', p.customer_id, p.credits_used from people p
        where p.credits_used > 0 order by p.credits_used desc, p.customer_id limit 50)
      union all
      (select 'loss', p.customer_id, p.loss from people p
        where p.loss > 0 order by p.loss desc, p.customer_id limit 50)
    ) t;
  end loop;
end $$;

grant execute on function figures_count_tops to estars_app;
