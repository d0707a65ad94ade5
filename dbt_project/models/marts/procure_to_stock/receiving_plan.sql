with slots as (
    select * from {{ ref('fct_receiving_slots') }}
),

final as (
    select
        despatch_id,
        purchase_order_id,
        supplier_id,
        node_id,
        dock_number,
        receiving_date,
        starts_at,
        ends_at,
        unit_count,
        line_count,
        labour_hours,
        status,
        put_away_at
    from slots
)

select * from final
