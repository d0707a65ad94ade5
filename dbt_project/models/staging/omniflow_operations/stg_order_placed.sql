with source as (
    select * from {{ source('omniflow_operations', 'order_placed') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(order_number as text) as order_number,
        cast(source as text) as source,
        cast(legal_entity as text) as legal_entity,
        cast(brand as text) as brand,
        cast(region as text) as region,
        cast(channel as text) as channel,
        cast(correlation_id as text) as correlation_id,
        cast(customer_id as text) as customer_id,
        cast(country_code as text) as country_code,
        cast(service_level as text) as service_level,
        cast(currency_code as text) as currency_code,
        cast(line_count as integer) as line_count,
        cast(ordered_quantity as bigint) as ordered_quantity,
        cast(goods_amount as decimal(18, 4)) as goods_amount,
        cast(charge_amount as decimal(18, 4)) as charge_amount,
        cast(total_amount as decimal(18, 4)) as total_amount,
        cast(trading_date as date) as trading_date,
        cast(promised_date as date) as promised_date,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('order_placed') }}
)

select * from final
