with process_events as (
    select * from {{ ref('stg_process_event') }}
),

final as (
    select
        order_id,
        max(case
            when activity = 'order cancelled' then 'cancelled'
            when activity = 'order declined' then 'declined'
            else 'expired'
        end) as ended_status,
        max(occurred_at) as ended_at,
        max(recorded_xid) as recorded_xid
    from process_events
    where
        activity in ('order cancelled', 'order declined', 'order expired')
        and order_id is not null
    group by order_id
)

select * from final
