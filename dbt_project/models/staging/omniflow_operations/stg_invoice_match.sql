with source as (
    select * from {{ source('omniflow_operations', 'invoice_match') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(invoice_id as text) as invoice_id,
        cast(line_number as integer) as line_number,
        cast(reason_code as text) as reason_code,
        cast(revision as integer) as revision,
        cast(status as text) as status,
        cast(quantity_difference as bigint) as quantity_difference,
        cast(value_difference as decimal(19, 4)) as value_difference,
        cast(currency_code as text) as currency_code,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(decided_by as text) as decided_by,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('invoice_match') }}
)

select * from final
