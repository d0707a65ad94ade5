with source as (
    select * from {{ source('omniflow_operations', 'replenishment_plan') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(plan_id as text) as plan_id,
        cast(planned_for as date) as planned_for,
        cast(plan_number as integer) as plan_number,
        cast(series_count as integer) as series_count,
        cast(proposal_count as integer) as proposal_count,
        cast(without_supplier_count as integer) as without_supplier_count,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('replenishment_plan') }}
)

select * from final
