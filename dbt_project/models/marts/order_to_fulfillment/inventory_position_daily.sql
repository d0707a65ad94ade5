{{ config(materialized='incremental', unique_key=['node_id', 'sku']) }}

with stock_movements as (
    select * from {{ ref('fct_stock_movements') }}
),

{% if is_incremental() %}
-- A movement that comes late changes every later day of its node and SKU.
touched as (
    {{ touched_keys(['node_id', 'sku'], ['stock_movements']) }}
),

{% endif %}
moved as (
    select
        trading_date,
        node_id,
        sku,
        sum(moved_quantity) as moved_quantity,
        sum(case when movement_kind = 'received' then moved_quantity else 0 end)
            as received_quantity,
        sum(case when movement_kind in ('counted', 'adjusted') then moved_quantity else 0 end)
            as adjusted_quantity,
        -sum(case when movement_kind = 'shipped' then moved_quantity else 0 end)
            as shipped_quantity,
        max(recorded_xid) as recorded_xid
    from stock_movements
    {% if is_incremental() %}
    where
        (node_id, sku) in (
            select
                touched.node_id,
                touched.sku
            from touched
        )
    {% endif %}
    group by trading_date, node_id, sku
),

running as (
    select
        *,
        sum(moved_quantity) over (
            partition by node_id, sku
            order by trading_date
            rows between unbounded preceding and current row
        ) as closing_quantity
    from moved
),

final as (
    select
        trading_date,
        node_id,
        sku,
        cast(closing_quantity - moved_quantity as bigint) as opening_quantity,
        cast(received_quantity as bigint) as received_quantity,
        cast(adjusted_quantity as bigint) as adjusted_quantity,
        cast(shipped_quantity as bigint) as shipped_quantity,
        cast(closing_quantity as bigint) as closing_quantity,
        recorded_xid
    from running
)

select * from final
