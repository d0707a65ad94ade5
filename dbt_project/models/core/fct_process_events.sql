{{ config(materialized='incremental', unique_key='process_event_id') }}

with process_events as (
    select * from {{ ref('stg_process_event') }}
),

final as (
    select
        process_event_id,
        activity,
        order_id,
        {{ json_array_field('objects', 0, 'type') }} as leading_object_type,
        {{ json_array_field('objects', 0, 'id') }} as leading_object_id,
        cast({{ json_array_size('objects') }} as integer) as object_count,
        objects,
        occurred_at,
        effective_at,
        recorded_xid
    from process_events
    {% if is_incremental() %}
    where recorded_xid > {{ loaded_xid() }}
    {% endif %}
)

select * from final
