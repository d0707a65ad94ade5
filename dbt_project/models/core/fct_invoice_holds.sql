-- The last revision of each line and reason says how it is.
with matches as (
    select
        *,
        row_number() over (
            partition by invoice_id, line_number, reason_code
            order by revision desc
        ) as newness,
        min(occurred_at) over (
            partition by invoice_id, line_number, reason_code
        ) as held_at
    from {{ ref('stg_invoice_match') }}
),

invoices as (
    select * from {{ ref('stg_supplier_invoice_received') }}
),

final as (
    select
        matches.invoice_id,
        matches.line_number,
        matches.reason_code,
        matches.status,
        invoices.invoice_number,
        invoices.supplier_id,
        matches.purchase_order_id,
        matches.purchase_order_line_id,
        matches.quantity_difference,
        cast(matches.value_difference as decimal(18, 4)) as value_difference,
        -- The order's where an order's line is matched; what was kept before says none.
        coalesce(matches.currency_code, invoices.currency_code) as currency_code,
        matches.decided_by,
        matches.held_at,
        case when matches.status in ('cured', 'released') then matches.occurred_at end as ended_at
    from matches
    inner join invoices on matches.invoice_id = invoices.invoice_id
    where matches.newness = 1
)

select * from final
