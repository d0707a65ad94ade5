{{ config(
    materialized='incremental', unique_key=['channel', 'region', 'brand', 'week_start_date']
) }}

with orders as (
    select
        *,
        {{ week_start('trading_date') }} as week_start_date
    from {{ ref('fct_orders') }}
),

{% if is_incremental() %}
-- A day is of a week, whose percentiles it moves.
touched as (
    {{ touched_keys(['channel', 'region', 'brand', 'week_start_date'], ['orders']) }}
),

{% endif %}
reached as (
    select * from orders
    {% if is_incremental() %}
    where
        (channel, region, brand, week_start_date) in (
            select
                touched.channel,
                touched.region,
                touched.brand,
                touched.week_start_date
            from touched
        )
    {% endif %}
),

{% set stages = [
    ('placed', 'allocated'), ('allocated', 'dispatched'), ('dispatched', 'delivered'),
    ('placed', 'delivered'),
] %}
spans as (
    {% for earlier, later in stages %}
    select
        channel,
        region,
        brand,
        trading_date,
        week_start_date,
        '{{ earlier }}_to_{{ later }}' as stage,
        {{ seconds_between(earlier ~ '_at', later ~ '_at') }} as span_seconds,
        recorded_xid
    from reached
    where {{ earlier }}_at is not null and {{ later }}_at is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

{% set periods = [('day', 'trading_date'), ('week', 'week_start_date')] %}
placed as (
    {% for period, first_day in periods %}
    select
        channel,
        region,
        brand,
        '{{ period }}' as period,
        {{ first_day }} as period_start_date,
        count(*) as placed_order_count,
        max(recorded_xid) as recorded_xid
    from reached
    group by channel, region, brand, {{ first_day }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

measured as (
    {% for period, first_day in periods %}
    select
        channel,
        region,
        brand,
        '{{ period }}' as period,
        {{ first_day }} as period_start_date,
        max(week_start_date) as week_start_date,
        stage,
        {% for name, fraction in [
            ('median', 0.5), ('p90', 0.9), ('p95', 0.95), ('p99', 0.99)
        ] %}
        cast({{ percentile('span_seconds', fraction) }} as decimal(18, 4))
            as {{ name }}_seconds,
        {% endfor %}
        count(*) as order_count,
        sum(span_seconds) as total_seconds
    from spans
    group by channel, region, brand, {{ first_day }}, stage
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

final as (
    select
        measured.channel,
        measured.region,
        measured.brand,
        measured.period,
        measured.period_start_date,
        measured.stage,
        cast(measured.order_count as bigint) as order_count,
        cast(placed.placed_order_count as bigint) as placed_order_count,
        {{ rounded_quotient('measured.median_seconds', 3600) }} as median_hours,
        {{ rounded_quotient('measured.p90_seconds', 3600) }} as p90_hours,
        {{ rounded_quotient('measured.p95_seconds', 3600) }} as p95_hours,
        {{ rounded_quotient('measured.p99_seconds', 3600) }} as p99_hours,
        cast(measured.total_seconds as bigint) as total_seconds,
        measured.week_start_date,
        placed.recorded_xid
    from measured
    inner join placed
        on
            measured.channel = placed.channel
            and measured.region = placed.region
            and measured.brand = placed.brand
            and measured.period = placed.period
            and measured.period_start_date = placed.period_start_date
)

select * from final
