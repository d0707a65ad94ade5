with holds as (
    select * from {{ ref('fct_invoice_holds') }}
),

suppliers as (
    select * from {{ ref('dim_supplier') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

final as (
    select
        holds.invoice_id,
        holds.line_number,
        holds.reason_code,
        holds.status,
        holds.invoice_number,
        holds.supplier_id,
        suppliers.supplier_name,
        holds.purchase_order_id,
        holds.purchase_order_line_id,
        holds.quantity_difference,
        holds.value_difference,
        holds.currency_code,
        holds.held_at,
        holds.ended_at,
        holds.decided_by,
        cast(
            floor({{ seconds_between(
                'holds.held_at',
                'greatest(holds.held_at, coalesce(holds.ended_at, reporting_time.as_of_at))'
            ) }} / 86400) as integer
        ) as held_days
    from holds
    left join suppliers on holds.supplier_id = suppliers.supplier_id
    cross join reporting_time
    where holds.status <> 'noted'
)

select * from final
