with drift as (
    select * from {{ ref('fct_inventory_drift') }}
),

lines as (
    select * from {{ ref('fct_inventory_snapshot_lines') }}
),

compared as (
    select
        trading_date,
        source_system,
        place_kind,
        place,
        count(*) as compared_line_count,
        max(as_of_at) as as_of_at
    from lines
    group by trading_date, source_system, place_kind, place
),

coded as (
    select
        trading_date,
        source_system,
        place_kind,
        place,
        reason_code,
        currency_code,
        count(*) as drifting_line_count,
        sum(drift_quantity) as net_drift_quantity,
        sum(abs(drift_quantity)) as drift_quantity,
        sum(abs(drift_amount)) as drift_amount,
        sum(booked_quantity) as booked_quantity,
        sum(proposed_quantity) as proposed_quantity
    from drift
    group by trading_date, source_system, place_kind, place, reason_code, currency_code
),

final as (
    select
        compared.trading_date,
        compared.source_system,
        compared.place_kind,
        compared.place,
        coalesce(coded.reason_code, 'none') as reason_code,
        coalesce(coded.currency_code, 'XXX') as currency_code,
        case
            when coded.reason_code is null then 'agrees'
            when coded.reason_code = 'late' then 'cures_itself'
            when coded.reason_code not in ('oversell', 'miscount') then 'ask_the_partner'
            when compared.place_kind = 'channel' then 'told_again'
            when coded.proposed_quantity <> 0 then 'waits_for_approval'
            when coded.booked_quantity <> 0 then 'booked'
            else 'ask_the_partner'
        end as what_follows,
        compared.compared_line_count,
        coalesce(coded.drifting_line_count, 0) as drifting_line_count,
        cast(coalesce(coded.net_drift_quantity, 0) as bigint) as net_drift_quantity,
        cast(coalesce(coded.drift_quantity, 0) as bigint) as drift_quantity,
        cast(coalesce(coded.drift_amount, 0) as decimal(18, 4)) as drift_amount,
        cast(coalesce(coded.booked_quantity, 0) as bigint) as booked_quantity,
        cast(coalesce(coded.proposed_quantity, 0) as bigint) as proposed_quantity,
        compared.as_of_at
    from compared
    left join coded
        on
            compared.trading_date = coded.trading_date
            and compared.source_system = coded.source_system
            and compared.place_kind = coded.place_kind
            and compared.place = coded.place
)

select * from final
