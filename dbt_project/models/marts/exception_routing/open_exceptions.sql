with cases as (
    select * from {{ ref('fct_cases') }}
),

final as (
    select
        case_id,
        case_type,
        flow,
        business_key,
        owner,
        assigned_to,
        severity,
        service_level,
        region,
        brand,
        channel,
        order_id,
        value_at_risk,
        currency_code,
        case_count,
        cycle,
        opened_at,
        due_at,
        is_late as is_overdue,
        is_paused,
        {{ rounded_quotient('open_seconds', 3600) }} as open_hours,
        rung_count,
        playbook,
        action_count,
        delay_cost_per_hour,
        case
            when handling_minutes > 0
                then {{ rounded_quotient('delay_cost_per_hour', 'handling_minutes') }}
        end as delay_cost_per_handling_minute
    from cases
    where status = 'open'
)

select * from final
