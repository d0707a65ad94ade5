with source as (
    select * from {{ source('omniflow_operations', 'approval_request') }}
),

final as (
    select
        cast(approval_id as text) as approval_id,
        cast(subject_type as text) as subject_type,
        cast(subject_key as text) as subject_key,
        cast(status as text) as status,
        cast(tier as integer) as tier,
        cast(amount as decimal(19, 4)) as amount,
        cast(currency_code as text) as currency_code,
        cast(region as text) as region,
        cast(brand as text) as brand,
        cast(requested_by as text) as requested_by,
        cast(requested_at as timestamp with time zone) as requested_at,
        cast(expires_at as timestamp with time zone) as expires_at,
        cast(ended_at as timestamp with time zone) as ended_at
    from source
)

select * from final
