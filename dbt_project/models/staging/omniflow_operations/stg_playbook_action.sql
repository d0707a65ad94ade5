with source as (
    select * from {{ source('omniflow_operations', 'playbook_action') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(case_id as text) as case_id,
        cast(cycle as integer) as cycle,
        cast(action_number as integer) as action_number,
        cast(playbook as text) as playbook,
        cast(outcome as text) as outcome,
        cast(cost as decimal(19, 4)) as cost,
        cast(occurred_at as timestamp with time zone) as occurred_at
    from source
    where {{ within_cut('playbook_action') }}
)

select * from final
