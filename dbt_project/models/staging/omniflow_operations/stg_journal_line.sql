with source as (
    select * from {{ source('omniflow_operations', 'journal_line') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(entry_id as text) as entry_id,
        cast(line_number as integer) as line_number,
        cast(entry_kind as text) as entry_kind,
        cast(business_key as text) as business_key,
        cast(account_code as text) as account_code,
        cast(amount as decimal(18, 4)) as amount,
        cast(currency_code as text) as currency_code,
        cast(legal_entity as text) as legal_entity,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('journal_line') }}
)

select * from final
