with process_events as (
    select * from {{ ref('stg_process_event') }}
),

final as (
    select
        order_id,
        max(case
            when activity = 'order cancelled' then 'cancelled'
            when activity = 'order declined' then 'declined'
            when activity = 'order rejected' then 'rejected'
            when activity = 'order unclaimed' then 'unclaimed'
            else 'expired'
        end) as ended_status,
        max(occurred_at) as ended_at,
        max(recorded_xid) as recorded_xid
    from process_events
    where
        activity in (
            'order cancelled', 'order declined', 'order expired', 'order rejected',
            'order unclaimed'
        )
        and order_id is not null
    group by order_id
)

select * from final
