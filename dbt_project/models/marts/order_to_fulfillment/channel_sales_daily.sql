{{ config(
    materialized='incremental',
    unique_key=['trading_date', 'channel', 'region', 'currency_code']
) }}

with orders as (
    select * from {{ ref('fct_orders') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['trading_date', 'channel', 'region', 'currency_code'], ['orders']) }}
),

{% endif %}
days as (
    select
        trading_date,
        channel,
        region,
        currency_code,
        count(*) as order_count,
        sum(order_line_count) as order_line_count,
        sum(ordered_quantity) as ordered_quantity,
        sum(filled_quantity) as filled_quantity,
        sum(unfilled_quantity) as unfilled_quantity,
        sum(ordered_total_amount) as ordered_amount,
        sum(filled_amount) as filled_amount,
        sum(shipped_amount) as gross_sales_amount,
        sum(booked_charge_amount) as charge_amount,
        sum(booked_tax_amount) as tax_amount,
        sum(booked_revenue_amount) as net_sales_amount,
        max(recorded_xid) as recorded_xid
    from orders
    {% if is_incremental() %}
    where
        (trading_date, channel, region, currency_code) in (
            select
                touched.trading_date,
                touched.channel,
                touched.region,
                touched.currency_code
            from touched
        )
    {% endif %}
    group by trading_date, channel, region, currency_code
),

final as (
    select
        trading_date,
        channel,
        region,
        currency_code,
        cast(order_count as bigint) as order_count,
        cast(order_line_count as bigint) as order_line_count,
        cast(ordered_quantity as bigint) as ordered_quantity,
        cast(filled_quantity as bigint) as filled_quantity,
        cast(unfilled_quantity as bigint) as unfilled_quantity,
        case
            when ordered_quantity > 0
                then {{ rounded_quotient('filled_quantity', 'ordered_quantity') }}
        end as fill_rate,
        cast(ordered_amount as decimal(18, 4)) as ordered_amount,
        cast(filled_amount as decimal(18, 4)) as filled_amount,
        cast(gross_sales_amount as decimal(18, 4)) as gross_sales_amount,
        cast(charge_amount as decimal(18, 4)) as charge_amount,
        cast(tax_amount as decimal(18, 4)) as tax_amount,
        cast(net_sales_amount as decimal(18, 4)) as net_sales_amount,
        {{ rounded_quotient('ordered_amount', 'order_count') }} as average_order_value_amount,
        recorded_xid
    from days
)

select * from final
