with source as (
    select * from {{ source('omniflow_operations', 'supplier_standing') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(supplier_id as text) as supplier_id,
        cast(plan_id as text) as plan_id,
        cast(standing as text) as standing,
        cast(due_line_count as bigint) as due_line_count,
        cast(good_line_count as bigint) as good_line_count,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('supplier_standing') }}
)

select * from final
