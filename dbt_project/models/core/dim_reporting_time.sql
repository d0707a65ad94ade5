-- Every open question ("how old is this order?") is asked at the newest effective time of the
-- facts, never at the wall's: a replayed year ends when its last fact was decided.
with nodes as (
    select * from {{ ref('stg_node') }}
),

{% set facts = [
    'stg_order_placed', 'stg_reservation_movement', 'stg_deallocation', 'stg_stock_movement',
    'stg_shipment_dispatched', 'stg_shipment_delivered', 'stg_payment_movement',
    'stg_journal_line', 'stg_process_event', 'stg_pickup_step', 'stg_purchase_order_placed',
    'stg_goods_received', 'stg_goods_inspected', 'stg_goods_put_away',
    'stg_supplier_invoice_received',
] %}
newest as (
    {% for fact in facts %}
    select max(effective_at) as effective_at from {{ ref(fact) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

moment as (
    select
        coalesce(
            max(effective_at),
            cast('1970-01-01 00:00:00+00' as timestamp with time zone)
        ) as as_of_at
    from newest
),

first_node as (
    select coalesce(min(nodes.node_id), '') as node_id
    from nodes
),

final as (
    select
        moment.as_of_at,
        coalesce(nodes.zone, 'UTC') as trading_zone,
        {{ local_date('moment.as_of_at', "coalesce(nodes.zone, 'UTC')") }} as as_of_date
    from moment
    cross join first_node
    left join nodes on first_node.node_id = nodes.node_id
)

select * from final
