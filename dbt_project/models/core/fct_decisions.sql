{{ config(materialized='incremental', unique_key='decision_id') }}

with decision_records as (
    select * from {{ ref('stg_decision_record') }}
),

decision_batches as (
    select * from {{ ref('stg_decision_batch') }}
),

final as (
    select
        decision_records.decision_id,
        decision_records.decision_batch_id,
        decision_records.kind as decision_kind,
        decision_records.business_key,
        -- An order that is decided about again has a key of its own below the order's.
        case
            when decision_records.kind in ('sourcing', 'pickup', 'pickup_store')
                then split_part(decision_records.business_key, '/', 1)
        end as order_id,
        decision_records.outcome,
        decision_records.reason_codes,
        cast({{ json_array_size('decision_records.reason_codes') }} as integer) as reason_count,
        decision_batches.policy_hash,
        decision_batches.mode,
        decision_records.effective_at,
        greatest(decision_records.recorded_xid, decision_batches.recorded_xid) as recorded_xid
    from decision_records
    inner join decision_batches
        on decision_records.decision_batch_id = decision_batches.decision_batch_id
    {% if is_incremental() %}
    where
        greatest(decision_records.recorded_xid, decision_batches.recorded_xid) > {{ loaded_xid() }}
    {% endif %}
)

select * from final
