-- Built whole each time: a line changes in place with every receipt and invoice.
with order_lines as (
    select * from {{ ref('stg_purchase_order_line') }}
),

first_versions as (
    select
        purchase_order_id,
        min(occurred_at) as ordered_at
    from {{ ref('stg_purchase_order_placed') }}
    group by purchase_order_id
),

present_versions as (
    select
        purchase_order_id,
        version,
        approved_by,
        freight_amount
    from {{ ref('stg_purchase_order_placed') }}
),

receipts as (
    select
        purchase_order_id,
        purchase_order_line_id,
        min(occurred_at) as first_received_at,
        max(occurred_at) as last_received_at
    from {{ ref('stg_goods_received') }}
    group by purchase_order_id, purchase_order_line_id
),

accepted as (
    select
        purchase_order_id,
        purchase_order_line_id,
        occurred_at,
        delivered_quantity - rejected_quantity - held_quantity as quantity
    from {{ ref('stg_goods_received') }}
    union all
    select
        purchase_order_id,
        purchase_order_line_id,
        occurred_at,
        passed_quantity as quantity
    from {{ ref('stg_goods_inspected') }}
),

in_time as (
    select
        accepted.purchase_order_id,
        accepted.purchase_order_line_id,
        sum(accepted.quantity) as in_time_quantity
    from accepted
    inner join order_lines
        on
            accepted.purchase_order_id = order_lines.purchase_order_id
            and accepted.purchase_order_line_id = order_lines.purchase_order_line_id
    where accepted.occurred_at <= order_lines.due_at
    group by accepted.purchase_order_id, accepted.purchase_order_line_id
),

final as (
    select
        order_lines.purchase_order_id,
        order_lines.purchase_order_line_id,
        order_lines.version,
        order_lines.supplier_id,
        order_lines.node_id,
        order_lines.sku,
        order_lines.brand,
        order_lines.region,
        order_lines.currency_code,
        present_versions.approved_by,
        first_versions.ordered_at,
        order_lines.due_at,
        order_lines.is_closed,
        order_lines.ordered_quantity,
        order_lines.delivered_quantity,
        order_lines.rejected_quantity,
        order_lines.held_quantity as quality_hold_quantity,
        order_lines.accepted_quantity,
        order_lines.put_away_quantity,
        order_lines.backordered_quantity,
        cast(
            case
                when order_lines.is_closed then 0
                when order_lines.delivered_quantity = 0 then order_lines.ordered_quantity
                else order_lines.backordered_quantity
            end as bigint
        ) as awaited_quantity,
        cast(coalesce(in_time.in_time_quantity, 0) as bigint) as in_time_quantity,
        order_lines.invoiced_quantity,
        order_lines.credited_quantity,
        order_lines.cleared_quantity,
        order_lines.unit_price,
        cast(order_lines.ordered_quantity * order_lines.unit_price as decimal(18, 4))
            as ordered_amount,
        cast(
            order_lines.invoiced_amount
            - order_lines.invoiced_quantity * order_lines.unit_price as decimal(18, 4)
        ) as price_variance_amount,
        receipts.first_received_at,
        receipts.last_received_at,
        order_lines.posted_at,
        order_lines.effective_at
    from order_lines
    left join first_versions on order_lines.purchase_order_id = first_versions.purchase_order_id
    left join present_versions
        on
            order_lines.purchase_order_id = present_versions.purchase_order_id
            and order_lines.version = present_versions.version
    left join receipts
        on
            order_lines.purchase_order_id = receipts.purchase_order_id
            and order_lines.purchase_order_line_id = receipts.purchase_order_line_id
    left join in_time
        on
            order_lines.purchase_order_id = in_time.purchase_order_id
            and order_lines.purchase_order_line_id = in_time.purchase_order_line_id
)

select * from final
