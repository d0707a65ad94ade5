{{ config(materialized='incremental', unique_key='payment_movement_id') }}

with payment_movements as (
    select * from {{ ref('stg_payment_movement') }}
),

final as (
    select
        payment_movement_id,
        order_id,
        payment_reference,
        kind as movement_kind,
        amount as movement_amount,
        currency_code,
        occurred_at,
        effective_at,
        recorded_xid
    from payment_movements
    {% if is_incremental() %}
    where recorded_xid > {{ loaded_xid() }}
    {% endif %}
)

select * from final
