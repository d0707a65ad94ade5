{{ config(materialized='incremental', unique_key='order_id') }}

with orders as (
    select * from {{ ref('stg_order_placed') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

reservations as (
    select * from {{ ref('fct_reservations') }}
),

shipments as (
    select * from {{ ref('fct_shipments') }}
),

journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

payments as (
    select * from {{ ref('int_order_payments') }}
),

endings as (
    select * from {{ ref('int_order_endings') }}
),

screenings as (
    select * from {{ ref('int_order_screenings') }}
),

collections as (
    select * from {{ ref('int_order_collections') }}
),

promises as (
    select * from {{ ref('int_order_promises') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(
        ['order_id'],
        [
            'orders', 'order_lines', 'reservations', 'shipments', 'journal_lines', 'payments',
            'endings', 'screenings', 'collections', 'promises',
        ]
    ) }}
),

{% endif %}
line_totals as (
    select
        order_id,
        sum(filled_quantity) as filled_quantity,
        sum(unfilled_quantity) as unfilled_quantity,
        sum(backordered_quantity) as backordered_quantity,
        sum(waiting_quantity) as waiting_quantity,
        max(supplied_at) as supplied_at,
        sum(filled_amount) as filled_amount,
        sum(ordered_tax_amount) as ordered_tax_amount,
        max(recorded_xid) as recorded_xid
    from order_lines
    group by order_id
),

reservation_totals as (
    select
        order_id,
        {{ ordered_list('node_id') }} as node_ids,
        sum(still_reserved_quantity) as still_reserved_quantity,
        sum(allocated_quantity) as allocated_quantity,
        sum(awaiting_dispatch_quantity) as awaiting_dispatch_quantity,
        sum(deallocated_quantity) as deallocated_quantity,
        min(case when end_kind = 'consumed' then ended_at end) as allocated_at,
        max(recorded_xid) as recorded_xid
    from reservations
    group by order_id
),

shipment_totals as (
    select
        order_id,
        count(*) as shipment_count,
        count(delivered_at) as delivered_shipment_count,
        sum(sold_quantity) as shipped_quantity,
        sum(case when delivered_at is not null then sold_quantity else 0 end)
            as delivered_quantity,
        sum(goods_amount) as shipped_amount,
        max(dispatched_at) as last_dispatched_at,
        max(delivered_at) as last_delivered_at,
        max(dispatched_date) as last_dispatched_date,
        max(delivered_date) as last_delivered_date,
        max(recorded_xid) as recorded_xid
    from shipments
    group by order_id
),

bookings as (
    select
        order_id,
        sum(case when account_name = 'customer_deposits' then posted_amount else 0 end)
            as booked_amount,
        -sum(case when account_name = 'tax_payable' then posted_amount else 0 end)
            as booked_tax_amount,
        -sum(case
            when account_name in ('customer_deposits', 'tax_payable') then 0 else posted_amount
        end) as booked_revenue_amount
    from journal_lines
    where entry_kind = 'revenue' and order_id is not null
    group by order_id
),

newest_bookings as (
    select
        order_id,
        max(recorded_xid) as recorded_xid
    from journal_lines
    where order_id is not null
    group by order_id
),

followed as (
    select
        orders.*,
        coalesce(line_totals.filled_quantity, 0) as filled_quantity,
        coalesce(line_totals.unfilled_quantity, 0) as unfilled_quantity,
        coalesce(line_totals.backordered_quantity, 0) as backordered_quantity,
        coalesce(line_totals.waiting_quantity, 0) as waiting_quantity,
        line_totals.supplied_at,
        coalesce(line_totals.filled_amount, 0) as filled_amount,
        coalesce(line_totals.ordered_tax_amount, 0) as ordered_tax_amount,
        reservation_totals.node_ids,
        reservation_totals.allocated_at,
        coalesce(reservation_totals.still_reserved_quantity, 0) as still_reserved_quantity,
        coalesce(reservation_totals.allocated_quantity, 0) as allocated_quantity,
        coalesce(reservation_totals.awaiting_dispatch_quantity, 0) as awaiting_dispatch_quantity,
        coalesce(reservation_totals.deallocated_quantity, 0) as deallocated_quantity,
        coalesce(shipment_totals.shipment_count, 0) as shipment_count,
        coalesce(shipment_totals.delivered_shipment_count, 0) as delivered_shipment_count,
        coalesce(shipment_totals.shipped_quantity, 0) as shipped_quantity,
        coalesce(shipment_totals.delivered_quantity, 0) as delivered_quantity,
        coalesce(shipment_totals.shipped_amount, 0) as shipped_amount,
        shipment_totals.last_dispatched_at,
        shipment_totals.last_delivered_at,
        shipment_totals.last_dispatched_date,
        shipment_totals.last_delivered_date,
        coalesce(bookings.booked_amount, 0) as booked_amount,
        coalesce(bookings.booked_tax_amount, 0) as booked_tax_amount,
        coalesce(bookings.booked_revenue_amount, 0) as booked_revenue_amount,
        coalesce(payments.authorised_amount, 0) as authorised_amount,
        coalesce(payments.captured_amount, 0) as captured_amount,
        payments.order_id is not null and payments.authorised_amount > 0 as has_authorisation,
        payments.authorised_at,
        screenings.asked_at as screening_asked_at,
        screenings.passed_at as screening_passed_at,
        coalesce(
            screenings.held_at is not null
            and screenings.passed_at is null
            and screenings.refused_at is null,
            false
        ) as is_held,
        coalesce(collections.is_at_the_counter, false) as is_at_the_counter,
        coalesce(collections.rejected_count, 0) as rejected_pickup_count,
        coalesce(promises.promise_count, 1) as promise_count,
        coalesce(promises.last_promised_date, orders.promised_date) as last_promised_date,
        promises.moved_because_code,
        endings.ended_status,
        endings.ended_at,
        greatest(
            orders.recorded_xid,
            line_totals.recorded_xid,
            reservation_totals.recorded_xid,
            shipment_totals.recorded_xid,
            newest_bookings.recorded_xid,
            payments.recorded_xid,
            endings.recorded_xid,
            screenings.recorded_xid,
            collections.recorded_xid,
            promises.recorded_xid
        ) as newest_xid
    from orders
    left join line_totals on orders.order_id = line_totals.order_id
    left join reservation_totals on orders.order_id = reservation_totals.order_id
    left join shipment_totals on orders.order_id = shipment_totals.order_id
    left join bookings on orders.order_id = bookings.order_id
    left join newest_bookings on orders.order_id = newest_bookings.order_id
    left join payments on orders.order_id = payments.order_id
    left join endings on orders.order_id = endings.order_id
    left join screenings on orders.order_id = screenings.order_id
    left join collections on orders.order_id = collections.order_id
    left join promises on orders.order_id = promises.order_id
    {% if is_incremental() %}
    where orders.order_id in (select touched.order_id from touched)
    {% endif %}
),

judged as (
    select
        *,
        case
            when ended_status is not null then ended_status
            when waiting_quantity > 0 and has_authorisation then 'backordered'
            when waiting_quantity > 0 then 'awaiting_payment'
            -- Paid, but what is collected may be screened before anybody picks it.
            when still_reserved_quantity > 0 and is_held then 'held'
            when still_reserved_quantity > 0 and has_authorisation then 'screening'
            when still_reserved_quantity > 0 then 'awaiting_payment'
            when awaiting_dispatch_quantity > 0 and is_at_the_counter then 'ready_for_pickup'
            when awaiting_dispatch_quantity > 0 then 'allocated'
            when shipment_count > delivered_shipment_count then 'dispatched'
            when shipment_count > 0 then 'delivered'
            when line_count = 0 and (booked_amount <> 0 or charge_amount <= 0) then 'completed'
            when line_count = 0 and has_authorisation then 'awaiting_capture'
            when line_count = 0 then 'awaiting_payment'
            -- Its stock was lost while the customer was still paying.
            when filled_quantity > 0 and allocated_quantity = 0 and not has_authorisation
                then 'awaiting_payment'
            else 'unfilled'
        end as status
    from followed
),

final as (
    select
        order_id,
        order_number,
        legal_entity,
        brand,
        region,
        channel,
        customer_id,
        country_code,
        service_level,
        currency_code,
        trading_date,
        promised_date,
        last_promised_date,
        cast(promise_count as integer) as promise_count,
        moved_because_code,
        status,
        node_ids,
        occurred_at as placed_at,
        authorised_at,
        screening_asked_at,
        screening_passed_at,
        supplied_at,
        allocated_at,
        case when status in ('dispatched', 'delivered') then last_dispatched_at end
            as dispatched_at,
        case when status = 'delivered' then last_delivered_at end as delivered_at,
        case when status in ('dispatched', 'delivered') then last_dispatched_date end
            as dispatched_date,
        case when status = 'delivered' then last_delivered_date end as delivered_date,
        ended_at,
        line_count as order_line_count,
        cast(shipment_count as integer) as shipment_count,
        ordered_quantity,
        cast(filled_quantity as bigint) as filled_quantity,
        cast(unfilled_quantity as bigint) as unfilled_quantity,
        cast(backordered_quantity as bigint) as backordered_quantity,
        cast(waiting_quantity as bigint) as waiting_quantity,
        cast(still_reserved_quantity as bigint) as still_reserved_quantity,
        cast(awaiting_dispatch_quantity as bigint) as awaiting_dispatch_quantity,
        cast(deallocated_quantity as bigint) as deallocated_quantity,
        cast(rejected_pickup_count as integer) as rejected_pickup_count,
        cast(shipped_quantity as bigint) as shipped_quantity,
        cast(delivered_quantity as bigint) as delivered_quantity,
        goods_amount as ordered_goods_amount,
        charge_amount as ordered_charge_amount,
        total_amount as ordered_total_amount,
        cast(filled_amount as decimal(18, 4)) as filled_amount,
        cast(ordered_tax_amount as decimal(18, 4)) as ordered_tax_amount,
        cast(shipped_amount as decimal(18, 4)) as shipped_amount,
        -- A discount is booked only as far as the goods that carry it; a charge is booked whole.
        cast(case
            when booked_revenue_amount = 0 and booked_tax_amount = 0 and booked_amount = 0 then 0
            when charge_amount < 0 then booked_amount - shipped_amount
            else charge_amount
        end as decimal(18, 4)) as booked_charge_amount,
        cast(booked_revenue_amount as decimal(18, 4)) as booked_revenue_amount,
        cast(booked_tax_amount as decimal(18, 4)) as booked_tax_amount,
        cast(authorised_amount as decimal(18, 4)) as authorised_amount,
        cast(captured_amount as decimal(18, 4)) as captured_amount,
        newest_xid as recorded_xid
    from judged
)

select * from final
