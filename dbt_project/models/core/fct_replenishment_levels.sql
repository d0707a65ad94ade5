-- Built whole each time: levels change in place with every plan.
with levels as (
    select * from {{ ref('stg_replenishment_level') }}
),

plans as (
    select * from {{ ref('stg_replenishment_plan') }}
),

final as (
    select
        levels.node_id,
        levels.sku,
        plans.planned_for as planned_date,
        levels.supplier_id,
        levels.demand_class,
        levels.model,
        levels.daily_demand,
        levels.lead_time_days,
        levels.safety_stock_quantity,
        levels.reorder_point_quantity,
        levels.target_quantity,
        levels.position_quantity
    from levels
    inner join plans on levels.plan_id = plans.plan_id
)

select * from final
