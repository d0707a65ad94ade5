with requests as (
    select * from {{ ref('stg_approval_request') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

timed as (
    select
        requests.*,
        case
            when requests.status in ('approved', 'denied')
                then {{ seconds_between(
                    'requests.requested_at', 'greatest(requests.requested_at, requests.ended_at)'
                ) }}
        end as decided_seconds,
        case
            when requests.status = 'pending'
                then {{ seconds_between(
                    'requests.requested_at',
                    'greatest(requests.requested_at, reporting_time.as_of_at)'
                ) }}
        end as waiting_seconds
    from requests
    cross join reporting_time
)

select
    approval_id,
    subject_type,
    subject_key,
    status,
    tier,
    amount,
    currency_code,
    region,
    brand,
    requested_by,
    requested_at,
    expires_at,
    ended_at,
    cast(decided_seconds as bigint) as decided_seconds,
    cast(waiting_seconds as bigint) as waiting_seconds
from timed
