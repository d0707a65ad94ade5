with payment_movements as (
    select * from {{ ref('stg_payment_movement') }}
),

final as (
    select
        order_id,
        sum(case when kind = 'authorised' then amount else 0 end) as authorised_amount,
        sum(case when kind = 'captured' then amount else 0 end) as captured_amount,
        sum(case when kind = 'voided' then amount else 0 end) as voided_amount,
        min(case when kind = 'authorised' then occurred_at end) as authorised_at,
        max(recorded_xid) as recorded_xid
    from payment_movements
    group by order_id
)

select * from final
