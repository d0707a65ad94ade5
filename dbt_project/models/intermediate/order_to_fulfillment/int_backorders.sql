with movements as (
    select * from {{ ref('stg_backorder_movement') }}
),

final as (
    select
        order_id,
        line_number,
        sum(case when is_start then quantity else 0 end) as backordered_quantity,
        sum(quantity) as waiting_quantity,
        -sum(case when kind = 'supplied' then quantity else 0 end) as supplied_quantity,
        -sum(case when kind in ('lapsed', 'cancelled') then quantity else 0 end)
            as unsupplied_quantity,
        max(case when kind = 'lapsed' then 'backorder_not_supplied' end) as unsupplied_code,
        max(case when kind = 'supplied' then occurred_at end) as supplied_at,
        max(recorded_xid) as recorded_xid
    from movements
    group by order_id, line_number
)

select * from final
