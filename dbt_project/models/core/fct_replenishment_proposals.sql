-- Built whole each time: what was decided and ordered changes proposals of before.
with proposals as (
    select * from {{ ref('stg_replenishment_proposal') }}
),

plans as (
    select * from {{ ref('stg_replenishment_plan') }}
),

decided as (
    select * from {{ ref('stg_requisition_decided') }}
),

placed as (
    select
        requisition_id,
        min(purchase_order_id) as purchase_order_id
    from {{ ref('stg_purchase_order_placed') }}
    where requisition_id is not null
    group by requisition_id
),

final as (
    select
        proposals.proposal_id,
        plans.planned_for as planned_date,
        proposals.sku,
        proposals.node_id,
        proposals.supplier_id,
        case
            when proposals.outcome <> 'proposed' then proposals.outcome
            when placed.purchase_order_id is not null then 'ordered'
            else coalesce(decided.decision, 'waiting')
        end as status,
        proposals.problem_code,
        proposals.requisition_id,
        placed.purchase_order_id,
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
        proposals.on_hand_quantity - proposals.reserved_quantity - proposals.backordered_quantity
        + proposals.on_order_quantity + proposals.requested_quantity as position_quantity,
        proposals.needed_quantity,
        proposals.order_quantity,
        proposals.unit_price,
        proposals.amount,
        proposals.currency_code,
        proposals.due_at,
        decided.decided_by
    from proposals
    inner join plans on proposals.plan_id = plans.plan_id
    left join decided on proposals.requisition_id = decided.requisition_id
    left join placed on proposals.requisition_id = placed.requisition_id
)

select * from final
