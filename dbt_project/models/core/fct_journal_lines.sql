{{ config(materialized='incremental', unique_key='entry_id') }}

with journal_lines as (
    select * from {{ ref('stg_journal_line') }}
),

shipments as (
    select * from {{ ref('stg_shipment_dispatched') }}
),

payment_movements as (
    select * from {{ ref('stg_payment_movement') }}
),

orders as (
    select * from {{ ref('stg_order_placed') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

-- What an entry is about may arrive after it.
resolved as (
    select
        journal_lines.entry_id,
        journal_lines.line_number,
        journal_lines.entry_kind,
        journal_lines.business_key,
        coalesce(shipments.order_id, payment_movements.order_id, orders.order_id) as order_id,
        journal_lines.legal_entity,
        journal_lines.account_code,
        accounts.account_name,
        journal_lines.amount as posted_amount,
        journal_lines.currency_code,
        journal_lines.occurred_at,
        journal_lines.effective_at,
        greatest(
            journal_lines.recorded_xid,
            shipments.recorded_xid,
            payment_movements.recorded_xid,
            orders.recorded_xid
        ) as recorded_xid
    from journal_lines
    left join shipments on journal_lines.business_key = shipments.shipment_id
    left join payment_movements
        on journal_lines.business_key = payment_movements.payment_movement_id
    left join orders on journal_lines.business_key = orders.order_id
    left join accounts on journal_lines.account_code = accounts.account_code
),

final as (
    select * from resolved
    {% if is_incremental() %}
    where recorded_xid > {{ loaded_xid() }}
    {% endif %}
)

select * from final
