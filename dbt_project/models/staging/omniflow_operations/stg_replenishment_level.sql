with source as (
    select * from {{ source('omniflow_operations', 'replenishment_level') }}
),

final as (
    select
        cast(sku as text) as sku,
        cast(node_id as text) as node_id,
        cast(plan_id as text) as plan_id,
        cast(supplier_id as text) as supplier_id,
        cast(demand_class as text) as demand_class,
        cast(model as text) as model,
        cast(daily_demand as decimal(18, 4)) as daily_demand,
        cast(lead_time_days as decimal(18, 4)) as lead_time_days,
        cast(safety_stock_quantity as bigint) as safety_stock_quantity,
        cast(reorder_point_quantity as bigint) as reorder_point_quantity,
        cast(target_quantity as bigint) as target_quantity,
        cast(position_quantity as bigint) as position_quantity,
        cast(effective_at as timestamp with time zone) as effective_at
    from source
)

select * from final
