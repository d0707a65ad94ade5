with promises as (
    select * from {{ ref('stg_order_promise') }}
),

ranked as (
    select
        *,
        max(promise_number) over (partition by order_id) as last_number
    from promises
),

final as (
    select
        order_id,
        max(promise_number) as promise_count,
        max(case when promise_number = last_number then promised_date end) as last_promised_date,
        max(case when promise_number = last_number and promise_number > 1 then cause_code end)
            as moved_because_code,
        max(recorded_xid) as recorded_xid
    from ranked
    group by order_id
)

select * from final
