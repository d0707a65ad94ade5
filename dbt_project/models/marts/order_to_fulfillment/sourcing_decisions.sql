{{ config(materialized='incremental', unique_key='order_id') }}

with decisions as (
    select * from {{ ref('fct_decisions') }}
    where decision_kind in ('sourcing', 'pickup', 'pickup_store')
),

orders as (
    select * from {{ ref('fct_orders') }}
),

reservations as (
    select * from {{ ref('fct_reservations') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['order_id'], ['decisions', 'orders', 'reservations']) }}
),

{% endif %}
numbered as (
    select
        *,
        row_number() over (partition by order_id order by effective_at, recorded_xid, decision_id)
            as decision_number
    from decisions
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
),

-- Stock is reserved in the transaction of its decision. Their instant would not do: in a replay an
-- order may be placed, refused and sourced again within one window.
given as (
    select
        order_id,
        reserved_xid,
        {{ ordered_list('node_id') }} as node_ids,
        count(distinct node_id) as node_count
    from reservations
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
    group by order_id, reserved_xid
),

-- Units as they were ordered: of a bundle as many as all its components make up.
stock_lines as (
    select
        order_id,
        reserved_xid,
        ordered_line_number,
        line_number,
        floor(sum(reserved_quantity) / max(coalesce(quantity_per_bundle, 1))) as quantity
    from reservations
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
    group by order_id, reserved_xid, ordered_line_number, line_number
),

ordered_lines as (
    select
        order_id,
        reserved_xid,
        ordered_line_number,
        min(quantity) as quantity
    from stock_lines
    group by order_id, reserved_xid, ordered_line_number
),

given_units as (
    select
        order_id,
        reserved_xid,
        sum(quantity) as reserved_quantity
    from ordered_lines
    group by order_id, reserved_xid
),

decided as (
    select
        numbered.*,
        orders.order_number,
        orders.channel,
        orders.region,
        orders.brand,
        orders.service_level,
        orders.trading_date,
        orders.promised_date,
        orders.ordered_quantity,
        given.node_ids,
        coalesce(given.node_count, 0) as node_count,
        coalesce(given_units.reserved_quantity, 0) as reserved_quantity,
        greatest(numbered.recorded_xid, orders.recorded_xid) as newest_xid
    from numbered
    inner join orders on numbered.order_id = orders.order_id
    left join given
        on
            numbered.order_id = given.order_id
            and numbered.recorded_xid = given.reserved_xid
            and numbered.outcome <> 'promised_again'
    left join given_units
        on given.order_id = given_units.order_id and given.reserved_xid = given_units.reserved_xid
),

final as (
    select
        decision_id,
        order_id,
        order_number,
        cast(decision_number as integer) as decision_number,
        channel,
        region,
        brand,
        service_level,
        trading_date,
        promised_date,
        effective_at as decided_at,
        decision_kind,
        outcome,
        reason_codes,
        reason_count,
        case
            when decision_kind <> 'sourcing' then 'at_the_store'
            when reason_codes like '%"beyond_exact_size"%' then 'beyond_exact_size'
            when reason_codes like '%"beyond_exact_effort"%' then 'beyond_exact_effort'
            else 'exact'
        end as method,
        mode,
        reason_codes not like '%"promise_not_feasible"%' as is_promise_feasible,
        node_ids,
        cast(node_count as integer) as planned_shipment_count,
        node_count > 1 as is_split,
        ordered_quantity,
        cast(reserved_quantity as bigint) as reserved_quantity,
        policy_hash,
        newest_xid as recorded_xid
    from decided
)

select * from final
