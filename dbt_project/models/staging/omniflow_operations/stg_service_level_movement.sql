with source as (
    select * from {{ source('omniflow_operations', 'service_level_movement') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(case_id as text) as case_id,
        cast(cycle as integer) as cycle,
        cast(movement_number as integer) as movement_number,
        cast(kind as text) as kind,
        cast(budget_seconds as bigint) as budget_seconds,
        cast(consumed_seconds as bigint) as consumed_seconds,
        cast(occurred_at as timestamp with time zone) as occurred_at
    from source
    where {{ within_cut('service_level_movement') }}
)

select * from final
