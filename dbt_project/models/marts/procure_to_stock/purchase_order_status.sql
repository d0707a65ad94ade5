with order_lines as (
    select * from {{ ref('fct_purchase_order_lines') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

held as (
    select
        purchase_order_id,
        count(distinct purchase_order_line_id) as held_line_count,
        sum(value_difference) as held_amount
    from {{ ref('fct_invoice_holds') }}
    where status = 'held'
    group by purchase_order_id
),

orders as (
    select
        purchase_order_id,
        supplier_id,
        node_id,
        currency_code,
        max(approved_by) as approved_by,
        min(ordered_at) as ordered_at,
        max(due_at) as due_at,
        cast(count(*) as bigint) as line_count,
        cast(sum(ordered_quantity) as bigint) as ordered_quantity,
        cast(sum(delivered_quantity) as bigint) as delivered_quantity,
        cast(sum(rejected_quantity) as bigint) as rejected_quantity,
        cast(sum(quality_hold_quantity) as bigint) as quality_hold_quantity,
        cast(sum(accepted_quantity) as bigint) as accepted_quantity,
        cast(sum(put_away_quantity) as bigint) as put_away_quantity,
        cast(sum(backordered_quantity) as bigint) as backordered_quantity,
        cast(sum(invoiced_quantity - credited_quantity) as bigint) as invoiced_quantity,
        cast(sum(awaited_quantity) as bigint) as open_quantity,
        cast(sum(ordered_amount) as decimal(18, 4)) as ordered_amount,
        cast(min(case when is_closed then 1 else 0 end) as integer) as is_closed
    from order_lines
    group by purchase_order_id, supplier_id, node_id, currency_code
),

final as (
    select
        orders.purchase_order_id,
        orders.supplier_id,
        orders.node_id,
        case
            when orders.is_closed = 1 then 'closed'
            when orders.delivered_quantity = 0 and orders.invoiced_quantity = 0 then 'ordered'
            when orders.quality_hold_quantity > 0 then 'on_quality_hold'
            when orders.open_quantity > 0 then 'partly_received'
            when orders.invoiced_quantity >= orders.accepted_quantity then 'invoiced'
            when orders.put_away_quantity >= orders.accepted_quantity then 'put_away'
            else 'received'
        end as status,
        orders.approved_by,
        orders.ordered_at,
        orders.due_at,
        orders.open_quantity > 0 and orders.due_at < reporting_time.as_of_at as is_overdue,
        orders.line_count,
        orders.ordered_quantity,
        orders.delivered_quantity,
        orders.rejected_quantity,
        orders.quality_hold_quantity,
        orders.accepted_quantity,
        orders.put_away_quantity,
        orders.backordered_quantity,
        orders.invoiced_quantity,
        orders.open_quantity,
        orders.ordered_amount,
        cast(coalesce(held.held_line_count, 0) as bigint) as held_line_count,
        cast(coalesce(held.held_amount, 0) as decimal(18, 4)) as held_amount,
        orders.currency_code
    from orders
    left join held on orders.purchase_order_id = held.purchase_order_id
    cross join reporting_time
)

select * from final
