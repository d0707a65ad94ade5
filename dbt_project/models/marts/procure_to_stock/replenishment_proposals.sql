with proposals as (
    select * from {{ ref('fct_replenishment_proposals') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

final as (
    select
        proposals.proposal_id,
        proposals.planned_date,
        proposals.sku,
        products.product_name,
        proposals.node_id,
        proposals.supplier_id,
        proposals.status,
        proposals.problem_code,
        proposals.requisition_id,
        proposals.purchase_order_id,
        proposals.spike_id,
        proposals.demand_class,
        proposals.model,
        proposals.daily_demand,
        proposals.daily_deviation,
        proposals.lead_time_days,
        proposals.lead_time_deviation_days,
        proposals.safety_stock_quantity,
        proposals.reorder_point_quantity,
        proposals.target_quantity,
        proposals.on_hand_quantity,
        proposals.reserved_quantity,
        proposals.backordered_quantity,
        proposals.on_order_quantity,
        proposals.requested_quantity,
        proposals.position_quantity,
        proposals.needed_quantity,
        proposals.order_quantity,
        proposals.unit_price,
        proposals.amount,
        proposals.currency_code,
        proposals.due_at,
        proposals.decided_by
    from proposals
    left join products on proposals.sku = products.sku
)

select * from final
