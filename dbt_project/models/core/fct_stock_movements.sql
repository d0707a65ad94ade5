{{ config(materialized='incremental', unique_key='ledger_sequence') }}

with stock_movements as (
    select * from {{ ref('stg_stock_movement') }}
),

nodes as (
    select * from {{ ref('dim_node') }}
),

final as (
    select
        stock_movements.ledger_sequence,
        {{ local_date('stock_movements.occurred_at', "coalesce(nodes.trading_zone, 'UTC')") }}
            as trading_date,
        stock_movements.node_id,
        stock_movements.sku,
        stock_movements.kind as movement_kind,
        stock_movements.reason_code,
        stock_movements.quantity as moved_quantity,
        stock_movements.order_id,
        stock_movements.occurred_at,
        stock_movements.effective_at,
        stock_movements.recorded_xid
    from stock_movements
    left join nodes on stock_movements.node_id = nodes.node_id
    {% if is_incremental() %}
    where stock_movements.recorded_xid > {{ loaded_xid() }}
    {% endif %}
)

select * from final
