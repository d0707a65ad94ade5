{{ config(materialized='incremental', unique_key=['snapshot_id', 'sku']) }}

with drift as (
    select * from {{ ref('stg_inventory_drift_reason') }}
),

corrections as (
    select * from {{ ref('stg_stock_correction') }}
),

lines as (
    select * from {{ ref('fct_inventory_snapshot_lines') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['snapshot_id', 'sku'], ['drift', 'corrections']) }}
),

{% endif %}
ranked as (
    select
        *,
        max(revision) over (partition by snapshot_id, sku) as last_revision,
        -- A line is corrected once, whatever number of reasons it has: the first of them says so.
        min(case when reason_code in ('miscount', 'oversell') then reason_code end) over (
            partition by snapshot_id, sku, revision
        ) as corrected_reason_code
    from drift
    {% if is_incremental() %}
    where
        (snapshot_id, sku) in (
            select
                touched.snapshot_id,
                touched.sku
            from touched
        )
    {% endif %}
),

corrected as (
    select
        snapshot_id,
        sku,
        -- What was decided about is proposed no more: the step after the proposal says how.
        case
            when max(case when status = 'proposed' then 0 else 1 end) = 1 then 0
            else sum(quantity)
        end as proposed_quantity,
        sum(case when status in ('booked', 'reversed') then quantity else 0 end) as booked_quantity,
        max(recorded_xid) as recorded_xid
    from corrections
    group by snapshot_id, sku
),

final as (
    select
        ranked.snapshot_id,
        ranked.sku,
        ranked.reason_code,
        ranked.revision,
        lines.source_system,
        lines.place_kind,
        lines.place,
        lines.trading_date,
        ranked.quantity as drift_quantity,
        ranked.amount as drift_amount,
        ranked.currency_code,
        cast(
            case
                when ranked.reason_code = ranked.corrected_reason_code
                    then coalesce(corrected.proposed_quantity, 0)
                else 0
            end as bigint
        ) as proposed_quantity,
        cast(
            case
                when ranked.reason_code = ranked.corrected_reason_code
                    then coalesce(corrected.booked_quantity, 0)
                else 0
            end as bigint
        ) as booked_quantity,
        lines.as_of_at,
        ranked.effective_at as coded_at,
        greatest(ranked.recorded_xid, coalesce(corrected.recorded_xid, 0)) as recorded_xid
    from ranked
    inner join lines on ranked.snapshot_id = lines.snapshot_id and ranked.sku = lines.sku
    left join corrected
        on ranked.snapshot_id = corrected.snapshot_id and ranked.sku = corrected.sku
    where ranked.revision = ranked.last_revision
)

select * from final
