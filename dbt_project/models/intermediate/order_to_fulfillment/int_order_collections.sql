with pickup_steps as (
    select * from {{ ref('stg_pickup_step') }}
),

attempts as (
    select
        order_id,
        attempt,
        max(attempt) over (partition by order_id) as last_attempt,
        max(case when step = 'ready' then 1 else 0 end) as ready_count,
        max(case when step = 'rejected' then 1 else 0 end) as rejected_count,
        max(recorded_xid) as recorded_xid
    from pickup_steps
    group by order_id, attempt
),

final as (
    select
        order_id,
        sum(rejected_count) as rejected_count,
        max(case when attempt = last_attempt and ready_count > rejected_count then 1 else 0 end)
        = 1 as is_at_the_counter,
        max(recorded_xid) as recorded_xid
    from attempts
    group by order_id
)

select * from final
