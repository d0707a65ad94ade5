with orders as (
    select * from {{ ref('stg_order_placed') }}
),

final as (
    select
        channel,
        min(trading_date) as first_trading_date,
        max(trading_date) as last_trading_date,
        count(*) as order_count,
        count(distinct region) as region_count
    from orders
    group by channel
)

select * from final
