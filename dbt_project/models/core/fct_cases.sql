-- Built whole each time: cases change in place, and what is copied of them carries no fact's
-- transaction that a later build could go by.
{% set flows = {
    'inventory': [
        'bundle_with_stock', 'out_of_stock', 'shortage_after_count', 'snapshot_mass_drop',
        'snapshot_of_unknown_skus', 'stock_beyond_the_books', 'stock_correction', 'stock_drift',
    ],
    'master_data': ['bundle_of_bundles', 'bundle_without_components', 'price_parity'],
    'procure_to_stock': [
        'bank_change', 'demand_spike', 'duplicate_invoice', 'goods_not_there', 'invoice_held',
        'no_dock_free', 'not_orderable', 'over_receipt', 'receipt_not_ordered',
        'release_not_asked_for', 'supplier_duplicate', 'supplier_invalid', 'supplier_shortage',
        'supplier_standing',
    ],
    'platform': [
        'contract_violation', 'data_quality_gate_failed', 'dead_letter', 'flow_failed',
        'inbox_lag', 'partner_unavailable', 'policy_refused', 'quarantined_rows', 'run_failed',
    ],
} %}
with cases as (
    select * from {{ ref('stg_exception_case') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

climbed as (
    select
        case_id,
        cycle,
        count(*) as rung_count,
        sum(case when is_breach then 1 else 0 end) as breach_count
    from {{ ref('stg_case_escalated') }}
    group by case_id, cycle
),

paused as (
    select
        case_id,
        cycle,
        count(*) as pause_count
    from {{ ref('stg_service_level_movement') }}
    where kind = 'paused'
    group by case_id, cycle
),

acted as (
    select
        case_id,
        cycle,
        count(*) as action_count,
        sum(cost) as action_cost
    from {{ ref('stg_playbook_action') }}
    group by case_id, cycle
),

-- What is open is looked at when the newest fact was decided, what is closed when it was closed.
seen as (
    select
        cases.*,
        case
            {% for flow, types in flows.items() %}
            when cases.case_type in (
                {% for case_type in types %}
                '{{ case_type }}'{{ ',' if not loop.last }}
                {% endfor %}
            ) then '{{ flow }}'
            {% endfor %}
            else 'order_to_fulfillment'
        end as flow,
        greatest(
            cases.cycle_started_at, coalesce(cases.closed_at, reporting_time.as_of_at)
        ) as seen_at
    from cases
    cross join reporting_time
),

final as (
    select
        seen.case_id,
        seen.case_type,
        seen.flow,
        seen.business_key,
        seen.owner,
        seen.assigned_to,
        seen.severity,
        coalesce(seen.service_level, 'none') as service_level,
        seen.status,
        seen.case_count,
        seen.region,
        seen.brand,
        seen.channel,
        seen.order_id,
        seen.value_at_risk,
        seen.currency_code,
        seen.handling_minutes,
        coalesce(seen.delay_cost_per_hour, 0) as delay_cost_per_hour,
        seen.cycle,
        seen.opened_at,
        seen.cycle_started_at,
        cast({{ local_date('seen.cycle_started_at', "'UTC'") }} as date) as started_date,
        seen.due_at,
        seen.closed_at,
        seen.paused_at is not null and seen.status = 'open' as is_paused,
        coalesce(seen.due_at < seen.seen_at, false) as is_late,
        cast({{ seconds_between('seen.cycle_started_at', 'seen.seen_at') }} as bigint)
            as open_seconds,
        cast(
            case
                when seen.due_at < seen.seen_at
                    then {{ seconds_between('seen.due_at', 'seen.seen_at') }}
                else 0
            end as bigint
        ) as late_seconds,
        cast(coalesce(climbed.rung_count, 0) as bigint) as rung_count,
        cast(coalesce(climbed.breach_count, 0) as bigint) as breach_count,
        cast(coalesce(paused.pause_count, 0) as bigint) as pause_count,
        seen.playbook,
        cast(coalesce(acted.action_count, 0) as bigint) as action_count,
        cast(coalesce(acted.action_cost, 0) as decimal(19, 4)) as action_cost
    from seen
    left join climbed on seen.case_id = climbed.case_id and seen.cycle = climbed.cycle
    left join paused on seen.case_id = paused.case_id and seen.cycle = paused.cycle
    left join acted on seen.case_id = acted.case_id and seen.cycle = acted.cycle
)

select * from final
