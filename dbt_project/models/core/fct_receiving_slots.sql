-- Built whole each time: what comes changes slots of before.
with slots as (
    select * from {{ ref('stg_receiving_slot') }}
),

nodes as (
    select * from {{ ref('dim_node') }}
),

despatches as (
    select
        despatch_id,
        min(occurred_at) as despatched_at
    from {{ ref('stg_goods_despatched') }}
    group by despatch_id
),

receipts as (
    select
        purchase_order_id,
        max(occurred_at) as last_received_at
    from {{ ref('stg_goods_received') }}
    group by purchase_order_id
),

goods as (
    select
        purchase_order_id,
        sum(accepted_quantity) as accepted_quantity,
        sum(put_away_quantity) as put_away_quantity
    from {{ ref('stg_purchase_order_line') }}
    group by purchase_order_id
),

put_away as (
    select
        purchase_order_id,
        max(occurred_at) as put_away_at
    from {{ ref('stg_goods_put_away') }}
    group by purchase_order_id
),

final as (
    select
        slots.despatch_id,
        slots.purchase_order_id,
        slots.supplier_id,
        slots.node_id,
        slots.dock_number,
        {{ local_date('slots.starts_at', 'nodes.trading_zone') }} as receiving_date,
        slots.starts_at,
        slots.ends_at,
        slots.unit_count,
        slots.line_count,
        cast(round(cast(slots.labour_minutes as decimal(18, 4)) / 60, 4) as decimal(18, 4))
            as labour_hours,
        case
            when receipts.last_received_at is null then 'expected'
            when receipts.last_received_at < despatches.despatched_at then 'expected'
            when
                goods.accepted_quantity > 0 and goods.put_away_quantity >= goods.accepted_quantity
                then 'put_away'
            else 'received'
        end as status,
        put_away.put_away_at
    from slots
    inner join nodes on slots.node_id = nodes.node_id
    left join despatches on slots.despatch_id = despatches.despatch_id
    left join receipts on slots.purchase_order_id = receipts.purchase_order_id
    left join goods on slots.purchase_order_id = goods.purchase_order_id
    left join put_away on slots.purchase_order_id = put_away.purchase_order_id
)

select * from final
