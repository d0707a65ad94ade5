with source as (
    select * from {{ source('omniflow_operations', 'exception_case') }}
),

final as (
    select
        cast(case_id as text) as case_id,
        cast(case_type as text) as case_type,
        cast(business_key as text) as business_key,
        -- The dispatcher's cases are routed a moment after they are opened.
        cast(coalesce(owner, 'nobody_yet') as text) as owner,
        cast(assigned_to as text) as assigned_to,
        cast(coalesce(severity, 'unknown') as text) as severity,
        cast(service_level as text) as service_level,
        cast(status as text) as status,
        cast(case_count as integer) as case_count,
        cast(region as text) as region,
        cast(brand as text) as brand,
        cast(channel as text) as channel,
        cast(order_id as text) as order_id,
        cast(value_at_risk as decimal(19, 4)) as value_at_risk,
        cast(currency_code as text) as currency_code,
        cast(handling_minutes as integer) as handling_minutes,
        cast(delay_cost_per_hour as decimal(19, 4)) as delay_cost_per_hour,
        cast(cycle as integer) as cycle,
        cast(opened_at as timestamp with time zone) as opened_at,
        cast(cycle_started_at as timestamp with time zone) as cycle_started_at,
        cast(due_at as timestamp with time zone) as due_at,
        cast(paused_at as timestamp with time zone) as paused_at,
        cast(closed_at as timestamp with time zone) as closed_at,
        cast(playbook as text) as playbook
    from source
)

select * from final
