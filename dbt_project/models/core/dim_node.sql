with nodes as (
    select * from {{ ref('stg_node') }}
),

final as (
    select
        node_id,
        kind as node_kind,
        zone as trading_zone,
        country_code,
        is_active
    from nodes
)

select * from final
