with source as (
    select * from {{ source('omniflow_operations', 'case_escalated') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(case_id as text) as case_id,
        cast(cycle as integer) as cycle,
        cast(rung as integer) as rung,
        cast(is_breach as boolean) as is_breach,
        cast(occurred_at as timestamp with time zone) as occurred_at
    from source
    where {{ within_cut('case_escalated') }}
)

select * from final
