with cases as (
    select * from {{ ref('fct_cases') }}
),

costed as (
    select
        flow,
        owner,
        case_type,
        {{ month_start('started_date') }} as month_start_date,
        open_seconds,
        late_seconds,
        action_cost,
        {{ rounded_quotient('delay_cost_per_hour * open_seconds', 3600) }} as delay_cost,
        {{ rounded_quotient('delay_cost_per_hour * late_seconds', 3600) }} as late_cost
    from cases
),

final as (
    select
        flow,
        owner,
        case_type,
        month_start_date,
        cast(count(*) as bigint) as case_count,
        {{ rounded_quotient('sum(open_seconds)', 3600) }} as open_hours,
        {{ rounded_quotient('sum(late_seconds)', 3600) }} as late_hours,
        cast(sum(delay_cost) as decimal(19, 4)) as delay_cost,
        cast(sum(late_cost) as decimal(19, 4)) as late_cost,
        cast(sum(action_cost) as decimal(19, 4)) as playbook_cost
    from costed
    group by flow, owner, case_type, month_start_date
)

select * from final
