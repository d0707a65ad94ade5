with stock_movements as (
    select * from {{ ref('stg_stock_movement') }}
),

order_lines as (
    select * from {{ ref('stg_order_line') }}
),

bundles_handed_over as (
    select * from {{ ref('stg_bundle_handed_over') }}
),

-- Components move under numbers that are no order line's: they are sold as their bundle.
moved as (
    select
        stock_movements.reference_id as shipment_id,
        -sum(stock_movements.quantity) as moved_quantity,
        -sum(case when order_lines.sku is not null then stock_movements.quantity else 0 end)
            as sold_quantity,
        -sum(stock_movements.quantity * coalesce(order_lines.unit_price, 0)) as goods_amount,
        greatest(max(stock_movements.recorded_xid), max(order_lines.recorded_xid)) as recorded_xid
    from stock_movements
    left join order_lines
        on
            stock_movements.order_id = order_lines.order_id
            and stock_movements.reference_line = order_lines.line_number
    where stock_movements.kind = 'shipped'
    group by stock_movements.reference_id
),

bundled as (
    select
        bundles_handed_over.shipment_id,
        sum(bundles_handed_over.quantity) as sold_quantity,
        sum(bundles_handed_over.quantity * order_lines.unit_price) as goods_amount
    from bundles_handed_over
    inner join order_lines
        on
            bundles_handed_over.order_id = order_lines.order_id
            and bundles_handed_over.line_number = order_lines.line_number
    group by bundles_handed_over.shipment_id
),

final as (
    select
        moved.shipment_id,
        moved.moved_quantity,
        moved.sold_quantity + coalesce(bundled.sold_quantity, 0) as sold_quantity,
        moved.goods_amount + coalesce(bundled.goods_amount, 0) as goods_amount,
        moved.recorded_xid
    from moved
    left join bundled on moved.shipment_id = bundled.shipment_id
)

select * from final
