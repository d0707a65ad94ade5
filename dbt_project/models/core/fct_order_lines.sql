{{ config(materialized='incremental', unique_key='order_id') }}

with order_lines as (
    select * from {{ ref('stg_order_line') }}
),

orders as (
    select * from {{ ref('stg_order_placed') }}
),

reservations as (
    select * from {{ ref('fct_reservations') }}
),

backorders as (
    select * from {{ ref('int_backorders') }}
),

bundles_handed_over as (
    select * from {{ ref('stg_bundle_handed_over') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['order_id'], ['order_lines', 'orders', 'reservations', 'backorders']) }}
),

{% endif %}
stock_lines as (
    select
        order_id,
        line_number,
        ordered_line_number,
        max(quantity_per_bundle) as quantity_per_bundle,
        sum(shipped_quantity) as shipped_quantity,
        sum(still_reserved_quantity + awaiting_dispatch_quantity) as open_quantity,
        max(recorded_xid) as recorded_xid
    from reservations
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
    group by order_id, line_number, ordered_line_number
),

bundles_shipped as (
    select
        order_id,
        line_number,
        sum(quantity) as shipped_quantity
    from bundles_handed_over
    group by order_id, line_number
),

-- What waits for announced supply is filled by it, until that does not come.
followed as (
    select
        order_lines.*,
        order_lines.reserved_quantity
        + order_lines.backordered_quantity
        - coalesce(backorders.unsupplied_quantity, 0) as filled_quantity,
        order_lines.unfilled_quantity
        + coalesce(backorders.unsupplied_quantity, 0) as unmet_quantity,
        case
            when order_lines.unfilled_quantity > 0 then order_lines.unfilled_reason_code
            when backorders.unsupplied_quantity > 0
                then coalesce(backorders.unsupplied_code, 'cancelled_while_waiting')
        end as unmet_reason_code,
        coalesce(backorders.waiting_quantity, 0) as waiting_quantity,
        backorders.supplied_at,
        backorders.recorded_xid as backordered_xid
    from order_lines
    left join backorders
        on
            order_lines.order_id = backorders.order_id
            and order_lines.line_number = backorders.line_number
    {% if is_incremental() %}
    where order_lines.order_id in (select touched.order_id from touched)
    {% endif %}
),

-- A bundle is open as often as all its components still are.
bundled as (
    select
        order_id,
        ordered_line_number as line_number,
        min(floor(open_quantity / quantity_per_bundle)) as open_quantity,
        max(recorded_xid) as recorded_xid
    from stock_lines
    where quantity_per_bundle is not null
    group by order_id, ordered_line_number
),

reserved as (
    select
        order_id,
        line_number,
        shipped_quantity,
        open_quantity,
        recorded_xid
    from stock_lines
    where quantity_per_bundle is null
    union all
    select
        bundled.order_id,
        bundled.line_number,
        bundles_shipped.shipped_quantity,
        bundled.open_quantity,
        bundled.recorded_xid
    from bundled
    left join bundles_shipped
        on
            bundled.order_id = bundles_shipped.order_id
            and bundled.line_number = bundles_shipped.line_number
),

final as (
    select
        order_lines.order_id,
        order_lines.line_number,
        orders.trading_date,
        orders.channel,
        orders.region,
        orders.brand,
        order_lines.sku,
        orders.currency_code,
        order_lines.ordered_quantity,
        cast(order_lines.filled_quantity as bigint) as filled_quantity,
        cast(order_lines.unmet_quantity as bigint) as unfilled_quantity,
        order_lines.unmet_reason_code as unfilled_reason_code,
        order_lines.backordered_quantity,
        cast(order_lines.waiting_quantity as bigint) as waiting_quantity,
        order_lines.supplied_at,
        cast(coalesce(reserved.shipped_quantity, 0) as bigint) as shipped_quantity,
        cast(coalesce(reserved.open_quantity, 0) as bigint) as open_quantity,
        order_lines.unit_price as unit_price_amount,
        order_lines.line_amount as ordered_amount,
        order_lines.tax_amount as ordered_tax_amount,
        cast(order_lines.filled_quantity * order_lines.unit_price as decimal(18, 4))
            as filled_amount,
        cast(coalesce(reserved.shipped_quantity, 0) * order_lines.unit_price as decimal(18, 4))
            as shipped_amount,
        greatest(
            order_lines.recorded_xid,
            orders.recorded_xid,
            reserved.recorded_xid,
            order_lines.backordered_xid
        ) as recorded_xid
    from followed as order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join reserved
        on
            order_lines.order_id = reserved.order_id
            and order_lines.line_number = reserved.line_number
)

select * from final
