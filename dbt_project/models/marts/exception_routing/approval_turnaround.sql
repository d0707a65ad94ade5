with timed as (
    select * from {{ ref('fct_approvals') }}
),

counted as (
    select
        subject_type,
        region,
        brand,
        currency_code,
        count(*) as request_count,
        {% for status in ['approved', 'denied', 'expired', 'void', 'pending'] %}
        sum(case when status = '{{ status }}' then 1 else 0 end) as {{ status }}_count,
        {% endfor %}
        sum(amount) as requested_amount,
        sum(case when status = 'pending' then amount else 0 end) as pending_amount,
        cast({{ percentile('decided_seconds', 0.5) }} as decimal(18, 4)) as median_seconds,
        cast({{ percentile('decided_seconds', 0.95) }} as decimal(18, 4)) as p95_seconds,
        max(waiting_seconds) as longest_waiting_seconds
    from timed
    group by subject_type, region, brand, currency_code
),

final as (
    select
        subject_type,
        region,
        brand,
        currency_code,
        cast(request_count as bigint) as request_count,
        {% for status in ['approved', 'denied', 'expired', 'void', 'pending'] %}
        cast({{ status }}_count as bigint) as {{ status }}_count,
        {% endfor %}
        cast(requested_amount as decimal(19, 4)) as requested_amount,
        cast(pending_amount as decimal(19, 4)) as pending_amount,
        {{ rounded_quotient('median_seconds', 3600) }} as median_decision_hours,
        {{ rounded_quotient('p95_seconds', 3600) }} as p95_decision_hours,
        {{ rounded_quotient('longest_waiting_seconds', 3600) }} as longest_waiting_hours
    from counted
)

select * from final
