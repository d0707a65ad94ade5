with orders as (
    select * from {{ ref('fct_orders') }}
),

exceptions as (
    select * from {{ ref('fct_fulfillment_exceptions') }}
),

{% set areas = [
    'stock_not_there', 'node_did_not_do_it', 'screening', 'carrier', 'customer', 'money', 'message',
] %}
of_orders as (
    select
        order_id,
        {% for area in areas %}
        max(case when exception_area = '{{ area }}' then 1 else 0 end) as has_{{ area }},
        {% endfor %}
        count(*) as exception_count,
        sum(case when state = 'open' then 1 else 0 end) as open_exception_count
    from exceptions
    where order_id is not null
    group by order_id
),

judged as (
    select
        orders.channel,
        orders.region,
        orders.brand,
        orders.trading_date,
        {{ week_start('orders.trading_date') }} as week_start_date,
        {% for area in areas %}
        coalesce(of_orders.has_{{ area }}, 0) as has_{{ area }},
        {% endfor %}
        case when of_orders.order_id is null then 0 else 1 end as has_exception,
        coalesce(of_orders.exception_count, 0) as exception_count,
        coalesce(of_orders.open_exception_count, 0) as open_exception_count
    from orders
    left join of_orders on orders.order_id = of_orders.order_id
    where orders.order_line_count > 0
),

counted as (
    {% for period, first_day in [('day', 'trading_date'), ('week', 'week_start_date')] %}
    select
        channel,
        region,
        brand,
        '{{ period }}' as period,
        {{ first_day }} as period_start_date,
        count(*) as order_count,
        sum(has_exception) as exception_order_count,
        {% for area in areas %}
        sum(has_{{ area }}) as {{ area }}_order_count,
        {% endfor %}
        sum(exception_count) as exception_count,
        sum(open_exception_count) as open_exception_count
    from judged
    group by channel, region, brand, {{ first_day }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

-- How long people took; what nobody was asked about was over when it happened.
closed as (
    select
        channel,
        region,
        brand,
        trading_date,
        {{ week_start('trading_date') }} as week_start_date,
        {{ seconds_between('opened_at', 'greatest(opened_at, closed_at)') }} as open_seconds
    from exceptions
    where state = 'closed' and order_id is not null
),

measured as (
    {% for period, first_day in [('day', 'trading_date'), ('week', 'week_start_date')] %}
    select
        channel,
        region,
        brand,
        '{{ period }}' as period,
        {{ first_day }} as period_start_date,
        {% for name, fraction in [
            ('median', 0.5), ('p90', 0.9), ('p95', 0.95), ('p99', 0.99)
        ] %}
        cast({{ percentile('open_seconds', fraction) }} as decimal(18, 4))
            as {{ name }}_open_seconds,
        {% endfor %}
        count(*) as closed_exception_count,
        sum(open_seconds) as total_open_seconds
    from closed
    group by channel, region, brand, {{ first_day }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

final as (
    select
        counted.channel,
        counted.region,
        counted.brand,
        counted.period,
        counted.period_start_date,
        cast(counted.order_count as bigint) as order_count,
        cast(counted.exception_order_count as bigint) as exception_order_count,
        {{ rounded_quotient('counted.exception_order_count', 'counted.order_count') }}
            as exception_rate,
        {% for area in areas %}
        cast(counted.{{ area }}_order_count as bigint) as {{ area }}_order_count,
        {% endfor %}
        cast(counted.exception_count as bigint) as exception_count,
        cast(counted.open_exception_count as bigint) as open_exception_count,
        cast(coalesce(measured.closed_exception_count, 0) as bigint) as closed_exception_count,
        {% for name in ['median', 'p90', 'p95', 'p99'] %}
        {{ rounded_quotient('measured.' ~ name ~ '_open_seconds', 3600) }}
            as {{ name }}_open_hours,
        {% endfor %}
        cast(coalesce(measured.total_open_seconds, 0) as bigint) as total_open_seconds
    from counted
    left join measured
        on
            counted.channel = measured.channel
            and counted.region = measured.region
            and counted.brand = measured.brand
            and counted.period = measured.period
            and counted.period_start_date = measured.period_start_date
)

select * from final
