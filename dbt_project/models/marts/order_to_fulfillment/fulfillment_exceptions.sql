with exceptions as (
    select * from {{ ref('fct_fulfillment_exceptions') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

final as (
    select
        exceptions.exception_id,
        exceptions.exception_type,
        exceptions.exception_area,
        exceptions.reason_code,
        exceptions.state,
        exceptions.owner,
        exceptions.order_id,
        exceptions.order_number,
        exceptions.business_key,
        exceptions.channel,
        exceptions.region,
        exceptions.brand,
        exceptions.node_id,
        exceptions.trading_date,
        exceptions.opened_at,
        exceptions.closed_at,
        exceptions.occurrence_count,
        case
            when exceptions.state = 'settled' then null
            else
                {{ rounded_quotient(
                    seconds_between(
                        'exceptions.opened_at',
                        'greatest(exceptions.opened_at, coalesce(exceptions.closed_at, reporting_time.as_of_at))'
                    ),
                    3600
                ) }}
        end as open_hours
    from exceptions
    cross join reporting_time
)

select * from final
