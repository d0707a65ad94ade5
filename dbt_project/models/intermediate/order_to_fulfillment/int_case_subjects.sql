-- Whose order a case is about. A case is known by a key for people; each kind of key is looked up
-- where it was made: an order's number in its channel, a parcel's below it, a fulfilment order's
-- id, a partner's command of an order, or a line of it.
with cases as (
    select * from {{ ref('stg_exception_case') }}
),

orders as (
    select * from {{ ref('stg_order_placed') }}
),

dispatches as (
    select * from {{ ref('stg_shipment_dispatched') }}
),

process_events as (
    select * from {{ ref('stg_process_event') }}
),

reservation_movements as (
    select * from {{ ref('stg_reservation_movement') }}
),

keys as (
    select
        channel || '/' || order_number as business_key,
        order_id,
        cast(null as text) as node_id
    from orders
    union all
    select
        orders.channel || '/' || orders.order_number || '/' || dispatches.shipment_number
            as business_key,
        orders.order_id,
        dispatches.node_id
    from dispatches
    inner join orders on dispatches.order_id = orders.order_id
    union all
    select
        {{ json_array_field('objects', 1, 'id') }} as business_key,
        order_id,
        {{ json_array_field('objects', 2, 'id') }} as node_id
    from process_events
    where activity = 'fulfilment rejected'
    union all
    select
        order_id || '/' || cast(line_number as text) as business_key,
        order_id,
        max(node_id) as node_id
    from reservation_movements
    where kind = 'moved_to_shortage'
    group by order_id, line_number
),

found as (
    select
        cases.case_id,
        keys.order_id,
        keys.node_id
    from cases
    inner join keys on cases.business_key = keys.business_key
    union all
    select
        cases.case_id,
        orders.order_id,
        cast(null as text) as node_id
    from cases
    inner join orders on split_part(cases.business_key, '/', 2) = orders.order_id
    where cases.case_type = 'dead_letter'
),

final as (
    select
        case_id,
        max(order_id) as order_id,
        max(node_id) as node_id
    from found
    group by case_id
)

select * from final
