with screenings as (
    select * from {{ ref('stg_payment_screened') }}
),

final as (
    select
        order_id,
        min(case when outcome = 'asked' then occurred_at end) as asked_at,
        min(case when outcome = 'held' then occurred_at end) as held_at,
        -- A person may release before the provider clears: the first word lets the order go on.
        min(case when outcome in ('cleared', 'released') then occurred_at end) as passed_at,
        min(case when outcome in ('rejected', 'cancelled') then occurred_at end) as refused_at,
        max(case when outcome = 'rejected' then coalesce(reason_code, 'rejected') end)
            as refused_reason_code,
        max(recorded_xid) as recorded_xid
    from screenings
    group by order_id
)

select * from final
