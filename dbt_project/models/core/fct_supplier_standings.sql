{{ config(materialized='view') }}

with standings as (
    select * from {{ ref('stg_supplier_standing') }}
),

final as (
    select
        supplier_id,
        plan_id,
        standing,
        due_line_count,
        good_line_count,
        effective_at
    from standings
)

select * from final
