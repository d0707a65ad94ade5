with levels as (
    select * from {{ ref('fct_replenishment_levels') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stock as (
    select
        node_id,
        sku,
        sum(moved_quantity) as on_hand_quantity
    from {{ ref('fct_stock_movements') }}
    group by node_id, sku
),

held as (
    select
        levels.*,
        cast(coalesce(stock.on_hand_quantity, 0) as bigint) as on_hand_quantity
    from levels
    left join stock on levels.node_id = stock.node_id and levels.sku = stock.sku
),

final as (
    select
        held.node_id,
        held.sku,
        products.product_name,
        case
            when held.on_hand_quantity <= 0 then 'out_of_stock'
            when held.on_hand_quantity < held.safety_stock_quantity then 'below_safety_stock'
            when held.position_quantity <= held.reorder_point_quantity then 'to_be_ordered'
            else 'enough'
        end as status,
        held.on_hand_quantity,
        held.daily_demand,
        {{ rounded_quotient(
            'held.on_hand_quantity * 10000',
            'nullif(cast(held.daily_demand * 10000 as bigint), 0)'
        ) }} as cover_days,
        held.safety_stock_quantity,
        held.reorder_point_quantity,
        held.target_quantity,
        held.position_quantity,
        held.supplier_id,
        held.planned_date
    from held
    left join products on held.sku = products.sku
)

select * from final
