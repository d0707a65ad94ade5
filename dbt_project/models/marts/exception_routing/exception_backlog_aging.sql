with cases as (
    select * from {{ ref('fct_cases') }}
),

final as (
    select
        owner,
        case_type,
        severity,
        coalesce(currency_code, '') as currency_code,
        cast(count(*) as bigint) as open_count,
        cast(sum(case when is_late then 1 else 0 end) as bigint) as overdue_count,
        cast(sum(case when is_paused then 1 else 0 end) as bigint) as paused_count,
        {% for name, from_hours, to_hours in [
            ('under_4_hours', 0, 4), ('from_4_to_24_hours', 4, 24), ('from_1_to_3_days', 24, 72),
            ('from_3_to_7_days', 72, 168),
        ] %}
        cast(
            sum(
                case
                    when
                        open_seconds >= {{ from_hours * 3600 }}
                        and open_seconds < {{ to_hours * 3600 }}
                        then 1
                    else 0
                end
            ) as bigint
        ) as {{ name }}_count,
        {% endfor %}
        cast(sum(case when open_seconds >= 604800 then 1 else 0 end) as bigint)
            as over_7_days_count,
        min(cycle_started_at) as oldest_started_at,
        cast(coalesce(sum(value_at_risk), 0) as decimal(19, 4)) as value_at_risk
    from cases
    where status = 'open'
    group by owner, case_type, severity, coalesce(currency_code, '')
)

select * from final
