with order_lines as (
    select * from {{ ref('fct_purchase_order_lines') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

opened as (
    select
        *,
        accepted_quantity - (invoiced_quantity - credited_quantity) - cleared_quantity
            as open_quantity
    from order_lines
),

final as (
    select
        opened.purchase_order_id,
        opened.purchase_order_line_id,
        opened.supplier_id,
        opened.node_id,
        opened.sku,
        case
            when opened.open_quantity > 0 then 'waits_for_invoice'
            else 'waits_for_goods'
        end as waits_for,
        opened.accepted_quantity,
        opened.invoiced_quantity - opened.credited_quantity as invoiced_quantity,
        opened.cleared_quantity,
        opened.open_quantity,
        opened.unit_price,
        cast(opened.open_quantity * opened.unit_price as decimal(18, 4)) as open_amount,
        opened.currency_code,
        opened.posted_at as open_since,
        cast(
            floor({{ seconds_between(
                'opened.posted_at', 'greatest(opened.posted_at, reporting_time.as_of_at)'
            ) }} / 86400) as integer
        ) as open_days
    from opened
    cross join reporting_time
    where opened.open_quantity <> 0
)

select * from final
