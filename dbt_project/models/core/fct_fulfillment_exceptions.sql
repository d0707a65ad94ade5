-- Built whole each time: cases change in place, and what is copied of them carries no fact's
-- transaction that a later build could go by.
with cases as (
    select * from {{ ref('stg_exception_case') }}
),

subjects as (
    select * from {{ ref('int_case_subjects') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

reservations as (
    select * from {{ ref('fct_reservations') }}
),

pickups as (
    select * from {{ ref('fct_pickups') }}
),

screenings as (
    select * from {{ ref('int_order_screenings') }}
),

-- What runs and data gates open is about the platform's own work.
asked_about as (
    select
        cases.case_id as exception_id,
        cases.case_type as exception_type,
        cases.business_key,
        subjects.order_id,
        subjects.node_id,
        cast(null as text) as reason_code,
        cases.owner,
        cases.status as state,
        cases.case_count as occurrence_count,
        cases.opened_at,
        cases.closed_at
    from cases
    left join subjects on cases.case_id = subjects.case_id
    where
        cases.case_type not in (
            'run_failed', 'data_quality_gate_failed', 'partner_unavailable', 'policy_refused',
            'inbox_lag'
        )
),

not_found as (
    select
        order_id || '/units_not_found/' || unfilled_reason_code as exception_id,
        'units_not_found' as exception_type,
        order_id,
        cast(null as text) as node_id,
        unfilled_reason_code as reason_code,
        'order_desk' as owner
    from order_lines
    where unfilled_quantity > 0
    group by order_id, unfilled_reason_code
),

refused_at_screening as (
    select
        order_id || '/screening_rejected' as exception_id,
        'screening_rejected' as exception_type,
        order_id,
        cast(null as text) as node_id,
        refused_reason_code as reason_code,
        'payments' as owner,
        refused_at as opened_at
    from screenings
    where refused_reason_code is not null
),

refused_by_a_store as (
    select
        order_id || '/pickup_rejected/' || cast(attempt as text) as exception_id,
        'pickup_rejected' as exception_type,
        order_id,
        node_id,
        rejected_reason_code as reason_code,
        'store_operations' as owner,
        rejected_at as opened_at
    from pickups
    where rejected_at is not null
),

-- Goods of some worth that nobody collects have a case; the others are known all the same.
left_behind as (
    select
        pickups.order_id || '/pickup_unclaimed' as exception_id,
        'pickup_unclaimed' as exception_type,
        pickups.order_id,
        pickups.node_id,
        cast(null as text) as reason_code,
        'store_operations' as owner,
        pickups.unclaimed_at as opened_at
    from pickups
    left join asked_about
        on
            pickups.order_id = asked_about.order_id
            and asked_about.exception_type = 'pickup_unclaimed'
    where pickups.unclaimed_at is not null and asked_about.exception_id is null
),

happened as (
    select
        not_found.*,
        orders.placed_at as opened_at
    from not_found
    inner join orders on not_found.order_id = orders.order_id
    union all
    select * from refused_at_screening
    union all
    select * from refused_by_a_store
    union all
    select * from left_behind
),

reasons as (
    select
        order_id,
        node_id,
        max(deallocation_reason_code) as reason_code
    from reservations
    where deallocation_reason_code is not null
    group by order_id, node_id
),

gathered as (
    select
        asked_about.exception_id,
        asked_about.exception_type,
        asked_about.business_key,
        asked_about.order_id,
        asked_about.node_id,
        case
            when asked_about.exception_type = 'fulfilment_rejected' then reasons.reason_code
        end as reason_code,
        asked_about.owner,
        asked_about.state,
        asked_about.occurrence_count,
        asked_about.opened_at,
        asked_about.closed_at
    from asked_about
    left join reasons
        on asked_about.order_id = reasons.order_id and asked_about.node_id = reasons.node_id
    union all
    select
        exception_id,
        exception_type,
        order_id as business_key,
        order_id,
        node_id,
        reason_code,
        owner,
        'settled' as state,
        1 as occurrence_count,
        opened_at,
        opened_at as closed_at
    from happened
),

final as (
    select
        gathered.exception_id,
        gathered.exception_type,
        case
            when gathered.exception_type in (
                'units_not_found', 'shortage_after_count', 'out_of_stock'
            ) then 'stock_not_there'
            when gathered.exception_type in (
                'fulfilment_rejected', 'pickup_rejected', 'pickup_not_fulfilled',
                'pickup_not_ready', 'promise_broken'
            ) then 'node_did_not_do_it'
            when gathered.exception_type in ('payment_held', 'screening_rejected')
                then 'screening'
            when gathered.exception_type in ('carrier_delay', 'carrier_silence') then 'carrier'
            when gathered.exception_type = 'pickup_unclaimed' then 'customer'
            when gathered.exception_type in (
                'authorisation_mismatch', 'capture_not_asked_for', 'payment_failed',
                'refund_declined',
                'refund_not_asked_for', 'screening_not_asked_for'
            ) then 'money'
            when gathered.exception_type in (
                'stock_drift', 'stock_correction', 'stock_beyond_the_books',
                'snapshot_mass_drop', 'snapshot_of_unknown_skus'
            ) then 'stock_disagrees'
            when gathered.exception_type = 'price_parity' then 'price'
            -- What partners say that cannot be so, and what could not be told to them.
            else 'message'
        end as exception_area,
        gathered.business_key,
        gathered.order_id,
        orders.order_number,
        orders.channel,
        orders.region,
        orders.brand,
        orders.trading_date,
        gathered.node_id,
        gathered.reason_code,
        gathered.owner,
        gathered.state,
        gathered.occurrence_count,
        gathered.opened_at,
        gathered.closed_at
    from gathered
    left join orders on gathered.order_id = orders.order_id
)

select * from final
