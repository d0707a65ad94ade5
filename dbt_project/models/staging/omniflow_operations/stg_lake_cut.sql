-- A table, so that all models of one build read up to the same transaction while exports go on.
{{ config(materialized='table') }}

with source as (
    select * from {{ source('omniflow_operations', 'lake_watermark') }}
),

final as (
    select
        cast(table_name as text) as table_name,
        cast(cast(exported_below_xid as text) as bigint) as exported_below_xid
    from source
)

select * from final
