with orders as (
    select * from {{ ref('fct_orders') }}
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

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

at_the_node as (
    select
        reservations.order_id,
        reservations.node_id,
        case
            when reservations.still_reserved_quantity = 0 and orders.status = 'ready_for_pickup'
                then 'ready_for_pickup'
            when reservations.still_reserved_quantity = 0 then 'allocated'
            when orders.status in ('screening', 'held') then orders.status
            else 'awaiting_payment'
        end as status,
        reservations.still_reserved_quantity + reservations.awaiting_dispatch_quantity
            as open_quantity,
        (reservations.still_reserved_quantity + reservations.awaiting_dispatch_quantity)
        * coalesce(reservations.component_price_amount, order_lines.unit_price_amount)
            as open_amount
    from reservations
    inner join orders on reservations.order_id = orders.order_id
    inner join order_lines
        on
            reservations.order_id = order_lines.order_id
            and reservations.ordered_line_number = order_lines.line_number
    where reservations.still_reserved_quantity + reservations.awaiting_dispatch_quantity > 0
),

on_the_way as (
    select
        order_id,
        node_id,
        'dispatched' as status,
        shipped_quantity as open_quantity,
        goods_amount as open_amount
    from shipments
    where delivered_at is null
),

open_goods as (
    select * from at_the_node
    union all
    select * from on_the_way
),

aged as (
    select
        reporting_time.as_of_at,
        reporting_time.as_of_date,
        open_goods.node_id,
        orders.channel,
        open_goods.status,
        case
            when {{ seconds_between('orders.placed_at', 'reporting_time.as_of_at') }} < 86400
                then 'under_1_day'
            when {{ seconds_between('orders.placed_at', 'reporting_time.as_of_at') }} < 259200
                then '1_to_3_days'
            when {{ seconds_between('orders.placed_at', 'reporting_time.as_of_at') }} < 604800
                then '3_to_7_days'
            else 'over_7_days'
        end as age_bucket,
        orders.currency_code,
        orders.order_id,
        orders.placed_at,
        orders.promised_date < reporting_time.as_of_date as is_overdue,
        open_goods.open_quantity,
        open_goods.open_amount
    from open_goods
    inner join orders on open_goods.order_id = orders.order_id
    cross join reporting_time
),

final as (
    select
        as_of_at,
        as_of_date,
        node_id,
        channel,
        status,
        age_bucket,
        currency_code,
        cast(count(distinct order_id) as bigint) as open_order_count,
        cast(count(distinct case when is_overdue then order_id end) as bigint)
            as overdue_order_count,
        cast(sum(open_quantity) as bigint) as open_quantity,
        cast(sum(open_amount) as decimal(18, 4)) as open_amount,
        min(placed_at) as oldest_placed_at
    from aged
    group by as_of_at, as_of_date, node_id, channel, status, age_bucket, currency_code
)

select * from final
