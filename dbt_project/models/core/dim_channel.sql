with orders as (
    select * from {{ ref('stg_order_placed') }}
),

counted as (
    select
        channel,
        region,
        brand,
        min(trading_date) as first_trading_date,
        max(trading_date) as last_trading_date,
        count(*) as order_count
    from orders
    group by channel, region, brand
),

ranked as (
    select
        *,
        row_number() over (
            partition by channel
            order by order_count desc, region asc, brand asc
        ) as most_orders_first
    from counted
),

final as (
    select
        channel,
        min(first_trading_date) as first_trading_date,
        max(last_trading_date) as last_trading_date,
        cast(sum(order_count) as bigint) as order_count,
        count(distinct region) as region_count,
        max(case when most_orders_first = 1 then region end) as main_region,
        max(case when most_orders_first = 1 then brand end) as main_brand
    from ranked
    group by channel
)

select * from final
