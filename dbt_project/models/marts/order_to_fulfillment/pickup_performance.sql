{{ config(materialized='incremental', unique_key=['node_id', 'promised_date']) }}

with pickups as (
    select * from {{ ref('fct_pickups') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['node_id', 'promised_date'], ['pickups']) }}
),

{% endif %}
reached as (
    select
        *,
        {{ seconds_between('promised_at', 'ready_at') }} as ready_seconds,
        {{ seconds_between('ready_at', 'collected_at') }} as collect_seconds
    from pickups
    -- A refusal that was recorded before its promise belongs to no day yet.
    where
        promised_date is not null
        {% if is_incremental() %}
        and (node_id, promised_date) in (
            select
                touched.node_id,
                touched.promised_date
            from touched
        )
        {% endif %}
),

counted as (
    select
        promised_date,
        node_id,
        channel,
        region,
        brand,
        count(*) as pickup_count,
        count(ready_at) as ready_count,
        sum(case when is_ready_in_time then 1 else 0 end) as ready_in_time_count,
        sum(case when outcome = 'collected' then 1 else 0 end) as collected_count,
        sum(case when outcome = 'unclaimed' then 1 else 0 end) as unclaimed_count,
        sum(case when outcome = 'rejected' then 1 else 0 end) as rejected_count,
        sum(case when outcome = 'ended' then 1 else 0 end) as ended_count,
        sum(case when outcome in ('preparing', 'ready') then 1 else 0 end) as open_count,
        sum(case
            when outcome = 'rejected' and rejected_reason_code in ('not_found', 'stock_not_found')
                then 1
            else 0
        end) as rejected_not_found_count,
        sum(case when outcome = 'rejected' and rejected_reason_code = 'damaged' then 1 else 0 end)
            as rejected_damaged_count,
        sum(case when outcome = 'rejected' and rejected_reason_code = 'too_busy' then 1 else 0 end)
            as rejected_too_busy_count,
        sum(case when outcome = 'rejected' and rejected_reason_code = 'no_answer' then 1 else 0 end)
            as rejected_no_answer_count,
        sum(case when is_moved_to_other_store then 1 else 0 end) as moved_to_other_store_count,
        sum(case when is_shipped_instead then 1 else 0 end) as shipped_instead_count,
        sum(reminder_count) as reminder_count,
        cast({{ percentile('ready_seconds', 0.5) }} as decimal(18, 4)) as median_ready_seconds,
        cast({{ percentile('ready_seconds', 0.95) }} as decimal(18, 4)) as p95_ready_seconds,
        cast({{ percentile('collect_seconds', 0.5) }} as decimal(18, 4)) as median_collect_seconds,
        cast({{ percentile('collect_seconds', 0.95) }} as decimal(18, 4)) as p95_collect_seconds,
        max(recorded_xid) as recorded_xid
    from reached
    group by promised_date, node_id, channel, region, brand
),

final as (
    select
        promised_date,
        node_id,
        channel,
        region,
        brand,
        cast(pickup_count as bigint) as pickup_count,
        cast(ready_count as bigint) as ready_count,
        cast(ready_in_time_count as bigint) as ready_in_time_count,
        cast(collected_count as bigint) as collected_count,
        cast(unclaimed_count as bigint) as unclaimed_count,
        cast(rejected_count as bigint) as rejected_count,
        cast(ended_count as bigint) as ended_count,
        cast(open_count as bigint) as open_count,
        cast(rejected_not_found_count as bigint) as rejected_not_found_count,
        cast(rejected_damaged_count as bigint) as rejected_damaged_count,
        cast(rejected_too_busy_count as bigint) as rejected_too_busy_count,
        cast(rejected_no_answer_count as bigint) as rejected_no_answer_count,
        cast(
            rejected_count - rejected_not_found_count - rejected_damaged_count
            - rejected_too_busy_count - rejected_no_answer_count as bigint
        ) as rejected_other_count,
        cast(moved_to_other_store_count as bigint) as moved_to_other_store_count,
        cast(shipped_instead_count as bigint) as shipped_instead_count,
        cast(reminder_count as bigint) as reminder_count,
        {{ rounded_quotient('median_ready_seconds', 3600) }} as median_ready_hours,
        {{ rounded_quotient('p95_ready_seconds', 3600) }} as p95_ready_hours,
        {{ rounded_quotient('median_collect_seconds', 3600) }} as median_collect_hours,
        {{ rounded_quotient('p95_collect_seconds', 3600) }} as p95_collect_hours,
        recorded_xid
    from counted
)

select * from final
