with source as (
    select * from {{ source('omniflow_operations', 'exception_case') }}
),

final as (
    select
        cast(case_id as text) as case_id,
        cast(case_type as text) as case_type,
        cast(business_key as text) as business_key,
        -- The dispatcher's cases are routed a moment after they are opened.
        cast(coalesce(owner, 'nobody_yet') as text) as owner,
        cast(status as text) as status,
        cast(case_count as integer) as case_count,
        cast(opened_at as timestamp with time zone) as opened_at,
        cast(closed_at as timestamp with time zone) as closed_at
    from source
)

select * from final
