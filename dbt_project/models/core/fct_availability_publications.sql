{{ config(materialized='incremental', unique_key=['publication_id', 'sku']) }}

with published as (
    select * from {{ ref('stg_availability_published') }}
),

acknowledged as (
    select * from {{ ref('stg_availability_acknowledged') }}
),

reporting as (
    select * from {{ ref('dim_reporting_time') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['publication_id'], ['published', 'acknowledged']) }}
),

{% endif %}
final as (
    select
        published.publication_id,
        published.sku,
        published.channel,
        {{ local_date('published.effective_at', 'reporting.trading_zone') }} as trading_date,
        published.published_quantity,
        published.available_quantity,
        published.occurred_at as changed_at,
        published.effective_at as published_at,
        acknowledged.occurred_at as acknowledged_at,
        {{ seconds_between('published.occurred_at', 'published.effective_at') }}
            as publication_seconds,
        {{ seconds_between('published.effective_at', 'acknowledged.occurred_at') }}
            as acknowledgement_seconds,
        greatest(published.recorded_xid, coalesce(acknowledged.recorded_xid, 0)) as recorded_xid
    from published
    cross join reporting
    left join acknowledged on published.publication_id = acknowledged.publication_id
    {% if is_incremental() %}
    where published.publication_id in (select touched.publication_id from touched)
    {% endif %}
)

select * from final
