{{ config(materialized='incremental', unique_key='shipment_id') }}

with dispatches as (
    select * from {{ ref('stg_shipment_dispatched') }}
),

deliveries as (
    select * from {{ ref('stg_shipment_delivered') }}
),

goods as (
    select * from {{ ref('int_shipment_goods') }}
),

nodes as (
    select * from {{ ref('dim_node') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['shipment_id'], ['dispatches', 'deliveries', 'goods']) }}
),

{% endif %}
final as (
    select
        dispatches.shipment_id,
        dispatches.shipment_number,
        dispatches.order_id,
        dispatches.fulfilment_order_id,
        dispatches.node_id,
        dispatches.carrier,
        dispatches.shipped_quantity,
        cast(coalesce(goods.sold_quantity, 0) as bigint) as sold_quantity,
        cast(coalesce(goods.goods_amount, 0) as decimal(18, 4)) as goods_amount,
        dispatches.occurred_at as dispatched_at,
        deliveries.occurred_at as delivered_at,
        {{ local_date('dispatches.occurred_at', "coalesce(nodes.trading_zone, 'UTC')") }}
            as dispatched_date,
        {{ local_date('deliveries.occurred_at', "coalesce(nodes.trading_zone, 'UTC')") }}
            as delivered_date,
        greatest(
            dispatches.recorded_xid, deliveries.recorded_xid, goods.recorded_xid
        ) as recorded_xid
    from dispatches
    left join deliveries on dispatches.shipment_id = deliveries.shipment_id
    left join goods on dispatches.shipment_id = goods.shipment_id
    left join nodes on dispatches.node_id = nodes.node_id
    {% if is_incremental() %}
    where dispatches.shipment_id in (select touched.shipment_id from touched)
    {% endif %}
)

select * from final
