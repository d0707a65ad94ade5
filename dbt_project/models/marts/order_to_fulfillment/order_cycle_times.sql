{{ config(materialized='incremental', unique_key=['channel', 'trading_date']) }}

with orders as (
    select * from {{ ref('fct_orders') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['channel', 'trading_date'], ['orders']) }}
),

{% endif %}
reached as (
    select * from orders
    {% if is_incremental() %}
    where
        (channel, trading_date) in (
            select
                touched.channel,
                touched.trading_date
            from touched
        )
    {% endif %}
),

spans as (
    select
        channel,
        trading_date,
        'placed_to_allocated' as stage,
        {{ seconds_between('placed_at', 'allocated_at') }} as span_seconds,
        recorded_xid
    from reached
    where allocated_at is not null
    union all
    select
        channel,
        trading_date,
        'allocated_to_dispatched' as stage,
        {{ seconds_between('allocated_at', 'dispatched_at') }} as span_seconds,
        recorded_xid
    from reached
    where allocated_at is not null and dispatched_at is not null
    union all
    select
        channel,
        trading_date,
        'dispatched_to_delivered' as stage,
        {{ seconds_between('dispatched_at', 'delivered_at') }} as span_seconds,
        recorded_xid
    from reached
    where dispatched_at is not null and delivered_at is not null
    union all
    select
        channel,
        trading_date,
        'placed_to_delivered' as stage,
        {{ seconds_between('placed_at', 'delivered_at') }} as span_seconds,
        recorded_xid
    from reached
    where delivered_at is not null
),

measured as (
    select
        channel,
        trading_date,
        stage,
        count(*) as order_count,
        cast({{ percentile('span_seconds', 0.5) }} as decimal(18, 4)) as median_seconds,
        cast({{ percentile('span_seconds', 0.9) }} as decimal(18, 4)) as p90_seconds,
        cast({{ percentile('span_seconds', 0.95) }} as decimal(18, 4)) as p95_seconds,
        max(recorded_xid) as recorded_xid
    from spans
    group by channel, trading_date, stage
),

final as (
    select
        channel,
        trading_date,
        stage,
        cast(order_count as bigint) as order_count,
        {{ rounded_quotient('median_seconds', 3600) }} as median_hours,
        {{ rounded_quotient('p90_seconds', 3600) }} as p90_hours,
        {{ rounded_quotient('p95_seconds', 3600) }} as p95_hours,
        recorded_xid
    from measured
)

select * from final
