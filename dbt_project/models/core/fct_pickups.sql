{{ config(materialized='incremental', unique_key='order_id') }}

with steps as (
    select * from {{ ref('stg_pickup_step') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

nodes as (
    select * from {{ ref('dim_node') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['order_id'], ['steps', 'orders']) }}
),

{% endif %}
reached as (
    select
        order_id,
        attempt,
        -- Whoever travels has no store any more: the row belongs to the attempt before it.
        max(node_id) as node_id,
        min(case when step = 'promised' then occurred_at end) as promised_at,
        min(case when step = 'promised' and step_number = 1 then promised_ready_at end)
            as first_promised_ready_at,
        max(case when step = 'promised' then promised_ready_at end) as promised_ready_at,
        max(case when step = 'ready' then occurred_at end) as ready_at,
        max(case when step = 'collected' then occurred_at end) as collected_at,
        max(case when step = 'unclaimed' then occurred_at end) as unclaimed_at,
        max(case when step = 'rejected' then occurred_at end) as rejected_at,
        max(case when step = 'rejected' then reason_code end) as rejected_reason_code,
        sum(case when step = 'reminded' then 1 else 0 end) as reminder_count,
        max(case when step = 'shipped_instead' then 1 else 0 end) as is_shipping,
        max(recorded_xid) as recorded_xid
    from steps
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
    group by order_id, attempt
),

followed as (
    select
        reached.*,
        orders.order_number,
        orders.channel,
        orders.region,
        orders.brand,
        orders.status in ('cancelled', 'declined', 'expired', 'rejected', 'unfilled')
            as is_ended,
        coalesce(following.is_shipping, 0) = 1 as is_shipped_instead,
        following.order_id is not null and following.is_shipping = 0 as is_moved_to_other_store,
        coalesce(nodes.trading_zone, 'UTC') as trading_zone,
        greatest(
            reached.recorded_xid, orders.recorded_xid, following.recorded_xid
        ) as newest_xid
    from reached
    inner join orders on reached.order_id = orders.order_id
    left join reached as following
        on reached.order_id = following.order_id and reached.attempt + 1 = following.attempt
    left join nodes on reached.node_id = nodes.node_id
    where reached.is_shipping = 0
),

final as (
    select
        order_id,
        attempt,
        order_number,
        channel,
        region,
        brand,
        node_id,
        promised_at,
        first_promised_ready_at,
        promised_ready_at,
        {{ local_date('first_promised_ready_at', 'trading_zone') }} as promised_date,
        ready_at,
        collected_at,
        unclaimed_at,
        rejected_at,
        rejected_reason_code,
        case
            when collected_at is not null then 'collected'
            when unclaimed_at is not null then 'unclaimed'
            when rejected_at is not null then 'rejected'
            when is_ended then 'ended'
            when ready_at is not null then 'ready'
            else 'preparing'
        end as outcome,
        ready_at <= promised_ready_at as is_ready_in_time,
        is_moved_to_other_store,
        is_shipped_instead,
        cast(reminder_count as integer) as reminder_count,
        newest_xid as recorded_xid
    from followed
)

select * from final
