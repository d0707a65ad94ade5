with stock_movements as (
    select * from {{ ref('stg_stock_movement') }}
),

order_lines as (
    select * from {{ ref('stg_order_line') }}
),

final as (
    select
        stock_movements.reference_id as shipment_id,
        -sum(stock_movements.quantity) as moved_quantity,
        -sum(stock_movements.quantity * order_lines.unit_price) as goods_amount,
        greatest(max(stock_movements.recorded_xid), max(order_lines.recorded_xid)) as recorded_xid
    from stock_movements
    inner join order_lines
        on
            stock_movements.order_id = order_lines.order_id
            and stock_movements.reference_line = order_lines.line_number
    where stock_movements.kind = 'shipped'
    group by stock_movements.reference_id
)

select * from final
