{{ config(materialized='incremental', unique_key='order_id') }}

with orders as (
    select * from {{ ref('fct_orders') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

{% if is_incremental() %}
-- An order that is still open grows late without a new fact.
touched as (
    {{ touched_keys(['order_id'], ['orders']) }}
    union
    select still_open.order_id
    from {{ this }} as still_open
    where still_open.is_open
),

{% endif %}
-- The promise that is judged: the one that the customer was given at checkout.
promises as (
    select
        order_id,
        promised_date
    from orders
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
),

followed as (
    select
        orders.*,
        orders.status in (
            'awaiting_payment', 'awaiting_capture', 'screening', 'held', 'allocated',
            'backordered', 'ready_for_pickup', 'dispatched'
        ) as is_open,
        orders.shipped_quantity = orders.ordered_quantity as is_in_full,
        coalesce(orders.delivered_date, reporting_time.as_of_date) as judged_date,
        coalesce(orders.dispatched_date, reporting_time.as_of_date) as judged_dispatch_date,
        coalesce(
            {{ local_date(
                'coalesce(orders.authorised_at, orders.allocated_at)', 'reporting_time.trading_zone'
            ) }},
            reporting_time.as_of_date
        ) as judged_payment_date,
        case
            when orders.screening_asked_at is not null
                then
                    coalesce(
                        {{ local_date(
                            'orders.screening_passed_at', 'reporting_time.trading_zone'
                        ) }},
                        reporting_time.as_of_date
                    )
        end as judged_screening_date,
        case
            when orders.backordered_quantity > 0
                then
                    coalesce(
                        {{ local_date('orders.supplied_at', 'reporting_time.trading_zone') }},
                        reporting_time.as_of_date
                    )
        end as judged_supply_date,
        -- What a node is told on the promised day can only keep a promise made for that day.
        case
            when orders.trading_date < promises.promised_date then promises.promised_date - 1
            else promises.promised_date
        end as last_date_to_start
    from promises
    inner join orders on promises.order_id = orders.order_id
    cross join reporting_time
),

judged as (
    select
        *,
        case
            when order_line_count = 0 then 'no_goods'
            when status in ('cancelled', 'declined', 'rejected', 'expired', 'unclaimed')
                then 'cancelled'
            when unfilled_quantity > 0 or status = 'unfilled' then 'broken'
            when judged_date > promised_date then 'broken'
            when is_open then 'open'
            when not is_in_full then 'broken'
            else 'kept'
        end as outcome
    from followed
),

-- One cause, the first that holds: goods that were not there before goods that came late, and of
-- what made them late the earliest step.
caused as (
    select
        *,
        case
            when outcome = 'cancelled' and status = 'cancelled' then 'cancelled_by_customer'
            when outcome = 'cancelled' and status = 'declined' then 'payment_declined'
            when outcome = 'cancelled' and status = 'rejected' then 'screening_rejected'
            when outcome = 'cancelled' and status = 'unclaimed' then 'not_collected'
            when outcome = 'cancelled' then 'payment_expired'
            when outcome <> 'broken' then null
            when unfilled_quantity > 0 and backordered_quantity > 0 then 'supply_failed'
            when unfilled_quantity > 0 then 'out_of_stock'
            when status = 'unfilled' and deallocated_quantity > 0 then 'fulfilment_rejected'
            when status = 'unfilled' then 'stock_lost'
            when judged_date <= promised_date then 'short_shipped'
            when judged_payment_date > last_date_to_start then 'payment_late'
            when judged_screening_date > last_date_to_start then 'held_for_screening'
            when judged_supply_date > last_date_to_start then 'supply_late'
            when judged_dispatch_date <= promised_date then 'late_delivery'
            when rejected_pickup_count > 0 then 'fulfilment_rejected'
            else 'late_dispatch'
        end as cause_code
    from judged
),

final as (
    select
        order_id,
        order_number,
        channel,
        region,
        brand,
        service_level,
        trading_date,
        promised_date,
        last_promised_date,
        promise_count,
        moved_because_code,
        placed_at,
        dispatched_at,
        delivered_at,
        delivered_date,
        status,
        outcome,
        cause_code,
        is_open,
        is_in_full,
        case
            when order_line_count = 0 or outcome = 'cancelled' or status = 'unfilled' then null
            when judged_date > promised_date then false
            when is_open then null
            else true
        end as is_on_time,
        case
            when order_line_count = 0 or outcome = 'cancelled' or status = 'unfilled' then null
            else greatest(cast(judged_date - promised_date as integer), 0)
        end as late_day_count,
        case
            when order_line_count = 0 or outcome = 'cancelled' or status = 'unfilled' then null
            when judged_date > last_promised_date then false
            when is_open then null
            else true
        end as is_on_last_promise,
        ordered_quantity,
        filled_quantity,
        unfilled_quantity,
        shipped_quantity,
        currency_code,
        ordered_total_amount,
        recorded_xid
    from caused
)

select * from final
