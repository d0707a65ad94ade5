with cases as (
    select * from {{ ref('fct_cases') }}
),

counted as (
    select
        owner,
        case_type,
        service_level,
        {{ month_start('started_date') }} as month_start_date,
        count(*) as case_count,
        sum(case when status = 'closed' and not is_late then 1 else 0 end) as closed_in_time_count,
        sum(case when status = 'closed' and is_late then 1 else 0 end) as closed_late_count,
        sum(case when status = 'open' and not is_late then 1 else 0 end) as open_in_time_count,
        sum(case when status = 'open' and is_late then 1 else 0 end) as open_overdue_count,
        sum(breach_count) as breach_count,
        sum(pause_count) as pause_count,
        cast({{ percentile('open_seconds', 0.5) }} as decimal(18, 4)) as median_open_seconds,
        cast({{ percentile('open_seconds', 0.95) }} as decimal(18, 4)) as p95_open_seconds
    from cases
    group by owner, case_type, service_level, {{ month_start('started_date') }}
),

final as (
    select
        owner,
        case_type,
        service_level,
        month_start_date,
        {% for name in [
            'case', 'closed_in_time', 'closed_late', 'open_in_time', 'open_overdue', 'breach',
            'pause',
        ] %}
        cast({{ name }}_count as bigint) as {{ name }}_count,
        {% endfor %}
        {{ rounded_quotient('closed_in_time_count + open_in_time_count', 'case_count') }}
            as in_time_rate,
        {{ rounded_quotient('median_open_seconds', 3600) }} as median_open_hours,
        {{ rounded_quotient('p95_open_seconds', 3600) }} as p95_open_hours
    from counted
)

select * from final
